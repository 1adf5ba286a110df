// The arguments of a suite, and the timing of one case.
import { Bench, type Statistics } from 'tinybench';
import type { Build } from '../src/engine/loading/load.ts';
import type { WeightFormat } from '../src/streaming/program.ts';
import { PEAK_FLOPS } from './peak.ts';

export interface BenchResult {
  suite: string;
  case: string;
  /** The build, or the other library. */
  engine: string;
  threads: number;
  medianMs: number;
  minMs: number;
  /** Timed samples. */
  runs: number;
  gflops: number | null;
  /**
   * Percentage of the peak of this build with registers only. The peak is timed in turns with the case. It is null for
   * int8, which has another peak.
   */
  percentOfPeak: number | null;
  /** Numbers of subnormal values, by the name of what they are in. */
  subnormal?: Record<string, number>;
}

/** One build. */
export interface Engine {
  build: Build;
  /** Runs `PEAK_FLOPS` operations in registers. */
  peak: () => number;
  /** The fastest run of `peak` so far. */
  peakGflops: number;
}

export interface SuiteContext {
  engines: Engine[];
  /** Numbers of threads for cases that can use threads. */
  threads: number[];
  /** Text in the names of the cases to run, for the suites that take long. */
  only: string;
  add(result: BenchResult): void;
}

export type Suite = (context: SuiteContext) => Promise<void>;

export interface Timing {
  medianMs: number;
  minMs: number;
  runs: number;
}

const ROUNDS = 3;
/** Length of the warm-up. It is long enough for the threads of the optimizing compiler on a busy host. */
const WARM_UP_MS = 100;
const ROUND_MS = 40;
/** Least length of a sample, because the clock has a resolution of microseconds. */
const SAMPLE_MS = 0.25;

/** Times tasks in turns, so that a slow host affects all of them. */
export async function timeInTurns(tasks: Record<string, () => unknown>): Promise<Record<string, Timing>> {
  const entries = Object.entries(tasks).map(([name, task]) => ({
    name,
    task,
    repeats: warmUp(task),
    samples: [] as number[],
  }));
  for (let round = 0; round < ROUNDS; round++) {
    const bench = new Bench({ time: ROUND_MS, iterations: 3, warmup: false, retainSamples: true, throws: true });
    for (const { name, task, repeats } of entries) {
      bench.add(name, () => {
        for (let i = 0; i < repeats; i++) task();
      });
    }
    await bench.run();
    bench.tasks.forEach((task, i) => {
      const { latency } = task.result as unknown as { latency: Statistics };
      entries[i]!.samples.push(...(latency.samples ?? []));
    });
  }
  const timings: Record<string, Timing> = {};
  for (const { name, repeats, samples } of entries) {
    samples.sort((x, y) => x - y);
    const at = (index: number) => samples[index]! / repeats;
    timings[name] = { medianMs: at(samples.length >> 1), minMs: at(0), runs: samples.length };
  }
  return timings;
}

/** Calls `task` until the optimizing compiler has had enough time. Returns the number of calls in one sample. */
function warmUp(task: () => unknown): number {
  const start = performance.now();
  let calls = 0;
  let last = 0;
  while (calls < 3 || performance.now() - start < WARM_UP_MS) {
    const before = performance.now();
    task();
    last = performance.now() - before;
    calls++;
  }
  const mean = (performance.now() - start) / calls;
  return Math.max(1, Math.ceil(SAMPLE_MS / Math.min(mean, last || mean)));
}

/**
 * Times `task`, which has `flops` operations, compares it with the peak of its engine, and adds the result. If
 * `weights` is int8, the name of the engine gets that suffix.
 */
export async function benchCase(
  context: SuiteContext,
  engine: Engine,
  what: { suite: string; case: string; flops: number; threads?: number; weights?: WeightFormat },
  task: () => unknown,
): Promise<void> {
  const isInt8 = what.weights === 'int8';
  const { task: timing, peak } = await timeInTurns({ peak: engine.peak, task });
  const gflops = what.flops / timing!.medianMs / 1e6;
  const peakGflops = PEAK_FLOPS / peak!.medianMs / 1e6;
  engine.peakGflops = Math.max(engine.peakGflops, PEAK_FLOPS / peak!.minMs / 1e6);
  context.add({
    suite: what.suite,
    case: what.case,
    engine: isInt8 ? `${engine.build} int8` : engine.build,
    threads: what.threads ?? 1,
    ...timing!,
    gflops,
    percentOfPeak: isInt8 ? null : (100 * gflops) / (peakGflops * (what.threads ?? 1)),
  });
}
