// Writes the default text of `tapeloop train`: the concatenated sources of this project. The text is short, so one
// minute of training reads it several times.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const folders = ['assembly', 'src'];
const output = 'src/cli/default-text.gen.ts';
const LIMIT = 400_000;

// A small vocabulary is learned faster, so characters beyond ASCII are replaced by ASCII.
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
 * The sources under the root of a project, ordered by path, up to the limit. A line with its path precedes each file.
 * Generated files are left out.
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

/** Writes the module with the text of this project. */
export function writeDefaultText(): void {
  const root = new URL('../', import.meta.url);
  const text = JSON.stringify(projectText(root));
  const source = `// Written by scripts/embed-default-text.ts; do not edit.\nexport const defaultText: string =\n  ${text};\n`;
  writeFileSync(new URL(output, root), source);
}
