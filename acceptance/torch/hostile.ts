// node --max-old-space-size=512 --import tsx acceptance/torch/hostile.ts COUNT SEED [FOLDER]
// Damaged files of PyTorch: each is read or refused with one ModelFileError, within a second. The files are those of
// test/torch, and those of at most 250 kB in FOLDER. Prints what breaks with its seed, SEED + i.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dense, init, ModelFileError, RandomStream, sequential } from '../../src/index.ts';
import { importTorch, loadStateDict, type PickledValue, readTorch, torchOptimizer } from '../../src/torch.ts';
import { damaged } from '../../test/torch/damage.ts';
import { bytesOf, golden } from '../../test/torch/golden.ts';

const [count, first, folder] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 1), process.argv[4]];
const files = folder
  ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((name) => /\.(pt|pth|safetensors)$/.test(name) && statSync(name).size <= 250_000)
      .map((name) => new Uint8Array(readFileSync(name)))
  : [];
const originals = [
  ...Object.values(golden.files),
  ...Object.values(golden.training).map(({ file }) => file),
  ...Object.values(golden.stacks).map(({ file }) => file),
].map(bytesOf);
originals.push(...files);

await init();
const model = sequential([dense({ units: 1, inputShape: [2] })]);
const found = new Map<string, number>();
let [read, refused, slowest, slowestSeed] = [0, 0, 0, 0];
const report = (what: string, seed: number): void => {
  const times = (found.get(what) ?? 0) + 1;
  found.set(what, times);
  if (times <= 2) console.log(`seed ${seed}: ${what}`);
};
const attempt = (seed: number, body: () => void): boolean => {
  try {
    body();
    return true;
  } catch (error) {
    if (!(error instanceof ModelFileError)) report(String((error as Error).stack).slice(0, 400), seed);
    return false;
  }
};
const seconds = (): number => process.cpuUsage().user / 1e6;
for (let seed = first; seed < first + count; seed++) {
  const bytes = damaged(originals, new RandomStream(seed % 2 ** 32));
  const start = seconds();
  let value: PickledValue = null;
  const isRead = attempt(seed, () => {
    value = readTorch(bytes);
  });
  if (isRead) read++;
  else refused++;
  if ((value as PickledValue) instanceof Map) {
    attempt(seed, () => loadStateDict(model, value));
    attempt(seed, () => torchOptimizer(model, value));
    attempt(seed, () => importTorch(value).dispose());
  }
  const took = seconds() - start;
  if (took > slowest) [slowest, slowestSeed] = [took, seed];
  if (took > 1) report(`${took.toFixed(1)} s`, seed);
}
const broken = [...found.values()].reduce((sum, n) => sum + n, 0);
console.log(
  `${count} inputs of ${originals.length} files, seeds ${first} to ${first + count - 1}: ${read} read, ${refused} refused with one ModelFileError, ${broken} broken; the slowest took ${slowest.toFixed(2)} s (seed ${slowestSeed}); the process took ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`,
);
if (found.size > 0) process.exitCode = 1;
