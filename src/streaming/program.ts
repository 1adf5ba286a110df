import { type CellLayout, forwardBlocks } from '../cells/layout.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import type { Shape } from '../checks/shape.ts';
import { MOST_GEMV_ROWS, type Ptr, STREAM_INT8, StreamKind } from '../engine/abi.ts';
import type { LayerConfig } from '../io/model-file.ts';
import { streamedActivations } from './activations.ts';
import type { StreamEngine } from './engine.ts';

/**
 * The format of kernels and recurrent kernels: `float32`, or `int8` with one byte per weight and one scale per column.
 */
export type WeightFormat = 'float32' | 'int8';

// The largest k of `gemm_int8`.
const MOST_INT8_ROWS = 32_768;

/** A weight of a layer of a stream: a `Parameter`, or a tensor of a file. */
export interface StreamWeight {
  readonly name: string;
  readonly shape: Shape;
  /** Address of its values, row-major. */
  readonly ptr: Ptr;
  /** Counts changes of the values. Undefined if they never change: then `ptr` is read only while layers are added. */
  readonly version?: number;
  /** Called after packing. The memory at `ptr` may be freed until `ptr` is read again. */
  release?(): void;
}

interface Weights {
  readonly kernel: StreamWeight;
  readonly bias?: StreamWeight | undefined;
}

/**
 * A packed copy of columns [from, from + count) of a weight. It is packed again after the weight has changed. A weight
 * that is read in place has no copy.
 */
interface Packed {
  weight: StreamWeight;
  version: number | undefined;
  from: number;
  count: number;
  /** 0 for none. */
  copy: Ptr;
}

/** What a stream runs. */
export interface StepProgram {
  readonly states: State[];
  /** Numbers of a step's input, if the caller cannot know. */
  readonly inputWidth?: number;
  /** Features of the output. */
  readonly width: number;
  /** Ids of the input are in [0, idLimit); 0 if the input is features. */
  readonly idLimit: number;
  /** Whether the output is probabilities. */
  readonly endsInSoftmax: boolean;
  allocate(count: number): Ptr;
  run(steps: number, input: Ptr, inputBytes: number, output: Ptr): void;
  /** Starts all sequences, or one, in its own way and returns true. Without it states start from zeros. */
  restart?(sequence: number | undefined): boolean;
  dispose(): void;
}

/** A state of a recurrent layer, `[rows, H]`. */
export interface State {
  readonly ptr: Ptr;
  readonly size: number;
}

/**
 * Adds the layer inside a TimeDistributed. A stream runs every layer once per step, so TimeDistributed needs nothing
 * more. Throws `ArgumentError` if the layer has states: they would have to be reset at each step.
 */
export function addStepwise(program: StreamProgram, name: string, add: () => void): void {
  const before = program.states.length;
  add();
  if (program.states.length > before) {
    throw new ArgumentError(`${name}: a TimeDistributed recurrent layer cannot run step by step`);
  }
}

/** What a program needs of a layer whose class does not know how to add itself. */
export interface OtherLayer {
  readonly className: string;
  readonly name: string;
  /** The names of the enclosing layers and its own. The names of its weights start with it. */
  readonly path: string;
  readonly weights: readonly StreamWeight[];
  config(): LayerConfig;
}

/** What a program is made for. `steps` is the largest number of steps of one run. */
export interface ProgramSize {
  readonly rows: number;
  readonly width: number;
  readonly weights: WeightFormat;
  readonly steps: number;
}

/** Makes the program of a stream. */
export let programOf = (engine: StreamEngine, { rows, width, weights }: ProgramSize): StreamProgram =>
  new StreamProgram(engine, rows, width, weights);

/** Replaces the programs of all streams made from now on, for layers that a `StreamProgram` cannot run. */
export function setProgramOf(make: typeof programOf): void {
  programOf = make;
}

// Frees the buffers of a program that is garbage-collected without `dispose`.
const abandoned = new FinalizationRegistry<() => void>((release) => release());

/**
 * A stack of layers, as records for the `stream` kernel. Layers add themselves in order. Each layer reads the output of
 * the previous one. All memory is allocated while layers are added and at the first run; later runs allocate nothing.
 */
