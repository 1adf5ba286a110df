// node --max-old-space-size=256 --import tsx acceptance/tfjs/hostile.ts COUNT SEED
// Damaged models of TF.js: each gives a model or one ModelFileError, within a second, and takes no memory on the file's
// word. The models are those of test/golden/tfjs-models.json. Prints what breaks with its seed, SEED + i.
import { engine } from '../../src/engine/engine.ts';
import { type Model, ModelFileError, RandomStream } from '../../src/index.ts';
import { importTfjs, type TfjsArtifacts } from '../../src/tfjs.ts';
import { damagedModel } from '../../test/tfjs/damage.ts';
import { artifactsOf, models, type TfjsCase } from '../../test/tfjs/golden.ts';

const [count, first] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 1)];
const originals = Object.values(models as Record<string, TfjsCase>).map(artifactsOf);

const found = new Map<string, number>();
let [read, refused, slowest, slowestSeed] = [0, 0, 0, 0];
const report = (what: string, seed: number): void => {
  const times = (found.get(what) ?? 0) + 1;
  found.set(what, times);
  if (times <= 2) console.log(`seed ${seed}: ${what}`);
};
const seconds = (): number => process.cpuUsage().user / 1e6;

let memory = 0;
for (let i = 0; i < count; i++) {
  const random = new RandomStream(first + i);
  const damaged = damagedModel(originals[random.nextUint32() % originals.length]!, random);
  const start = seconds();
  let model: Model | undefined;
  try {
    model = importTfjs(damaged as TfjsArtifacts);
    read++;
  } catch (error) {
    refused++;
    if (!(error instanceof ModelFileError)) report(`${(error as Error).name}: ${(error as Error).message}`, first + i);
    else if (/^importTfjs: a part of/.test(error.message))
      report(`plain error: ${String(error.cause)}`.slice(0, 160), first + i);
  }
  model?.dispose();
  const took = seconds() - start;
  if (took > slowest) [slowest, slowestSeed] = [took, first + i];
  memory = Math.max(memory, engine().memory.buffer.byteLength);
  if (memory > 2 ** 28) {
    report(`memory of ${memory} bytes`, first + i);
    break;
  }
}
console.log(
  `${count} models from seed ${first}: ${read} read, ${refused} refused, slowest ${slowest.toFixed(2)} s (seed ${slowestSeed}), memory ${(memory / 2 ** 20).toFixed(0)} MB, ${found.size} kinds of wrong errors`,
);
if (found.size > 0 || slowest > 1) process.exitCode = 1;
