// LSTM, GRU and RNN. What a fused cell computes runs on the scans of the package; the rest runs step by step on ops.
import { tensorOf, type Weight } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import type { Cell } from '../../cells/cell.ts';
import { gruAfterCell, gruBeforeCell } from '../../cells/gru.ts';
import { lstmCell, lstmPeepholeCell, lstmReluCell } from '../../cells/lstm.ts';
import { rnnCells } from '../../cells/rnn.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import * as ops from '../../ops/index.ts';
import { DerivedWeights } from '../graph/derived.ts';
import type { NodeView, Operator } from '../graph/node.ts';
import { spend } from '../graph/room.ts';
import { Value } from '../graph/value.ts';
import { elu, hardSigmoid, leakyRelu, thresholdedRelu } from './elementwise/activations.ts';

type Activation = (x: Tensor) => Tensor;
type Direction = 'forward' | 'reverse' | 'bidirectional';

/** Activations with their alpha and beta. @see https://onnx.ai/onnx/operators/onnx__LSTM.html */
const activations: Readonly<Record<string, (alpha: number | undefined, beta: number | undefined) => Activation>> = {
  Sigmoid: () => ops.sigmoid,
  Tanh: () => ops.tanh,
  Relu: () => ops.relu,
  Softsign: () => ops.softsign,
  Softplus: () => ops.softplus,
  Affine:
    (alpha = 1, beta = 0) =>
    (x) =>
      ops.addScalar(ops.scale(x, alpha), beta),
  LeakyRelu: (alpha = 0.01) => leakyRelu(alpha)[1],
  ThresholdedRelu: (alpha = 1) => thresholdedRelu(alpha)[1],
  ScaledTanh:
    (alpha = 1, beta = 1) =>
    (x) =>
      ops.scale(ops.tanh(ops.scale(x, beta)), alpha),
  HardSigmoid: (alpha = 0.2, beta = 0.5) => hardSigmoid(alpha, beta)[1],
  Elu: (alpha = 1) => elu(alpha)[1],
};
const lowerNames = new Map(Object.keys(activations).map((name) => [name.toLowerCase(), name]));

interface Kind {
  readonly gates: number;
  readonly states: 1 | 2;
  readonly activations: readonly string[];
  /** The fused cell for these settings; undefined if there is none. */
  cell(settings: Settings): Cell | undefined;
  /** The order of the package's gates in ONNX's. */
  readonly order: readonly number[];
  /** One step of ops: from x·W + Wb, h·R, and the states to the next states. */
  step(settings: Settings, at: StepInputs): Tensor[];
}

interface Settings {
  readonly direction: Direction;
  /** Names of the activations of one direction. */
  readonly names: readonly string[];
  readonly functions: readonly Activation[];
  readonly clip: number | undefined;
  readonly inputForget: boolean;
  readonly linearBeforeReset: boolean;
  readonly hasPeepholes: boolean;
}

interface StepInputs {
  /** x·W + Wb of this step `[B, G·H]`. */
  readonly x: Tensor;
  readonly states: readonly Tensor[];
  /** R `[H, G·H]` and its bias `[G·H]`. */
  readonly recurrent: Tensor;
  readonly recurrentBias: Tensor | undefined;
  readonly peepholes: readonly Tensor[] | undefined;
}

const areDefault = ({ names }: Settings, expected: readonly string[]): boolean =>
  names.every((name, i) => name === expected[i]);

const clipped = ({ clip }: Settings, x: Tensor): Tensor => (clip === undefined ? x : ops.clip(x, -clip, clip));

/** The next h and c, from the sums of the gates i f c o `[B, 4H]` and c; peepholes i f o. */
export function lstmStep(
  settings: Settings,
  sums: Tensor,
  c: Tensor,
  peepholes: readonly Tensor[] | undefined,
): [h: Tensor, c: Tensor] {
  const [f, g, activateOutput] = settings.functions as [Activation, Activation, Activation];
  const [i, forget, cell, o] = ops.split(sums, 4, 1) as [Tensor, Tensor, Tensor, Tensor];
  const gate = (sum: Tensor, peephole: Tensor | undefined, state: Tensor): Tensor =>
    f(clipped(settings, peephole ? ops.add(sum, ops.mul(peephole, state)) : sum));
  const input = gate(i, peepholes?.[0], c);
  const kept = settings.inputForget ? ops.addScalar(ops.neg(input), 1) : gate(forget, peepholes?.[1], c);
  const next = ops.add(ops.mul(kept, c), ops.mul(input, g(clipped(settings, cell))));
  const output = gate(o, peepholes?.[2], next);
  return [ops.mul(output, activateOutput(next)), next];
}

