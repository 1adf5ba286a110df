// What stft, istft and their streams share: frames of a signal, and the window on each.
import { ArgumentError } from '../checks/argument-error.ts';
import { expectFlags } from '../checks/choices.ts';
import type { Ptr } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';
import { expectLength } from './limits.ts';
import { type AudioWindow, windowOf } from './windows.ts';

/** How a signal is cut into frames. The names are PyTorch's arguments, such as `n_fft`, in camel case. */
export interface FrameOptions {
  /** Length of a transform: samples of a frame, `n_fft`. */
  nFft: number;
  /** Samples from one frame to the next, `hop_length`. Default ⌊nFft/4⌋, at least 1. */
  hopLength?: number | undefined;
  /** Length of the window, `win_length`. It is centered in the frame, with zeros around. Default nFft. */
  winLength?: number | undefined;
  /** Default `hann`, periodic. (PyTorch's default is `rectangular`.) */
  window?: AudioWindow | undefined;
  /**
   * Whether frame t is centered at sample t·hopLength: the signal then has ⌊nFft/2⌋ samples more at either end.
   * Otherwise frame t begins there. Default true.
   */
  center?: boolean | undefined;
  /** Whether spectra are divided by √nFft. Default false. */
  normalized?: boolean | undefined;
}

export const frameNames = { nFft: 1, hopLength: 1, winLength: 1, window: 1, center: true, normalized: true };

export interface Framing {
  readonly n: number;
  readonly hop: number;
  readonly bins: number;
  /** `[n]`, with zeros around a shorter window. */
  readonly window: Float32Array;
  /** Samples before the first one. */
  readonly pad: number;
  /** What a spectrum is multiplied with. */
  readonly scale: number;
}

/** The checked options. */
export function framingOf(what: string, options: FrameOptions): Framing {
  const { center = true, normalized = false, window = 'hann' } = options;
  expectFlags(what, { center, normalized });
  const n = expectLength(`${what}: nFft`, options.nFft);
  const hop = expectLength(`${what}: hopLength`, options.hopLength ?? Math.max(Math.floor(n / 4), 1));
  const winLength = expectLength(`${what}: winLength`, options.winLength ?? n, n);
  const placed = new Float32Array(n);
  placed.set(windowOf(`${what}: window`, window, winLength), Math.floor((n - winLength) / 2));
  return {
    n,
    hop,
    bins: Math.floor(n / 2) + 1,
    window: placed,
    pad: center ? Math.floor(n / 2) : 0,
    scale: normalized ? 1 / Math.sqrt(n) : 1,
  };
}

/** The window in memory, and the work space of the kernels, both in scratch. */
export function placeWindow(engine: Engine, { n, window }: Framing): { window: Ptr; work: Ptr } {
  const [at, work] = [engine.allocateScratch(n), engine.allocateScratch(4 * n)];
  engine.f32(at, n).set(window);
  return { window: at, work };
}

/** Below it a sum of squares of the window counts as 0, as in PyTorch. */
const LEAST_SUM = 1e-11;

const advice = 'center: true or a smaller hopLength';

/** 1/(the sum of the squares of the window at a sample). Throws `ArgumentError` if the sum is 0. */
export function inverseSum(what: string, sum: number, sample: number): number {
  if (sum > LEAST_SUM) return 1 / sum;
  throw new ArgumentError(
    `${what}: window expected not to be 0 at a sample in all its frames, got 0 at sample ${sample}; ${advice}`,
  );
}

/** Adds the squares of the window to sums, which begin where the frame begins. */
export function addSquares(sums: Float64Array, from: number, { n, window }: Framing): void {
  for (let i = 0; i < n; i++) sums[from + i]! += window[i]! * window[i]!;
}
