import type { CellLayout } from '../../cells/layout.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { formatShape } from '../../checks/shape.ts';
import { Binary, Init, MOST_GEMV_ROWS, type Ptr, StreamKind, Unary } from '../../engine/abi.ts';
import { inverseDeviations } from '../../ops/epsilon.ts';
import type { StreamEngine } from '../../streaming/engine.ts';
import type { AddLayer } from '../../streaming/layers.ts';
import {
  type OtherLayer,
  type ProgramSize,
  type State,
  type StepProgram,
  StreamProgram,
  type StreamWeight,
  type WeightFormat,
} from '../../streaming/program.ts';
import { History } from './history.ts';
import { type BlockKernels, batchNormOf } from './kernels.ts';

/** The most steps that run through one part before the next part takes them: their values stay in a near cache. */
const MOST_STEPS = 64;

/** What a part computes: `[steps, rows, width]`. */
export interface Value {
  at: Ptr;
  readonly width: number;
}

interface Weights {
  readonly kernel: StreamWeight;
  readonly bias?: StreamWeight | undefined;
}

/** Runs `steps` steps of a part. */
type Part = (steps: number) => void;

/** A packed weight, which is packed again after the weight has changed. */
interface Packed {
  readonly weight: StreamWeight;
  version: number | undefined;
  readonly pack: () => void;
}

/** The state with which sequences start, if not with zeros. */
interface Start {
  readonly state: State;
  readonly weight: StreamWeight;
  /** A copy of its values, `[H]`. */
  readonly copy: Ptr;
}

/**
 * The program of a stream that runs block by block: each part takes all steps of a block before the next part starts.
 * Parts may read the values of any parts before them, so residual sums, gated products and sums over all layers are
 * possible. Dense layers, recurrent layers and activations that follow each other are one part, a `StreamProgram`.
 *
 * The products and their order are those of the whole sequence, so the bits are the same.
 */
export class BlockProgram implements StepProgram {
  readonly engine: StreamEngine;
  readonly rows: number;
  readonly weights: WeightFormat;
  /** Whether the output of the layers so far is probabilities. */
  endsInSoftmax = false;
  /** Ids of the input are in [0, idLimit); 0 if the input is features. */
  idLimit = 0;
  readonly #kernels: BlockKernels;
  /** The most steps of a part at once. */
  #block: number;
  #parts: Part[] = [];
  readonly #stacks: StreamProgram[] = [];
  readonly #states: State[] = [];
  readonly #histories: History[] = [];
  readonly #starts: Start[] = [];
  readonly #packed: Packed[] = [];
  // Parameters that are read, packed or in place: reading their addresses throws if they were disposed of.
  readonly #read: StreamWeight[] = [];
  readonly #input: Value;
  readonly #others: Readonly<Record<string, AddLayer>>;
  #value: Value;
  /** The stack to which the next layer is added. It becomes a part when another part reads its output. */
  #open: StreamProgram | undefined;
  /** Has the memory of all parts, and frees it with this program. */
  readonly #memory: StreamProgram;

  /** @param others how layers add themselves whose classes do not know it, by class name. */
  constructor(
    engine: StreamEngine,
    { rows, width, weights, steps }: ProgramSize,
    others: Readonly<Record<string, AddLayer>>,
  ) {
    this.engine = engine;
    this.#others = others;
    this.rows = rows;
    this.weights = weights;
    this.#kernels = engine.kernels as BlockKernels;
    this.#block = Math.min(steps, MOST_STEPS);
    this.#input = { at: 0, width };
    this.#value = this.#input;
    this.#memory = new StreamProgram(engine, rows, width, weights);
  }

  /** Features of the output of the layers so far. */
  get width(): number {
    return this.#open?.width ?? this.#value.width;
  }

  get states(): State[] {
    return [...this.#states, ...this.#histories.map(({ state }) => state)];
  }

  /** Memory of `count` 4-byte elements that lives as long as the program. */
  allocate(count: number): Ptr {
    return this.#memory.allocate(count);
  }

  // Layers that follow each other ---------------------------------------------------------------------------------------

  /** The stack that runs the next layers. */
  get #stack(): StreamProgram {
    if (!this.#open) {
      this.#open = new StreamProgram(this.engine, this.rows, this.#value.width, this.weights);
      this.#stacks.push(this.#open);
    }
    return this.#open;
  }

