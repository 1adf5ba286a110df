// Follows a trace and writes a node, or several, for each call.
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { formatShape, type Shape } from '../../checks/shape.ts';
import { leavesOf, type Nested } from '../../data/nested.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import type { Recurrent } from '../../layers/rnn/recurrent.ts';
import { transpose } from '../../ops/shapes/layout.ts';
import type { Attribute } from '../format/attributes.ts';
import { type Dims, GraphBuilder, type Wire } from './graph-builder.ts';
import { type Call, isTensor, type LayerCall, type OpCall, trace } from './trace.ts';

/** A tensor of both traces. The traces have other lengths where a length varies, and other values. */
export type Pair = readonly [Tensor, Tensor];
export type Shapes = readonly [Shape, Shape];

/** The shapes of a pair. */
export const shapesOf = ([a, b]: Pair): Shapes => [a.shape, b.shape];

/** A length that varies: its values in both traces, where the graph finds it, and its name if it is one of an input. */
interface Length {
  readonly pair: readonly [number, number];
  readonly wire: Wire;
  readonly axis: number;
  readonly name: string | undefined;
}

/** A state that the model takes and gives. */
export interface ExportedState {
  readonly layer: AnyLayer;
  readonly input: string;
  readonly output: string;
  /** What the output is. */
  from: Wire;
  /** Shapes of one sample. */
  readonly shapes: Shapes;
}

/** A call of an op in both traces. */
export interface WrittenOp extends Omit<OpCall, 'x' | 'y'> {
  readonly x: readonly (Pair | undefined)[];
  readonly y: readonly Pair[];
}

/** A call of a layer in both traces. */
export interface WrittenLayer {
  readonly layer: AnyLayer;
  readonly x: readonly Pair[];
  readonly y: readonly Pair[];
  readonly mask: Pair | undefined;
  readonly initialState: readonly Pair[] | undefined;
  readonly constants: readonly Pair[] | undefined;
  /** Whether the outputs of a layer that goes backwards stay in the order of the input. */
  readonly ownTime: boolean;
}

/** Writes a call of an op. Returns the wires of its outputs; undefined if ONNX cannot express this use of the op. */
export type OpExporter = (writer: Writer, call: WrittenOp) => Wire | Wire[] | undefined;

/** Writes a call of a layer. Returns the wires of its outputs. */
export type LayerExporter = (writer: Writer, call: WrittenLayer) => Wire | Wire[];

/** How layers and ops are written. */
export interface Exporters {
  /** The exporter of a layer that is written as a whole; undefined if it is written as the ops that it runs. */
  layer(layer: AnyLayer): LayerExporter | undefined;
  /** The exporter of an op; undefined if ONNX has no equal. */
  op(call: WrittenOp): OpExporter | undefined;
}

/** Whether a layer is written as a whole. */
export const isWhole =
  (exporters: Exporters) =>
  (layer: AnyLayer): boolean =>
    exporters.layer(layer) !== undefined;

/** Writes a program that has been traced twice. */
export class Writer {
  readonly graph: GraphBuilder;
  /** The states of stateful layers. */
  readonly states: ExportedState[] = [];
  /** Whether the states of all recurrent layers are inputs and outputs. */
  readonly exposesStates: boolean;
  readonly exporters: Exporters;
  readonly #layers: readonly AnyLayer[];
  readonly #outer: Writer | undefined;
  readonly #wires = new Map<Tensor, Wire>();
  readonly #places = new Map<string, Wire>();
  readonly #second = new Map<Tensor, Tensor>();
  readonly #lengths: Length[] = [];

  /** @param layers all layers of the model. */
  constructor(
    graph: GraphBuilder,
    exporters: Exporters,
    layers: readonly AnyLayer[],
    exposesStates: boolean,
    outer?: Writer,
  ) {
    this.graph = graph;
    this.exporters = exporters;
    this.#layers = layers;
    this.exposesStates = exposesStates;
    this.#outer = outer;
  }

