import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { expectChoice } from '../checks/choices.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { type Engine, init } from '../engine/engine.ts';
import { hostHasRelaxedSimd } from '../engine/loading/load.ts';
import { setSeed } from '../engine/random.ts';
import { hostHasThreads } from '../engine/threads.ts';
import { yielder } from '../host/yielder.ts';
import { registerAllNames } from '../models/register-all.ts';
import { Clock, type ClockOptions } from './clock.ts';
import { hasKernelBytes } from './fresh-module.ts';
import { describeHost } from './host.ts';
import { Roof } from './kernels/roof-kernels.ts';
import { BUDGET, measure, measureIterations, QUICK_BUDGET, Spin } from './measure.ts';
import { type BenchHost, type BenchReport, FORMAT, SIZES, type Size, type WorkloadResult } from './results.ts';
import { mergeReports, scoresOf, timesOf } from './summary.ts';
import { copyOf, distanceOf, expectedHash, FAST_BOUND, hashOf, idOf } from './verify.ts';
import { VERSION } from './version.ts';
import type { Prepared, Workload } from './workload.ts';
import { workloads } from './workloads/all.ts';

export interface BenchOptions extends ClockOptions {
  /** `reproducible`, the default: results have the same bits on every host. `fast`: with fused multiply-add. */
  mode?: 'reproducible' | 'fast' | undefined;
  /** How much one call of a workload computes; default `medium`. */
  size?: Size | undefined;
  /** Less time for each workload. Default false. */
  quick?: boolean | undefined;
  /** How often the whole list runs, each time with new engines; default 3. Another round sees what one round cannot. */
  rounds?: number | undefined;
  /** A fixed number of calls of each workload and no warm-up, for profilers. Default: as many as the time allows. */
  iterations?: number | undefined;
  /** Parts of names, joined by commas: only workloads whose name has one of them run. Default: all. */
  only?: string | undefined;
  /** Called before each workload: its name, how many are done, and how many there are, over all rounds. */
  onProgress?: ((name: string, done: number, count: number) => void) | undefined;
  /** Awaited between samples, for what the host must do. Default: a page handles its events. */
  pause?: (() => Promise<void>) | undefined;
}

const optionNames: Names<BenchOptions> = {
  ...{ mode: 1, size: 1, quick: true, rounds: 1, iterations: 1, only: 'text' },
  ...{ onProgress: 1, pause: 1, now: 1, tick: 1 },
};

interface Checked {
  readonly mode: 'reproducible' | 'fast';
  readonly size: Size;
  readonly quick: boolean;
  readonly rounds: number;
  readonly iterations: number | null;
  readonly only: string;
  readonly onProgress: (name: string, done: number, count: number) => void;
  readonly pause: () => Promise<void>;
  readonly chosen: readonly Workload[];
}

/** The options with their defaults. Throws `ArgumentError` as `runBench` does. */
export function checkedOptions(options: BenchOptions): Checked {
  checkOptions('runBench', options, optionNames);
  const { mode = 'reproducible', size = 'medium', quick = false, rounds = 3, iterations, only = '' } = options;
  expectChoice('runBench', 'mode', mode, ['reproducible', 'fast']);
  expectChoice('runBench', 'size', size, SIZES);
  for (const [name, count] of Object.entries({ rounds, iterations: iterations ?? 1 })) {
    if (!Number.isInteger(count) || count < 1) {
      throw new ArgumentError(`runBench: ${name} expected an integer ≥ 1, got ${shown(count)}`);
    }
  }
  expectType('runBench: only', only, 'a string');
  const parts = only.split(',').map((part) => part.trim().toLowerCase());
  const has = (part: string) => (workload: Workload) => idOf(workload, size).includes(part);
  const unknown = only === '' ? undefined : parts.find((part) => part === '' || !workloads.some(has(part)));
  if (unknown !== undefined) {
    throw new ArgumentError(
      `runBench: only expected parts of names of workloads, such as 'gemm,lstm', got ${shown(unknown)} in ${shown(only)}`,
    );
  }
  const chosen = workloads.filter((workload) => parts.some((part) => has(part)(workload)));
  for (const name of ['onProgress', 'pause', 'now', 'tick'] as const) {
    const given = options[name];
    if (given !== undefined) expectType(`runBench: ${name}`, given, 'a function');
  }
  const { onProgress = () => {}, pause = yielder() } = options;
  return { mode, size, quick, rounds, only, onProgress, pause, iterations: iterations ?? null, chosen };
}

