// The operator of ONNX, or the several operators, of each op.
import type { Tensor } from '../../autograd/tensor.ts';
import { sizeOf } from '../../checks/shape.ts';
import { expm1, exp as expOf } from '../ops/elementwise/real-functions.ts';
import type { Wire } from './graph-builder.ts';
import {
  candidate,
  elementsOf,
  isSame,
  numberOf,
  orderOf,
  padsOf,
  rangeOf,
  reducedAxes,
  reversedAxis,
} from './infer.ts';
import { layerOps } from './layer-ops.ts';
import { isTrue, reversed } from './nodes.ts';
import { type OpExporter, type Pair, type Shapes, shapesOf, type Writer, type WrittenOp } from './writer.ts';

/** The exporter of a call; undefined if the op has no equal in ONNX. */
export function exporterOfOp(call: WrittenOp): OpExporter | undefined {
  const [x] = call.x;
  // What only moves elements has the name of its operand, or of a part of it.
  const moves =
    call.x.length === 1 && x && (call.op === x[0].name || call.op.startsWith(`${x[0].name}[`) || call.op === 'slice');
  if (moves) {
    const exporter = moved(call);
    if (exporter) return exporter;
  }
  return Object.hasOwn(exporters, call.op) ? exporters[call.op] : layerOps[call.op];
}

const one =
  (op: string): OpExporter =>
  (writer, { x }) =>
    writer.one(
      op,
      x.map((each) => writer.wire(each!)),
    );

/** Several nodes on the only operand. */
const made =
  (nodes: (writer: Writer, x: Wire, pair: Pair, y: Pair) => Wire | undefined): OpExporter =>
  (writer, { x, y }) =>
    nodes(writer, writer.wire(x[0]!), x[0]!, y[0]!);

/** An op with one number c that the caller chose. */
const withNumber = (
  solve: (x: number, y: number) => number,
  weight: (x: number) => number,
  apply: (x: number, c: number) => number,
  nodes: (writer: Writer, x: Wire, c: number) => Wire,
): OpExporter =>
  made((writer, wire, x, y) => {
    const c = numberOf(x, y, solve, weight, apply);
    return c === undefined ? undefined : nodes(writer, wire, c);
  });

const reduction = (name: string, op: string): OpExporter =>
  made((writer, wire, x, y) => {
    if (sameRank(x, y) && isIdentity(x, y)) return wire;
    const found = reducedAxes(name, x, y);
    if (!found) return undefined;
    const keepdims = Number(found.keepdims);
    // Until operator set 18 only the axes of ReduceSum are an input.
    return op === 'ReduceSum'
      ? writer.one(op, [wire, writer.graph.ints(found.axes)], { keepdims })
      : writer.one(op, [wire], { axes: found.axes, keepdims });
  });

const sameRank = (x: Pair, y: Pair): boolean => x[0].shape.length === y[0].shape.length;
const isIdentity = (x: Pair, y: Pair): boolean =>
  ([0, 1] as const).every((i) => isSame(elementsOf(x[i]), elementsOf(y[i])));

const alongAxis = (op: string): OpExporter =>
  made((writer, wire, x, y) => {
    const log = op === 'LogSoftmax';
    const axis = candidate(
      [...x[0].shape.keys()].reverse().map((each) => each - x[0].shape.length),
      x,
      y,
      (axis, _, to) => sumsToOne(to, axis, log),
    );
    return axis === undefined ? undefined : writer.one(op, [wire], { axis });
  });

function sumsToOne({ shape, data }: { shape: readonly number[]; data: ArrayLike<number> }, axis: number, log: boolean) {
  const at = axis + shape.length;
  const inner = sizeOf(shape.slice(at + 1));
  const length = shape[at]!;
  const sums = new Float64Array(data.length / length);
  for (let i = 0; i < data.length; i++) {
    sums[Math.floor(i / (inner * length)) * inner + (i % inner)]! += log ? expOf(data[i]!) : data[i]!;
  }
  return sums.every((sum) => Math.abs(sum - 1) < 1e-3);
}

const always = (): number => 1;
const isNegative = (x: number): number => -x;