  /** A writer of a graph inside this one, which sees what this one has computed. */
  inner(): Writer {
    return new Writer(new GraphBuilder(this.graph.names), this.exporters, this.#layers, this.exposesStates, this);
  }

  /** Names a tensor of both traces. */
  bind([a, b]: Pair, wire: Wire): void {
    this.#second.set(a, b);
    this.#wires.set(a, wire);
    this.#places.set(placeOf(a), wire);
    for (const axis of a.shape.keys()) this.bindLength([a.shape[axis]!, b.shape[axis]!], wire, axis);
  }

  /** Declares that axis `axis` of `wire` has a length that varies. */
  bindLength([a, b]: readonly [number, number], wire: Wire, axis: number, name?: string): void {
    if (a !== b && !this.#findLength(a, b)) this.#lengths.push({ pair: [a, b], wire, axis, name });
  }

  #findLength(a: number, b: number): Length | undefined {
    return this.#allLengths().find(({ pair }) => pair[0] === a && pair[1] === b);
  }

  /** Writes the calls of two traces of the same program. */
  write(first: readonly Call[], second: readonly Call[]): void {
    const isSame = (a: Call, b: Call | undefined): boolean =>
      b !== undefined && a.layer === b.layer && opOf(a) === opOf(b);
    if (first.length !== second.length || !first.every((call, i) => isSame(call, second[i]))) {
      throw new ArgumentError('exportOnnx: model expected the same ops for all lengths of its inputs');
    }
    for (const [i, call] of first.entries()) {
      this.graph.scope = call.layer?.path ?? '';
      if ('op' in call) this.#writeOp(call, second[i] as OpCall);
      else this.#writeLayer(call, second[i] as LayerCall);
    }
    this.graph.scope = '';
  }

  #writeOp(first: OpCall, second: OpCall): void {
    const pairUp = (a: readonly (Tensor | undefined)[], b: readonly (Tensor | undefined)[]) =>
      a.map((each, i): Pair | undefined => (each ? [each, b[i]!] : undefined));
    const call = { ...first, x: pairUp(first.x, second.x), y: pairUp(first.y, second.y) as Pair[] };
    const exporter = this.exporters.op(call);
    if (!exporter) throw this.refusal(first, `the op '${first.op}'`);
    for (const pair of call.x) if (pair) this.#second.set(...pair);
    const wires = exporter(this, call);
    if (!wires) throw this.refusal(first, `this use of the op '${first.op}'`);
    for (const [i, wire] of [wires].flat().entries()) this.bind(call.y[i]!, wire);
  }

