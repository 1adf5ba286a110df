// Runs of damaged files, COUNT of them from SEED: each is read or refused with one ModelFileError, within a second of
// processor time, and takes no memory on the file's word. Prints what breaks with its seed, and ends with exit code 1.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { engine } from '../src/engine/engine.ts';
import { ModelFileError, onWarning, RandomStream } from '../src/index.ts';

/** Linear memory that damaged copies of small files may take, in bytes. */
const MOST_MEMORY = 2 ** 28;

/** The files below `folder` with such names, of at most `largest` bytes; none without a folder. */
export const smallFiles = (folder: string | undefined, names: RegExp, largest: number): Uint8Array[] =>
  folder === undefined
    ? []
    : readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .map((name) => join(folder, name))
        .filter((name) => names.test(name) && statSync(name).size <= largest)
        .map((name) => new Uint8Array(readFileSync(name)));

export interface DamagedFiles<T> {
  /** How many files are damaged. */
  readonly originals: number;
  /** Makes one input. Its time does not count. */
  damage(random: RandomStream, seed: number): T;
  /** Reads it. What `also` runs is held to the same, but does not make the input a refused one. */
  read(input: T, also: (body: () => unknown) => void): void;
  /** What is wrong with an error although it is a ModelFileError; undefined if nothing is. */
  faultOf?(error: ModelFileError): string | undefined;
}

const shown = (error: unknown): string => String((error as Error).stack).slice(0, 400);
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;
/** Processor time of this process alone, which other processes do not lengthen. */
const seconds = (): number => process.cpuUsage().user / 1e6;

export function runDamaged<T>({ originals, damage, read, faultOf }: DamagedFiles<T>): void {
  const [count, first] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 1)];
  onWarning(() => {});
  const found = new Map<string, number>();
  let [wereRead, refused, slowest, slowestSeed] = [0, 0, 0, 0];
  for (let seed = first; seed < first + count; seed++) {
    const report = (what: string): void => {
      const times = (found.get(what) ?? 0) + 1;
      found.set(what, times);
      if (times <= 2) console.log(`seed ${seed}: ${what}`);
    };
    const judged = (error: unknown): void => {
      const fault = error instanceof ModelFileError ? faultOf?.(error) : shown(error);
      if (fault !== undefined) report(fault);
    };
    const input = damage(new RandomStream(seed % 2 ** 32), seed);
    const start = seconds();
    try {
      read(input, (body) => {
        try {
          body();
        } catch (error) {
          judged(error);
        }
      });
      wereRead++;
    } catch (error) {
      refused++;
      judged(error);
    }
    const took = seconds() - start;
    if (took > slowest) [slowest, slowestSeed] = [took, seed];
    if (took > 1) report(`${took.toFixed(1)} s`);
    const memory = engine().memory.buffer.byteLength;
    if (memory > MOST_MEMORY) {
      report(`${megabytes(memory)} of linear memory`);
      break;
    }
    const done = seed - first + 1;
    if (done % 50_000 === 0) console.log(`${done} inputs, ${megabytes(process.memoryUsage.rss())}`);
  }
  const broken = [...found.values()].reduce((sum, n) => sum + n, 0);
  const memory = `linear memory ${megabytes(engine().memory.buffer.byteLength)}, the process ${megabytes(process.resourceUsage().maxRSS * 1024)}`;
  console.log(
    `${count} inputs of ${originals} files, seeds ${first} to ${first + count - 1}: ${wereRead} read, ${refused} refused with one ModelFileError, ${broken} broken; ` +
      `the slowest took ${slowest.toFixed(2)} s (seed ${slowestSeed}); ${memory}`,
  );
  if (found.size > 0) process.exitCode = 1;
}
