import * as tf from '@tensorflow/tfjs';
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
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
import { oneHot, weightValues } from '../numbers.ts';
import type { OpenEngine, Task } from '../protocol.ts';

/** The reason why this backend cannot train `tf.layers.embedding`; '' if it can. */
function embeddingError(): string {
  try {
    const model = tf.sequential({ layers: [tf.layers.embedding({ inputDim: 3, outputDim: 2, inputLength: 2 })] });
    const ids = tf.tensor2d([[0, 1]], [1, 2], 'int32');
    tf.tidy(() => void tf.variableGrads(() => tf.sum(model.apply(ids) as tf.Tensor)));
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** `optimizer.minimize` with a clipped norm of the gradients. TF.js has no option for clipping. */
function train(what: Case): Task {
  const { layers, batch, time, inputs, hidden: units } = what;
  const missing = embeddingError();
  const stack = Array.from({ length: layers }, () =>
    tf.layers.lstm({
      units,
      returnSequences: true,
      recurrentActivation: 'sigmoid',
      recurrentInitializer: 'glorotUniform',
    }),
  );
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: inputs, useBias: false, inputShape: [time, VOCABULARY] }),
      ...stack,
      tf.layers.dense({ units: VOCABULARY }),
    ],
  });
  model.setWeights(what.weights.map((spec) => tf.tensor(weightValues(spec), spec.shape)));
  const x = tf.tensor3d(oneHot(tokensOf(what), VOCABULARY), [batch, time, VOCABULARY]);
  const y = tf.tensor2d(oneHot(targetsOf(what), VOCABULARY), [batch * time, VOCABULARY]);
  const optimizer = tf.train.adam(ADAM.learningRate, ADAM.beta1, ADAM.beta2, ADAM.epsilon);
  const run = () =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => {
        const logits = (model.apply(x, { training: true }) as tf.Tensor).reshape([batch * time, VOCABULARY]);
        return tf.losses.softmaxCrossEntropy(y, logits) as tf.Scalar;
      });
      const norm = tf.sqrt(tf.addN(Object.values(grads).map((gradient) => gradient.square().sum())));
      const scale = tf.div(CLIP_NORM, tf.maximum(norm, CLIP_NORM));
      for (const name in grads) grads[name] = grads[name]!.mul(scale);
      optimizer.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
      return [value.dataSync()[0]!, norm.dataSync()[0]!] as unknown as tf.TensorContainer as [number, number];
    });
  return {
    run,
    check() {
      const [loss, norm] = run();
      return Float32Array.of(loss, norm, run()[0]);
    },
    ...(missing && { note: `one-hot × table, because tf.layers.embedding cannot be trained: ${missing}` }),
  };
}

function infer(what: Case): Task {
  const { cell, batch, time, inputs, hidden: units } = what;
  const options: Parameters<typeof tf.layers.gru>[0] & Parameters<typeof tf.layers.lstm>[0] = {
    units,
    returnSequences: true,
    recurrentActivation: 'sigmoid',
    recurrentInitializer: 'glorotUniform',
    inputShape: [time, inputs],
  };
  let refused = '';
  if (cell === 'gru') {
    try {
      tf.layers.gru({ ...options, resetAfter: true } as never);
    } catch (error) {
      refused = (error as Error).message;
    }
  }
  const layer = cell === 'lstm' ? tf.layers.lstm(options) : tf.layers.gru(options);
  tf.sequential({ layers: [layer] });
  const resetBefore = cell === 'gru' ? { variant: 'reset-before' } : {};
  layer.setWeights(
    what.weights.map((spec, i) => {
      const shape = layer.weights[i]!.shape as number[];
      return tf.tensor(
        weightValues(spec).subarray(
          0,
          shape.reduce((product, n) => product * n, 1),
        ),
        shape,
      );
    }),
  );
  const x = tf.tensor3d(inputOf(what), [batch, time, inputs]);
  return {
    ...resetBefore,
    ...(refused && { note: `reset gate before the recurrent product: ${refused}` }),
    // Operations of this backend are complete when they return.
    run: () => tf.tidy(() => void layer.apply(x)),
    check: () => tf.tidy(() => (layer.apply(x) as tf.Tensor).dataSync().slice()) as unknown as Float32Array,
  };
}

/**
 * `tf.basicLSTMCell`, because it takes less time for a step than a stateful layer. Its gate order is i g f o, and the
 * bias of the forget gate is an argument.
 */
function step(what: Case): Task {
  const { inputs, hidden } = what;
  const [kernel, recurrentKernel, bias] = what.weights.map((spec) => tf.tensor(weightValues(spec), spec.shape));
  const reorder = (weight: tf.Tensor) => {
    const [i, f, c, o] = tf.split(weight, 4, -1);
    return tf.concat([i!, c!, f!, o!], -1);
  };
  const weights = reorder(tf.concat([kernel!, recurrentKernel!], 0)) as tf.Tensor2D;
  const offset = reorder(bias!) as tf.Tensor1D;
  const noForgetBias = tf.scalar(0);
  const x = tf.tensor2d(inputOf(what), [1, inputs]);
  let c: tf.Tensor2D = tf.zeros([1, hidden]);
  let h: tf.Tensor2D = tf.zeros([1, hidden]);
  const run = () => {
    const [oldC, oldH] = [c, h];
    [c, h] = tf.tidy(() => tf.basicLSTMCell(noForgetBias, weights, offset, x, oldC, oldH));
    oldC.dispose();
    oldH.dispose();
  };
  return {
    run,
    check() {
      for (let i = 0; i < CHECKED_STEPS; i++) run();
      return h.dataSync().slice() as Float32Array;
    },
  };
}

function gemm(what: Case): Task {
  const [a, b] = operandsOf(what).map((values) => tf.tensor2d(values, [what.size, what.size]));
  const multiply = () => tf.matMul(a!, b!, what.layout[0] === 'T', what.layout[1] === 'T');
  return {
    run: () => multiply().dispose(),
    check: () => multiply().dataSync() as Float32Array,
  };
}

const open: OpenEngine = async ({ threads }) => {
  if (threads > 1) {
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
    setThreadsCount(threads);
  }
  await tf.setBackend('wasm');
  await tf.ready();
  if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('TF.js found no SIMD');
  return {
    version: tf.version.tfjs,
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