const lstmNames = ['Sigmoid', 'Tanh', 'Tanh'] as const;
export const kinds: Readonly<Record<'LSTM' | 'GRU' | 'RNN', Kind>> = {
  LSTM: {
    gates: 4,
    states: 2,
    activations: lstmNames,
    // ONNX has i o f c, the package i f c o.
    order: [0, 2, 3, 1],
    cell(settings) {
      if (settings.clip !== undefined || settings.inputForget) return undefined;
      if (areDefault(settings, lstmNames)) return settings.hasPeepholes ? lstmPeepholeCell : lstmCell;
      return !settings.hasPeepholes && areDefault(settings, ['Sigmoid', 'Relu', 'Relu']) ? lstmReluCell : undefined;
    },
    step: (settings, { x, states: [h, c], recurrent, recurrentBias, peepholes }) =>
      lstmStep(settings, ops.add(x, ops.linear(h!, recurrent, recurrentBias)), c!, peepholes),
  },
  GRU: {
    gates: 3,
    states: 1,
    activations: ['Sigmoid', 'Tanh'],
    order: [0, 1, 2],
    cell(settings) {
      if (settings.clip !== undefined || !areDefault(settings, ['Sigmoid', 'Tanh'])) return undefined;
      return settings.linearBeforeReset ? gruAfterCell : gruBeforeCell;
    },
    step(settings, { x, states: [h], recurrent, recurrentBias }) {
      const [f, g] = settings.functions as [Activation, Activation];
      const units = h!.shape[1]!;
      const parts = (t: Tensor): [Tensor, Tensor] =>
        ops.split(t, [2 * units, units], t.shape.length - 1) as [Tensor, Tensor];
      const [xGates, xCandidate] = parts(x);
      const [uGates, uCandidate] = parts(recurrent);
      const [bGates, bCandidate] = recurrentBias ? parts(recurrentBias) : [undefined, undefined];
      const [z, r] = ops.split(f(clipped(settings, ops.add(xGates, ops.linear(h!, uGates, bGates)))), 2, 1) as [
        Tensor,
        Tensor,
      ];
      const inner = settings.linearBeforeReset
        ? ops.mul(r, ops.linear(h!, uCandidate, bCandidate))
        : ops.linear(ops.mul(r, h!), uCandidate, bCandidate);
      const candidate = g(clipped(settings, ops.add(xCandidate, inner)));
      return [ops.add(ops.mul(ops.addScalar(ops.neg(z), 1), candidate), ops.mul(z, h!))];
    },
  },
  RNN: {
    gates: 1,
    states: 1,
    activations: ['Tanh'],
    order: [0],
    cell(settings) {
      if (settings.clip !== undefined) return undefined;
      return { Tanh: rnnCells.tanh, Relu: rnnCells.relu }[settings.names[0]!];
    },
    step: (settings, { x, states: [h], recurrent, recurrentBias }) => [
      settings.functions[0]!(clipped(settings, ops.add(x, ops.linear(h!, recurrent, recurrentBias)))),
    ],
  },
};

/** The weights of one direction in the package's layout. */
interface DirectionWeights {
  readonly kernel: Weight;
  readonly recurrentKernel: Weight;
  readonly bias: Weight | undefined;
  readonly recurrentBias: Weight | undefined;
  readonly peephole: Weight | undefined;
}

/** Gates along axis 0, in the package's order. */
export function ordered(x: Tensor, kind: Kind): Tensor {
  if (kind.order.every((gate, i) => gate === i)) return x;
  const parts = ops.split(x, kind.gates, 0);
  return ops.concatenate(
    kind.order.map((gate) => parts[gate]!),
    0,
  );
}

/** Part `d` of a tensor with a direction as its first axis. */
export const directionOf = (x: Tensor, d: number): Tensor =>
  ops.reshape(x.shape[0] === 1 ? x : ops.slice(x, { axis: 0, from: d, to: d + 1 }), x.shape.slice(1));

