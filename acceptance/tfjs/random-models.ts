// node --import tsx acceptance/tfjs/random-models.ts [COUNT] [SEED]
// Random models: written, loaded and run by TF.js, saved by it and read again. Outputs to 1e-5 relative to 1 + |value|,
// weights with the same bits. First: npm ci --prefix acceptance/tfjs
import * as tf from '@tensorflow/tfjs';
import * as images from '../../src/images.ts';
import * as lib from '../../src/index.ts';
import { reluLayer } from '../../src/keras/layers/activation-layers.ts';
import { alphaDropoutLayer, gaussianDropoutLayer, gaussianNoiseLayer } from '../../src/keras/layers/noise.ts';
import { prelu } from '../../src/layers/activations/prelu.ts';
import type { AnyModel } from '../../src/models/model.ts';
import { exportTfjs, importTfjs } from '../../src/tfjs.ts';
import { drawsOf } from '../draws.ts';
import { loadedByTfjs, savedByTfjs } from './files.ts';

const [count, seed] = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 1)];
const random = new lib.RandomStream(seed);
const { between, pick, chance } = drawsOf(random);
const activation = () =>
  pick([
    'linear',
    'relu',
    'tanh',
    'sigmoid',
    'elu',
    'selu',
    'hardSigmoid2',
    'softplus',
    'softsign',
    'relu6',
    'swish',
  ] as const);
const initializers = () => ({
  kernelInitializer: pick(['glorotUniform', 'heNormal', 'lecunUniform'] as const),
  biasInitializer: { name: 'randomUniform', minval: -0.5, maxval: 0.5 } as const,
});

// biome-ignore lint/suspicious/noExplicitAny: the layers of a model have many types.
type AnyMade = any;

interface Recurrent {
  returnSequences: boolean;
  returnState?: boolean;
  isMasked: boolean;
}

function recurrent({ returnSequences, returnState = false, isMasked }: Recurrent): AnyMade {
  const options = {
    units: between(1, 6),
    returnSequences,
    returnState,
    useBias: chance(0.8),
    recurrentActivation: pick(['sigmoid', 'hardSigmoid2'] as const),
    ...(chance(0.3) && { activation: activation() }),
    ...(chance(0.2) && { dropout: 0.2, recurrentDropout: 0.1 }),
    ...initializers(),
  };
  const { recurrentActivation, ...simple } = options;
  const kind = pick(['lstm', 'gru', 'simpleRnn', 'cells'] as const);
  const goBackwards = chance(0.3) && !(isMasked && returnSequences);
  if (kind === 'cells' && !returnState) {
    const cells = [
      lib.lstmCell({ units: options.units }),
      lib.gruCell({ units: 3, resetAfter: false, recurrentActivation }),
    ];
    return lib.rnn(chance(0.5) ? cells : cells[0]!, { returnSequences, goBackwards });
  }
  const given = kind === 'simpleRnn' ? simple : { ...options, ...(kind === 'gru' && { resetAfter: false }) };
  const make = { lstm: lib.lstm, gru: lib.gru, simpleRnn: lib.simpleRnn, cells: lib.lstm }[kind] as (
    g: object,
  ) => AnyMade;
  if (chance(0.3) && !(isMasked && returnSequences) && !returnState)
    return lib.bidirectional(make(given), { mergeMode: pick(['concat', 'sum', 'mul', 'ave'] as const) });
  return make({ ...given, goBackwards });
}

/** A layer from a sequence to a sequence. */
function onSequence(): AnyMade {
  const isMasked = false;
  const padding = pick(['same', 'valid'] as const);
  return pick<() => AnyMade>([
    () => recurrent({ returnSequences: true, isMasked }),
    () => recurrent({ returnSequences: true, isMasked }),
    () => recurrent({ returnSequences: true, isMasked }),
    () => lib.dense({ units: 5, activation: activation(), ...initializers() }),
    () => lib.conv1d({ filters: 6, kernelSize: 3, padding, dilationRate: pick([1, 2]), ...initializers() }),
    () => lib.conv1d({ filters: 4, kernelSize: 2, strides: 2, padding: 'same', activation: 'relu' }),
    () => lib.maxPooling1d({ poolSize: 2, padding: 'same' }),
    () => lib.averagePooling1d({ poolSize: 3, strides: 2 }),
    () => lib.layerNormalization({ epsilon: pick([1e-3, 1e-5]) }),
    () => images.batchNormalization({ momentum: 0.9 }),
    () => lib.dropout({ rate: 0.2 }),
    () => lib.spatialDropout1d({ rate: 0.2 }),
    () => lib.activation({ activation: activation() }),
    () => prelu({ sharedAxes: [1] }),
    () => reluLayer({ threshold: 0.2 }),
    pick<() => AnyMade>([
      () => gaussianNoiseLayer({ stddev: 0.1 } as never),
      () => gaussianDropoutLayer({ rate: 0.2 } as never),
      () => alphaDropoutLayer({ rate: 0.2 } as never),
    ]),
    () => lib.timeDistributed(lib.dense({ units: 3, activation: 'tanh' })),
    () => lib.sequential([lib.dense({ units: 4 }), lib.dense({ units: 3, useBias: false })]),
  ])();
}

