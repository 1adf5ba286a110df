// node --max-old-space-size=256 --import tsx acceptance/audio-models/hostile.ts COUNT SEED
// Damaged .nam and RTNeural files: each gives a model or one ModelFileError, within a second. Prints what breaks with its
// seed, SEED + i.
import { readFileSync } from 'node:fs';
import { importNam, importRtNeural } from '../../src/audio-models.ts';
import { ModelFileError, RandomStream } from '../../src/index.ts';

const [count, first] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 1)];
const golden = (name: string): object[] => {
  const { cases } = JSON.parse(readFileSync(new URL(`../../test/golden/${name}.json`, import.meta.url), 'utf8')) as {
    cases: { file: object }[];
  };
  return cases.map(({ file }) => file);
};
// The smaller ones, of which most bytes matter.
const isSmall = (file: object): boolean => JSON.stringify(file).length < 12_000;
const readers = [
  { read: importNam, files: golden('nam').filter(isSmall) },
  { read: importRtNeural, files: golden('rtneural').filter(isSmall) },
];
const odd = [null, true, '', 'NaN', 0, -1, 1.5, 2 ** 31, 1e39, [], {}, [[[]]], '__proto__', 'toString'];

/** Changes one entry of a file, at any depth, to something odd, or removes or repeats it. */
function changed(file: unknown, random: RandomStream): unknown {
  const draw = (n: number): number => Math.floor(random.nextUniform() * n);
  if (typeof file !== 'object' || file === null || random.nextUniform() < 0.15) return odd[draw(odd.length)];
  const keys = Object.keys(file);
  const copy = (Array.isArray(file) ? [...file] : { ...file }) as Record<string, unknown>;
  if (keys.length === 0) return odd[draw(odd.length)];
  const key = keys[draw(keys.length)]!;
  const kind = draw(10);
  if (kind === 0 && Array.isArray(copy)) copy.splice(Number(key), 1);
  else if (kind === 1 && Array.isArray(copy)) copy.push(copy[Number(key)]);
  else if (kind === 0) delete copy[key];
  else if (kind === 1) copy[`${key}x`] = copy[key];
  else copy[key] = changed(copy[key], random);
  return copy;
}

/** Bytes of a file with one to four of them changed. */
function scratched(text: string, random: RandomStream): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  for (let left = 1 + Math.floor(random.nextUniform() * 4); left > 0; left--) {
    bytes[Math.floor(random.nextUniform() * bytes.length)] = Math.floor(random.nextUniform() * 256);
  }
  return random.nextUniform() < 0.2 ? bytes.subarray(0, Math.floor(random.nextUniform() * bytes.length)) : bytes;
}

let [models, refused, broken, slowest] = [0, 0, 0, 0];
for (let seed = first; seed < first + count; seed++) {
  const random = new RandomStream(seed % 2 ** 32);
  const { read, files } = readers[seed % readers.length]!;
  const file = files[Math.floor(random.nextUniform() * files.length)]!;
  const made =
    random.nextUniform() < 0.6 ? JSON.stringify(changed(file, random)) : scratched(JSON.stringify(file), random);
  const start = process.cpuUsage().user;
  try {
    read(made).model.dispose();
    models++;
  } catch (error) {
    if (error instanceof ModelFileError) refused++;
    else {
      broken++;
      console.log(`seed ${seed}: ${(error as Error).stack?.slice(0, 400)}`);
    }
  }
  slowest = Math.max(slowest, (process.cpuUsage().user - start) / 1e6);
}
const memory = (process.resourceUsage().maxRSS / 1024).toFixed(0);
console.log(
  `${count} inputs, seeds ${first} to ${first + count - 1}: ${models} models, ${refused} refused with one ModelFileError, ${broken} broken; the slowest took ${slowest.toFixed(2)} s; the process ${memory} MB`,
);
if (broken > 0) process.exitCode = 1;