const recurrent = (name: 'LSTM' | 'GRU' | 'RNN'): Operator => ({
  make(node) {
    const kind = kinds[name];
    const settings = settingsOf(node, kind);
    const layout = node.version >= 14 ? node.int('layout', 0) : 0;
    node.int('output_sequence', 0);
    const directions = settings.length;
    const derived = settings.map(() => new DerivedWeights(node));
    const wantsSequence = (node.outputs[0] ?? '') !== '';
    return ([x, w, r, b, lengths, h0, c0, p]) => {
      const type = x!.type;
      const swap = (t: Tensor): Tensor => (layout === 0 ? t : ops.transpose(t, [1, 0, 2]));
      const input = swap(x!.tensor);
      const [time, batch] = input.shape as [number, number, number];
      const units = r!.shape[2]!;
      spend(time * (1024 + (batch * (w!.size + r!.size)) / 32));
      const mask = lengths && maskOf(lengths, time, batch);
      const initial = [h0, c0].slice(0, kind.states).map((state) => state && swap(state.tensor));
      const runs = settings.map((own, d) => {
        const weights = weightsOf(kind, own, derived[d]!, d, { w: w!, r: r!, b, p });
        const start = initial.map((state) => state && ops.broadcastTo(directionOf(state, d), [batch, units]));
        const reverse = own.direction === 'reverse';
        return kind.cell(own)
          ? scan(kind, own, input, weights, { start, mask, reverse, wantsSequence, units })
          : composed(kind, own, input, weights, { start, mask, reverse, wantsSequence, units });
      });
      // Y [T, D, B, H], or [B, T, D, H] with layout 1; states [D, B, H], or [B, D, H].
      const sequence = (): Tensor => {
        const all = runs.map(({ outputs }) => outputs!);
        if (layout === 0) return directions === 1 ? ops.reshape(all[0]!, [time, 1, batch, units]) : ops.stack(all, 1);
        return ops.stack(
          all.map((y) => ops.transpose(y, [1, 0, 2])),
          2,
        );
      };
      const state = (s: number): Tensor =>
        ops.stack(
          runs.map(({ states }) => states[s]!),
          layout === 0 ? 0 : 1,
        );
      return [
        wantsSequence ? Value.ofTensor(sequence(), type) : undefined,
        Value.ofTensor(state(0), type),
        kind.states === 2 ? Value.ofTensor(state(1), type) : undefined,
      ];
    };
  },
});

interface RunOptions {
  readonly start: readonly (Tensor | undefined)[];
  /** `[T, B]` */
  readonly mask: Tensor | undefined;
  readonly reverse: boolean;
  readonly wantsSequence: boolean;
  readonly units: number;
}

interface RunResult {
  readonly outputs: Tensor | undefined;
  readonly states: readonly Tensor[];
}

function scan(
  kind: Kind,
  settings: Settings,
  x: Tensor,
  { kernel, recurrentKernel, bias, recurrentBias, peephole }: DirectionWeights,
  { start, mask, reverse, wantsSequence, units }: RunOptions,
): RunResult {
  const cell = kind.cell(settings)!;
  const batch = x.shape[1]!;
  const initialState = start.some((state) => state)
    ? start.map((state) => state ?? ops.zeros([batch, units]))
    : undefined;
  const { outputs, states } = ops.recurrence(
    cell,
    x,
    {
      kernel,
      recurrentKernel,
      bias: cell.biases === 2 && recurrentBias ? recurrentBias : bias,
      extra: peephole ? { peephole } : undefined,
    },
    { initialState, reverse, mask, returnSequences: wantsSequence },
  );
  // Where a sequence has ended, ONNX gives 0.
  const shown = outputs && mask ? ops.mul(outputs, ops.expandDims(mask)) : outputs;
  return { outputs: shown, states };
}

function composed(
  kind: Kind,
  settings: Settings,
  x: Tensor,
  weights: DirectionWeights,
  { start, mask, reverse, wantsSequence, units }: RunOptions,
): RunResult {
  const [time, batch, inputs] = x.shape as [number, number, number];
  const gates = kind.gates * units;
  const bias = weights.bias && tensorOf(weights.bias);
  const flat = ops.linear(ops.reshape(x, [time * batch, inputs]), weights.kernel, bias);
  const projected = ops.split(ops.reshape(flat, [time, batch, gates]), time, 0);
  const masks = mask && ops.split(mask, time, 0);
  const recurrentBias = weights.recurrentBias && tensorOf(weights.recurrentBias);
  const peepholes = weights.peephole && ops.split(tensorOf(weights.peephole), 3, 0);
  let states = start.map((state) => state ?? ops.zeros([batch, units]));
  if (kind.states === 2 && states.length < 2) states = [...states, ops.zeros([batch, units])];
  const outputs: Tensor[] = [];
  for (let i = 0; i < time; i++) {
    const t = reverse ? time - 1 - i : i;
    const next = kind.step(settings, {
      x: ops.reshape(projected[t]!, [batch, gates]),
      states,
      recurrent: tensorOf(weights.recurrentKernel),
      recurrentBias,
      peepholes,
    });
    const valid = masks && ops.reshape(masks[t]!, [batch, 1]);
    states = valid ? next.map((state, s) => ops.where(valid, state, states[s]!)) : next;
    if (wantsSequence) outputs[t] = valid ? ops.mul(next[0]!, valid) : next[0]!;
  }
  return { outputs: wantsSequence ? ops.stack(outputs, 0) : undefined, states };
}