/** A layer that keeps the mask, and that TF.js computes as it should behind one. */
const onMasked = (): AnyMade =>
  pick<() => AnyMade>([
    () => recurrent({ returnSequences: true, isMasked: true }),
    () => lib.dropout({ rate: 0.1 }),
    () => lib.dense({ units: 3, activation: activation() }),
    () => lib.layerNormalization(),
    () => lib.timeDistributed(lib.dense({ units: 2 })),
  ])();

interface Case {
  readonly model: AnyModel;
  readonly x: readonly lib.NdArray[];
}

const numbers = (...shape: number[]): lib.NdArray => {
  const size = shape.reduce((product, n) => product * n, 1);
  return new lib.NdArray(
    Float32Array.from({ length: size }, () => 2 * random.nextUniform() - 1),
    shape,
  );
};

function sequenceCase(): Case {
  const hasIds = chance(0.4);
  const width = between(1, 5);
  const isMasked = chance(0.3);
  const hasFlatten = !isMasked && chance(0.2);
  const start = hasIds
    ? lib.embedding({ inputDim: 6, outputDim: width, maskZero: isMasked, inputShape: [24] })
    : isMasked
      ? lib.masking({ inputShape: [24, 3] })
      : lib.dense({ units: width, inputShape: [24, 3] });
  const middle = Array.from({ length: between(0, 3) }, () => (isMasked ? onMasked() : onSequence()));
  const ends = [() => recurrent({ returnSequences: false, isMasked }), () => lib.globalMaxPooling1d()];
  if (!isMasked)
    ends.push(
      () => lib.globalAveragePooling1d(),
      () => lib.globalMaxPooling1d(),
    );
  const end = hasFlatten ? lib.flatten() : pick(ends)();
  const model = lib.sequential([start, ...middle, end, lib.dense({ units: 2 })]);
  if (!hasIds) return { model, x: [numbers(3, 24, 3)] };
  const ids = Int32Array.from({ length: 72 }, () => random.nextUint32() % 6);
  const x = new lib.NdArray(ids, [3, 24]) as unknown as lib.NdArray;
  model.predict(x as never);
  return { model, x: [x] };
}

function imageCase(): Case {
  const padding = pick(['same', 'valid'] as const);
  const options = { kernelSize: pick([2, 3, [3, 2]] as const), padding, activation: activation(), ...initializers() };
  const { kernelInitializer, ...depthwise } = options;
  const layer = (): AnyMade =>
    pick<() => AnyMade>([
      () => images.conv2d({ filters: 3, ...options, strides: pick([1, 2]) }),
      () => images.conv2dTranspose({ filters: 2, ...options, strides: pick([1, 2]) }),
      () => images.depthwiseConv2d({ ...depthwise, depthMultiplier: 2 }),
      () => images.separableConv2d({ filters: 4, ...depthwise }),
      () => images.maxPooling2d({ poolSize: 2, padding }),
      () => images.averagePooling2d({ poolSize: 2, strides: 1 }),
      () => images.batchNormalization(),
      () =>
        images.zeroPadding2d({
          padding: [
            [1, 2],
            [0, 1],
          ],
        }),
      () =>
        images.cropping2d({
          cropping: [
            [1, 0],
            [0, 1],
          ],
        }),
      () => images.upSampling2d({ size: 2 }),
    ])();
  const isVideo = chance(0.2);
  const end = pick([() => lib.flatten(), () => images.globalAveragePooling2d(), () => images.globalMaxPooling2d()])();
  const first = isVideo
    ? images.convLstm2d({
        filters: 2,
        kernelSize: 3,
        padding,
        recurrentActivation: 'hardSigmoid2',
        inputShape: [3, 9, 9, 2],
      })
    : images.conv2d({ filters: 2, ...options, inputShape: [9, 9, 2] });
  const model = lib.sequential([first, layer(), ...(chance(0.5) ? [layer()] : []), end, lib.dense({ units: 3 })]);
  return { model, x: [isVideo ? numbers(2, 3, 9, 9, 2) : numbers(2, 9, 9, 2)] };
}

