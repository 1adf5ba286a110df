// The package for `require`: the files for Node once more, as CommonJS, in a folder whose package.json says so. They
// are the same files one by one, so that here too each module stands in one, and entries share an engine.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { transformSync } from 'esbuild';

/** Writes `out`/cjs from what stands in `out`: the entries `names`, and the files that they reach. */
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
      // Jest's sandbox knows no import() unless it is told to.
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