/** 1 where a step is within its sequence, `[T, B]`; undefined if all are. */
export function maskOf(lengths: Value, time: number, batch: number): Tensor | undefined {
  const { numbers } = lengths;
  if (numbers.every((n) => n === time)) return undefined;
  const mask = ops.zeros([time, batch]);
  const view = mask.dataView();
  for (let b = 0; b < batch; b++) {
    const length = numbers[b]!;
    if (!(length >= 0 && length <= time)) throw new ArgumentError(`sequence_lens expected 0 to ${time}, got ${length}`);
    for (let t = 0; t < length; t++) view[t * batch + b] = 1;
  }
  return mask;
}

function weightsOf(
  kind: Kind,
  settings: Settings,
  derived: DerivedWeights,
  d: number,
  { w, r, b, p }: { w: Value; r: Value; b: Value | undefined; p: Value | undefined },
): DirectionWeights {
  const cell = kind.cell(settings);
  const isSummed = cell !== undefined && cell.biases !== 2;
  const values = [w, r, ...(b ? [b] : []), ...(p ? [p] : [])];
  const [kernel, recurrentKernel, ...rest] = derived.of(values, (tensors) => {
    const [wt, rt, ...others] = tensors as [Tensor, Tensor, ...Tensor[]];
    const made = [ops.transpose(ordered(directionOf(wt, d), kind)), ops.transpose(ordered(directionOf(rt, d), kind))];
    if (b) {
      const [wb, rb] = ops.split(directionOf(others[0]!, d), 2, 0).map((part) => ordered(part, kind)) as [
        Tensor,
        Tensor,
      ];
      if (isSummed) made.push(ops.add(wb, rb));
      else if (cell) made.push(wb, ops.stack([wb, rb], 0));
      else made.push(wb, rb);
    }
    // ONNX has the peepholes i o f, the package i f o.
    if (p) {
      const [i, o, f] = ops.split(ops.reshape(directionOf(others.at(-1)!, d), [3, -1]), 3, 0) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      made.push(ops.concatenate([i, f, o], 0));
    }
    return made;
  }) as [Weight, Weight, ...Weight[]];
  return {
    kernel,
    recurrentKernel,
    bias: b ? rest[0] : undefined,
    recurrentBias: b && !isSummed ? rest[1] : undefined,
    peephole: p ? rest.at(-1) : undefined,
  };
}

/** Reads the attributes of a node, for each of its directions. */
export function settingsOf(node: NodeView, kind: Kind): Settings[] {
  const direction = node.choice('direction', ['forward', 'reverse', 'bidirectional'], 'forward');
  const count = direction === 'bidirectional' ? 2 : 1;
  const given = node.strings('activations') ?? Array.from({ length: count }, () => kind.activations).flat();
  const [alphas, betas] = [node.floats('activation_alpha') ?? [], node.floats('activation_beta') ?? []];
  const clip = node.has('clip') ? node.float('clip', 0) : undefined;
  node.int('hidden_size', 0);
  const inputForget = node.flag('input_forget');
  const linearBeforeReset = node.flag('linear_before_reset');
  const hasPeepholes = kind.states === 2 && (node.inputs[7] ?? '') !== '';
  const names = given.map((name) => lowerNames.get(name.toLowerCase()) ?? node.refuse(`activation '${name}'`));
  if (names.length !== count * kind.activations.length)
    node.refuse(`${names.length} activations for ${count * kind.activations.length}`);
  // alpha and beta are given in order to the activations that take one.
  const takesAlpha = ['Affine', 'LeakyRelu', 'ThresholdedRelu', 'ScaledTanh', 'HardSigmoid', 'Elu'];
  const takesBeta = ['Affine', 'ScaledTanh', 'HardSigmoid'];
  let [a, z] = [0, 0];
  const functions = names.map((name) =>
    activations[name]!(
      takesAlpha.includes(name) ? alphas[a++] : undefined,
      takesBeta.includes(name) ? betas[z++] : undefined,
    ),
  );
  const each = kind.activations.length;
  return Array.from({ length: count }, (_, d) => ({
    direction: direction === 'bidirectional' ? (d === 0 ? 'forward' : 'reverse') : direction,
    names: names.slice(d * each, (d + 1) * each),
    functions: functions.slice(d * each, (d + 1) * each),
    clip: clip === 0 ? undefined : clip,
    inputForget,
    linearBeforeReset,
    hasPeepholes,
  }));
}

export const recurrents: Readonly<Record<string, Operator>> = {
  LSTM: recurrent('LSTM'),
  GRU: recurrent('GRU'),
  RNN: recurrent('RNN'),
};
