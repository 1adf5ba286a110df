// Recurrent layers: LSTM, GRU and RNN of ONNX where they have the activations, else Scan with one step of the cell.
import type { Parameter } from '../../autograd/parameter.ts';
import { type Tensor, tensor } from '../../autograd/tensor.ts';
import { type Shape, sameShape, sizeOf } from '../../checks/shape.ts';
import { activation as functionOf } from '../../layers/activations/activations.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import { layerFromConfig } from '../../layers/layer-classes.ts';
import { RecurrentCell } from '../../layers/rnn/cells/cell.ts';
import { Recurrent } from '../../layers/rnn/recurrent.ts';
import { inOrder } from '../../ops/shapes/layout.ts';
import type { Attribute } from '../format/attributes.ts';
import { BOOL, FLOAT, INT32, INT64, valueInfo, type Wire } from './graph-builder.ts';
import { convolution, type Options, optionsOf } from './layer-ops.ts';
import { isTrue, reversed } from './nodes.ts';
import type { Pair, Shapes, Writer, WrittenLayer } from './writer.ts';

export const isRecurrent = (layer: AnyLayer): layer is Recurrent => layer instanceof Recurrent;

/** What a recurrence reads. */
interface Sequence {
  readonly layer: Recurrent;
  readonly call: WrittenLayer;
  /** `[B, T, …]` */
  readonly x: Wire;
  /** First states, `[B, …]`; undefined for zeros. */
  readonly states: readonly Wire[] | undefined;
  /** `[B, T]`, 1 where a step counts. */
  readonly mask: Wire | undefined;
  readonly reverse: boolean;
}

/** What a recurrence gives: outputs `[B, T, …]`, each at its own time, the last output and the last states, `[B, …]`. */
interface Unrolled {
  readonly outputs: Wire;
  readonly last: Wire;
  readonly states: readonly Wire[];
}

/** Writes a recurrent layer. States that it carries become inputs and outputs of the model. */
export function exportRecurrent(writer: Writer, call: WrittenLayer): Wire[] {
  const layer = call.layer as Recurrent;
  const { returnSequences, returnState, goBackwards = false, zeroOutputForMask } = layer.sequence;
  const mask = call.mask && writer.wire(call.mask);
  const isCarried = !call.initialState && (layer.stateful || writer.exposesStates);
  const states = isCarried
    ? writer.stateInputs(layer, stateShapes(layer, call))
    : call.initialState?.map((each) => writer.wire(each));
  const x = writer.wire(call.x[0]!);
  const unrolled = unroll(writer, { layer, call, x, states, mask, reverse: goBackwards });
  if (isCarried) writer.stateOutputs(layer, unrolled.states);
  let y = returnSequences ? unrolled.outputs : unrolled.last;
  if (returnSequences && mask && zeroOutputForMask) {
    const rank = call.y[0]![0].shape.length;
    y = writer.one('Where', [spread(writer, mask, rank), y, writer.graph.scalar(0)]);
  }
  if (returnSequences && goBackwards && !call.ownTime) {
    y = reversed(writer, y, 1);
    const [a, b] = call.y[0]!.map((each) => each.mask);
    if (mask && a && b) writer.bind([a, b], reversed(writer, mask, 1));
  }
  return returnState ? [y, ...unrolled.states] : [y];
}

/** Shapes of the states of one sample in both traces. Those of images follow from the output. */
function stateShapes(layer: Recurrent, { y: [outputs] }: WrittenLayer): Shapes[] {
  const { returnSequences } = layer.sequence;
  const one = (own: readonly number[], { shape }: Tensor): readonly number[] =>
    isOfImages(layer) ? [...shape.slice(returnSequences ? 2 : 1, -1), own.at(-1)!] : own;
  return layer.stateSpecs.map(({ width, shape = [width] }) => [one(shape, outputs![0]), one(shape, outputs![1])]);
}

