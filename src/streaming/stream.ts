import { ArgumentError, expectCount, isFloat32, shown } from '../checks/argument-error.ts';
import { DeadTensorError } from '../checks/dead-tensor-error.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import type { Ptr } from '../engine/abi.ts';
import type { StreamEngine } from './engine.ts';
import { programOf, type StepProgram, type StreamProgram, type WeightFormat } from './program.ts';

export interface StreamOptions {
  /** Number of sequences that run side by side. Default 1. */
  batch?: number | undefined;
  /** The largest number of steps of one call of `steps`. Default 1. */
  maxSteps?: number | undefined;
  /**
   * `int8` stores kernels and recurrent kernels with one byte per weight and one scale per column. A step then reads a
   * quarter of the memory. Default `float32`, which gives the same bits as `predict` on the whole sequence.
   */
  weights?: WeightFormat | undefined;
}

export const streamNames: Names<StreamOptions> = { batch: 1, maxSteps: 1, weights: 1 };

/** A layer that can add itself to the program of a stream. */
export interface StreamedLayer {
  /**
   * Adds itself to `program`. If it is all of `layers` it may return another program, which takes the place of
   * `program`, after it has disposed of that one.
   */
  addToStream(program: StreamProgram, layers?: readonly StreamedLayer[]): unknown;
}

/**
 * A model that runs one time step at a time and keeps its states between calls. A call returns no promise, and one call
 * into Wasm runs all layers. After the first call, no call allocates a buffer.
 *
 * Each call reads the current weights of the model, so the model may continue to train.
 */
export class Stream {
  readonly batch: number;
  /** Features of a step's input: I, or 1 for a model that starts with an embedding. */
  readonly inputWidth: number;
  readonly outputWidth: number;
  /** Whether a step's input is ids rather than features. */
  readonly takesIds: boolean;
  /** @internal */
  readonly engine: StreamEngine;
  #program: StepProgram;
  // 0 after `dispose`.
  #maxSteps: number;
  readonly #input: Ptr;
  readonly #output: Ptr;
  // Views of the two buffers. They are made again only after memory has grown.
  #inputView!: Float32Array | Int32Array;
  #outputView!: Float32Array;
  // The result of `steps`. It is outside linear memory, so that memory growth does not detach it and posting it to
  // another thread sends only the result.
  readonly #result: Float32Array;
  /** Whether the output is probabilities. @internal */
  readonly endsInSoftmax: boolean;
  /** Counts the calls that change the states. @internal */
  changes = 0;

  /**
   * @param width features of a step's input, if the layers do not start with an embedding.
   * @throws ArgumentError if an option is invalid. Errors of `addToStream` pass through. Nothing stays allocated then.
   * @internal
   */
  constructor(engine: StreamEngine, layers: readonly StreamedLayer[], width: number, options: StreamOptions) {
    const { batch = 1, maxSteps = 1, weights = 'float32' } = checkOptions('stream', options, streamNames);
    for (const [what, value] of Object.entries({ batch, maxSteps })) expectCount(`stream: ${what}`, value);
    checkWeightFormat('stream', weights);
    this.batch = batch;
    this.engine = engine;
    this.#maxSteps = maxSteps;
    const program = programOf(engine, { rows: batch, width, weights, steps: maxSteps });
    this.#program = program;
    try {
      for (const layer of layers) this.#program = (layer.addToStream(program, layers) as StepProgram) ?? program;
      this.takesIds = this.#program.idLimit > 0;
      this.inputWidth = this.takesIds ? 1 : (this.#program.inputWidth ?? width);
      this.outputWidth = this.#program.width;
      this.endsInSoftmax = this.#program.endsInSoftmax;
      this.#input = this.#program.allocate(maxSteps * batch * this.inputWidth);
      const outputs = maxSteps * batch * this.outputWidth;
      this.#output = this.#program.allocate(outputs);
      this.#result = new Float32Array(outputs);
    } catch (error) {
      this.#program.dispose();
      throw error;
    }
    this.#view();
  }

  #view(): void {
    const { buffer } = this.engine.memory;
    const rows = this.#maxSteps * this.batch;
    const View = this.takesIds ? Int32Array : Float32Array;
    this.#inputView = new View(buffer, this.#input, rows * this.inputWidth);
    this.#outputView = new Float32Array(buffer, this.#output, rows * this.outputWidth);
  }

  /**
   * Runs one step of every sequence.
   *
   * @param input `[B, I]`, row-major: features, or one id a sequence.
   * @returns `[B, O]`, an array that the stream owns and the next call overwrites. Copy it with `slice()` to keep it.
   * @throws ArgumentError and DeadTensorError under the same conditions as `steps`.
   */
  step(input: ArrayLike<number>): Float32Array {
    return this.steps(input, 1);
  }

