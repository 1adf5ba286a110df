// Measures one case on all engines in turns. Only one engine computes at a time.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TOLERANCE } from '../../src/bench/spin-times.ts';
import type { Calibration } from './calibration.ts';
import type { Case } from './cases.ts';
import { type Command, EngineProcess } from './processes.ts';
import type { Memory, Prepared, Sample } from './protocol.ts';
import { failure, median, type PeerResult } from './results.ts';

export interface Engine {
  name: string;
  threads: number;
  command: Command;
  /** The reason why the engine is missing. */
  missing?: string;
}

export interface MeasureOptions {
  calibration: Calibration;
  /** Number of samples to take, without samples of a slow host. */
  runs: number;
  /** Time limit in milliseconds: an engine is finished with three samples or more that together took this long. */
  budgetMs: number;
  /** The peak. Results have GFLOP/s as a percentage of it. */
  peakGflops: number;
  /** The engine of the reference numbers: tapeloop. */
  reference: Engine;
  /** The folder for files of the engines. */
  directory: string;
}

const LEAST_SAMPLES = 3;
/**
 * Largest allowed difference, relative to the largest number. Engines sum a few hundred products in different orders,
 * over a hundred steps.
 */
const LARGEST_DIFFERENCE = 1e-4;

interface Contender {
  engine: Engine;
  process: EngineProcess;
  prepared: Prepared;
  difference: number | null;
  samples: { ms: number; calm: (limit: Calibration) => boolean }[];
}

function readNumbers(path: string): Float32Array {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
}

function relativeDifference(got: Float32Array, expected: Float32Array): number {
  if (got.length !== expected.length) {
    throw new Error(`gave ${got.length} numbers where tapeloop gives ${expected.length}`);
  }
  let [difference, largest] = [0, 0];
  for (let i = 0; i < got.length; i++) {
    const apart = Math.abs(got[i]! - expected[i]!);
    if (!(apart <= difference)) difference = apart;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return difference / largest;
}

/** The numbers of tapeloop for one case. Each variant is computed once. */
class Reference {
  readonly #what: Case;
  readonly #options: MeasureOptions;
  readonly #known = new Map<string | undefined, Float32Array>();

  constructor(what: Case, options: MeasureOptions) {
    this.#what = what;
    this.#options = options;
  }

  async numbers(variant: string | undefined): Promise<Float32Array> {
    const known = this.#known.get(variant);
    if (known) return known;
    const { reference, directory } = this.#options;
    const checked = join(directory, 'reference.f32');
    const { process } = await EngineProcess.start(reference.command);
    try {
      await process.ask({ op: 'prepare', case: this.#what, variant, checked, warm: false });
    } finally {
      process.stop();
    }
    const numbers = readNumbers(checked);
    this.#known.set(variant, numbers);
    return numbers;
  }
}

async function prepare(engine: Engine, what: Case, reference: Reference, directory: string): Promise<Contender> {
  if (engine.missing) throw new Error(engine.missing);
  const checked = join(directory, `${engine.name}.f32`);
  const { process } = await EngineProcess.start(engine.command);
  try {
    const prepared = await process.ask<Prepared>({ op: 'prepare', case: what, checked, warm: true });
    const numbers = readNumbers(checked);
    let difference: number | null = null;
    if (numbers.length > 0) {
      difference = relativeDifference(numbers, await reference.numbers(prepared.variant));
      if (!(difference <= LARGEST_DIFFERENCE)) {
        throw new Error(`its result differs from tapeloop's by ${difference.toExponential(1)} of the largest number`);
      }
    }
    if (engine.threads > 1) process.pause();
    return { engine, process, prepared, difference, samples: [] };
  } catch (error) {
    process.stop();
    throw error;
  }
}

async function takeSample({ engine, process, samples }: Contender, calibration: Calibration): Promise<void> {
  const before = calibration.settle();
  if (engine.threads > 1) process.resume();
  const { ms, busy } = await process.ask<Sample>({ op: 'sample' });
  if (engine.threads > 1) process.pause();
  const after = calibration.spin();
  // This is decided again at the end, with the fastest spin of the whole run.
  samples.push({ ms, calm: (limit) => busy * TOLERANCE >= 1 && limit.isCalm(before) && limit.isCalm(after) });
}

function isDone({ samples }: Contender, { runs, budgetMs, calibration }: MeasureOptions): boolean {
  const calm = samples.filter((sample) => sample.calm(calibration)).length;
  const spent = samples.reduce((sum, { ms }) => sum + ms, 0);
  return calm >= runs || samples.length >= 3 * runs || (samples.length >= LEAST_SAMPLES && spent >= budgetMs);
}

function resultOf(
  { engine, prepared, difference, samples }: Contender,
  what: Case,
  options: MeasureOptions,
): PeerResult {
  const calm = samples.filter((sample) => sample.calm(options.calibration));
  const noisy = 2 * calm.length < Math.min(samples.length, 2 * LEAST_SAMPLES);
  const times = (noisy ? samples : calm).map(({ ms }) => ms);
  const medianMs = median(times);
  const gflops = what.flops > 0 ? what.flops / medianMs / 1e6 : null;
  return {
    suite: what.suite,
    case: what.case,
    engine: engine.name,
    threads: engine.threads,
    medianMs,
    minMs: Math.min(...times),
    runs: times.length,
    gflops,
    percentOfPeak: gflops === null ? null : (100 * gflops) / (options.peakGflops * engine.threads),
    dropped: samples.length - times.length,
    ...(noisy && { noisy }),
    difference,
    ...(prepared.note && { note: prepared.note }),
  };
}

/** Times `what` on every engine. The result of an engine that cannot do it is an error. */
export async function measure(what: Case, engines: readonly Engine[], options: MeasureOptions): Promise<PeerResult[]> {
  const reference = new Reference(what, options);
  const contenders: Contender[] = [];
  const failures: PeerResult[] = [];
  const fail = ({ name, threads }: Engine, error: unknown) =>
    failures.push(failure({ suite: what.suite, case: what.case, engine: name, threads }, error));
  for (const engine of engines) {
    try {
      contenders.push(await prepare(engine, what, reference, options.directory));
    } catch (error) {
      fail(engine, error);
    }
  }
  const waiting = new Set(contenders);
  while (waiting.size > 0) {
    for (const contender of waiting) {
      try {
        await takeSample(contender, options.calibration);
        if (isDone(contender, options)) waiting.delete(contender);
      } catch (error) {
        waiting.delete(contender);
        contenders.splice(contenders.indexOf(contender), 1);
        fail(contender.engine, error);
      }
    }
  }
  for (const { process } of contenders) process.stop();
  return [...contenders.map((contender) => resultOf(contender, what, options)), ...failures];
}

/** Measures by how much a case raises the resident memory of a new process. */
export async function measureMemory(what: Case, engines: readonly Engine[]): Promise<PeerResult[]> {
  const results: PeerResult[] = [];
  for (const { name, threads, command, missing } of engines) {
    const of = { suite: what.suite, case: what.case, engine: name, threads };
    try {
      if (missing) throw new Error(missing);
      const { process } = await EngineProcess.start(command);
      try {
        const { megabytes } = await process.ask<Memory>({ op: 'memory', case: what });
        const { error: _, ...blank } = failure(of, '');
        results.push({ ...blank, runs: 1, megabytes });
      } finally {
        process.stop();
      }
    } catch (error) {
      results.push(failure(of, error));
    }
  }
  return results;
}