const isOfImages = ({ className }: AnyLayer): boolean => className.startsWith('ConvLSTM');

/** A mask `[B, T]` as a condition on a value with `rank` axes. */
function spread(writer: Writer, mask: Wire, rank: number): Wire {
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const counts = isTrue(writer, mask);
  return axes.length === 0 ? counts : writer.one('Unsqueeze', [counts, writer.graph.ints(axes)]);
}

function unroll(writer: Writer, sequence: Sequence): Unrolled {
  const { layer, call } = sequence;
  const options = optionsOf(layer);
  if (isOfImages(layer)) {
    return scan(writer, sequence, convLstmStep(sequence, options), convLstmZeros(writer, sequence, options));
  }
  const native = nativeOf(layer, options);
  if (native) return sequence.mask ? masked(writer, sequence, native) : plain(writer, sequence, native);
  const { cell: own } = layer as { cell?: unknown };
  if (own instanceof RecurrentCell) return scan(writer, sequence, stepOf(own, call));
  const cell = cellOf(layer, options);
  try {
    return scan(writer, sequence, stepOf(cell, call));
  } finally {
    cell.dispose();
  }
}

/** One step of a cell. */
function stepOf(cell: RecurrentCell, call: WrittenLayer): WriteStep {
  return (inner, _x, states, pairs) => {
    const constants = call.constants ?? [];
    const count = states.length;
    const wires = inner.inline(
      [...pairs, ...constants],
      ([first, ...rest]) => {
        const [batch, inputs] = first!.shape as [number, number];
        // In this order a cell reads them as they are, with their masks.
        const read = rest.slice(count).map((each) => Object.assign(inOrder(each, false), { mask: each.mask }));
        const step = cell.begin({ batch, inputs, training: false, constants: read });
        const made = step(first!, rest.slice(0, count));
        return [made.output, ...made.states];
      },
      cell,
    );
    return { output: wires[0]!, states: wires.slice(1) };
  };
}

