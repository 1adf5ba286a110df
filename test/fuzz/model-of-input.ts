// Small models, data and failures, as described by the inputs of `sequences`.
import { OutOfMemoryError } from '../../src/engine/memory.ts';
import * as t from '../../src/index.ts';
import type { Random } from './random.ts';
import type { Plain } from './target.ts';

export type AnyModel = ReturnType<typeof t.sequential>;

/** What code of the caller's own throws. */
export class Thrown extends Error {
  override readonly name = 'Thrown';
}

/** Calls of the caller's own code that are left until one throws. */
let fuse = Number.POSITIVE_INFINITY;

function burn(): void {
  if (--fuse === 0) throw new Thrown('thrown by code of the caller');
}

/**
 * Runs `body` with a failure in it.
 *
 * @param allocation which allocation fails, from 1.
 * @param call which call of the caller's own code throws, from 1.
 */
export async function withFailure<T>(
  { allocation, call }: { allocation?: number | undefined; call?: number | undefined },
  body: () => T | Promise<T>,
): Promise<T> {
  const { heap, arena } = t.engine();
  let left = allocation ?? Number.POSITIVE_INFINITY;
  fuse = call ?? Number.POSITIVE_INFINITY;
  const allocations = [heap, arena];
  for (const region of allocations) {
    const { allocate } = Object.getPrototypeOf(region) as typeof heap;
    region.allocate = (bytes) => {
      if (--left === 0) throw new OutOfMemoryError('out of memory: expected to be refused');
      return allocate.call(region as typeof heap, bytes);
    };
  }
  try {
    return await body();
  } finally {
    for (const region of allocations) delete (region as Partial<typeof heap>).allocate;
    fuse = Number.POSITIVE_INFINITY;
  }
}

const ownCell: t.CellDefinition = {
  name: 'own',
  units: 2,
  weights: (inputs) => ({ kernel: [inputs, 2] }),
  call(x, [h], { kernel }) {
    burn();
    return t.ops.tanh(t.ops.add(t.ops.linear(x, kernel!), h!));
  },
};

const meanSquare = (x: t.Tensor): t.Tensor => t.ops.mean(t.ops.square(x), { axis: -1 });

const ownLoss = (target: t.Tensor, prediction: t.Tensor): t.Tensor => {
  burn();
  return meanSquare(t.ops.sub(prediction, target));
};

/** Batches that may throw on their way. */
export function* ownBatches(x: t.NdArray, y: t.NdArray, count: number): Generator<readonly [t.NdArray, t.NdArray]> {
  for (let i = 0; i < count; i++) {
    burn();
    yield [x, y];
  }
}

const ownCallback: t.Callback = { onBatchEnd: burn, onEpochEnd: burn, onTrainBegin: burn };

const number = (value: Plain | undefined, otherwise: number): number => (typeof value === 'number' ? value : otherwise);
const object = (value: Plain | undefined): { [key: string]: Plain } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

const kinds = ['lstm', 'gru', 'simpleRnn', 'own', 'bidirectional', 'timeDense', 'norm', 'conv', 'dropout'] as const;

/** A stack of layers, as JSON. */
export function stackOf(random: Random): Plain {
  const stateful = random.chance(0.3);
  const layer = (): Plain => ({
    kind: random.pick(kinds),
    units: random.between(1, 3),
    ...(stateful && { stateful }),
    ...(random.chance(0.3) && { dropout: 0.3 }),
    ...(random.chance(0.2) && { recurrentDropout: 0.3 }),
  });
  const ids = random.chance(0.25);
  return {
    ids,
    ...(ids && { maskZero: random.chance(0.5) }),
    features: random.between(1, 2),
    inputShape: random.chance(0.6),
    layers: random.list(1, 3, layer),
    last: random.chance(0.7),
    custom: random.chance(0.15),
  };
}

function layerOf(spec: { [key: string]: Plain }, options: object): t.AnyLayer {
  const { kind, units: plain, stateful = false, dropout = 0, recurrentDropout = 0 } = spec;
  const units = number(plain, 2);
  const steps = { ...options, returnSequences: true, stateful: stateful === true };
  const recurrent = { ...steps, units, dropout: number(dropout, 0), recurrentDropout: number(recurrentDropout, 0) };
  if (kind === 'lstm') return t.lstm(recurrent) as t.AnyLayer;
  if (kind === 'gru') return t.gru(recurrent) as t.AnyLayer;
  if (kind === 'simpleRnn') return t.simpleRnn(recurrent) as t.AnyLayer;
  if (kind === 'own') return t.rnn(ownCell, steps) as t.AnyLayer;
  if (kind === 'bidirectional') return t.bidirectional(t.gru({ units, returnSequences: true }), options) as t.AnyLayer;
  if (kind === 'norm') return t.layerNormalization(options);
  if (kind === 'conv') return t.conv1d({ ...options, filters: units, kernelSize: 2, padding: 'causal' });
  if (kind === 'dropout') return t.dropout({ ...options, rate: 0.3 });
  return t.timeDistributed(t.dense({ units }), options);
}

