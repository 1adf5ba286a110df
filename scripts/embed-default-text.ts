// Makes the text that `tapeloop train` learns without a file: the project's own sources, one after the other. The text
// is so short that a minute of training reads it often enough.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folders = ['assembly', 'src'];
const output = 'src/cli/default-text.gen.ts';
const LIMIT = 400_000;

// A small vocabulary is learned sooner, so characters of comments beyond ASCII are spelled in ASCII.
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

/** The text with only printable ASCII and newlines. */
export function toPlainAscii(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\n -~]/gu, (character) => spelling[character] ?? '?');
}

/**
 * The sources under the root of a project, ordered by path, up to the limit. A line with its name comes before each.
 * Files that scripts write are left out.
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