  /**
   * Runs `n` steps in one call.
   *
   * @param inputs `[n, B, I]`, time-major.
   * @returns `[n, B, O]`, an array that the stream owns, or a view of its beginning. The next call overwrites it.
   * @throws ArgumentError if `n` is not an integer from 1 to `maxSteps`, or `inputs` has another length, an id outside
   *   the vocabulary or a number that is not finite; DeadTensorError if the stream or its model was disposed of. The
   *   states are then unchanged.
   */
  steps(inputs: ArrayLike<number>, n: number): Float32Array {
    const width = this.batch * this.inputWidth;
    this.#expectAlive();
    if (!(Number.isInteger(n) && n >= 1 && n <= this.#maxSteps)) {
      throw new ArgumentError(`stream: n expected 1 to maxSteps = ${this.#maxSteps}, got ${shown(n)}`);
    }
    if (inputs?.length !== n * width || typeof inputs === 'string') {
      const got = typeof inputs === 'object' ? inputs?.length : shown(inputs);
      throw new ArgumentError(
        `stream: expected ${n * width} values for [${n}, ${this.batch}, ${this.inputWidth}], got ${got}`,
      );
    }
    if (this.#inputView.buffer !== this.engine.memory.buffer) this.#view();
    this.#setInput(inputs);
    this.changes++;
    this.#program.run(n, this.#input, 4 * width, this.#output);
    // The first run of the program allocates, so memory may have grown.
    if (this.#outputView.buffer !== this.engine.memory.buffer) this.#view();
    const count = n * this.batch * this.outputWidth;
    const view = this.#outputView;
    const result = this.#result;
    // A loop, because `set` takes half a microsecond before it starts to copy.
    for (let i = 0; i < count; i++) result[i] = view[i]!;
    return n === this.#maxSteps ? result : result.subarray(0, count);
  }

  // Copies the input to linear memory. Throws before the first step for values that would corrupt the states.
  #setInput(inputs: ArrayLike<number>): void {
    const { idLimit } = this.#program;
    const { length } = inputs;
    for (let i = 0; idLimit > 0 && i < length; i++) {
      const id = inputs[i]!;
      if (!(Number.isInteger(id) && id >= 0 && id < idLimit)) {
        throw new ArgumentError(`stream: input expected ids in [0, ${idLimit}), got ${id} at ${i}`);
      }
    }
    // A typed array converts strings to numbers, and throws a `TypeError` for bigints.
    const isText = Array.isArray(inputs) && !inputs.every((value) => typeof value === 'number');
    if (!isText) this.#inputView.set(inputs);
    if (isText || (idLimit === 0 && !this.engine.kernels.all_finite(length, this.#input))) {
      const at = Array.from(inputs).findIndex((value) => !isFloat32(value));
      throw new ArgumentError(`stream: input expected finite numbers, got ${shown(inputs[at])} at ${at}`);
    }
  }

  /**
   * Starts every sequence from zeros.
   *
   * @param sequence the only sequence to reset. Default: all of them.
   * @throws ArgumentError if `sequence` is not an integer in [0, batch); DeadTensorError if the stream was disposed of.
   */
  reset(sequence?: number): void {
    this.#expectAlive();
    const { batch } = this;
    if (sequence !== undefined && !(Number.isInteger(sequence) && sequence >= 0 && sequence < batch)) {
      throw new ArgumentError(`stream: sequence expected 0 to ${batch - 1}, got ${shown(sequence)}`);
    }
    this.changes++;
    if (this.#program.restart?.(sequence)) return;
    const rows = sequence === undefined ? batch : 1;
    for (const { ptr, size } of this.#program.states) {
      const width = size / batch;
      this.engine.kernels.fill(rows * width, 0, ptr + 4 * (sequence ?? 0) * width);
    }
  }

  /** Copies of the states, `[B, H]` each, layer by layer; for an LSTM h, then c. */
  get state(): Float32Array[] {
    return this.#states().map((state) => state.slice());
  }

  /**
   * Sets the states to values that `state` returned. Throws `ArgumentError` if their number or a length does not fit,
   * or a number is not finite.
   */
  setState(states: readonly ArrayLike<number>[]): void {
    const own = this.#states();
    if (states?.length !== own.length) {
      throw new ArgumentError(`stream: states expected ${own.length} arrays, got ${states?.length}`);
    }
    own.forEach(({ length }, i) => {
      const given = states[i];
      if (given?.length !== length) {
        throw new ArgumentError(`stream: states[${i}] expected ${length} values, got ${given?.length}`);
      }
      if (!Array.from(given).every(isFloat32)) {
        throw new ArgumentError(`stream: states[${i}] expected finite numbers`);
      }
    });
    this.changes++;
    own.forEach((state, i) => state.set(states[i]!));
  }

  #states(): Float32Array[] {
    this.#expectAlive();
    return this.#program.states.map(({ ptr, size }) => new Float32Array(this.engine.memory.buffer, ptr, size));
  }

  #expectAlive(): void {
    if (this.#maxSteps === 0) throw new DeadTensorError('stream: it was disposed of');
  }

  /** Frees its buffers. The model is not affected. */
  dispose(): void {
    this.#maxSteps = 0;
    this.#program.dispose();
  }
}

/** Throws `ArgumentError` unless `weights` is one of the formats. @internal */
export function checkWeightFormat(what: string, weights: WeightFormat): void {
  if (weights !== 'float32' && weights !== 'int8') {
    throw new ArgumentError(`${what}: weights expected 'float32' or 'int8', got ${shown(weights)}`);
  }
}
