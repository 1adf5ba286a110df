import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { defaultDevice, init, type Array as JaxArray, jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import {
  ADAM,
  type Case,
  CHECKED_STEPS,
  CLIP_NORM,
  inputOf,
  operandsOf,
  targetsOf,
  tokensOf,
  VOCABULARY,
} from '../cases.ts';
import { oneHot, swapAxes, weightValues } from '../numbers.ts';
import type { OpenEngine, Task } from '../protocol.ts';

// In jax-js a function takes ownership of its arguments. `.ref` passes an array that stays usable.

const arrayOf = (values: Float32Array<ArrayBuffer>, shape: number[]): JaxArray => np.array(values).reshape(shape);
const weightsOf = (what: Case): JaxArray[] =>
  what.weights.map((spec) => arrayOf(weightValues(spec) as Float32Array<ArrayBuffer>, spec.shape));

type Weights = JaxArray[];

/** h and c after one step, from x·W `[B, 4H]`. */
function lstmStep(xW: JaxArray, [h, c]: [JaxArray, JaxArray], [U, b]: [JaxArray, JaxArray]): [JaxArray, JaxArray] {
  const [i, f, g, o] = np.split(xW.add(np.matmul(h, U)).add(b), 4, 1) as [JaxArray, JaxArray, JaxArray, JaxArray];
  const next = nn
    .sigmoid(f)
    .mul(c)
    .add(nn.sigmoid(i).mul(np.tanh(g)));
  return [nn.sigmoid(o).mul(np.tanh(next.ref)), next];
}

function gruStep(xW: JaxArray, h: JaxArray, U: JaxArray, [b, rb]: [JaxArray, JaxArray]): JaxArray {
  const [xz, xr, xg] = np.split(xW.add(b), 3, 1) as [JaxArray, JaxArray, JaxArray];
  const [hz, hr, hg] = np.split(np.matmul(h.ref, U).add(rb), 3, 1) as [JaxArray, JaxArray, JaxArray];
  const z = nn.sigmoid(xz.add(hz));
  const g = np.tanh(xg.add(nn.sigmoid(xr.add(hr)).mul(hg)));
  return z.ref.mul(h).add(np.array(1).sub(z).mul(g));
}

/** Every h `[B, H]` for the steps of x, `[B, I]` each. jax-js has no `lax.scan`, so jit unrolls the loop. */
function lstmSequence(xs: JaxArray[], [W, U, b]: [JaxArray, JaxArray, JaxArray], batch: number): JaxArray[] {
  const hidden = U.shape[0]!;
  let state: [JaxArray, JaxArray] = [np.zeros([batch, hidden]), np.zeros([batch, hidden])];
  const hs = xs.map((x) => {
    state = lstmStep(np.matmul(x, W.ref), state, [U.ref, b.ref]);
    return state[0].ref;
  });
  for (const array of [...state, W, U, b]) array.dispose();
  return hs;
}

function lossOf(weights: Weights, xs: JaxArray[], y: JaxArray, { layers, batch }: Case): JaxArray {
  const [embedding, ...rest] = weights as [JaxArray, ...JaxArray[]];
  let hs = xs.map((x) => np.matmul(x, embedding.ref));
  embedding.dispose();
  for (let layer = 0; layer < layers; layer++) {
    hs = lstmSequence(hs, rest.slice(3 * layer, 3 * layer + 3) as [JaxArray, JaxArray, JaxArray], batch);
  }
  const [kernel, bias] = rest.slice(3 * layers) as [JaxArray, JaxArray];
  const logits = np.matmul(np.concatenate(hs, 0), kernel).add(bias);
  return nn.logSoftmax(logits, -1).mul(y).sum(-1).mean().neg();
}

interface TrainState {
  weights: Weights;
  m: Weights;
  v: Weights;
  [key: string]: Weights;
}

function train(what: Case): Task {
  const { batch, time } = what;
  const xs = Array.from({ length: time }, (_, t) => {
    const ids = Int32Array.from({ length: batch }, (_, b) => tokensOf(what)[b * time + t]!);
    return arrayOf(oneHot(ids, VOCABULARY), [batch, VOCABULARY]);
  });
  const y = arrayOf(oneHot(swapAxes(targetsOf(what), batch, time), VOCABULARY), [time * batch, VOCABULARY]);
  const { learningRate, beta1, beta2, epsilon } = ADAM;
  const lossAndGradients = valueAndGrad((weights: Weights, xs: JaxArray[], y: JaxArray) =>
    lossOf(weights, xs, y, what),
  );
  const update = jit((state: TrainState, t: JaxArray, xs: JaxArray[], y: JaxArray) => {
    const { weights, m, v } = state;
    const [loss, gradients] = lossAndGradients(
      weights.map((weight) => weight.ref),
      xs,
      y,
    ) as [JaxArray, Weights];
    const norm = np.sqrt(gradients.map((g) => np.square(g.ref).sum()).reduce((sum, square) => sum.add(square)));
    const scale = np.array(CLIP_NORM).div(np.maximum(norm.ref, CLIP_NORM));
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
    const result = update(
      state,
      t,
      xs.map((x) => x.ref),
      y.ref,
    ) as { loss: JaxArray; norm: JaxArray; state: TrainState };
    state = result.state;
    const [[loss], [norm]] = await Promise.all([result.loss.data(), result.norm.data()]);
    await Promise.all(Object.values(state).flatMap((weights) => weights.map((weight) => weight.blockUntilReady())));
    return [loss!, norm!] as const;
  };
  return {
    note: 'one-hot × table; the loop over time unrolled, there being no lax.scan',
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
