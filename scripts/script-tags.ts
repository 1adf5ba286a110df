// Prints the script tags that load the built package from a CDN in a page without a bundler. They contain hashes, with
// which the browser verifies the files.
//   npm run script-tags -- [--base https://cdn.jsdelivr.net/npm/tapeloop@VERSION/dist]
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

/** The value of the `integrity` attribute for a file. */
export const integrityOf = (file: string): string =>
  `sha384-${createHash('sha384').update(readFileSync(file)).digest('base64')}`;

/** A classic script that defines the global `tapeloop`, and an import map that gives modules the same package. */
export function scriptTags(base: string, dist: string): { classic: string; module: string } {
  const global = 'tapeloop.global.js';
  const address = `${base}/tapeloop.min.js`;
  const names = ['tapeloop', 'tapeloop/data', 'tapeloop/plot'];
  const map = {
    imports: Object.fromEntries(names.map((name) => [name, address])),
    integrity: { [address]: integrityOf(join(dist, 'tapeloop.min.js')) },
  };
  return {
    classic: `<script src="${base}/${global}" integrity="${integrityOf(join(dist, global))}" crossorigin="anonymous"></script>`,
    module: `<script type="importmap">\n${JSON.stringify(map, null, 2)}\n</script>`,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const { values } = parseArgs({ options: { base: { type: 'string' } } });
  const { classic, module } = scriptTags(
    values.base ?? `https://cdn.jsdelivr.net/npm/tapeloop@${version}/dist`,
    'dist',
  );
  console.log(`${classic}\n\n${module}`);
}
