import { checkOptions } from '../../checks/options.ts';
import { engine as currentEngine, type Engine } from '../../engine/engine.ts';
import { planOf } from '../fft/plan.ts';
import { type Framing, framingOf } from '../framing.ts';
import { type AudioKernels, audioKernels } from '../kernels/audio-kernels.ts';
import { expectNumbers } from '../numbers.ts';
import { framesIn, type PadMode, padModeOf, type StftOptions, spectraNames } from '../stft.ts';
import { Output, type StreamBuffer, StreamMemory } from './stream-memory.ts';

export type StftStreamOptions = Omit<StftOptions, 'onesided'>;

/** Samples that are taken at a time, and frames that are transformed at a time. */
const BLOCK = 4096;
const MOST_FRAMES = 16;

/**
 * The short-time Fourier transform of a signal that comes in chunks. The frames have the bits of `stft` on the whole
 * signal. After the first chunks no call allocates a buffer, unless it is given a longer chunk than any before.
 */
export class StftStream {
  /** Bins of a frame: ⌊nFft/2⌋ + 1. */
  readonly bins: number;
  readonly #engine: Engine;
  readonly #kernels: AudioKernels;
  readonly #framing: Framing;
  readonly #padMode: PadMode;
  readonly #memory: StreamMemory;
  readonly #samples: StreamBuffer;
  readonly #spectra: StreamBuffer;
  readonly #window: StreamBuffer;
  readonly #work: StreamBuffer;
  readonly #capacity: number;
  readonly #output = new Output();
  // Places are counted from the first sample of the first frame, which is `pad` before the first of the signal.
  /** The place of the first buffered sample. */
  #first = 0;
  #filled = 0;
  /** The place of the next frame. */
  #next = 0;
  /** Samples of the signal so far. */
  #received = 0;
  /** Whether the samples before the signal are there. */
  #isOpen = false;

  /** @internal */
  constructor(engine: Engine, options: StftStreamOptions) {
    const what = 'stftStream';
    checkOptions(what, options, spectraNames);
    this.#padMode = padModeOf(what, options.padMode);
    this.#framing = framingOf(what, options);
    const { n, pad, bins, window } = this.#framing;
    this.bins = bins;
    this.#engine = engine;
    this.#kernels = audioKernels(engine);
    this.#capacity = n + 2 * pad + 1 + BLOCK;
    this.#memory = new StreamMemory(what, engine);
    try {
      this.#samples = this.#memory.allocate(this.#capacity);
      this.#spectra = this.#memory.allocate(MOST_FRAMES * bins * 2);
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
   * Takes the next samples.
   *
   * @param samples a chunk of any length.
   * @returns `[frames, bins, 2]`, row-major: the frames that are complete now, none or more. The stream owns the array,
   *   and the next call overwrites it. Copy it with `slice()` to keep it.
   * @throws ArgumentError if `samples` is not a list of numbers or a typed array; DeadTensorError if the stream was
   *   disposed of. Nothing has changed then.
   */
  push(samples: ArrayLike<number>): Float32Array {
    this.#memory.expectAlive();
    expectNumbers('stftStream: samples', samples);
    this.#output.clear();
    const { length } = samples;
    for (let from = 0; from < length; ) {
      if (this.#filled === this.#capacity) this.#shift();
      const count = Math.min(this.#capacity - this.#filled, length - from);
      const { view } = this.#samples;
      for (let i = 0; i < count; i++) view[this.#filled + i] = samples[from + i]!;
      this.#filled += count;
      this.#received += count;
      from += count;
      this.#open();
      this.#transform();
    }
    return this.#output.values;
  }

  /**
   * Ends the signal. The stream can then take another one.
   *
   * @returns `[frames, bins, 2]` as from `push`: the frames that reach beyond the end, if `center` is true.
   * @throws ArgumentError if the signal is too short for the mirror image of `reflect`; DeadTensorError if the stream
   *   was disposed of. Nothing has changed then.
   */
  flush(): Float32Array {
    this.#memory.expectAlive();
    const { pad } = this.#framing;
    if (pad > 0 && this.#received > 0) framesIn('stftStream', this.#received, this.#framing, this.#padMode);
    this.#output.clear();
    if (pad > 0 && this.#received > 0) {
      this.#shift();
      const { view } = this.#samples;
      const last = this.#filled - 1;
      for (let i = 1; i <= pad; i++) view[last + i] = this.#padMode === 'reflect' ? view[last - i]! : 0;
      this.#filled += pad;
      this.#transform();
    }
    this.#restart();
    return this.#output.values;
  }

  /** Forgets the signal, and starts with a new one. Throws `DeadTensorError` if the stream was disposed of. */
  reset(): void {
    this.#memory.expectAlive();
    this.#restart();
  }

  /** Frees its buffers. */
  dispose(): void {
    this.#memory.dispose();
  }

  #restart(): void {
    const { pad } = this.#framing;
    this.#first = 0;
    this.#next = 0;
    this.#received = 0;
    this.#filled = pad;
    this.#samples.view.fill(0, 0, pad);
    this.#isOpen = pad === 0 || this.#padMode === 'constant';
  }

  /** Writes the mirror image before the signal, when there are samples enough. */
  #open(): void {
    const { pad } = this.#framing;
    if (this.#isOpen || this.#received <= pad) return;
    const { view } = this.#samples;
    for (let i = 1; i <= pad; i++) view[pad - i] = view[pad + i]!;
    this.#isOpen = true;
  }

  /** Transforms the frames that are complete. */
  #transform(): void {
    if (!this.#isOpen) return;
    const { n, hop, bins, scale } = this.#framing;
    const plan = planOf(this.#engine, n);
    const end = this.#first + this.#filled;
    while (this.#next + n <= end) {
      const frames = Math.min(Math.floor((end - this.#next - n) / hop) + 1, MOST_FRAMES);
      const at = this.#samples.at + 4 * (this.#next - this.#first);
      this.#kernels.rfft(frames, n, plan, at, hop, this.#window.at, this.#spectra.at, scale, 1, this.#work.at);
      const count = frames * bins * 2;
      const to = this.#output.extend(count);
      const { room } = this.#output;
      const { view } = this.#spectra;
      for (let i = 0; i < count; i++) room[to + i] = view[i]!;
      this.#next += frames * hop;
    }
  }

  /** Drops samples that no frame needs, and no mirror image. */
  #shift(): void {
    const { pad } = this.#framing;
    const end = this.#first + this.#filled;
    const dropped = this.#isOpen ? Math.min(this.#next, end - pad - 1) - this.#first : 0;
    if (dropped <= 0) return;
    this.#samples.view.copyWithin(0, dropped, this.#filled);
    this.#first += dropped;
    this.#filled -= dropped;
  }
}

/**
 * Makes a stream that computes the short-time Fourier transform of a signal in chunks of any length.
 *
 * y[t, k] as of `stft` for the whole signal, with the same bits. A frame is returned as soon as its last sample is
 * there; with `center` and `reflect`, the first one when more than nFft/2 samples are there.
 *
 * @param options those of `stft` without onesided.
 * @returns the stream, in the memory of the current engine until it is disposed of.
 * @throws ArgumentError if an option is missing, unknown or out of range.
 * @see torch.stft
 *
 * @example
 * const live = stftStream({ nFft: 4, hopLength: 2, center: false });
 * live.push([0, 1, 0]).length; // 0
 * live.push([-1, 0, 1]).length; // 2 frames of 3 bins, 12 numbers
 * live.dispose();
 */
export const stftStream = (options: StftStreamOptions): StftStream => new StftStream(currentEngine(), options);
