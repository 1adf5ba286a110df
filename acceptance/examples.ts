// The examples as data: finds them, checks their files, runs one, and compares its numbers with its targets.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** The argument of an example's `run`. */
export interface RunOptions {
  /** Folder with the example's files. */
  data: string;
  seed: number;
  /** Shows one or a few lines of progress. */
  log: (text: string) => void;
  /** Keeps a picture, a file name that ends in .svg and its text, or a sound: .wav and its bytes. */
  draw: (file: string, content: string | Uint8Array) => void;
  /** Runs the whole program on a fraction of the work, to see that it runs. Its numbers mean nothing. */
  quick?: boolean;
}

/** One number of an example, and its target, if it has one. */
export interface Outcome {
  metric: string;
  value: number;
  atLeast?: number;
  atMost?: number;
  /** `[target, tolerance]` */
  near?: readonly [number, number];
}

/** The exports of a file of `examples/`. */
export interface Example {
  /** One sentence for the list. */
  about: string;
  /** The files that it reads. The value is the URL or place where to get each. */
  files?: Record<string, string>;
  run(options: RunOptions): Promise<Outcome[]>;
}

/** A row of the acceptance table. `target` is null for a number that is only reported. */
export interface Result {
  name: string;
  metric: string;
  value: number;
  target: string | null;
  pass: boolean;
  seconds: number;
}

/** A mistake of the caller: an unknown flag or name, or a missing file. */
export class ExampleError extends Error {
  override readonly name = 'ExampleError';
}

/**
 * Flags and arguments after the name of a script, with `--seed` as a number. Throws `ExampleError` for an unknown one.
 */
export function readArguments<Flag extends string>(flags: readonly Flag[]) {
  const options = Object.fromEntries([...flags, 'seed'].map((flag) => [flag, { type: 'string' as const }]));
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    const { seed: given = '1', ...rest } = values as Record<string, string | undefined>;
    const seed = Number(given);
    if (!/^\d+$/.test(given) || seed >= 2 ** 32)
      throw new ExampleError(`--seed expected 0 to 2^32 − 1, got '${given}'`);
    return { ...(rest as Partial<Record<Flag, string>>), seed, positionals };
  } catch (error) {
    throw error instanceof TypeError ? new ExampleError(error.message) : error;
  }
}

/** Runs a script. A mistake of the caller ends it with one line and exit code 2. */
export async function runScript(name: string, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof ExampleError)) throw error;
    console.error(`${name}: ${error.message}`);
    process.exitCode = 2;
  }
}

const folder = fileURLToPath(new URL('../examples/', import.meta.url));

export const exampleNames = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => file.slice(0, -'.mjs'.length))
    .sort();

/** Throws `ExampleError` if there is no example of that name. */
export async function loadExample(name: string): Promise<Example> {
  const names = exampleNames();
  if (!names.includes(name)) throw new ExampleError(`expected an example of ${names.join(', ')}; got '${name}'`);
  return (await import(join(folder, `${name}.mjs`))) as Example;
}

/** Throws `ExampleError` for the first file that an example needs and the data folder lacks. */
export function checkFiles(name: string, { files = {} }: Example, data: string | undefined): void {
  for (const [file, source] of Object.entries(files)) {
    if (data === undefined) throw new ExampleError(`${name}: --data expected the folder that holds ${file}, got none`);
    if (existsSync(join(data, file))) continue;
    throw new ExampleError(`${name}: ${join(data, file)} is not there; it comes from ${source}`);
  }
}

/** `RunOptions.draw` that writes into a folder, or keeps nothing if there is none. */
export function drawInto(folder: string | undefined): RunOptions['draw'] {
  if (folder === undefined) return () => {};
  mkdirSync(folder, { recursive: true });
  return (file, content) => writeFileSync(join(folder, file), content);
}

/** Runs an example whose files have been checked. */
export async function runExample(name: string, example: Example, options: RunOptions): Promise<Result[]> {
  const start = performance.now();
  const outcomes = await example.run(options);
  const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
  return outcomes.map((outcome) => {
    const { metric, value } = outcome;
    return { name, metric, value, ...judge(outcome), seconds };
  });
}

/** NaN meets no target. */
function judge({ value, atLeast, atMost, near }: Outcome): Pick<Result, 'target' | 'pass'> {
  if (atLeast !== undefined) return { target: `≥ ${atLeast}`, pass: value >= atLeast };
  if (atMost !== undefined) return { target: `≤ ${atMost}`, pass: value <= atMost };
  if (near) return { target: `${near[0]} ± ${near[1]}`, pass: Math.abs(value - near[0]) <= near[1] };
  return { target: null, pass: true };
}

/** A number for a table: four digits, without needless zeros. */
export const shown = (value: number): string =>
  Number.isInteger(value) ? String(value) : Math.abs(value) < 1e-3 ? value.toExponential(2) : value.toPrecision(4);

/** The rows as a Markdown table, which is also readable in a terminal. */
export function table(results: readonly Result[]): string {
  const rows = results.map(({ name, metric, value, target, pass, seconds }) => [
    name,
    metric,
    shown(value),
    target ?? '',
    target === null ? '' : pass ? 'yes' : '**no**',
    `${seconds} s`,
  ]);
  const head = ['example', 'metric', 'value', 'target', 'reached', 'time'];
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const line = (cells: string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
