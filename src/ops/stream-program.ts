import type { Parameter } from '../autograd/parameter.ts';
import { ArgumentError, persistent, type Tensor } from '../autograd/tensor.ts';
import type { Cell } from '../cells/cell.ts';
import { type Ptr, STREAM_INT8, StreamKind } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';

/** How kernels and recurrent kernels are kept: one byte a weight, with a scale a column, or four. */
export type WeightFormat = 'float32' | 'int8';

// What `gemm_int8` takes.
const MOST_INT8_ROWS = 32_768;

interface Weights {
  kernel: Parameter;
  recurrentKernel?: Parameter;
  bias?: Parameter | undefined;
}

/** A packed copy of columns [from, from + count) of a weight, made again whenever the weight has changed. */
interface Packed {
  weight: Parameter;
  version: number;
  from: number;
  count: number;
  copy: Tensor;
}

/**
 * A stack of layers laid out for the `stream` kernel. Layers add themselves in order, each reading what the one before
 * left; everything is allocated here, once, and nothing while the program runs.
 */
export class StreamProgram {
  readonly engine: Engine;
  readonly rows: number;
  readonly weights: WeightFormat;
  /** States by layer, in order, each `[rows, H]`. */
  readonly states: Tensor[] = [];
  readonly #records: number[][] = [];
  readonly #packed: Packed[] = [];
  readonly #buffers: Tensor[] = [];
  /** Ids are in [0, idLimit); 0 where the input is features. */
  idLimit = 0;
  #program: Tensor | undefined;
  #at: Ptr = 0;
  #width = 0;

  constructor(engine: Engine, rows: number, weights: WeightFormat = 'float32') {
    this.engine = engine;
    this.rows = rows;
    this.weights = weights;
  }

  /** Features of the stack's output. */
  get width(): number {
    return this.#width;
  }

  /** y = table[x, :], for x one id a row. */
  embedding(table: Parameter): void {
    const width = table.shape[1]!;
    this.idLimit = table.shape[0]!;
    this.#add({ kind: StreamKind.Embedding, units: width, kernel: table.tensor.ptr, y: this.#buffer(width) });
  }

  /** y = x·W + b */
  dense({ kernel, bias }: Weights): void {
    const [inputs, units] = kernel.shape as [number, number];
    const y = this.#buffer(units);
    this.#add({ kind: StreamKind.Dense, inputs, units, kernel: this.#pack(kernel), bias: bias?.tensor.ptr ?? 0, y });
  }

  /** y = f(x) elementwise, f one of `Unary`. */
  unary(f: number): void {
    this.#add({ kind: StreamKind.Unary, units: this.#width, y: this.#buffer(this.#width), function: f });
  }

  softmax(): void {
    this.#add({ kind: StreamKind.Softmax, units: this.#width, y: this.#buffer(this.#width) });
  }

  /** One step of a fused cell, whose states the program keeps. Throws `ArgumentError` if the kernel does not know the cell. */
  recurrent(cell: Cell, weights: Weights): void {
    const { stream } = cell;
    if (!stream)
      throw new ArgumentError(`stream: ${cell.name} cannot be streamed, since the kernel has no step for it`);
    const { kernel, bias } = weights;
    const recurrentKernel = weights.recurrentKernel!;
    const units = recurrentKernel.shape[0]!;
    const width = cell.gates * units;
    const states = cell.states.map((name) => this.#zeroed(units, `stream ${cell.name} ${name}`));
    this.states.push(...states);
    const blocks = cell.blocks.flatMap((block) =>
      'extra' in block ? [] : this.#pack(recurrentKernel, block.gate * units, block.gates * units),
    );
    this.#add({
      kind: stream.kind,
      inputs: kernel.shape[0]!,
      units,
      kernel: this.#pack(kernel),
      recurrent: blocks[0]!,
      recurrentNext: blocks[1] ?? 0,
      bias: bias?.tensor.ptr ?? 0,
      recurrentBias: bias && cell.biases === 2 ? bias.tensor.ptr + 4 * width : 0,
      gates: this.#buffer(width),
      kept: states[1]?.ptr ?? this.#buffer(Math.max(cell.saved, 1) * units),
      scratch: this.#buffer(Math.max(cell.scratch, 1) * units),
      function: stream.activation ?? 0,
      y: states[0]!.ptr,
    });
  }

  /** Runs `steps` steps; step s reads input + s·inputBytes and leaves its output at output + s·4·rows·width. */
  run(steps: number, input: Ptr, inputBytes: number, output: Ptr): void {
    const program = (this.#program ??= this.#write());
    for (const packed of this.#packed) if (packed.version !== packed.weight.version) this.#refresh(packed);
    const { kernels } = this.engine;
    kernels.stream(program.ptr, this.#records.length, steps, input, inputBytes, output, 4 * this.rows * this.#width);
  }

  dispose(): void {
    for (const buffer of [...this.#buffers, ...this.states]) buffer.dispose();
    this.#program?.dispose();
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
    const kind = r.kind + (this.weights === 'int8' ? STREAM_INT8 : 0);
    this.#records.push([
      ...[kind, this.rows, r.inputs ?? 0, r.units, this.#at, r.y, r.kernel ?? 0, r.recurrent ?? 0],
      ...[r.recurrentNext ?? 0, r.bias ?? 0, r.recurrentBias ?? 0, r.gates ?? 0, r.kept ?? 0, r.scratch ?? 0],
      ...[r.function ?? 0, this.engine.gemmScratch],
    ]);
    this.#at = r.y;
    this.#width = r.units;
  }

  #write(): Tensor {
    const words = this.#records.flat();
    const program = persistent([words.length], { dtype: 'i32', name: 'stream program', engine: this.engine });
    program.set(words);
    return program;
  }

  #buffer(width: number): Ptr {
    return this.#zeroed(width, 'stream buffer', this.#buffers).ptr;
  }

  #zeroed(width: number, name: string, list?: Tensor[]): Tensor {
    const t = persistent([this.rows, width], { name, engine: this.engine });
    this.engine.kernels.fill(t.size, 0, t.ptr);
    list?.push(t);
    return t;
  }

  #pack(weight: Parameter, from = 0, count = weight.shape[1]!): Ptr {
    const rows = weight.shape[0]!;
    const { kernels } = this.engine;
    const isInt8 = this.weights === 'int8';
    if (isInt8 && rows > MOST_INT8_ROWS) {
      throw new ArgumentError(`int8: '${weight.name}' expected at most ${MOST_INT8_ROWS} rows, got ${rows}`);
    }
    const floats = isInt8 ? kernels.gemm_int8_packed_size(rows, count) / 4 : kernels.gemm_packed_size(rows, count);
    const copy = persistent([floats], { name: `packed ${weight.name}`, engine: this.engine });
    this.#buffers.push(copy);
    const packed = { weight, version: -1, from, count, copy };
    this.#refresh(packed);
    this.#packed.push(packed);
    return copy.ptr;
  }

  #refresh(packed: Packed): void {
    const { weight, from, count, copy } = packed;
    const [rows, columns] = weight.shape as [number, number];
    const { kernels } = this.engine;
    const pack = this.weights === 'int8' ? kernels.gemm_int8_pack : kernels.gemm_pack_b;
    pack(rows, count, weight.tensor.ptr + 4 * from, columns, 1, copy.ptr);
    packed.version = weight.version;
  }
}
