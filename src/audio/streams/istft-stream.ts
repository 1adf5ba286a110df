import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { engine as currentEngine, type Engine } from '../../engine/engine.ts';
import { planOf } from '../fft/plan.ts';
import { addSquares, type FrameOptions, type Framing, frameNames, framingOf, inverseSum } from '../framing.ts';
import { type AudioKernels, audioKernels } from '../kernels/audio-kernels.ts';
import { expectNumbers } from '../numbers.ts';
import { Output, type StreamBuffer, StreamMemory } from './stream-memory.ts';

/**
 * The signal of frames that come one after the other. The samples have the bits of `istft` on all frames. After the
 * first calls no call allocates a buffer, unless it is given more frames than any before.
 */
export class IstftStream {
  /** Bins of a frame: ⌊nFft/2⌋ + 1. */
  readonly bins: number;
  readonly #engine: Engine;
  readonly #kernels: AudioKernels;
  readonly #framing: Framing;
  readonly #memory: StreamMemory;
  readonly #spectrum: StreamBuffer;
  /** The sums from the first sample of the last frame on. */
  readonly #sums: StreamBuffer;
  readonly #squares: Float64Array;
  readonly #window: StreamBuffer;
  readonly #work: StreamBuffer;
  readonly #output = new Output();
  /** Frames so far. */
  #frames = 0;
  /** The place of the next sample to return, counted from the first sample of the first frame. */
  #next = 0;