/**
 * Runs the benchmark suite on this host, and verifies what each workload computes.
 *
 * It takes about a minute for each round, a few seconds with `quick`. The engine in use changes: call it before other
 * tensors and models are made, or in a process or worker of its own.
 *
 * @returns medians with intervals, scores and everything that was measured: docs/guides/benchmark-suite.md. A result
 *   that is wrong does not throw: `verified` is false, of the report and of the workload.
 * @throws ArgumentError for an option that is unknown or out of range, or if no name has `only` in it; HostError if
 *   the host has no WebAssembly with SIMD.
 *
 * @example
 * const report = await runBench({ size: 'small', quick: true, rounds: 1, only: 'softmax' });
 * report.verified; // true
 */
export async function runBench(options: BenchOptions = {}): Promise<BenchReport> {
  const settings = checkedOptions(options);
  const { rounds, chosen, onProgress } = settings;
  const clock = await Clock.measure(options);
  const reports: BenchReport[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = round * chosen.length;
    reports.push(
      await runRound(settings, clock, (name, done) => onProgress(name, before + done, rounds * chosen.length)),
    );
  }
  return mergeReports(reports);
}

/** The engine that a workload runs on. Undefined, with a reason, if this host has none. */
class Engines {
  readonly #mode: 'reproducible' | 'fast';
  #key = '';
  #engine: Engine | undefined;

  constructor(mode: 'reproducible' | 'fast') {
    this.#mode = mode;
  }

  /** Why this host cannot run a workload; undefined if it can. */
  refusal({ needs = {} }: Workload): string | undefined {
    if (needs.compiles && !hasKernelBytes()) return 'this host compiles no WebAssembly from bytes';
    if ((needs.threads ?? 1) > 1 && !hostHasThreads()) return 'this host does not share memory between threads';
    if (needs.build === 'relaxed' && !hostHasRelaxedSimd()) return 'this host has no relaxed SIMD';
    return undefined;
  }

  /** Makes the engine of a workload the one in use. Undefined if the host has refused threads. */
  async use({ needs = {} }: Workload, mode = this.#mode): Promise<Engine | undefined> {
    const threads = needs.threads ?? 1;
    const wanted = needs.build === 'relaxed' ? 'fast' : mode;
    const key = `${wanted} ${threads}`;
    if (key !== this.#key || !this.#engine) {
      this.stop();
      this.#engine = await init({ mode: wanted, threads });
      this.#key = key;
    }
    setSeed(1);
    return this.#engine.threads === threads ? this.#engine : undefined;
  }

  /** The next workload gets a new engine. */
  stop(): void {
    this.#engine?.stopThreads();
    this.#engine = undefined;
  }
}

async function runRound(
  settings: Checked,
  clock: Clock,
  onProgress: (name: string, done: number) => void,
): Promise<BenchReport> {
  const { mode, size, iterations, only, chosen, quick, pause } = settings;
  registerAllNames();
  const began = clock.now();
  const date = new Date().toISOString();
  const roofs = { simd: new Roof('simd'), relaxed: hostHasRelaxedSimd() ? new Roof('relaxed') : null };
  const host = await hostOf(roofs, clock);
  const spin = new Spin(roofs.simd, clock);
  const engines = new Engines(mode);
  const results: WorkloadResult[] = [];
  const leftOut: BenchReport['leftOut'] = [];
  for (const [done, workload] of chosen.entries()) {
    onProgress(workload.name, done);
    const id = idOf(workload, size);
    let reason = engines.refusal(workload);
    if (reason === undefined) {
      try {
        const exact = await exactResult(workload, size, engines, mode);
        const engine = await engines.use(workload);
        if (engine === undefined) reason = 'this host refuses workers';
        else {
          const prepared = await workload.prepare(size, engine);
          try {
            const budget = quick ? QUICK_BUDGET : BUDGET;
            results.push(
              await resultOf(workload, prepared, { ...settings, engine, clock, spin, budget, pause, exact }),
            );
          } finally {
            prepared.dispose();
          }
        }
      } catch (error) {
        // Memory that a host does not give is not a fault of the host.
        if (!(error instanceof RangeError) && !(error instanceof Error && error.name === 'OutOfMemoryError'))
          throw error;
        reason = `this host does not give the memory: ${error.message}`;
      }
      // Such a workload makes engines of its own.
      if (workload.needs?.compiles) engines.stop();
    }
    if (reason !== undefined) leftOut.push({ id, reason });
  }
  engines.stop();
  return {
    ...{ format: FORMAT, version: VERSION, date, host },
    settings: { mode, size, rounds: 1, iterations, only },
    ...{ results, leftOut, ...scoresOf(results) },
    verified: results.every(({ verified }) => verified !== false),
    seconds: (clock.now() - began) / 1000,
  };
}

