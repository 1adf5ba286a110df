import { ArgumentError, expectCount, isFloat32, shown } from '../checks/argument-error.ts';
import { DeadTensorError } from '../checks/dead-tensor-error.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import type { Ptr } from '../engine/abi.ts';
import type { StreamEngine } from './engine.ts';
import { StreamProgram, type WeightFormat } from './program.ts';

export interface StreamOptions {
  /** Sequences side by side. Default 1. */
  batch?: number | undefined;
  /** Most steps that one call of `steps` may take. Default 1. */
  maxSteps?: number | undefined;
  /**
   * `int8` keeps kernels and recurrent kernels in a byte a weight, with a scale a column; a step reads a quarter of the
   * memory. Default `float32`, the bits of the whole sequence.
   */
  weights?: WeightFormat | undefined;
}

export const streamNames: Names<StreamOptions> = { batch: 1, maxSteps: 1, weights: 1 };

/** A layer that can lay itself out for streaming. */
export interface StreamedLayer {
  addToStream(program: StreamProgram): void;
}

/**
 * A model run one time step at a time, its states kept between calls: no promise, no allocation, one call into Wasm.
 *
 * Reads the model's weights as they are at each call, so a model may go on training.
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
  readonly #program: StreamProgram;
  // 0 once it was disposed of.
  #maxSteps: number;
  readonly #input: Ptr;
  readonly #output: Ptr;
  // Views of the two buffers, made anew only when memory has grown.
  #inputView!: Float32Array | Int32Array;
  #outputView!: Float32Array;
  // What `steps` returns: outside linear memory it outlives the growth of that, and posting it posts nothing else.
  readonly #result: Float32Array;
  /** Whether what it gives are probabilities. @internal */
  readonly endsInSoftmax: boolean;
  /** Counts calls that move the states. @internal */
  changes = 0;

  /**
   * @param width features of a step's input, where the layers do not start with an embedding.
   * @throws what a layer throws that cannot run step by step; nothing stays allocated.
   * @internal
   */
  constructor(engine: StreamEngine, layers: readonly StreamedLayer[], width: number, options: StreamOptions) {
    const { batch = 1, maxSteps = 1, weights = 'float32' } = checkOptions('stream', options, streamNames);
    for (const [what, value] of Object.entries({ batch, maxSteps })) expectCount(`stream: ${what}`, value);
    checkWeightFormat('stream', weights);
    this.batch = batch;
    this.engine = engine;
    this.#maxSteps = maxSteps;
    this.#program = new StreamProgram(engine, batch, width, weights);
    try {
      for (const layer of layers) layer.addToStream(this.#program);
      this.takesIds = this.#program.idLimit > 0;
      this.inputWidth = this.takesIds ? 1 : width;
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
   * One step of every sequence.
   *
   * @param input `[B, I]`, row-major: features, or one id a sequence.
   * @returns `[B, O]`, the stream's own array, which the next call overwrites: `slice()` copies what is to stay.
   * @throws as `steps` does.
   */
  step(input: ArrayLike<number>): Float32Array {
    return this.steps(input, 1);
  }

  /**
   * `n` steps in one call.
   *
   * @param inputs `[n, B, I]`, time-major.
   * @returns `[n, B, O]`, the stream's own array or its beginning, which the next call overwrites.
   * @throws ArgumentError if `n` is more than `maxSteps`, or `inputs` has another length, an id outside the vocabulary
   *   or a number that is not finite; DeadTensorError once the stream or its model was disposed of; the states are then
   *   as they were.
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
    // What the program needs it makes as it first runs, and memory may have grown for that.
    if (this.#outputView.buffer !== this.engine.memory.buffer) this.#view();
    const count = n * this.batch * this.outputWidth;
    const view = this.#outputView;
    const result = this.#result;
    // A loop, for `set` takes half a microsecond before it copies anything.
    for (let i = 0; i < count; i++) result[i] = view[i]!;
    return n === this.#maxSteps ? result : result.subarray(0, count);
  }

  // What would spoil the states for good is refused before the first step.
  #setInput(inputs: ArrayLike<number>): void {
    const { idLimit } = this.#program;
    const { length } = inputs;
    for (let i = 0; idLimit > 0 && i < length; i++) {
      const id = inputs[i]!;
      if (!(Number.isInteger(id) && id >= 0 && id < idLimit)) {
        throw new ArgumentError(`stream: input expected ids in [0, ${idLimit}), got ${id} at ${i}`);
      }
    }
    // A view takes texts for numbers, and stumbles over bigints.
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
   * @param sequence the only one to start anew, while the others go on.
   * @throws ArgumentError if it is no integer in [0, batch).
   */
  reset(sequence?: number): void {
    this.#expectAlive();
    const { batch } = this;
    if (sequence !== undefined && !(Number.isInteger(sequence) && sequence >= 0 && sequence < batch)) {
      throw new ArgumentError(`stream: sequence expected 0 to ${batch - 1}, got ${shown(sequence)}`);
    }
    this.changes++;
    const rows = sequence === undefined ? batch : 1;
    for (const { ptr, size } of this.#program.states) {
      const width = size / batch;
      this.engine.kernels.fill(rows * width, 0, ptr + 4 * (sequence ?? 0) * width);
    }
  }

  /** Copies of the states, `[B, H]` each, layer by layer; of an LSTM h, then c. */
  get state(): Float32Array[] {
    return this.#states().map((state) => state.slice());
  }

  /**
   * Goes on from states that `state` gave. Throws `ArgumentError` if their number or a length does not fit, or a number
   * is not finite.
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

  /** Frees its buffers; the model stays. */
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
