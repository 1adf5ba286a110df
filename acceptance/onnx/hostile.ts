// node --max-old-space-size=256 --import tsx acceptance/onnx/hostile.ts COUNT SEED [FOLDER]
// Damaged files: each gives a model or one ModelFileError, within a second, and takes no memory on the file's word. The
// files are the graphs of test/onnx, and those of at most 20 kB in FOLDER/*/. Prints what breaks with its seed, SEED + i.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { engine } from '../../src/engine/engine.ts';
import { ModelFileError, RandomStream } from '../../src/index.ts';
import { importOnnx } from '../../src/onnx.ts';
import { graphCases } from '../../test/onnx/all-cases.ts';
import { damaged } from '../../test/onnx/damage.ts';

const [count, first, folder] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 1), process.argv[4]];
const LARGEST = 20_000;
const files = folder
  ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((name) => name.endsWith('.onnx') && statSync(name).size <= LARGEST)
      .map((name) => new Uint8Array(readFileSync(name)))
  : [];
const originals = [...files, ...graphCases.map(({ bytes }) => bytes)];

const found = new Map<string, number>();
let [models, refused, slowest, slowestSeed] = [0, 0, 0, 0];
const report = (what: string, seed: number): void => {
  const times = (found.get(what) ?? 0) + 1;
  found.set(what, times);
  if (times <= 2) console.log(`seed ${seed}: ${what}`);
};
const seconds = (): number => process.cpuUsage().user / 1e6;

for (let seed = first; seed < first + count; seed++) {
  const bytes = damaged(new RandomStream(seed % 2 ** 32), originals);
  // Time of this process alone, which other processes do not lengthen.
  const start = seconds();
  try {
    importOnnx(bytes).dispose();
    models++;
  } catch (error) {
    if (error instanceof ModelFileError) refused++;
    else report(`${(error as Error).name}: ${(error as Error).stack?.slice(0, 400)}`, seed);
  }
  const took = seconds() - start;
  if (took > slowest) [slowest, slowestSeed] = [took, seed];
  if (took > 1) report(`${took.toFixed(1)} s`, seed);
  if ((seed - first) % 50_000 === 49_999)
    console.log(`${seed - first + 1} inputs, ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MB`);
}
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;
console.log(
  `${count} inputs of ${originals.length} files, seeds ${first} to ${first + count - 1}: ${models} models, ${refused} refused with one ModelFileError, ${[...found.values()].reduce((sum, n) => sum + n, 0)} broken; the slowest took ${slowest.toFixed(2)} s (seed ${slowestSeed}); linear memory ${megabytes(engine().memory.buffer.byteLength)}, the process ${megabytes(process.resourceUsage().maxRSS * 1024)}`,
);
if (found.size > 0) process.exitCode = 1;
