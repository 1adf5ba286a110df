// Makes the text that `tapeloop train` learns when no file is given: the project's own sources, one after the other, as
// many as make a text that is read often enough in a minute's training.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folders = ['assembly', 'src'];
const output = 'src/cli/default-text.gen.ts';
const LIMIT = 400_000;

// A small vocabulary learns sooner: what comments use beyond ASCII is spelled with it.
const spelling: Record<string, string> = {
  '–': '-',
  '—': '-',
  '−': '-',
  '·': '*',
  '×': 'x',
  '…': '...',
  '→': '->',
  '←': '<-',
  '≤': '<=',
  '≥': '>=',
  '≠': '!=',
  '≈': '~',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '\t': '  ',
  '\r': '',
};

/** A text in printable ASCII and newlines alone. */
export function toPlainAscii(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\n -~]/gu, (character) => spelling[character] ?? '?');
}

/**
 * Sources under a project's root, by path, each behind a line that names it, while they are within the limit; files
 * that a script writes are left out.
 */
export function projectText(root: URL): string {
  const paths = folders
    .flatMap((folder) =>
      readdirSync(new URL(`${folder}/`, root), { recursive: true }).map((path) => `${folder}/${path}`),
    )
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.gen.ts'))
    .sort();
  let text = '';
  for (const path of paths) {
    const next = toPlainAscii(`// ${path}\n${readFileSync(new URL(path, root), 'utf8')}\n`);
    if (text.length + next.length > LIMIT) break;
    text += next;
  }
  return text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = new URL('../', import.meta.url);
  const text = projectText(root);
  const source = `// Written by scripts/embed-default-text.ts; do not edit.\nexport const defaultText: string =\n  ${JSON.stringify(text)};\n`;
  writeFileSync(new URL(output, root), source);
  console.error(`${output} ${text.length} characters`);
}