export class StreamProgram implements StepProgram {
  readonly engine: StreamEngine;
  readonly rows: number;
  readonly weights: WeightFormat;
  /** States by layer, in order. */
  readonly states: State[] = [];
  readonly #records: number[][] = [];
  // Includes parameters that are read in place: records have their address, and the reference keeps their memory
  // allocated.
  readonly #packed: Packed[] = [];
  readonly #release: () => void;
  readonly #buffers: Ptr[] = [];
  #program: Ptr = 0;
  #at: Ptr = 0;
  #width: number;
  #idLimit = 0;
  /** Whether the output of the layers so far is probabilities. */
  endsInSoftmax = false;
  /** Adds a layer whose class does not know how, and returns true if the program can run it. */
  declare readonly addOther?: (layer: OtherLayer) => boolean;

  /** @param width features of the input, if the stack does not start with an embedding. */
  constructor(engine: StreamEngine, rows: number, width: number, weights: WeightFormat = 'float32') {
    this.engine = engine;
    this.rows = rows;
    this.weights = weights;
    this.#width = width;
    const { heap } = engine;
    const buffers = this.#buffers;
    this.#release = () => {
      for (const buffer of buffers.splice(0)) heap.release(buffer);
    };
    abandoned.register(this, this.#release, this);
  }

  /** Features of the output of the layers so far. */
  get width(): number {
    return this.#width;
  }

  /** Ids of the input are in [0, idLimit); 0 if the input is features. */
  get idLimit(): number {
    return this.#idLimit;
  }

  /** y = table[x, :], with one id x per row. */
  embedding(table: StreamWeight): void {
    if (this.#records.length > 0) throw new ArgumentError(`stream: '${table.name}' expected ids, not a layer's output`);
    const [limit, units] = table.shape as [number, number];
    this.#idLimit = limit;
    this.#add({ kind: StreamKind.Embedding, units, kernel: this.#place(table), y: this.#buffer(units) });
  }

  /** y = x·W + b */
  dense({ kernel, bias }: Weights): void {
    const [inputs, units] = kernel.shape as [number, number];
    const y = this.#buffer(units);
    this.#add({ kind: StreamKind.Dense, inputs, units, kernel: this.#pack(kernel), bias: this.#place(bias), y });
  }

  /** y = f(x) elementwise, f one of `Unary`. */
  unary(f: number): void {
    this.#add({ kind: StreamKind.Unary, units: this.#width, y: this.#buffer(this.#width), function: f });
  }

  softmax(): void {
    this.#add({ kind: StreamKind.Softmax, units: this.#width, y: this.#buffer(this.#width) });
    this.endsInSoftmax = true;
  }

  /**
   * Adds an activation by its name. Throws `ArgumentError`, with `where` at the front of the message, if the `stream`
   * kernel cannot compute it.
   */
  activation(name: string, where = ''): void {
    if (Object.hasOwn(streamedActivations, name)) this.unary(streamedActivations[name]!);
    else if (name === 'softmax') this.softmax();
    else if (name !== 'linear') {
      const able = ['linear', ...Object.keys(streamedActivations), 'softmax'].join(', ');
      throw new ArgumentError(`${where}activation '${name}' cannot run step by step; expected one of ${able}`);
    }
  }

  /**
   * Adds one step of a fused cell. The program keeps its states. Throws `ArgumentError` if the `stream` kernel does not
   * support the cell.
   */
  recurrent(cell: CellLayout, weights: Weights & { readonly recurrentKernel: StreamWeight }): void {
    const { stream } = cell;
    if (!stream)
      throw new ArgumentError(`stream: ${cell.name} cannot be streamed, since the kernel has no step for it`);
    const { kernel, recurrentKernel } = weights;
    const units = recurrentKernel.shape[0]!;
    const width = cell.gates * units;
    const states = cell.states.map(() => this.#buffer(units));
    this.states.push(...states.map((ptr) => ({ ptr, size: this.rows * units })));
    const blocks = forwardBlocks(cell.blocks).flatMap((block) =>
      'extra' in block ? [] : this.#pack(recurrentKernel, block.gate * units, block.gates * units),
    );
    const bias = this.#place(weights.bias);
    this.#add({
      kind: stream.kind,
      inputs: kernel.shape[0]!,
      units,
      kernel: this.#pack(kernel),
      recurrent: blocks[0]!,
      recurrentNext: blocks[1] ?? 0,
      bias,
      recurrentBias: bias && cell.biases === 2 ? bias + 4 * width : 0,
      gates: this.#buffer(width),
      kept: states[1] ?? this.#buffer(Math.max(cell.saved, 1) * units),
      scratch: this.#buffer(Math.max(cell.scratch, 1) * units),
      function: stream.activation ?? 0,
      y: states[0]!,
    });
  }

