import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { defaultDevice, init, type Array as JaxArray, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { featuresOf, lengthsOf, targetsOf, tokensOf } from '../../../src/bench/models/data.ts';
import { type ModelShape, outputRows, type RecurrentShape } from '../../../src/bench/models/shapes.ts';
import { ADAM } from '../../../src/bench/models/training.ts';
import { type Case, CHECKED_STEPS, inputOf, operandsOf } from '../cases.ts';
import { oneHot, swapAxes, weightValues } from '../numbers.ts';
import type { OpenEngine, Task } from '../protocol.ts';

// In jax-js a function takes ownership of its arguments. `.ref` passes an array that stays usable.

const arrayOf = (values: Float32Array<ArrayBuffer>, shape: number[]): JaxArray => np.array(values).reshape(shape);
const weightsOf = (what: Case): JaxArray[] =>
  what.weights.map((spec) => arrayOf(weightValues(spec) as Float32Array<ArrayBuffer>, spec.shape));

type Weights = JaxArray[];
type Activation = (x: JaxArray) => JaxArray;

/** h and c after one step, from x·W `[B, 4H]`. */
function lstmStep(
  xW: JaxArray,
  [h, c]: [JaxArray, JaxArray],
  [U, b]: [JaxArray, JaxArray],
  activate = np.tanh as Activation,
): [JaxArray, JaxArray] {
  const [i, f, g, o] = np.split(xW.add(np.matmul(h, U)).add(b), 4, 1) as [JaxArray, JaxArray, JaxArray, JaxArray];
  const next = nn
    .sigmoid(f)
    .mul(c)
    .add(nn.sigmoid(i).mul(activate(g)));
  return [nn.sigmoid(o).mul(activate(next.ref)), next];
}

function gruStep(xW: JaxArray, h: JaxArray, U: JaxArray, [b, rb]: [JaxArray, JaxArray]): JaxArray {
  const [xz, xr, xg] = np.split(xW.add(b), 3, 1) as [JaxArray, JaxArray, JaxArray];
  const [hz, hr, hg] = np.split(np.matmul(h.ref, U).add(rb), 3, 1) as [JaxArray, JaxArray, JaxArray];
  const z = nn.sigmoid(xz.add(hz));
  const g = np.tanh(xg.add(nn.sigmoid(xr.add(hr)).mul(hg)));
  return z.ref.mul(h).add(np.array(1).sub(z).mul(g));
}

/**
 * Every h `[B, H]` for the steps of x, `[B, I]` each. jax-js has no `lax.scan`, so jit unrolls the loop. Where a mask
 * `[B, 1]` is 0, the states stay.
 */
function sequence(
  xs: JaxArray[],
  [W, U, b]: [JaxArray, JaxArray, JaxArray],
  { kind, units, activation }: RecurrentShape,
  masks: JaxArray[],
): JaxArray[] {
  const batch = xs[0]!.shape[0]!;
  const activate = (activation === 'relu' ? nn.relu : np.tanh) as Activation;
  const [bias, recurrentBias] = (kind === 'gru' ? np.unstack(b, 0) : [b, np.zeros([1])]) as [JaxArray, JaxArray];
  let state = Array.from({ length: kind === 'lstm' ? 2 : 1 }, () => np.zeros([batch, units]));
  const hs = xs.map((x, t) => {
    const xW = np.matmul(x, W.ref);
    const before = masks[t] ? state.map((each) => each.ref) : [];
    if (kind === 'lstm') state = lstmStep(xW, state as [JaxArray, JaxArray], [U.ref, bias.ref], activate);
    else if (kind === 'gru') state = [gruStep(xW, state[0]!, U.ref, [bias.ref, recurrentBias.ref])];
    else state = [activate(xW.add(np.matmul(state[0]!, U.ref)).add(bias.ref))];
    if (masks[t]) state = state.map((each, i) => np.where(masks[t]!.ref, each, before[i]!));
    return state[0]!.ref;
  });
  for (const array of [...state, W, U, bias, recurrentBias]) array.dispose();
  return hs;
}

/** Windows of K steps, with zeros on both sides, times the kernel `[K, I, F]`. */
function conv1d(xs: JaxArray[], kernel: JaxArray, bias: JaxArray): JaxArray[] {
  const [size, inputs, filters] = kernel.shape as [number, number, number];
  const batch = xs[0]!.shape[0]!;
  const windows = xs.map((_, t) => {
    const steps = Array.from({ length: size }, (_, k) => xs[t + k - (size >> 1)]?.ref ?? np.zeros([batch, inputs]));
    return np.concatenate(steps, 1);
  });
  for (const x of xs) x.dispose();
  const rows = np.concatenate(windows, 0);
  return np.split(nn.relu(np.matmul(rows, kernel.reshape([size * inputs, filters])).add(bias)), xs.length, 0);
}

/** The inputs, a step each; masks, a step each or none; and the targets, time-major. */
interface Batch {
  xs: JaxArray[];
  masks: JaxArray[];
  y: JaxArray;
  [key: string]: JaxArray | JaxArray[];
}

function lossOf(weights: Weights, { xs, masks, y }: Batch, { layers, loss }: ModelShape): JaxArray {
  const rest = [...weights];
  const take = (count: number) => rest.splice(0, count) as [JaxArray, JaxArray, JaxArray];
  let hs = xs;
  let output: JaxArray | undefined;
  for (const layer of layers) {
    if (layer.kind === 'embedding') {
      const [table] = take(1);
      hs = hs.map((x) => np.matmul(x, table.ref));
      table.dispose();
    } else if (layer.kind === 'conv1d') {
      const [kernel, bias] = take(2);
      hs = conv1d(hs, kernel, bias);
    } else if (layer.kind === 'dense') {
      const [kernel, bias] = take(2);
      output = np.matmul(np.concatenate(hs, 0), kernel).add(bias);
    } else {
      const reversed = layer.bidirectional ? hs.map((h) => h.ref).reverse() : [];
      hs = sequence(hs, take(3), layer, masks);
      if (layer.bidirectional) {
        const back = sequence(reversed, take(3), layer, []).reverse();
        hs = hs.map((h, t) => np.concatenate([h, back[t]!], 1));
      }
      if (layer.last) {
        const last = hs.pop()!;
        for (const h of hs) h.dispose();
        hs = [last];
      }
    }
  }
  for (const mask of masks) mask.dispose();
  if (loss === 'mse') return np.square(output!.sub(y)).mean();
  if (loss === 'classes') return nn.logSoftmax(output!, -1).mul(y).sum(-1).mean().neg();
  return nn.softplus(output!.ref).sub(output!.mul(y)).mean();
}

/** The largest one-hot input, in numbers. */
const MOST_ONE_HOT = 2 ** 27;

/** Steps of x, `[B, words]` one-hot or `[B, F]`. */
function stepsOf(model: ModelShape): JaxArray[] {
  const { batch, time, features, layers } = model;
  const [first] = layers;
  const width = first?.kind === 'embedding' ? first.words : features!;
  if (first?.kind === 'embedding' && batch * time * width > MOST_ONE_HOT) {
    const gigabytes = ((4 * batch * time * width) / 1e9).toFixed(1);
    throw new Error(`it has no gradient of a gather, and one-hot inputs would take ${gigabytes} GB`);
  }
  const x =
    first?.kind === 'embedding'
      ? oneHot(swapAxes(tokensOf(model), batch, time), width)
      : swapAxes(featuresOf(model), batch, time, width);
  return Array.from({ length: time }, (_, t) =>
    arrayOf(x.slice(t * batch * width, (t + 1) * batch * width), [batch, width]),
  );
}

function batchOf(model: ModelShape): Batch {
  const { batch, time, masked, layers } = model;
  const { units } = layers.at(-1) as { units: number };
  const lengths = lengthsOf(model);
  const masks = Array.from({ length: masked ? time : 0 }, (_, t) =>
    np.array(Array.from(lengths, (length) => [t < length])),
  );
  const targets = targetsOf(model);
  const rows = outputRows(model);
  const y = targets instanceof Int32Array ? oneHot(swapAxes(targets, batch, rows / batch), units) : targets;
  return { xs: stepsOf(model), masks, y: arrayOf(y, [rows, units]) };
}

interface TrainState {
  weights: Weights;
  m: Weights;
  v: Weights;
  [key: string]: Weights;
}

function train(what: Case): Task {
  const model = what.model!;
  const { layers, clipNorm } = model;
  const batch = batchOf(model);
  const { learningRate, beta1, beta2, epsilon } = ADAM;
  const lossAndGradients = valueAndGrad((weights: Weights, batch: Batch) => lossOf(weights, batch, model));
  const update = jit((state: TrainState, t: JaxArray, batch: Batch) => {
    const { weights, m, v } = state;
    const [loss, gradients] = lossAndGradients(
      weights.map((weight) => weight.ref),
      batch,
    ) as [JaxArray, Weights];
    const norm = np.sqrt(gradients.map((g) => np.square(g.ref).sum()).reduce((sum, square) => sum.add(square)));
    const scale = clipNorm ? np.array(clipNorm).div(np.maximum(norm.ref, clipNorm)) : np.array(1);
    const correction1 = np.array(1).sub(np.power(beta1, t.ref));
    const correction2 = np.array(1).sub(np.power(beta2, t));
    const clipped = gradients.map((g) => g.mul(scale.ref));
    const nextM = m.map((m, i) => m.mul(beta1).add(clipped[i]!.ref.mul(1 - beta1)));
    const nextV = v.map((v, i) => v.mul(beta2).add(np.square(clipped[i]!).mul(1 - beta2)));
    const nextWeights = weights.map((weight, i) => {
      const denominator = np.sqrt(nextV[i]!.ref.div(correction2.ref)).add(epsilon);
      return weight.sub(nextM[i]!.ref.div(correction1.ref).mul(learningRate).div(denominator));
    });
    for (const array of [scale, correction1, correction2]) array.dispose();
    return { loss, norm, state: { weights: nextWeights, m: nextM, v: nextV } };
  });
  const zeros = () => what.weights.map(({ shape }) => np.zeros(shape));
  let state: TrainState = { weights: weightsOf(what), m: zeros(), v: zeros() };
  let steps = 0;
  const run = async () => {
    const t = np.array(++steps).astype(np.float32);
    const result = update(state, t, tree.ref(batch)) as { loss: JaxArray; norm: JaxArray; state: TrainState };
    state = result.state;
    const [[loss], [norm]] = await Promise.all([result.loss.data(), result.norm.data()]);
    await Promise.all(Object.values(state).flatMap((weights) => weights.map((weight) => weight.blockUntilReady())));
    return [loss!, norm!] as const;
  };
  return {
    note: `${layers[0]!.kind === 'embedding' ? 'one-hot × table; ' : ''}the loop over time unrolled, there being no lax.scan`,
    run,
    async check() {
      const [loss, norm] = await run();
      return Float32Array.of(loss, norm, (await run())[0]);
    },
  };
}

function infer(what: Case): Task {
  const { cell, batch, time, inputs, hidden } = what;
  const weights = weightsOf(what);
  const forward = jit((x: JaxArray, weights: Weights) => {
    const [W, U, b] = weights as [JaxArray, JaxArray, JaxArray];
    const xW = np.matmul(x, W).reshape([time, batch, W.shape[1]!]);
    const steps = np.unstack(xW, 0) as JaxArray[];
    const hs: JaxArray[] = [];
    let state: [JaxArray, JaxArray] = [np.zeros([batch, hidden]), np.zeros([batch, hidden])];
    const [bias, recurrentBias] = cell === 'gru' ? (np.unstack(b.ref, 0) as [JaxArray, JaxArray]) : [b.ref, b.ref];
    for (const step of steps) {
      if (cell === 'lstm') state = lstmStep(step, state, [U.ref, bias.ref]);
      else state[0] = gruStep(step, state[0], U.ref, [bias.ref, recurrentBias.ref]);
      hs.push(state[0].ref);
    }
    for (const array of [...state, U, b, bias, recurrentBias]) array.dispose();
    return np.stack(hs, 1);
  });
  const x = arrayOf(swapAxes(inputOf(what), batch, time, inputs), [time * batch, inputs]);
  const call = () =>
    forward(
      x.ref,
      weights.map((weight) => weight.ref),
    ) as JaxArray;
  return {
    async run() {
      const y = call();
      await y.blockUntilReady();
      y.dispose();
    },
    check: async () => (await call().data()) as Float32Array,
  };
}

function step(what: Case): Task {
  const { inputs, hidden } = what;
  const weights = weightsOf(what);
  const next = jit((x: JaxArray, h: JaxArray, c: JaxArray, weights: Weights) => {
    const [W, U, b] = weights as [JaxArray, JaxArray, JaxArray];
    return lstmStep(np.matmul(x, W), [h, c], [U, b]);
  });
  const x = arrayOf(inputOf(what), [1, inputs]);
  let [h, c] = [np.zeros([1, hidden]), np.zeros([1, hidden])];
  const run = async () => {
    [h, c] = next(
      x.ref,
      h,
      c,
      weights.map((weight) => weight.ref),
    ) as [JaxArray, JaxArray];
    await Promise.all([h.blockUntilReady(), c.blockUntilReady()]);
  };
  return {
    run,
    async check() {
      for (let i = 0; i < CHECKED_STEPS; i++) await run();
      return (await h.ref.data()) as Float32Array;
    },
  };
}

function gemm(what: Case): Task {
  const { size, layout } = what;
  const [a, b] = operandsOf(what).map((values) => arrayOf(values, [size, size])) as [JaxArray, JaxArray];
  const multiply = jit((a: JaxArray, b: JaxArray) =>
    np.matmul(layout[0] === 'T' ? a.transpose() : a, layout[1] === 'T' ? b.transpose() : b),
  );
  return {
    async run() {
      const c = multiply(a.ref, b.ref);
      await c.blockUntilReady();
      c.dispose();
    },
    check: async () => (await multiply(a.ref, b.ref).data()) as Float32Array,
  };
}

function packageVersion(): string {
  const main = createRequire(import.meta.url).resolve('@jax-js/jax');
  return JSON.parse(readFileSync(join(dirname(main), '../package.json'), 'utf8')).version;
}

const open: OpenEngine = async ({ threads }) => {
  if (threads > 1 && typeof Worker === 'undefined') {
    throw new Error('its threads need the global Worker of a browser, which Node does not have');
  }
  await init('wasm');
  defaultDevice('wasm');
  return {
    version: packageVersion(),
    prepare(what) {
      if (what.kind === 'train' || what.kind === 'chars') return train(what);
      if (what.kind === 'infer') return infer(what);
      if (what.kind === 'step') return step(what);
      if (what.kind === 'gemm') return gemm(what);
      throw new Error(`no case of kind ${what.kind}`);
    },
  };
};

export default open;
