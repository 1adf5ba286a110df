// Runs after tsc has written the declarations to build/declarations. Those that an entry imports are made readable for
// older compilers and written to dist/, and to dist/cjs/ for `require`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const from = 'build/declarations';
const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, unknown> };

const reached = new Map<string, string>();
function reach(file: string): void {
  if (reached.has(file)) return;
  const text = readFileSync(file, 'utf8');
  reached.set(file, text);
  for (const [, path] of text.matchAll(/(?:from |import\(|import )'(\.[^']*)\.ts'/g))
    reach(resolve(dirname(file), `${path}.d.ts`));
}
for (const entry of Object.keys(exports)) {
  if (!entry.endsWith('.json')) reach(resolve(from, `${entry === '.' ? 'index' : entry}.d.ts`));
}

/**
 * Makes declarations readable for older compilers. `NoInfer` needs TypeScript 5.4. Generic typed arrays need TypeScript
 * 5.7: from 5.7 on `slice` returns the type with an ArrayBuffer, before that the plain type. Some module resolutions
 * find only files with the extension .js.
 */
const forOlderCompilers = (text: string): string =>
  text
    .replace(/\bNoInfer<(\w+)>/g, '$1')
    .replace(/\b(\w+Array)<ArrayBuffer>/g, "ReturnType<$1['slice']>")
    .replace(/((?:from|import\(|import) ?'\.[^']*)\.ts'/g, "$1.js'");

for (const [file, text] of reached) {
  for (const out of ['dist', 'dist/cjs']) {
    const copy = join(out, relative(from, file));
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, forOlderCompilers(text));
  }
}