  /** Memory of `count` 4-byte elements that lives as long as the program. */
  allocate(count: number): Ptr {
    const at = this.engine.heap.allocate(4 * count);
    this.#buffers.push(at);
    return at;
  }

  /**
   * Runs `steps` steps. Step s reads its input at input + s·inputBytes and writes its output to output +
   * s·4·rows·width. Throws `DeadTensorError` if a weight was disposed of.
   */
  run(steps: number, input: Ptr, inputBytes: number, output: Ptr): void {
    this.#program ||= this.#write();
    for (const packed of this.#packed) if (packed.version !== packed.weight.version) this.#refresh(packed);
    const { kernels, memory } = this.engine;
    const count = this.#records.length;
    if (count > 0) kernels.stream(this.#program, count, steps, input, inputBytes, output, 4 * this.rows * this.#width);
    // A stack without records has only layers that do nothing outside training, such as dropout.
    else new Uint8Array(memory.buffer).copyWithin(output, input, input + steps * inputBytes);
  }

  /** Frees its memory. Safe to call twice. The program must not run again. */
  dispose(): void {
    abandoned.unregister(this);
    this.#release();
    this.states.length = 0;
  }

  #add(r: {
    kind: number;
    units: number;
    y: Ptr;
    inputs?: number;
    kernel?: Ptr;
    recurrent?: Ptr;
    recurrentNext?: Ptr;
    bias?: Ptr;
    recurrentBias?: Ptr;
    gates?: Ptr;
    kept?: Ptr;
    scratch?: Ptr;
    function?: number;
  }): void {
    const { inputs = this.#width } = r;
    if (inputs !== this.#width) {
      throw new ArgumentError(`stream: a layer expected ${inputs} features, got ${this.#width}`);
    }
    const kind = r.kind + (this.weights === 'int8' ? STREAM_INT8 : 0);
    this.#records.push([
      ...[kind, this.rows, r.inputs ?? 0, r.units, this.#at, r.y, r.kernel ?? 0, r.recurrent ?? 0],
      ...[r.recurrentNext ?? 0, r.bias ?? 0, r.recurrentBias ?? 0, r.gates ?? 0, r.kept ?? 0, r.scratch ?? 0],
      ...[r.function ?? 0, this.engine.gemmScratch],
    ]);
    this.#at = r.y;
    this.#width = r.units;
    this.endsInSoftmax = false;
  }

  #write(): Ptr {
    const words = this.#records.flat();
    const program = this.allocate(words.length);
    new Int32Array(this.engine.memory.buffer, program, words.length).set(words);
    return program;
  }

  /** `[rows, width]` zeros. */
  #buffer(width: number): Ptr {
    const count = this.rows * width;
    const at = this.allocate(count);
    this.engine.kernels.fill(count, 0, at);
    return at;
  }

  /** The address of a weight that is read in place; 0 for none. */
  #place(weight: StreamWeight | undefined): Ptr {
    if (!weight) return 0;
    const { version } = weight;
    if (version !== undefined) this.#packed.push({ weight, version, from: 0, count: 0, copy: 0 });
    return weight.ptr;
  }

  #pack(weight: StreamWeight, from = 0, count = weight.shape[1]!): Ptr {
    const rows = weight.shape[0]!;
    const { kernels } = this.engine;
    const isInt8 = this.weights === 'int8';
    if (isInt8 && rows > MOST_INT8_ROWS) {
      throw new ArgumentError(`int8: '${weight.name}' expected at most ${MOST_INT8_ROWS} rows, got ${rows}`);
    }
    const floats = isInt8 ? kernels.gemm_int8_packed_size(rows, count) / 4 : kernels.gemm_packed_size(rows, count);
    const packed: Packed = { weight, version: undefined, from, count, copy: this.allocate(floats) };
    this.#refresh(packed);
    weight.release?.();
    if (weight.version !== undefined) this.#packed.push(packed);
    return packed.copy;
  }

  #refresh(packed: Packed): void {
    const { weight, from, count, copy } = packed;
    const [rows, columns] = weight.shape as [number, number];
    const { kernels } = this.engine;
    const at = weight.ptr + 4 * from;
    packed.version = weight.version;
    // A weight that is read in place needs no copy. Reading `ptr` above throws if it was disposed of.
    if (copy === 0) return;
    if (this.weights === 'int8') kernels.gemm_int8_pack(rows, count, at, columns, 1, copy);
    else if (this.rows > MOST_GEMV_ROWS) kernels.gemm_pack_b(rows, count, at, columns, 1, copy);
    else kernels.gemv_pack_b(rows, count, at, columns, copy);
  }
}