const exporters: Readonly<Record<string, OpExporter>> = {
  ...{ add: one('Add'), sub: one('Sub'), mul: one('Mul'), div: one('Div'), pow: one('Pow') },
  ...{ maximum: one('Max'), minimum: one('Min'), neg: one('Neg'), abs: one('Abs'), sqrt: one('Sqrt') },
  ...{ exp: one('Exp'), log: one('Log'), sin: one('Sin'), cos: one('Cos'), reciprocal: one('Reciprocal') },
  ...{ relu: one('Relu'), sigmoid: one('Sigmoid'), tanh: one('Tanh') },
  ...{ softplus: one('Softplus'), softsign: one('Softsign'), hardSilu: one('HardSwish') },
  square: made((writer, x) => writer.one('Mul', [x, x])),
  silu: made((writer, x) => writer.one('Mul', [x, writer.one('Sigmoid', [x])])),
  mish: made((writer, x) => writer.one('Mul', [x, writer.one('Tanh', [writer.one('Softplus', [x])])])),
  relu6: made((writer, x) => writer.one('Clip', [x, writer.graph.scalar(0), writer.graph.scalar(6)])),
  hardSigmoid: made((writer, x) => writer.one('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })),
  selu: made((writer, x) => writer.one('Selu', [x])),
  gelu: made((writer, x, from, to) => gelu(writer, x, from, to)),
  elu: withNumber(
    (x, y) => y / expm1(x),
    isNegative,
    (x, alpha) => (x < 0 ? alpha * expm1(x) : x),
    (writer, x, alpha) => writer.one('Elu', [x], { alpha: { float: alpha } }),
  ),
  leakyRelu: withNumber(
    (x, y) => y / x,
    isNegative,
    (x, alpha) => (x < 0 ? alpha * x : x),
    (writer, x, alpha) => writer.one('LeakyRelu', [x], { alpha: { float: alpha } }),
  ),
  scale: withNumber(
    (x, y) => y / x,
    Math.abs,
    (x, c) => c * x,
    (writer, x, c) => (c === 1 ? x : writer.one('Mul', [x, writer.graph.scalar(c)])),
  ),
  addScalar: withNumber(
    (x, y) => y - x,
    always,
    (x, c) => Math.fround(x + c),
    (writer, x, c) => writer.one('Add', [x, writer.graph.scalar(c)]),
  ),
  clip: made((writer, wire, x, y) => {
    const [from, to] = [elementsOf(x[0]).data, Array.from(elementsOf(y[0]).data)];
    const [least, most] = [Math.min(...to), Math.max(...to)];
    const isCut = (bound: number, beyond: (value: number) => boolean): boolean =>
      to.some((value, i) => value === bound && beyond(from[i]!));
    const bounds = [
      isCut(least, (value) => value < least) ? writer.graph.scalar(least) : '',
      isCut(most, (value) => value > most) ? writer.graph.scalar(most) : '',
    ];
    // No value reached a bound, so it is not known.
    return bounds.includes('') ? undefined : writer.one('Clip', [wire, ...bounds]);
  }),
  sum: reduction('sum', 'ReduceSum'),
  mean: reduction('mean', 'ReduceMean'),
  max: reduction('max', 'ReduceMax'),
  min: reduction('min', 'ReduceMin'),
  softmax: alongAxis('Softmax'),
  logSoftmax: alongAxis('LogSoftmax'),
  linear: (writer, { x: [x, w, b] }) => {
    const product = writer.one('MatMul', [writer.wire(x!), writer.wire(w!)]);
    return b ? writer.one('Add', [product, writer.wire(b)]) : product;
  },
  matmul: one('MatMul'),
  batchMatmul: (writer, { x: [a, b], y: [y] }) => {
    const flags = [0, 1, 2, 3].map((bits) => [Boolean(bits & 1), Boolean(bits & 2)] as const);
    const found = flags.find(([ta, tb]) => multiplies(a![0], b![0], y![0], ta, tb));
    return found && writer.one('MatMul', [matrices(writer, a!, found[0]), matrices(writer, b!, found[1])]);
  },
  concatenate: (writer, { x, y: [y] }) => {
    const parts = x.map((each) => each!);
    if (parts.length === 1) return writer.wire(parts[0]!);
    const axis = y![0].shape.findIndex((n, at) => n !== parts[0]![0].shape[at]);
    const used = parts.filter(([part]) => part.shape[axis] !== 0);
    return axis < 0 || used.length === 1
      ? writer.wire(used.at(-1) ?? parts[0]!)
      : writer.one(
          'Concat',
          used.map((part) => writer.wire(part)),
          { axis },
        );
  },
  broadcastTo: (writer, { x: [x], y: [y] }) => writer.one('Expand', [writer.wire(x!), writer.shapeOf(shapesOf(y!))]),
  reverse: made((writer, wire, x, y) => {
    const axis = reversedAxis(x, y);
    return axis === undefined ? undefined : reversed(writer, wire, axis);
  }),
  cumsum: made((writer, wire, x, y) => {
    const axis = candidate([...x[0].shape.keys()], x, y, (at, from, to) => isCumulative(from, to, at));
    return axis === undefined ? undefined : writer.one('CumSum', [wire, writer.graph.ints([axis])]);
  }),
  pad: made((writer, wire, x, y) => {
    const found = padsOf(x, y);
    return found && writer.one('Pad', [wire, writer.graph.ints(found.pads), writer.graph.scalar(found.value)]);
  }),
  where: (writer, { x: [a, b, mask], y: [y] }) => {
    const rank = y![0].shape.length;
    const missing = rank - mask![0].shape.length;
    const counts = isTrue(writer, writer.wire(mask!));
    const axes = Array.from({ length: missing }, (_, i) => rank - missing + i);
    const condition = missing > 0 ? writer.one('Unsqueeze', [counts, writer.graph.ints(axes)]) : counts;
    const [left, right] = [a, b].map((each, i) => {
      if (each) return writer.wire(each);
      const number = chosenNumber(mask![0], y![0], i === 0);
      return number === undefined ? undefined : writer.graph.scalar(number);
    });
    return left === undefined || right === undefined ? undefined : writer.one('Where', [condition, left, right]);
  },
};

/** A view, a transpose or a part of the operand. */
function moved({ x: [x], y }: WrittenOp): OpExporter | undefined {
  const [first] = y;
  if (y.length === 1 && x![0].ptr === first![0].ptr && x![0].size === first![0].size) {
    return (writer) => viewed(writer, x!, first!);
  }
  if (y.length === 1 && x![0].size === first![0].size) {
    if (sameRank(x!, first!) && isIdentity(x!, first!)) return (writer) => writer.wire(x!);
    const order = orderOf(x!, first!);
    return order && ((writer) => writer.graph.transpose(writer.wire(x!), order));
  }
  const ranges = y.map((part) => rangeOf(x!, part));
  if (ranges.some((range) => !range)) return undefined;
  return (writer) =>
    ranges.map((range) => {
      const { axis, from, to = 2 ** 31 - 1, isIndex } = range!;
      if (isIndex)
        return writer.one('Squeeze', [cut(writer, x!, axis, from, from + 1 || 2 ** 31 - 1), writer.graph.ints([axis])]);
      return cut(writer, x!, axis, from, to);
    });
}

const cut = (writer: Writer, x: Pair, axis: number, from: number, to: number): Wire =>
  writer.one('Slice', [writer.wire(x), ...[[from], [to], [axis]].map((list) => writer.graph.ints(list))]);

/** The shape of a tensor in memory. */
const inMemory = (pair: Pair): Shapes =>
  pair.map(({ shape, timeMajor }) =>
    timeMajor ? [shape[1]!, shape[0]!, ...shape.slice(2)] : shape,
  ) as unknown as Shapes;

/** The same memory under another shape: first the order of memory, then the shape, then the order of the result. */
function viewed(writer: Writer, x: Pair, y: Pair): Wire {
  const exchanged = (wire: Wire, { shape, timeMajor }: Tensor): Wire =>
    timeMajor ? writer.graph.transpose(wire, [1, 0, ...[...shape.keys()].slice(2)]) : wire;
  const [from, to] = [inMemory(x), inMemory(y)];
  const wire = exchanged(writer.wire(x), x[0]);
  const isSameShape = ([0, 1] as const).every((i) => `${from[i]}` === `${to[i]}`);
  return exchanged(isSameShape ? wire : writer.one('Reshape', [wire, writer.shapeOf(to, from)]), y[0]);
}

/** Matrices, with their last two axes exchanged if they are read transposed. */
function matrices(writer: Writer, x: Pair, isTransposed: boolean): Wire {
  const order = [...x[0].shape.keys()];
  const last = order.length - 1;
  const wire = writer.wire(x);
  return isTransposed ? writer.graph.transpose(wire, order.with(last, last - 1).with(last - 1, last)) : wire;
}

/** Whether y = a·b, with a or b transposed. */
function multiplies(a: Tensor, b: Tensor, y: Tensor, ta: boolean, tb: boolean): boolean {
  const [rows, columns] = y.shape.slice(-2) as [number, number];
  const [m, inner] = (ta ? a.shape.slice(-2).reverse() : a.shape.slice(-2)) as [number, number];
  const [k, n] = (tb ? b.shape.slice(-2).reverse() : b.shape.slice(-2)) as [number, number];
  if (m !== rows || n !== columns || inner !== k) return false;
  const [left, right, to] = [a.toArray(), b.toArray(), y.toArray()];
  // The first matrix tells the options.
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += left[ta ? l * m + i : i * k + l]! * right[tb ? j * k + l : l * n + j]!;
      if (!(Math.abs(sum - to[i * n + j]!) <= 1e-3 * (1 + Math.abs(sum)))) return false;
    }
  }
  return true;
}