  /** @internal */
  constructor(engine: Engine, options: FrameOptions) {
    const what = 'istftStream';
    checkOptions(what, options, frameNames);
    this.#framing = framingOf(what, options);
    const { n, bins, window } = this.#framing;
    expectOverlap(what, this.#framing);
    this.bins = bins;
    this.#engine = engine;
    this.#kernels = audioKernels(engine);
    this.#squares = new Float64Array(n);
    this.#memory = new StreamMemory(what, engine);
    try {
      this.#spectrum = this.#memory.allocate(2 * bins);
      this.#sums = this.#memory.allocate(n);
      this.#window = this.#memory.allocate(n);
      this.#work = this.#memory.allocate(4 * n);
      planOf(engine, n);
    } catch (error) {
      this.#memory.dispose();
      throw error;
    }
    this.#window.view.set(window);
    this.#restart();
  }

  /**
   * Takes the next frames.
   *
   * @param frames `[frames, bins, 2]`, row-major: any number of frames.
   * @returns the samples to which no later frame adds, none or more. The stream owns the array, and the next call
   *   overwrites it. Copy it with `slice()` to keep it.
   * @throws ArgumentError if `frames` is not a list of numbers or a typed array of whole frames; DeadTensorError if the
   *   stream was disposed of. Nothing has changed then.
   */
  push(frames: ArrayLike<number>): Float32Array {
    this.#memory.expectAlive();
    expectNumbers('istftStream: frames', frames);
    const width = 2 * this.bins;
    if (frames.length % width !== 0) {
      throw new ArgumentError(
        `istftStream: frames expected whole frames of ${this.bins} bins, ${width} numbers each, got ${frames.length}`,
      );
    }
    this.#output.clear();
    const { n, hop, pad, scale } = this.#framing;
    const plan = planOf(this.#engine, n);
    for (let from = 0; from < frames.length; from += width) {
      if (this.#frames > 0) this.#shift();
      const { view } = this.#spectrum;
      for (let i = 0; i < width; i++) view[i] = frames[from + i]!;
      const factor = 1 / (n * scale);
      this.#kernels.irfft(
        ...([1, n, plan, this.#spectrum.at, this.#sums.at, n] as const),
        ...([this.#window.at, factor, 1, 1, this.#work.at] as const),
      );
      addSquares(this.#squares, 0, this.#framing);
      this.#frames++;
      const start = (this.#frames - 1) * hop;
      this.#emit(Math.min(start + hop, start + n - pad));
    }
    return this.#output.values;
  }

  /**
   * Ends the signal. The stream can then take another one.
   *
   * @returns the samples that are left, as from `push`.
   * @throws ArgumentError if all windows are 0 at one of them; DeadTensorError if the stream was disposed of. Nothing
   *   has changed then.
   */
  flush(): Float32Array {
    this.#memory.expectAlive();
    const { n, hop, pad } = this.#framing;
    const start = (this.#frames - 1) * hop;
    const end = this.#frames > 0 ? start + n - pad : 0;
    for (let i = this.#next; i < end; i++) inverseSum('istftStream', this.#squares[i - start]!, i - pad);
    this.#output.clear();
    this.#emit(end);
    this.#restart();
    return this.#output.values;
  }

  /** Forgets the frames, and starts with a new signal. Throws `DeadTensorError` if the stream was disposed of. */
  reset(): void {
    this.#memory.expectAlive();
    this.#restart();
  }

  /** Frees its buffers. */
  dispose(): void {
    this.#memory.dispose();
  }

  #restart(): void {
    this.#frames = 0;
    this.#next = this.#framing.pad;
    this.#sums.view.fill(0);
    this.#squares.fill(0);
  }

  /** Returns what is left of the samples before the next frame, and moves the sums to its first one. */
  #shift(): void {
    const { n, hop } = this.#framing;
    this.#emit(this.#frames * hop);
    const { view } = this.#sums;
    view.copyWithin(0, hop);
    view.fill(0, n - hop);
    this.#squares.copyWithin(0, hop);
    this.#squares.fill(0, n - hop);
  }

  /** Returns the samples before place `end`. */
  #emit(end: number): void {
    const count = end - this.#next;
    if (count <= 0) return;
    const { hop, pad } = this.#framing;
    const from = this.#next - (this.#frames - 1) * hop;
    const to = this.#output.extend(count);
    const { room } = this.#output;
    const { view } = this.#sums;
    for (let i = 0; i < count; i++) {
      const inverse = inverseSum('istftStream', this.#squares[from + i]!, this.#next + i - pad);
      room[to + i] = view[from + i]! * Math.fround(inverse);
    }
    this.#next = end;
  }
}

/** Throws `ArgumentError` if all windows are 0 at a sample that `push` would return. */
function expectOverlap(what: string, { n, hop, pad, window }: Framing): void {
  if (hop > n) throw new ArgumentError(`${what}: hopLength expected at most nFft = ${n}, got ${hop}`);
  // The sum at place i of a signal that begins there: of the frame itself and those before.
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    sums[i] = (i < hop ? 0 : sums[i - hop]!) + window[i]! * window[i]!;
    if (i >= Math.min(pad, n - hop)) inverseSum(what, sums[i]!, i - pad);
  }
}

/**
 * Makes a stream that computes the signal of frames one after the other, the inverse of `stftStream`.
 *
 * x[i] as of `istft` for all frames, with the same bits. A sample is returned as soon as the last frame that covers it
 * is there.
 *
 * @param options nFft, hopLength, winLength, window, center and normalized, as `istft` has them.
 * @returns the stream, in the memory of the current engine until it is disposed of.
 * @throws ArgumentError if an option is missing, unknown or out of range, hopLength is above nFft, or all windows are 0
 *   at a sample, as those of `hann` without `center` are at the first one.
 * @see torch.istft
 *
 * @example
 * const [analysis, synthesis] = [stftStream({ nFft: 4, hopLength: 1 }), istftStream({ nFft: 4, hopLength: 1 })];
 * const samples = [...synthesis.push(analysis.push([1, 2, 3, 4])), ...synthesis.push(analysis.flush())];
 * [...samples, ...synthesis.flush()]; // 1, 2, 3, 4
 */
export const istftStream = (options: FrameOptions): IstftStream => new IstftStream(currentEngine(), options);