/** A model of a stack. */
export function modelOf(stack: Plain | undefined): AnyModel {
  const { ids, maskZero, features, inputShape, layers, last, custom } = object(stack);
  const specs = (Array.isArray(layers) ? layers : []).map(object);
  const options = inputShape === true && ids !== true ? { inputShape: [null, number(features, 1)] } : {};
  const made: t.AnyLayer[] = specs.map((spec, i) => layerOf(spec, i === 0 ? options : {}));
  if (ids === true) made.unshift(t.embedding({ inputDim: 4, outputDim: 2, maskZero: maskZero === true }));
  made.push(last === true ? (t.gru({ units: 2 }) as t.AnyLayer) : t.timeDistributed(t.dense({ units: 2 })));
  made.push(t.dense({ units: 1 }));
  if (custom !== true) return t.sequential(made as never);
  const named = Object.fromEntries(made.map((layer, i) => [`part${i}`, layer]));
  return t.model({ layers: named as Record<string, t.Layer> }, (x: t.Tensor, parts: Record<string, t.Layer>) => {
    burn();
    return Object.values(parts).reduce((y, layer) => layer(y), x);
  }) as AnyModel;
}

/** What a model of the stack is trained on: `[B, T, F]` or ids `[B, T]`, and `[B, 1]` or `[B, T, 1]`. */
export function dataOf(stack: Plain | undefined, op: { [key: string]: Plain }): { x: t.NdArray; y: t.NdArray } {
  const { ids, features, last } = object(stack);
  const [batch, time] = [number(op.batch, 2), number(op.time, 3)];
  const width = number(op.features, number(features, 1));
  const scale = op.scale === 'NaN' ? Number.NaN : number(op.scale, 1);
  const count = batch * time;
  const x =
    ids === true
      ? t.ndarray(
          Int32Array.from({ length: count }, (_, i) => (i * 3) % 4),
          [batch, time],
        )
      : t.ndarray(
          Float32Array.from({ length: count * width }, (_, i) => (((i * 7) % 11) / 10 - 0.5) * scale),
          [batch, time, width],
        );
  const shape = last === true ? [batch, number(op.outputs, 1)] : [batch, time, number(op.outputs, 1)];
  const size = shape.reduce((product, n) => product * n, 1);
  return {
    x,
    y: t.ndarray(
      Float32Array.from({ length: size }, (_, i) => ((i * 5) % 7) / 7),
      shape,
    ),
  };
}

const optimizers: Readonly<Record<string, () => t.Optimizer>> = {
  sgd: () => t.sgd({ learningRate: 0.1, momentum: 0.9 }),
  adam: () => t.adam({ learningRate: 0.01, useEma: true }),
  adamw: () =>
    t.adamw({
      learningRate: t.schedules.exponentialDecay({ initialLearningRate: 0.1, decaySteps: 2, decayRate: 0.5 }),
    }),
  rmsprop: () => t.rmsprop({ centered: true, clipNorm: 1 }),
  nadam: () => t.nadam({ gradientAccumulationSteps: 2 }),
  adagrad: () => t.adagrad(),
  lion: () => t.lion({ globalClipNorm: 0.5 }),
};
export const optimizerNames = Object.keys(optimizers);

export function compiled(model: AnyModel, { optimizer, own }: { [key: string]: Plain }): void {
  const name = typeof optimizer === 'string' && Object.hasOwn(optimizers, optimizer) ? optimizer : 'sgd';
  const metric =
    own === true ? (target: t.Tensor, prediction: t.Tensor) => ownLoss(target, prediction) : 'meanAbsoluteError';
  model.compile({
    optimizer: optimizers[name]!(),
    loss: own === true ? ownLoss : 'meanSquaredError',
    metrics: [metric as 'meanAbsoluteError'],
  });
}

/** A callback of the caller's own, if an input wants one. */
export const callbacksOf = ({ own }: { [key: string]: Plain }): t.Callback[] => (own === true ? [ownCallback] : []);
