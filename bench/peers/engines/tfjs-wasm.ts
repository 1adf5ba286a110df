import * as tf from '@tensorflow/tfjs';
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { featuresOf, targetsOf, tokensOf } from '../../../src/bench/models/data.ts';
import { type LayerShape, type ModelShape, outputRows, type RecurrentShape } from '../../../src/bench/models/shapes.ts';
import { ADAM } from '../../../src/bench/models/training.ts';
import { type Case, CHECKED_STEPS, imagesOf, inputOf, operandsOf, RESET_BEFORE } from '../cases.ts';
import { oneHot, sizeOf, type WeightSpec, weightValues } from '../numbers.ts';
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

/** Rows of `table` `[words, width]` by `ids` `[B, T]`, with a gradient. */
function embed(table: tf.Variable, ids: tf.Tensor): tf.Tensor {
  const rows = tf.customGrad((...args) => {
    const [value] = args as [tf.Tensor];
    return {
      value: tf.gather(value, ids),
      gradFunc: (dY: tf.Tensor) => tf.scatterND(ids.reshape([-1, 1]), dY.reshape([-1, table.shape[1]!]), table.shape),
    };
  });
  return rows(table);
}

/** The reason why there is no GRU whose reset gate acts after the product; '' if there is one. */
function gruError(): string {
  try {
    tf.layers.gru({ units: 1, resetAfter: true } as never);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** A layer. `first` are options of the first one. */
function layerOf(shape: LayerShape, first: { inputShape?: number[] }): tf.layers.Layer {
  if (shape.kind === 'dense') return tf.layers.dense({ units: shape.units });
  if (shape.kind === 'conv1d') {
    const { filters, kernelSize } = shape;
    return tf.layers.conv1d({ ...first, filters, kernelSize, padding: 'same', activation: 'relu' });
  }
  const { kind, units, activation = 'tanh', last = false, bidirectional } = shape as RecurrentShape;
  const layer = tf.layers[kind === 'rnn' ? 'simpleRNN' : kind]({
    ...(bidirectional ? {} : first),
    units,
    activation,
    returnSequences: !last,
    recurrentInitializer: 'glorotUniform',
    ...(kind !== 'rnn' && { recurrentActivation: 'sigmoid' }),
  } as Parameters<typeof tf.layers.lstm>[0] & Parameters<typeof tf.layers.gru>[0]);
  return bidirectional ? tf.layers.bidirectional({ ...first, layer, mergeMode: 'concat' }) : layer;
}

function sequentialOf({ time, features, masked, layers }: ModelShape): tf.Sequential {
  const [table] = layers;
  const width = table?.kind === 'embedding' ? table.width : features!;
  const first = { inputShape: [time, width] };
  const rest = table?.kind === 'embedding' ? layers.slice(1) : layers;
  const stack = rest.map((layer, i) => layerOf(layer, i === 0 && !masked ? first : {}));
  return tf.sequential({ layers: masked ? [tf.layers.masking(first), ...stack] : stack });
}

/** Sets weights. The bias of a GRU has only the first half of the numbers. */
const setWeights = (to: tf.LayersModel | tf.layers.Layer, specs: readonly WeightSpec[]) =>
  to.setWeights(
    specs.map((spec, i) => {
      const shape = to.weights[i]!.shape as number[];
      return tf.tensor(weightValues(spec).subarray(0, sizeOf(shape)), shape);
    }),
  );

/** No gradient has a norm above this, and none is clipped. */
const LARGE_NORM = 1e30;

const losses: Record<ModelShape['loss'], (y: tf.Tensor, output: tf.Tensor) => tf.Tensor> = {
  mse: (y, output) => tf.losses.meanSquaredError(y, output),
  binary: (y, output) => tf.losses.sigmoidCrossEntropy(y, output),
  classes: (y, output) => tf.losses.softmaxCrossEntropy(y, output),
};

/** `optimizer.minimize` with a clipped norm of the gradients. TF.js has no option for clipping. */
function train(what: Case): Task {
  const shape = what.model!;
  const { batch, time, features, layers, clipNorm } = shape;
  const { units } = layers.at(-1) as { units: number };
  const tokens = features ? undefined : tf.tensor(tokensOf(shape), [batch, time], 'int32');
  const [spec] = what.weights as [WeightSpec];
  const table = tokens && tf.variable(tf.tensor(weightValues(spec), spec.shape));
  const model = sequentialOf(shape);
  setWeights(model, table ? what.weights.slice(1) : what.weights);
  const x = features ? tf.tensor(featuresOf(shape), [batch, time, features]) : undefined;
  const targets = targetsOf(shape);
  const rows = [outputRows(shape), units];
  const y = tf.tensor(targets instanceof Int32Array ? oneHot(targets, units) : targets, rows);
  const optimizer = tf.train.adam(ADAM.learningRate, ADAM.beta1, ADAM.beta2, ADAM.epsilon);
  const step = (limit: number | undefined) =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => {
        const input = x ?? embed(table!, tokens!);
        const output = (model.apply(input, { training: true }) as tf.Tensor).reshape(rows);
        return losses[shape.loss](y, output) as tf.Scalar;
      });
      let norm: tf.Tensor | undefined;
      if (limit !== undefined) {
        norm = tf.sqrt(tf.addN(Object.values(grads).map((gradient) => gradient.square().sum())));
        const scale = tf.div(limit, tf.maximum(norm, limit));
        for (const name in grads) grads[name] = grads[name]!.mul(scale);
      }
      optimizer.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
      return [value.dataSync()[0]!, norm?.dataSync()[0] ?? 0] as unknown as tf.TensorContainer as [number, number];
    });
  const refused = layers.some(({ kind }) => kind === 'gru') ? gruError() : '';
  const missing = table ? embeddingError() : '';
  const notes = [
    missing && `gather with scatterND as its gradient, because tf.layers.embedding cannot be trained: ${missing}`,
    refused && `reset gate before the recurrent product: ${refused}`,
  ].filter(Boolean);
  return {
    run: () => step(clipNorm),
    check() {
      const [loss, norm] = step(clipNorm ?? LARGE_NORM);
      return Float32Array.of(loss, norm, step(clipNorm)[0]);
    },
    ...(refused && { variant: RESET_BEFORE }),
    ...(notes.length > 0 && { note: notes.join('; ') }),
  };
}

