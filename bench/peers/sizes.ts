// Prints, as a Markdown table, the size of other libraries that a page loads for the same work. `npm run test:package`
// prints the sizes of tapeloop.
// npm ci --prefix bench/peers && npx tsx bench/peers/sizes.ts
import { readFileSync } from 'node:fs';
import { appSize, gzippedKilobytes } from '../../scripts/app-size.ts';
import { here } from './processes.ts';

/** An app, and the file that it loads in addition to its script. */
const apps: { name: string; wasm?: string }[] = [
  { name: 'tfjs' },
  { name: 'tfjs-wasm', wasm: '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm' },
  { name: 'jax-js' },
  { name: 'ort-web', wasm: 'onnxruntime-web/dist/ort-wasm-simd-threaded.wasm' },
];
const packages = here('node_modules');

console.log('| app | script, kB | .wasm, kB |\n| --- | --- | --- |');
for (const { name, wasm } of apps) {
  const script = await appSize(here(`sizes/${name}.mjs`), packages);
  const file = wasm === undefined ? '' : gzippedKilobytes(readFileSync(`${packages}/${wasm}`)).toFixed(0);
  console.log(`| ${name} | ${script.toFixed(0)} | ${file} |`);
}
