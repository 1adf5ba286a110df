// node --max-old-space-size=256 --import tsx acceptance/audio-models/hostile.ts COUNT SEED
// Damaged .nam and RTNeural files: those of test/golden.
import { readFileSync } from 'node:fs';
import { importNam, importRtNeural } from '../../src/audio-models.ts';
import type { RandomStream } from '../../src/index.ts';
import { runDamaged } from '../damaged.ts';

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

runDamaged({
  originals: readers.reduce((sum, { files }) => sum + files.length, 0),
  damage(random, seed) {
    const { read, files } = readers[seed % readers.length]!;
    const file = files[Math.floor(random.nextUniform() * files.length)]!;
    const isChanged = random.nextUniform() < 0.6;
    return {
      read,
      file: isChanged ? JSON.stringify(changed(file, random)) : scratched(JSON.stringify(file), random),
    };
  },
  read: ({ read, file }) => read(file).model.dispose(),
});