/** What the workload computes in mode `reproducible`, for those that run on other kernels now. */
async function exactResult(
  workload: Workload,
  size: Size,
  engines: Engines,
  mode: Checked['mode'],
): Promise<ArrayBufferView[] | undefined> {
  if (mode === 'reproducible' && workload.needs?.build !== 'relaxed') return undefined;
  const engine = await engines.use({ ...workload, needs: {} }, 'reproducible');
  const prepared = await workload.prepare(size, engine!);
  try {
    for (let i = 0; i < (workload.calls ?? 1); i++) await prepared.run();
    return copyOf(prepared.result());
  } finally {
    prepared.dispose();
    if (workload.needs?.compiles) engines.stop();
  }
}

async function resultOf(
  workload: Workload,
  prepared: Prepared,
  context: Parameters<typeof measure>[1] & {
    readonly size: Size;
    readonly iterations: number | null;
    readonly engine: Engine;
    readonly exact: ArrayBufferView[] | undefined;
  },
): Promise<WorkloadResult> {
  const { size, iterations, engine, clock, exact } = context;
  const { name, group, stresses, timesCalls = false, isAsync = false, curveCalls = 40 } = workload;
  const id = idOf(workload, size);
  let [hash, verified, distance] = ['', null as boolean | null, null as number | null];
  const verify = (): void => {
    const result = prepared.result();
    hash = hashOf(result);
    const expected = expectedHash(workload, size);
    if (exact) {
      distance = distanceOf(result, exact);
      verified = distance <= FAST_BOUND && (expected === undefined || hashOf(exact) === expected);
    } else if (expected !== undefined) verified = hash === expected;
  };
  const subject = { run: prepared.run, isAsync, firstCalls: workload.calls ?? 1, curveCalls, timesCalls, verify };
  const measured =
    iterations === null ? await measure(subject, context) : await measureIterations(subject, clock, iterations);
  const { samples, repeats, dropped, noisy, steady, curve, calls } = measured;
  return {
    ...{ id, name, group, size, stresses },
    build: workload.needs?.build === 'wide' ? engine.build.replace(/(-wide)?$/, '-wide') : engine.build,
    threads: engine.threads,
    ...{ flops: prepared.flops, bytes: prepared.bytes, hash, verified, distance },
    ...{ samples: [samples], repeats, dropped, noisy, steady, curve },
    ...timesOf(id, [samples], { curve, calls, isWarm: iterations === null }),
  };
}

// Enough that the loops run at full speed.
const PEAK_FLOPS = 5e7;
const COPIES = 3;

async function hostOf(roofs: { readonly simd: Roof; readonly relaxed: Roof | null }, clock: Clock): Promise<BenchHost> {
  /** The best of some runs, in operations or bytes a millisecond. */
  const best = async (body: () => number, runs: number): Promise<number> => {
    let rate = 0;
    for (let i = 0; i < runs; i++) {
      let amount = 0;
      const time = await clock.time(() => {
        // A coarse clock needs a longer time.
        for (let repeat = Math.max(1, Math.ceil(clock.resolution * 2)); repeat > 0; repeat--) amount += body();
      });
      rate = Math.max(rate, amount / Math.max(time, clock.resolution, 1e-6));
    }
    return rate;
  };
  const gflops = async (roof: Roof): Promise<number> => {
    // The first calls are short, because optimized code does not replace a running call.
    for (let i = 0; i < 300; i++) roof.spin(1e4);
    return (await best(() => roof.spin(PEAK_FLOPS), 12)) / 1e6;
  };
  return {
    ...describeHost(),
    clockMs: clock.resolution,
    peakGflops: { simd: await gflops(roofs.simd), relaxed: roofs.relaxed && (await gflops(roofs.relaxed)) },
    peakGBs: (await best(() => roofs.simd.copy(), COPIES)) / 1e6,
  };
}
