// Recurrent layers without fused kernels in streams of blocks: with TF.js's hard sigmoid, and with other activations. A
// step is made of the ops of src/layers/rnn/*.ts, in the same order, so the bits are the same.
import { Binary } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { extraKernels } from '../../engine/extra/extra-kernels.ts';
import type { AddLayer, FileLayer } from '../../streaming/layers.ts';
import type { StreamWeight } from '../../streaming/program.ts';
import { refuseStream } from '../../streaming/refusal.ts';
import { addBlockLayers, streamInBlocks } from './block-layers.ts';
import type { BlockProgram, Value } from './block-program.ts';
import { setBatchNormOf } from './kernels.ts';

/** The operations of a step. */
interface Ops {
  /** h·U + its bias, if it has one */
  hidden(h: Value): Value;
  add(a: Value, b: Value): Value;
  sub(a: Value, b: Value): Value;
  mul(a: Value, b: Value): Value;
  /** The columns of one gate. */
  gate(gates: Value, i: number): Value;
  activation(x: Value): Value;
  recurrentActivation(x: Value): Value;
}

/** One step of a recurrence, for x·W + b: the output, which is the first state, and the other states. */
type Step = (x: Value, states: readonly Value[], ops: Ops) => readonly [Value, ...Value[]];

interface Recurrence {
  readonly gates: number;
  readonly states: number;
  readonly step: Step;
}

const lstm: Recurrence = {
  gates: 4,
  states: 2,
  step(x, [h, c], ops) {
    const gates = ops.add(x, ops.hidden(h!));
    const [i, f] = [0, 1].map((gate) => ops.recurrentActivation(ops.gate(gates, gate))) as [Value, Value];
    const next = ops.add(ops.mul(f, c!), ops.mul(i, ops.activation(ops.gate(gates, 2))));
    const y = ops.mul(ops.recurrentActivation(ops.gate(gates, 3)), ops.activation(next));
    return [y, y, next];
  },
};

const gru = (resetAfter: boolean): Recurrence => ({
  gates: 3,
  states: 1,
  step(x, [h], ops) {
    const hidden = ops.hidden(h!);
    const sum = (gate: number): Value => ops.add(ops.gate(x, gate), ops.gate(hidden, gate));
    const z = ops.recurrentActivation(sum(0));
    const r = ops.recurrentActivation(sum(1));
    const candidate = resetAfter ? ops.mul(r, ops.gate(hidden, 2)) : ops.gate(ops.hidden(ops.mul(r, h!)), 2);
    const g = ops.activation(ops.add(ops.gate(x, 2), candidate));
    const y = ops.add(g, ops.mul(z, ops.sub(h!, g)));
    return [y, y];
  },
});

const simpleRnn: Recurrence = {
  gates: 1,
  states: 1,
  step(x, [h], ops) {
    const y = ops.activation(ops.add(x, ops.hidden(h!)));
    return [y, y];
  },
};

/** One of two biases, `[2, G·H]`. */
const rowOf = (bias: StreamWeight, row: number): StreamWeight => {
  const width = bias.shape[1]!;
  return {
    name: bias.name,
    shape: [width],
    get ptr() {
      return bias.ptr + 4 * row * width;
    },
    get version() {
      return bias.version as number;
    },
  };
};

const composed =
  (className: string, recurrenceOf: (config: FileLayer['config']) => Recurrence): AddLayer =>
  (given, { config, path, weight }) => {
    const { activation = 'tanh', recurrentActivation = 'sigmoid', units } = config;
    const isFused = recurrentActivation === 'sigmoid' && /^(tanh|relu)$/.test(activation);
    if (isFused || config.goBackwards || config.peephole || config.projSize) refuseStream(path, className, config);
    const program = given as unknown as BlockProgram;
    const { gates, states, step } = recurrenceOf(config);
    const width = gates * units;
    const hasTwo = className === 'GRU' && (config.resetAfter ?? true);
    const bias = (config.useBias ?? true) ? weight('bias', ...(hasTwo ? [2] : []), width) : undefined;
    const [ofInput, ofHidden] = bias && hasTwo ? [rowOf(bias, 0), rowOf(bias, 1)] : [bias, undefined];
    const kernel = weight('kernel', program.width, width);
    const recurrentKernel = weight('recurrentKernel', units, width);
    /** The value of a part that reads x. */
    const after = (x: Value, add: () => void): Value => {
      program.resume(x);
      add();
      return program.value;
    };
    const act = (x: Value, name: string): Value => after(x, () => program.activation(name, `${path}: `));
    const ops: Ops = {
      hidden: (h) => after(h, () => program.product({ kernel: recurrentKernel, bias: ofHidden })),
      add: (a, b) => after(a, () => program.binary(Binary.Add, b)),
      sub: (a, b) => after(a, () => program.binary(Binary.Sub, b)),
      mul: (a, b) => after(a, () => program.binary(Binary.Mul, b)),
      gate: (x, i) => after(x, () => program.columns(i * units, units)),
      activation: (x) => act(x, activation),
      recurrentActivation: (x) => act(x, recurrentActivation),
    };
    program.product({ kernel, bias: ofInput });
    const own = Array.from({ length: states }, () => units);
    program.recurrence(own, (x, before) => step(x, before, ops));
  };

/** Lets models run block by block, also with layers that have no kernel for streams: `model.stream()`. */
export function streamAllInBlocks(): void {
  streamInBlocks();
  addBlockLayers({
    GRU: composed('GRU', ({ resetAfter = true }) => gru(resetAfter)),
    LSTM: composed('LSTM', () => lstm),
    SimpleRNN: composed('SimpleRNN', () => simpleRnn),
  });
  setBatchNormOf((engine) => extraKernels(engine as Engine).batch_norm);
}