function isCumulative(
  { shape, data }: { shape: readonly number[]; data: ArrayLike<number> },
  to: { data: ArrayLike<number> },
  axis: number,
): boolean {
  const inner = sizeOf(shape.slice(axis + 1));
  const sums = Float64Array.from(data);
  for (let i = 0; i < sums.length; i++) if (Math.floor(i / inner) % shape[axis]! > 0) sums[i]! += sums[i - inner]!;
  return isSame({ shape, data: sums }, { shape, data: to.data }, 1e-4);
}

/** The number that a choice takes where a mask is not 0, or where it is 0. */
function chosenNumber(mask: Tensor, y: Tensor, isLeft: boolean): number | undefined {
  const [counts, values] = [mask.toArray(), y.toArray()];
  const [rows, rank] = [mask.shape, y.shape.length];
  const chosen = new Set<number>();
  for (let i = 0; i < values.length; i++) {
    let [at, rest] = [0, i];
    const index: number[] = [];
    for (let axis = rank - 1; axis >= 0; axis--) {
      index[axis] = rest % y.shape[axis]!;
      rest = Math.floor(rest / y.shape[axis]!);
    }
    for (const [axis, n] of rows.entries()) at = at * n + (n === 1 ? 0 : index[axis]!);
    if ((counts[at] !== 0) === isLeft) chosen.add(values[i]!);
  }
  if (chosen.size > 1) return undefined;
  // A number that no element took is not needed.
  return [...chosen][0] ?? 0;
}