function infer(what: Case): Task {
  const { cell, batch, time, inputs, hidden: units } = what;
  const layer = layerOf({ kind: cell, units }, { inputShape: [time, inputs] });
  tf.sequential({ layers: [layer] });
  setWeights(layer, what.weights);
  const refused = cell === 'gru' ? gruError() : '';
  const x = tf.tensor3d(inputOf(what), [batch, time, inputs]);
  return {
    ...(refused && { variant: RESET_BEFORE, note: `reset gate before the recurrent product: ${refused}` }),
    // Operations of this backend are complete when they return.
    run: () => tf.tidy(() => void layer.apply(x)),
    check: () => tf.tidy(() => (layer.apply(x) as tf.Tensor).dataSync().slice()) as unknown as Float32Array,
  };
}

/** Gradients of x, kernel and bias. That of the kernel is a convolution of transposed tensors. */
function convolutionGradients(x: tf.Tensor4D, kernel: tf.Tensor4D, dy: tf.Tensor4D): tf.Tensor[] {
  const pad = (kernel.shape[0] - 1) / 2;
  const edge = [pad, pad] as [number, number];
  const images = tf.transpose(x, [3, 1, 2, 0]);
  const padded = tf.pad(images, [[0, 0], edge, edge, [0, 0]]) as tf.Tensor4D;
  const filter = tf.transpose(dy, [1, 2, 0, 3]) as tf.Tensor4D;
  const dKernel = tf.transpose(tf.conv2d(padded, filter, 1, 'valid'), [1, 2, 0, 3]);
  return [tf.conv2dTranspose(dy, kernel, x.shape, 1, 'same'), dKernel, tf.sum(dy, [0, 1, 2])];
}

function images(what: Case): Task {
  const { kind, input, filters, kernelSize, trains } = what.image!;
  const weights = what.weights.map((spec) => tf.tensor(weightValues(spec), spec.shape));
  const x = tf.tensor(imagesOf(what.image!), [...input]);
  const isVideo = kind === 'convLstm2d';
  if (isVideo && trains) throw new Error('the backend has no kernel for the gradient of a convolution');
  const options = { filters, kernelSize, padding: 'same', returnSequences: true, recurrentActivation: 'sigmoid' };
  const layer = isVideo
    ? tf.layers.convLstm2d({ ...options, inputShape: input.slice(1) } as Parameters<typeof tf.layers.convLstm2d>[0])
    : undefined;
  if (layer) {
    tf.sequential({ layers: [layer] });
    layer.setWeights(weights.slice(0, -1));
  }
  const [kernel, bias, dy] = weights as [tf.Tensor4D, tf.Tensor, tf.Tensor4D];
  const outputs = (): tf.Tensor[] => {
    if (layer) return [layer.apply(x) as tf.Tensor];
    const images = x as tf.Tensor4D;
    const y = tf.add(tf.conv2d(images, kernel, 1, 'same'), bias);
    return trains ? [y, ...convolutionGradients(images, kernel, dy)] : [y];
  };
  return {
    run: () => tf.tidy(() => void outputs()),
    check: () =>
      tf.tidy(() =>
        tf
          .concat(outputs().map((each) => each.flatten()))
          .dataSync()
          .slice(),
      ) as unknown as Float32Array,
    ...(trains && { note: 'the gradient of the kernel as a convolution, because the backend has no kernel for it' }),
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
      if (what.kind === 'images') return images(what);
      if (what.kind === 'step') return step(what);
      if (what.kind === 'gemm') return gemm(what);
      throw new Error(`no case of kind ${what.kind}`);
    },
  };
};

export default open;