/** An operator of ONNX that computes a layer. */
interface Native {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  readonly units: number;
  /** The gates of the operator, as indices of those of the layer. */
  readonly gates: readonly number[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Activations of ONNX: name, and alpha and beta where it has them. */
const activations: Readonly<Record<string, readonly [name: string, alpha?: number, beta?: number]>> = {
  tanh: ['Tanh'],
  sigmoid: ['Sigmoid'],
  relu: ['Relu'],
  softsign: ['Softsign'],
  softplus: ['Softplus'],
  linear: ['Affine', 1, 0],
  hardSigmoid: ['HardSigmoid', 1 / 6, 0.5],
  hardSigmoid2: ['HardSigmoid', 0.2, 0.5],
  leakyRelu: ['LeakyRelu', 0.2],
  elu: ['Elu', 1],
};

const kinds: Readonly<Record<string, Pick<Native, 'op' | 'gates'>>> = {
  LSTM: { op: 'LSTM', gates: [0, 3, 1, 2] },
  GRU: { op: 'GRU', gates: [0, 1, 2] },
  SimpleRNN: { op: 'RNN', gates: [0] },
};

function nativeOf(layer: Recurrent, options: Options): Native | undefined {
  const kind = kinds[layer.className];
  const { units, activation = 'tanh', recurrentActivation = 'sigmoid', projSize, resetAfter = true } = options;
  const own = [recurrentActivation, activation].map((name) =>
    typeof name === 'string' && Object.hasOwn(activations, name) ? activations[name] : undefined,
  );
  if (!kind || projSize || own.includes(undefined)) return undefined;
  const [gate, act] = own as (readonly [string, number?, number?])[];
  const used = { LSTM: [gate!, act!, act!], GRU: [gate!, act!], RNN: [act!] }[kind.op];
  const [alphas, betas] = [1, 2].map((at) =>
    used.map((each) => each[at] as number | undefined).filter((n) => n !== undefined),
  );
  return {
    ...kind,
    units: Number(units),
    attributes: {
      hidden_size: Number(units),
      activations: used.map(([name]) => name),
      ...(alphas!.length > 0 && { activation_alpha: { floats: alphas! } }),
      ...(betas!.length > 0 && { activation_beta: { floats: betas! } }),
      ...(kind.op === 'GRU' && { linear_before_reset: Number(resetAfter) }),
    },
  };
}

/** The weights of a layer by the last parts of their names. */
const weightsOf = (layer: AnyLayer): Record<string, Parameter> =>
  Object.fromEntries(layer.weights.map((weight) => [weight.name.slice(weight.name.lastIndexOf('/') + 1), weight]));

/** Weights `[I, G·H]` as `[1, G·H, I]`, with the gates in the order of the operator. */
function byGates(values: Float32Array, inputs: number, units: number, gates: readonly number[]): Float32Array {
  const width = gates.length * units;
  const made = new Float32Array(values.length);
  for (const [to, from] of gates.entries()) {
    for (let unit = 0; unit < units; unit++) {
      for (let i = 0; i < inputs; i++)
        made[(to * units + unit) * inputs + i] = values[i * width + from * units + unit]!;
    }
  }
  return made;
}

function weightInputs(writer: Writer, { layer }: Sequence, { op, units, gates }: Native): Wire[] {
  const { kernel, recurrentKernel, bias, peephole } = weightsOf(layer);
  const { graph } = writer;
  const width = gates.length * units;
  const matrix = (name: string, weight: Parameter): Wire => {
    const [inputs] = weight.shape as [number];
    return graph.floats(`${layer.path}/${name}`, [1, width, inputs], () =>
      byGates(weight.toArray(), inputs, units, gates),
    );
  };
  const biases = (): Float32Array => {
    const values = bias!.toArray();
    const made = new Float32Array(2 * width);
    for (let start = 0; start < values.length; start += width) {
      made.set(byGates(values.subarray(start, start + width), 1, units, gates), start);
    }
    return made;
  };
  return [
    ...[matrix('W', kernel!), matrix('R', recurrentKernel!)],
    bias ? graph.floats(`${layer.path}/B`, [1, 2 * width], biases) : '',
    // Peepholes are in the order i, o, f.
    ...(op === 'LSTM' && peephole
      ? [graph.floats(`${layer.path}/P`, [1, 3 * units], () => byGates(peephole.toArray(), 1, units, [0, 2, 1]))]
      : []),
  ];
}

/** The operator on sequences without a mask, or with the lengths that count. */
function plain(writer: Writer, sequence: Sequence, native: Native, lengths = ''): Unrolled {
  const { graph } = writer;
  const { layer, x, states, reverse } = sequence;
  const [w, r, b, ...peephole] = weightInputs(writer, sequence, native);
  const axis = (n: number): Wire => graph.ints([n]);
  const given = states?.map((state) => writer.one('Unsqueeze', [state, axis(0)])) ?? layer.stateSpecs.map(() => '');
  const inputs = [graph.transpose(x, [1, 0, 2]), w!, r!, b!, lengths, ...given, ...peephole];
  while (inputs.at(-1) === '') inputs.pop();
  const attributes = { ...native.attributes, ...(reverse && { direction: 'reverse' }) };
  const [y, ...last] = graph.node(native.op, inputs, attributes, 1 + layer.stateSpecs.length);
  const finals = last.map((state) => writer.one('Squeeze', [state, axis(0)]));
  const outputs = graph.transpose(writer.one('Squeeze', [y!, axis(1)]), [1, 0, 2]);
  return { outputs, last: finals[0]!, states: finals };
}

/**
 * With a mask: the steps that count move to the front, the operator reads as many as there are, and every step of the
 * result gets the output of the last step that counted before it (after it, in the other direction).
 */
function masked(writer: Writer, sequence: Sequence, native: Native): Unrolled {
  const { graph } = writer;
  const { reverse, mask, x } = sequence;
  const axis = (n: number): Wire => graph.ints([n]);
  const counts = writer.one('Cast', [mask!], { to: INT64 });
  const seen = writer.one('CumSum', [counts, axis(1)]);
  const total = writer.one('ReduceSum', [counts, axis(1)], { keepdims: 0 });
  const time = writer.one('Gather', [writer.one('Shape', [x]), axis(1)], { axis: 0 });
  // Keys t for the steps that count, T + t for the others, so that the order is that of time.
  const zero = graph.ints([0]);
  const [ends, step] = [writer.one('Squeeze', [time, axis(0)]), writer.one('Squeeze', [axis(1), axis(0)])];
  const places = writer.one('Range', [writer.one('Squeeze', [zero, axis(0)]), ends, step]);
  const keys = writer.one('Add', [places, writer.one('Mul', [writer.one('Sub', [axis(1), counts]), time])]);
  const [, order] = graph.node('TopK', [keys, time], { axis: 1, largest: 0, sorted: 1 }, 2);
  const pick = (from: Wire, index: Wire): Wire =>
    writer.one('GatherND', [from, writer.one('Unsqueeze', [index, axis(2)])], { batch_dims: 1 });
  const lengths = writer.one('Cast', [total], { to: INT32 });
  const { outputs, states } = plain(writer, { ...sequence, x: pick(x, order!) }, native, lengths);
  // A step before the first that counts gets zeros.
  const padded = writer.one('Pad', [outputs, graph.ints(reverse ? [0, 0, 0, 0, 1, 0] : [0, 1, 0, 0, 0, 0])]);
  const index = reverse ? writer.one('Sub', [seen, counts]) : seen;
  const hasSteps = writer.one('Unsqueeze', [writer.one('Cast', [total], { to: BOOL }), axis(1)]);
  const last = sequence.states ? writer.one('Where', [hasSteps, states[0]!, graph.scalar(0)]) : states[0]!;
  return { outputs: pick(padded, index), last, states };
}

/** A cell with the options, the weights and the path of a layer, to be disposed of. */
function cellOf(layer: Recurrent, options: Options): RecurrentCell {
  const { returnSequences, returnState, goBackwards, stateful, zeroOutputForMask, checkpointEvery, ...own } = options;
  const { inputShape, batchInputShape, ...rest } = own;
  const cell = layerFromConfig(`${layer.className}Cell`, {
    ...rest,
    name: layer.name,
  } as never) as unknown as RecurrentCell;
  cell.setScope(layer.path.slice(0, layer.path.length - layer.name.length));
  const [inputs] = layer.weights[0]!.shape as [number];
  cell.build([null, inputs]);
  for (const [i, weight] of cell.weights.entries()) weight.assign(layer.weights[i]!.toArray());
  return cell;
}

/** Writes one step of a recurrence in the graph of a `Scan`. `pairs` are x and the states. */
type WriteStep = (
  inner: Writer,
  x: Wire,
  states: readonly Wire[],
  pairs: readonly Pair[],
) => { output: Wire; states: readonly Wire[] };

/** `Scan` over time. Where a step does not count, the states and the output stay. */
function scan(
  writer: Writer,
  sequence: Sequence,
  writeStep: WriteStep,
  zerosOf: (pair: Pair) => Wire = (pair) => zeros(writer, pair),
): Unrolled {
  const { layer, call, x, mask, reverse } = sequence;
  const { graph } = writer;
  const inner = writer.inner();
  inner.graph.scope = layer.path;
  const name = (what: string): Wire => graph.names.unique(`${layer.path}/${what}`);
  const sample = (f: (t: Tensor, i: 0 | 1) => Tensor): Pair => [f(call.x[0]![0], 0), f(call.x[0]![1], 1)];
  const step = sample(firstStep);
  const shapes = stateShapes(layer, call);
  const pairs = shapes.map((shape, s) => sample((t, i) => someState([t.shape[0]!, ...shape[i]], s, i)));
  const inputs = [...pairs, step].map((pair, i) => {
    const wire = name(i < pairs.length ? `state_${i}` : 'x');
    inner.bind(pair, wire);
    return { wire, info: valueInfo(wire, FLOAT, writer.dims(pair, wire)) };
  });
  const states = inputs.slice(0, -1).map(({ wire }) => wire);
  const made = writeStep(inner, inputs.at(-1)!.wire, states, [step, ...pairs]);
  const outputShape = (i: 0 | 1): readonly number[] => (isOfImages(layer) ? shapes[0]![i] : [layer.outputWidth]);
  const outputPair = sample((t, i) => someState([t.shape[0]!, ...outputShape(i)], 9, i));
  const declared = (wire: Wire, pair: Pair): ReturnType<typeof valueInfo> =>
    valueInfo(wire, FLOAT, writer.dims(pair, wire));
  const firsts = sequence.states ?? pairs.map(zerosOf);
  const bodyInputs = inputs.map(({ info }) => info);
  const carried = [...firsts];
  let [output, next] = [made.output, made.states];
  if (mask) {
    const [before, counts] = [name('before'), name('counts')];
    bodyInputs.splice(pairs.length, 0, declared(before, outputPair));
    bodyInputs.push(valueInfo(counts, BOOL, [writer.dims(step, 'x')[0]!]));
    const where = (rank: number, a: Wire, b: Wire): Wire => {
      const axes = Array.from({ length: rank - 1 }, (_, i) => i + 1);
      return inner.one('Where', [inner.one('Unsqueeze', [counts, inner.graph.ints(axes)]), a, b]);
    };
    output = where(outputPair[0].shape.length, output, before);
    next = next.map((state, i) => where(pairs[i]![0].shape.length, state, states[i]!));
    carried.push(zerosOf(outputPair));
  }
  const kept = (wire: Wire, pair: Pair, what: string): ReturnType<typeof valueInfo> => {
    const result = name(what);
    inner.graph.named(result, 'Identity', [wire]);
    return declared(result, pair);
  };
  const bodyOutputs = [
    ...next.map((state, i) => kept(state, pairs[i]!, `next_${i}`)),
    ...(mask ? [kept(output, outputPair, 'kept')] : []),
    kept(output, outputPair, 'y'),
  ];
  const body = inner.graph.graph(`${layer.path}/step`, bodyInputs, bodyOutputs);
  const rank = call.x[0]![0].shape.length;
  const swap = (wire: Wire, axes: number): Wire => graph.transpose(wire, [1, 0, ...[...Array(axes).keys()].slice(2)]);
  const scanned = [swap(x, rank), ...(mask ? [isTrue(writer, swap(mask, 2))] : [])];
  const attributes = {
    body: { graph: body },
    num_scan_inputs: scanned.length,
    ...(reverse && { scan_input_directions: scanned.map(() => 1), scan_output_directions: [1] }),
  };
  const results = graph.node('Scan', [...carried, ...scanned], attributes, carried.length + 1);
  const outputs = swap(results.at(-1)!, 1 + outputPair[0].shape.length);
  // The output after the last step is that of the last step that counted, or else the last of all.
  const end = reverse ? 0 : -1;
  const last = mask ? results.at(-2)! : writer.one('Gather', [outputs, writer.graph.index(end)], { axis: 1 });
  return { outputs, last, states: results.slice(0, pairs.length) };
}

/** The first step of a sequence. */
function firstStep(x: Tensor): Tensor {
  const [batch, time, ...rest] = x.shape as [number, number, ...number[]];
  const size = sizeOf(rest);
  const values = x.toArray();
  const made = new Float32Array(batch * size);
  for (let b = 0; b < batch; b++) made.set(values.subarray(b * time * size, (b * time + 1) * size), b * size);
  return tensor(made, { shape: [batch, ...rest], name: 'x', engine: x.engine });
}

/** Values of a state that differ from each other. */
const someState = (shape: readonly number[], s: number, i: number): Tensor => {
  const values = Float32Array.from(
    { length: sizeOf(shape) },
    (_, at) => ((at * 7919 + s * 104729 + i * 31) % 1009) / 800 - 0.6,
  );
  return tensor(values, { shape: [...shape], name: 'state' });
};

const zeros = (writer: Writer, [a, b]: Pair): Wire =>
  writer.one('Expand', [writer.graph.scalar(0), writer.shapeOf([a.shape, b.shape])]);

/** Zeros for a state of images. Where their size varies and is not that of the input, a convolution tells it. */
function convLstmZeros(writer: Writer, { layer, call, x }: Sequence, options: Options): (pair: Pair) => Wire {
  let sizes: Wire | undefined;
  return (pair) => {
    const isOfInput = ({ shape }: Tensor, i: number): boolean =>
      shape.slice(1, -1).every((n, axis) => n === call.x[0]![i as 0 | 1].shape[axis + 2]);
    const [a, b] = pair.map(({ shape }) => shape) as [Shape, Shape];
    if (pair.every(isOfInput) || sameShape(a.slice(1), b.slice(1))) return zeros(writer, pair);
    if (sizes === undefined) {
      const { kernel } = weightsOf(layer);
      const first = writer.one('Gather', [x, writer.graph.index(0)], { axis: 1 });
      const gates = convolution(writer, first, [[kernel!.tensor, kernel!.tensor], undefined], options);
      const [one] = writer.graph.node('Split', [gates], { axis: pair[0].shape.length - 1 }, 4);
      sizes = writer.one('Shape', [one!]);
    }
    return writer.one('Expand', [writer.graph.scalar(0), sizes]);
  };
}

/** One step of an LSTM whose products are convolutions: Shi et al. 2015. */
function convLstmStep({ layer }: Sequence, options: Options): WriteStep {
  const { activation = 'tanh', recurrentActivation = 'sigmoid' } = options;
  const [act, gate] = [functionOf(activation as never), functionOf(recurrentActivation as never)];
  const { kernel, recurrentKernel, bias } = weightsOf(layer);
  const pairOf = (weight: Parameter): Pair => [weight.tensor, weight.tensor];
  return (inner, x, [h, c], [, , cell]) => {
    const input = convolution(inner, x, [pairOf(kernel!), bias && pairOf(bias)], options);
    const hidden = convolution(inner, h!, [pairOf(recurrentKernel!), undefined], { padding: 'same' });
    const rank = cell![0].shape.length;
    const gates = inner.graph.node('Split', [inner.one('Add', [input, hidden])], { axis: rank - 1 }, 4);
    const samples = [cell!, cell!, cell!, cell!].map(([a, b], i): Pair => [varied(a, i), varied(b, i)]);
    const apply = (f: typeof act, wire: Wire, i: number): Wire => {
      inner.bind(samples[i]!, wire);
      return inner.inline([samples[i]!], ([z]) => f(z!), layer)[0]!;
    };
    const [i, f, g, o] = [gate, gate, act, gate].map((each, at) => apply(each, gates[at]!, at)) as [
      Wire,
      Wire,
      Wire,
      Wire,
    ];
    const next = inner.one('Add', [inner.one('Mul', [f, c!]), inner.one('Mul', [i, g])]);
    const shown: Pair = [varied(cell![0], 5), varied(cell![1], 5)];
    inner.bind(shown, next);
    const output = inner.one('Mul', [o, inner.inline([shown], ([z]) => act(z!), layer)[0]!]);
    return { output, states: [output, next] };
  };
}

/** A tensor with the shape of `t` and other values. */
const varied = (t: Tensor, i: number): Tensor =>
  tensor(
    Float32Array.from(t.toArray(), (value) => value * (1 + i) - i / 7),
    { shape: [...t.shape], name: 'z', engine: t.engine },
  );
