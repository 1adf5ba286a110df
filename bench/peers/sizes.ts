// Prints a Markdown table of the bytes that a page loads with other libraries for similar work. `npm run sizes` prints
// the sizes of tapeloop.
//   npm ci --prefix bench/peers && npx tsx bench/peers/sizes.ts
import { readFileSync } from 'node:fs';
import { appSize, gzippedKilobytes } from '../../scripts/app-size.ts';
import { here } from './processes.ts';

/** An app, and the .wasm file that it loads beside its script. */
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