function functionalCase(): Case {
  const shared = lib.dense({ units: 4, activation: activation(), ...initializers() });
  const encoder = lib.lstm({ units: 3, returnState: true, recurrentActivation: 'hardSigmoid2' });
  const decoder = recurrent({ returnSequences: true, returnState: false, isMasked: false });
  const states = lib.lstm({ units: 3, returnSequences: true });
  const inner = lib.sequential([lib.dense({ units: 4, inputShape: [null, 4] }), lib.dense({ units: 4 })]);
  const [sum, join] = [pick([lib.add, lib.multiply, lib.average, lib.maximum, lib.minimum])(), lib.concatenate()];
  const [end, pool] = [lib.dense({ units: 2 }), pick([lib.globalMaxPooling1d, lib.globalAveragePooling1d])()];
  const layers = { shared, encoder, decoder, states, inner, sum, join, end, pool };
  const model = lib.model(
    { layers, inputs: [{ shape: [7, 3] }, { shape: [5, 3] }] },
    ([a, b]: [lib.Tensor, lib.Tensor], at) => {
      const [, h, c] = at.encoder(at.shared(a));
      const y = at.states(at.shared(b), { initialState: [h!, c!] });
      const mixed = at.join([y, at.sum([at.shared(b), at.inner(at.shared(b))])]);
      return [at.end(at.pool(at.decoder(mixed))), h!];
    },
  );
  return { model: model as unknown as AnyModel, x: [numbers(2, 7, 3), numbers(2, 5, 3)] };
}

const listOf = (y: unknown): { data: ArrayLike<number> }[] => (Array.isArray(y) ? y : [y]) as never;

function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const off = Math.abs(a[i]! - b[i]!) / (1 + Math.abs(a[i]!));
    worst = off <= worst ? worst : off;
  }
  return worst;
}

await lib.init();
await tf.setBackend('cpu');
let [differ, worst, refused] = [0, 0, 0];
for (let i = 0; i < count; i++) {
  const { model, x } = pick([sequenceCase, sequenceCase, sequenceCase, imageCase, functionalCase])();
  try {
    const given = (x.length === 1 ? x[0] : x) as never;
    const ours = listOf(model.predict(given));
    const theirs = await loadedByTfjs(exportTfjs(model));
    const tensors = x.map(({ data, shape }) => tf.tensor(data, [...shape]));
    const run = listOf(theirs.predict(tensors.length === 1 ? tensors[0]! : tensors)) as unknown as tf.Tensor[];
    const outputs = run.map((y) => y.dataSync());
    const back = importTfjs(await savedByTfjs(theirs));
    const again = listOf(back.predict(given));
    const found = Math.max(
      ...ours.map(({ data }, k) => Math.max(difference(data, outputs[k]!), difference(data, again[k]!.data))),
    );
    const [before, after] = [model, back].map(({ weights }) => weights.map((weight) => weight.toArray()));
    // A walk through the layers of another order gives the weights in another order.
    const sorted = (list: Float32Array[]): string[] => list.map((values) => values.join()).sort();
    const isSame = JSON.stringify(sorted(before!)) === JSON.stringify(sorted(after!));
    worst = Math.max(worst, found);
    if (!(found <= 1e-5) || !isSame || outputs.length !== ours.length) {
      differ++;
      console.log(`model ${i}: ${found} ${isSame ? '' : 'other weights'} ${JSON.stringify(model.network.config())}`);
    }
    for (const tensor of [...tensors, ...run]) tensor.dispose();
    theirs.dispose();
    back.dispose();
  } catch (error) {
    refused++;
    console.log(`model ${i}: ${(error as Error).message} ${JSON.stringify(model.network.config()).slice(0, 1500)}`);
  }
  model.dispose();
}
console.log(
  `${count} models, seed ${seed}: ${differ} differ, ${refused} refused, largest difference ${worst.toExponential(1)}`,
);
if (differ + refused > 0) process.exitCode = 1;