  #writeLayer(first: LayerCall, second: LayerCall): void {
    const pairs = (a: Nested<Tensor>, b: Nested<Tensor>): Pair[] => {
      const others = leavesOf<Tensor>(b, isTensor);
      return leavesOf<Tensor>(a, isTensor).map((each, i) => [each, others[i]!] as const);
    };
    const lists = (key: 'initialState' | 'constants'): Pair[] | undefined =>
      first.options[key]?.map((each, i) => [each, second.options[key]![i]!] as const);
    const { mask } = first.options;
    const call: WrittenLayer = {
      layer: first.layer,
      x: pairs(first.x, second.x),
      y: pairs(first.y, second.y),
      mask: mask && [mask, second.options.mask!],
      initialState: lists('initialState'),
      constants: lists('constants'),
      ownTime: first.options.ownTime ?? false,
    };
    for (const pair of [...call.x, ...(call.mask ? [call.mask] : [])]) this.#second.set(...pair);
    const wires = this.exporters.layer(first.layer)!(this, call);
    for (const [i, wire] of [wires].flat().entries()) this.bind(call.y[i]!, wire);
  }

  /** An error about a call that ONNX cannot express. */
  refusal({ layer }: { readonly layer?: AnyLayer | undefined }, what: string): ArgumentError {
    const where = layer ? ` of layer '${layer.path}' (${layer.className})` : '';
    return new ArgumentError(`exportOnnx: ${what}${where} has no equal in ONNX`);
  }

  /** The wire of a tensor of the first trace. A tensor that nothing computed must be the same in both traces. */
  wire(pair: Pair | Tensor): Wire {
    const [a, b] = isTensor(pair) ? [pair, this.#second.get(pair)] : pair;
    const found = this.find(a);
    if (found !== undefined) return found;
    if (a.parameter) return this.graph.constant(a.name, a);
    const values = a.toArray();
    const others = b?.toArray();
    if (b && values.every((value) => value === values[0]) && others!.every((value) => value === values[0])) {
      const one = this.graph.scalar(values[0] ?? 0);
      return a.shape.length === 0 ? one : this.graph.one('Expand', [one, this.shapeOf([a.shape, b.shape])]);
    }
    if (b && formatShape(a.shape) === formatShape(b.shape) && values.every((value, i) => value === others![i])) {
      return this.graph.constant(this.graph.names.unique(a.name), a);
    }
    if (b && isTriangle(a, values) && isTriangle(b, others!)) {
      const ones = this.graph.one('Expand', [this.graph.scalar(1), this.shapeOf([a.shape, b.shape])]);
      return this.graph.one('Trilu', [ones], { upper: 0 });
    }
    throw new ArgumentError(
      `exportOnnx: model expected ops that have a gradient, got '${a.name}' ${formatShape(a.shape)} of one that has none, such as argmax or a comparison`,
    );
  }

  /** The wire of a tensor of the first trace, or of a view of the same elements. */
  find(a: Tensor): Wire | undefined {
    return this.#wires.get(a) ?? this.#places.get(placeOf(a)) ?? this.#outer?.find(a);
  }

  /** Lengths of a tensor; the name of one that varies. */
  dims(pair: Pair, name: string): Dims {
    return this.dimsOf(shapesOf(pair), name);
  }

  /** The same of shapes. */
  dimsOf([a, b]: Shapes, name: string): Dims {
    return a.map((n, axis) => (n === b[axis] ? n : (this.#findLength(n, b[axis]!)?.name ?? `${name}_${axis}`)));
  }

  /**
   * A shape as a wire of integers. With the shape `from` of the input of a `Reshape`, which copies a length of its input
   * for 0 and computes one for −1.
   */
  shapeOf([a, b]: Shapes, from?: Shapes): Wire {
    const varies = (axis: number): boolean => a[axis] !== b[axis];
    const isKept = (axis: number): boolean => from?.[0][axis] === a[axis] && from?.[1][axis] === b[axis];
    if (from && [...a.keys()].filter((axis) => varies(axis) && !isKept(axis)).length <= 1) {
      return this.graph.ints(a.map((n, axis) => (varies(axis) ? (isKept(axis) ? 0 : -1) : n)));
    }
    if (![...a.keys()].some(varies)) return this.graph.ints(a);
    const parts = a.map((n, axis) => this.length(n, b[axis]!));
    return this.graph.one('Concat', parts, { axis: 0 });
  }

  /**
   * A length that is `a` in the first trace and `b` in the second, as a wire of one integer: a length of an input, or a
   * product of such lengths and a number.
   */
  length(a: number, b: number): Wire {
    if (a === b) return this.graph.ints([a]);
    const known = this.#allLengths();
    for (const one of known) {
      const [n, m] = one.pair;
      if (a % n !== 0 || b % m !== 0) continue;
      const [rest, other] = [a / n, b / m];
      const second =
        rest === other
          ? undefined
          : known.find(({ pair }) => rest % pair[0] === 0 && rest / pair[0] === other / pair[1]);
      if (rest !== other && !second) continue;
      const factors = [this.#lengthOf(one), ...(second ? [this.#lengthOf(second)] : [])];
      const factor = second ? rest / second.pair[0] : rest;
      if (factor !== 1) factors.push(this.graph.ints([factor]));
      return factors.reduce((product, each) => this.graph.one('Mul', [product, each]));
    }
    throw new ArgumentError(
      'exportOnnx: model expected lengths that are those of its inputs, got one that is computed',
    );
  }

  #allLengths(): readonly Length[] {
    return this.#outer ? [...this.#lengths, ...this.#outer.#allLengths()] : this.#lengths;
  }

  #lengthOf({ wire, axis }: Length): Wire {
    return this.graph.one('Gather', [this.graph.one('Shape', [wire]), this.graph.ints([axis])], { axis: 0 });
  }

  /** A weight with its axes in another order: an initializer of its own if it is a parameter. */
  weight([a, b]: Pair, perm: readonly number[]): Wire {
    if (!a.parameter) return this.graph.transpose(this.wire([a, b]), perm);
    const moved = transpose(a, perm);
    return this.graph.floats(`${a.name}/onnx`, moved.shape, () => moved.toArray() as Float32Array);
  }

  /** Makes the states of a layer, whose samples have `shapes`, inputs of the model. */
  stateInputs(layer: Recurrent, shapes: readonly Shapes[]): Wire[] {
    if (this.#outer) throw this.refusal({ layer }, 'a carried state inside a recurrence');
    const path = layer.path.replaceAll('/', '_');
    if (this.states.some((state) => state.layer === layer))
      throw this.refusal({ layer }, 'a second call with carried states');
    return layer.stateSpecs.map(({ name }, i) => {
      const stem = `${path}_${name.replaceAll(/[^\w]/g, '_')}`;
      const input = this.graph.names.unique(`${stem}_in`);
      this.states.push({ layer, input, output: this.graph.names.unique(`${stem}_out`), from: '', shapes: shapes[i]! });
      return input;
    });
  }

  /** Makes the last states of a layer outputs of the model. */
  stateOutputs(layer: Recurrent, wires: readonly Wire[]): void {
    for (const [i, state] of this.states.filter((each) => each.layer === layer).entries()) state.from = wires[i]!;
  }

  /** Adds a node with one output. */
  one(op: string, inputs: readonly Wire[], attributes?: Readonly<Record<string, Attribute>>): Wire {
    return this.graph.one(op, inputs, attributes);
  }

  /** Runs `body` on each of both tensors and writes what it computes. Returns the wire of each output. */
  inline(x: readonly Pair[], body: (x: readonly Tensor[]) => Nested<Tensor>, layer?: AnyLayer): Wire[] {
    const run = (i: 0 | 1) => trace(this.#layers, isWhole(this.exporters), () => body(x.map((pair) => pair[i])));
    const [first, second] = [run(0), run(1)];
    const named = (calls: readonly Call[]): Call[] =>
      calls.map((call) => ('op' in call ? { ...call, layer: call.layer ?? layer } : call));
    const outer = this.graph.scope;
    this.write(named(first.calls), named(second.calls));
    this.graph.scope = outer;
    const others = leavesOf<Tensor>(second.result, isTensor);
    return leavesOf<Tensor>(first.result, isTensor).map((y, i) => this.wire([y, others[i]!]));
  }
}

const opOf = (call: Call): string | undefined => ('op' in call ? call.op : undefined);

/** Tensors with the same elements in the same order. */
const placeOf = (t: Tensor): string => `${t.ptr} ${t.shape} ${t.timeMajor}`;

/** Whether a matrix has ones at and below the diagonal and zeros above it, as a causal mask has. */
const isTriangle = ({ shape }: Tensor, values: ArrayLike<number>): boolean =>
  shape.length >= 2 &&
  Array.prototype.every.call(values, (value: number, i: number) => {
    const columns = shape.at(-1)!;
    return value === Number(i % columns <= Math.floor(i / columns) % shape.at(-2)!);
  });