  /** Whether the next layer can be one of a stack that costs nothing between its layers. */
  get #isStack(): boolean {
    return this.#open !== undefined || this.#parts.length === 0;
  }

  #changed(): void {
    this.endsInSoftmax = this.#open?.endsInSoftmax ?? false;
    this.idLimit ||= this.#open?.idLimit ?? 0;
  }

  embedding(table: StreamWeight): void {
    this.#watch(table);
    if (this.#parts.length > 0) throw new ArgumentError(`stream: '${table.name}' expected ids, not a layer's output`);
    this.#stack.embedding(table);
    this.#changed();
  }

  /** y = x·W + b */
  dense(weights: Weights): void {
    if (this.#isStack) this.#stack.dense(weights);
    else this.product(weights);
    this.#watch(weights.kernel, weights.bias);
    this.#changed();
  }

  unary(f: number): void {
    if (this.#isStack) this.#stack.unary(f);
    else {
      const x = this.#value;
      const y = this.#make(x.width);
      this.#add(y, (steps) => this.#kernels.unary(steps * this.rows * y.width, f, x.at, y.at));
    }
    this.#changed();
  }

  softmax(): void {
    this.#stack.softmax();
    this.#changed();
  }

  activation(name: string, where = ''): void {
    // Keras 2's and TF.js's hard sigmoid is that of the kernel for 1.2·x.
    if (name === 'hardSigmoid2') this.scale(6 * 0.2);
    if (name === 'hardSigmoid2') this.unary(Unary.HardSigmoid);
    else StreamProgram.prototype.activation.call(this as never, name, where);
  }

  recurrent(cell: CellLayout, weights: Weights & { readonly recurrentKernel: StreamWeight }): void {
    this.#watch(weights.kernel, weights.recurrentKernel, weights.bias);
    if (this.#kernels.lstm_steps && cell.stream?.kind === StreamKind.Lstm && this.weights === 'float32') {
      this.#lstm(weights);
    } else {
      const { states } = this.#stack;
      const before = states.length;
      this.#stack.recurrent(cell, weights);
      this.#states.push(...states.slice(before));
    }
    this.#changed();
  }

  /** x·W + b of a whole block in one product, then all its steps in one call. */
  #lstm({ recurrentKernel, ...input }: Weights & { readonly recurrentKernel: StreamWeight }): void {
    this.product(input);
    const gates = this.value;
    const { rows } = this;
    const units = recurrentKernel.shape[0]!;
    const u = this.#pack(recurrentKernel, units, 4 * units, { forFew: rows <= MOST_GEMV_ROWS });
    const [h, c] = [0, 1].map(() => {
      const state = { ptr: this.allocate(rows * units), size: rows * units };
      this.#kernels.fill(state.size, 0, state.ptr);
      this.#states.push(state);
      return state.ptr;
    }) as [Ptr, Ptr];
    const y = this.#make(units);
    this.#add(y, (steps) =>
      this.#kernels.lstm_steps!(steps, rows, units, gates.at, u, h, c, y.at, this.engine.gemmScratch),
    );
  }

  /**
   * A recurrence whose step is made of parts: `body` adds them for one step x and the states before it, and returns the
   * output and the next states. A block runs them step by step.
   *
   * @param widths features of each state.
   */
  recurrence(
    widths: readonly number[],
    body: (x: Value, states: readonly Value[]) => readonly [Value, ...Value[]],
  ): void {
    const x = this.value;
    const { rows } = this;
    const states = widths.map((width): Value => {
      const state = { ptr: this.allocate(rows * width), size: rows * width };
      this.#kernels.fill(state.size, 0, state.ptr);
      this.#states.push(state);
      return { at: state.ptr, width };
    });
    const [block, outer] = [this.#block, this.#parts];
    const step: Value = { at: 0, width: x.width };
    [this.#block, this.#parts, this.#value] = [1, [], step];
    const [output, ...next] = body(step, states);
    const parts = this.#parts;
    [this.#block, this.#parts] = [block, outer];
    const y = this.#make(output.width);
    const copy = (from: Ptr, to: Ptr, width: number): void => this.#kernels.copy_2d(1, rows * width, from, 0, to, 0);
    this.#add(y, (steps) => {
      for (let s = 0; s < steps; s++) {
        step.at = x.at + 4 * s * rows * x.width;
        for (let i = 0; i < parts.length; i++) parts[i]!(1);
        copy(output.at, y.at + 4 * s * rows * y.width, y.width);
        for (let i = 0; i < next.length; i++) copy(next[i]!.at, states[i]!.at, next[i]!.width);
      }
    });
    this.#changed();
  }

  addOther(layer: OtherLayer): boolean {
    const { className, name, path, weights } = layer;
    if (!Object.hasOwn(this.#others, className)) return false;
    const weightOf = (full: string): StreamWeight => weights.find((weight) => weight.name === full)!;
    this.#others[className]!(this as unknown as StreamProgram, {
      config: { ...layer.config(), name },
      path,
      weightOf,
      weight: (own) => weightOf(`${path}/${own}`),
    });
    return true;
  }

  // Values that any later part may read ---------------------------------------------------------------------------------

  /** The output of the layers so far. */
  get value(): Value {
    const stack = this.#open;
    this.#open = undefined;
    if (stack) {
      const x = this.#value;
      const y = this.#make(stack.width);
      const bytes = 4 * this.rows * (stack.idLimit > 0 ? 1 : x.width);
      this.#add(y, (steps) => stack.run(steps, x.at, bytes, y.at));
    }
    return this.#value;
  }

  /** The next part reads `value`. */
  resume(value: Value): void {
    this.value;
    this.#value = value;
  }

  /** y = f(x, other) elementwise, f one of `Binary`. */
  binary(f: number, other: Value): void {
    const x = this.value;
    const y = this.#make(x.width);
    if (other.width !== x.width) throw new ArgumentError(`stream: expected ${x.width} features, got ${other.width}`);
    this.#add(y, (steps) => this.#kernels.binary(f, 1, steps * this.rows * x.width, x.at, 0, 1, other.at, 0, 1, y.at));
  }

  /** y = max(x, 0) + alpha·min(x, 0), alpha `[width]` */
  prelu(alpha: StreamWeight): void {
    this.#watch(alpha);
    const x = this.value;
    const { width } = x;
    const at = this.#place(alpha);
    const zero = this.allocate(1);
    this.#kernels.fill(1, 0, zero);
    const [least, y] = [this.#make(width), this.#make(width)];
    this.#add(y, (steps) => {
      const [count, { binary }] = [steps * this.rows, this.#kernels];
      binary(Binary.Min, 1, count * width, x.at, 0, 1, zero, 0, 0, least.at);
      binary(Binary.Mul, count, width, least.at, width, 1, at, 0, 1, least.at);
      binary(Binary.Max, 1, count * width, x.at, 0, 1, zero, 0, 0, y.at);
      binary(Binary.Add, 1, count * width, y.at, 0, 1, least.at, 0, 1, y.at);
    });
    this.#changed();
  }

  /** y = (x − mean)·gamma/√(variance + epsilon) + beta of each feature, weights of `[width]` */
  batchNormalization(
    {
      gamma,
      beta,
      mean,
      variance,
    }: Readonly<Record<'gamma' | 'beta', StreamWeight | undefined>> &
      Readonly<Record<'mean' | 'variance', StreamWeight>>,
    epsilon: number,
  ): void {
    const all = [gamma, beta, mean, variance].filter((weight) => weight !== undefined);
    this.#watch(...all);
    const x = this.value;
    const { width } = x;
    const normalize = this.#kernels.batch_norm ?? batchNormOf(this.engine)!;
    const at = this.allocate(3 * width);
    const [factors, offsets] = [at + 4 * width, at + 8 * width];
    const pack = (): void => {
      const of = (ptr: Ptr): Float32Array => new Float32Array(this.engine.memory.buffer, ptr, width);
      of(at).set(of(mean.ptr));
      of(factors).set(inverseDeviations(of(variance.ptr), epsilon));
      if (gamma) for (const [i, value] of of(gamma.ptr).entries()) of(factors)[i]! *= value;
      of(offsets).fill(0);
      if (beta) of(offsets).set(of(beta.ptr));
    };
    pack();
    for (const weight of all) {
      if (weight.version === undefined) weight.release?.();
      else this.#packed.push({ weight, version: weight.version, pack });
    }
    const y = this.#make(width);
    this.#add(y, (steps) => normalize(steps * this.rows, width, x.at, at, factors, offsets, y.at));
    this.#changed();
  }

  /** y = alpha·x */
  scale(alpha: number): void {
    const x = this.value;
    const y = this.#make(x.width);
    this.#add(y, (steps) => this.#kernels.scale(steps * this.rows * x.width, alpha, x.at, y.at));
  }

  /** y = x[:, from … from + count) */
  columns(from: number, count: number): void {
    const x = this.value;
    const y = this.#make(count);
    this.#add(y, (steps) => this.#kernels.copy_2d(steps * this.rows, count, x.at + 4 * from, x.width, y.at, count));
  }

  /** y = x·W + b, all steps of a block in one product. */
  product({ kernel, bias }: Weights): void {
    this.#watch(kernel, bias);
    const x = this.value;
    const [inputs, units] = kernel.shape as [number, number];
    this.#expectWidth(inputs, x);
    const y = this.#make(units);
    const packed = this.#pack(kernel, inputs, units);
    const offset = this.#place(bias);
    const init = bias ? Init.Bias : Init.Zero;
    this.#add(y, (steps) => {
      this.#multiply(steps * this.rows, units, inputs, x.at, inputs, packed, y.at, units, init, offset);
    });
  }

  /**
   * A causal convolution: y[t] = Σ_k x[t − (K − 1 − k)·dilation]·W[k] + b, with W `[K, I/groups, O]`. Steps before the
   * first are zeros.
   */
  convolution({ kernel, bias }: Weights, { dilation, groups }: { dilation: number; groups: number }): void {
    this.#watch(kernel, bias);
    const x = this.value;
    const [taps, depth, outputs] = kernel.shape as [number, number, number];
    this.#expectWidth(depth * groups, x);
    if (outputs % groups) throw new ArgumentError(`stream: '${kernel.name}' expected ${groups} groups of filters`);
    const { rows } = this;
    const kept = (taps - 1) * dilation;
    const history = new History(this.#kernels, (count) => this.allocate(count), {
      ...{ kept, block: this.#block, rows, width: x.width },
    });
    this.#histories.push(history);
    const y = this.#make(outputs);
    const offset = this.#place(bias);
    // Neighbouring taps of one sequence are one row in memory. Else each tap of each group is a product of its own.
    const isOne = rows * groups * dilation === 1;
    const [count, k, n] = isOne ? [1, taps * depth, outputs] : [taps * groups, depth, outputs / groups];
    const slabs = Array.from({ length: count }, (_, i) => {
      const [tap, group] = [Math.floor(i / groups), i % groups];
      return {
        packed: this.#pack(kernel, k, n, { from: tap * depth * outputs + group * n, stride: outputs }),
        input: 4 * (tap * dilation * rows * x.width + group * depth),
        output: 4 * group * n,
        init: tap > 0 ? Init.Accumulate : bias ? Init.Bias : Init.Zero,
      };
    });
    this.#add(y, (steps) => {
      const from = history.push(steps, x.at);
      for (const { packed, input, output, init } of slabs) {
        const start = offset + (offset && output);
        this.#multiply(steps * rows, n, k, from + input, x.width, packed, y.at + output, outputs, init, start);
      }
    });
    this.#changed();
  }

  /** Sequences start from these states of the recurrent layer that was added last, `[H]` each, not from zeros. */
  startFrom(states: readonly StreamWeight[]): void {
    const own = this.#states.slice(-states.length);
    states.forEach((weight, i) => {
      this.#watch(weight);
      const start = { state: own[i]!, weight, copy: this.allocate(weight.shape[0]!) };
      this.#kernels.copy_2d(1, weight.shape[0]!, weight.ptr, 0, start.copy, 0);
      weight.release?.();
      this.#starts.push(start);
    });
    this.restart(undefined);
  }

  restart(sequence: number | undefined): boolean {
    const { fill, copy_2d } = this.#kernels;
    const [first, count] = sequence === undefined ? [0, this.rows] : [sequence, 1];
    for (const { ptr, size } of this.#states) {
      const width = size / this.rows;
      fill(count * width, 0, ptr + 4 * first * width);
    }
    for (const { state, weight, copy } of this.#starts) {
      const width = weight.shape[0]!;
      const from = weight.version === undefined ? copy : weight.ptr;
      copy_2d(count, width, from, 0, state.ptr + 4 * first * width, width);
    }
    for (const history of this.#histories) history.reset(sequence);
    return true;
  }

  // Running -------------------------------------------------------------------------------------------------------------

  /** As in `StreamProgram`. */
  run(steps: number, input: Ptr, inputBytes: number, output: Ptr): void {
    if (this.#parts.length === 0 && this.#open) {
      this.#open.run(steps, input, inputBytes, output);
      return;
    }
    const y = this.value;
    for (let i = 0; i < this.#read.length; i++) void this.#read[i]!.ptr;
    for (const packed of this.#packed) if (packed.version !== packed.weight.version) refresh(packed);
    const size = this.rows * y.width;
    for (let done = 0; done < steps; done += this.#block) {
      const count = Math.min(this.#block, steps - done);
      this.#input.at = input + done * inputBytes;
      for (let i = 0; i < this.#parts.length; i++) this.#parts[i]!(count);
      this.#kernels.copy_2d(1, count * size, y.at, 0, output + 4 * done * size, 0);
    }
  }

  /** Frees its memory. Safe to call twice. */
  dispose(): void {
    for (const program of [this.#memory, ...this.#stacks]) program.dispose();
    this.#histories.length = 0;
  }

  #add(value: Value, part: Part): void {
    this.#parts.push(part);
    this.#value = value;
  }

  #make(width: number): Value {
    return { at: this.allocate(this.#block * this.rows * width), width };
  }

  #expectWidth(inputs: number, { width }: Value): void {
    if (inputs !== width) throw new ArgumentError(`stream: a layer expected ${inputs} features, got ${width}`);
  }

  #watch(...weights: (StreamWeight | undefined)[]): void {
    for (const weight of weights) if (weight?.version !== undefined) this.#read.push(weight);
  }

  #place(weight: StreamWeight | undefined): Ptr {
    return weight ? weight.ptr : 0;
  }

  /**
   * Packs `[rows, columns]` of a weight, from its element `from`, whose rows are `stride` elements apart. `forFew` packs
   * for products of one or two rows.
   */
  #pack(
    weight: StreamWeight,
    rows: number,
    columns: number,
    { from = 0, stride = columns, forFew = false }: { from?: number; stride?: number; forFew?: boolean } = {},
  ): Ptr {
    const kernels = this.#kernels;
    const isInt8 = this.weights === 'int8';
    if (rows > 32_768 && isInt8) {
      throw new ArgumentError(`int8: '${weight.name}' ${formatShape(weight.shape)} expected fewer rows`);
    }
    const floats = isInt8 ? kernels.gemm_int8_packed_size(rows, columns) / 4 : kernels.gemm_packed_size(rows, columns);
    const copy = this.allocate(floats);
    const packed: Packed = {
      weight,
      version: undefined,
      pack: () => {
        const at = weight.ptr + 4 * from;
        if (isInt8) kernels.gemm_int8_pack(rows, columns, at, stride, 1, copy);
        else if (forFew) kernels.gemv_pack_b(rows, columns, at, stride, copy);
        else kernels.gemm_pack_b(rows, columns, at, stride, 1, copy);
      },
    };
    refresh(packed);
    if (weight.version === undefined) weight.release?.();
    else this.#packed.push(packed);
    return copy;
  }

  #multiply(
    m: number,
    n: number,
    k: number,
    a: Ptr,
    rsA: number,
    packed: Ptr,
    c: Ptr,
    rsC: number,
    init: number,
    bias: Ptr,
  ): void {
    const { gemmScratch } = this.engine;
    if (this.weights === 'int8') this.#kernels.gemm_int8(m, n, k, a, rsA, packed, c, rsC, init, bias, gemmScratch);
    else this.#kernels.gemm(m, n, k, a, rsA, 1, packed, c, rsC, init, bias, gemmScratch);
  }
}

function refresh(packed: Packed): void {
  packed.pack();
  packed.version = packed.weight.version;
}