/** x·Φ(x), by the error function or by tanh, whichever the model has used. */
function gelu(writer: Writer, wire: Wire, x: Pair, y: Pair): Wire {
  const { graph } = writer;
  const root = Math.sqrt(2 / Math.PI);
  const byTanh = (value: number): number => {
    const e = expOf(2 * root * (value + 0.044715 * value ** 3));
    return value * (e / (e + 1));
  };
  const isTanh = candidate([true], x, y, (_, from, to) =>
    isSame({ shape: to.shape, data: Array.from(from.data, (value) => (value > 9 ? value : byTanh(value))) }, to, 2e-6),
  );
  const half = writer.one('Mul', [wire, graph.scalar(0.5)]);
  if (!isTanh) {
    const erf = writer.one('Erf', [writer.one('Mul', [wire, graph.scalar(Math.SQRT1_2)])]);
    return writer.one('Mul', [half, writer.one('Add', [erf, graph.scalar(1)])]);
  }
  const cube = writer.one('Mul', [writer.one('Mul', [writer.one('Mul', [wire, wire]), wire]), graph.scalar(0.044715)]);
  const inner = writer.one('Mul', [writer.one('Add', [wire, cube]), graph.scalar(root)]);
  return writer.one('Mul', [half, writer.one('Add', [writer.one('Tanh', [inner]), graph.scalar(1)])]);
}
