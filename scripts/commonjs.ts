// Builds the package for `require`: every file for Node as a CommonJS file, in a folder whose package.json says so.
// Each module is in exactly one file, so all entries share one engine.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { transformSync } from 'esbuild';

/** Writes `out`/cjs from the files in `out`: the entries `names` and the files that they import. */
export function buildCommonJs(names: readonly string[], out: string): void {
  const done = new Set<string>();
  const write = (file: string): void => {
    if (done.has(file)) return;
    done.add(file);
    const text = readFileSync(file, 'utf8');
    const { code } = transformSync(text, {
      format: 'cjs',
      platform: 'node',
      target: 'es2022',
      // Jest's sandbox has no import() by default.
      supported: { 'dynamic-import': false },
    });
    const to = join(out, 'cjs', relative(out, file));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, code);
    for (const [, path] of code.matchAll(/\brequire\("(\.[^"]*)"\)/g)) write(join(dirname(file), path));
  };
  for (const name of names) write(join(out, `${name}.js`));
  writeFileSync(join(out, 'cjs/package.json'), '{ "type": "commonjs" }\n');
}
