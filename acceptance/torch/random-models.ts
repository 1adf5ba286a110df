// node --import tsx acceptance/torch/random-models.ts [COUNT] [SEED] [PYTHON]
// Random models of layers as modules of PyTorch: run there, saved there, and read again. Outputs to 1e-5 relative to
// 1 + |value|, weights with the same bits. PYTHON has torch 1.13 or newer.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as images from '../../src/images.ts';
import * as lib from '../../src/index.ts';
import { eluLayer, leakyReluLayer, reluLayer, softmaxLayer } from '../../src/keras/layers/activation-layers.ts';
import { alphaDropoutLayer, gaussianDropoutLayer, gaussianNoiseLayer } from '../../src/keras/layers/noise.ts';
import { groupNormalizationLayer, unitNormalizationLayer } from '../../src/keras/layers/normalizations.ts';
import { prelu } from '../../src/layers/activations/prelu.ts';
import type { Model } from '../../src/models/model.ts';
import { encodeCheckpoint, exportTorch, loadStateDict } from '../../src/torch.ts';
import { drawsOf } from '../draws.ts';

const [count, seed, python = '/usr/bin/python3'] = [
  Number(process.argv[2] ?? 200),
  Number(process.argv[3] ?? 1),
  process.argv[4],
];
const random = new lib.RandomStream(seed);
const { between, pick, chance } = drawsOf(random);
const activation = () =>
  pick([
    ...(['linear', 'relu', 'tanh', 'sigmoid', 'elu', 'gelu', 'geluTanh', 'silu', 'softsign', 'softplus'] as const),
    ...(['leakyRelu', 'selu', 'celu', 'hardSigmoid', 'hardSigmoid2', 'hardSilu', 'mish', 'logSigmoid'] as const),
    ...(['hardTanh', 'tanhShrink', 'softShrink', 'hardShrink', 'squareplus', 'softmax', 'logSoftmax'] as const),
    ...(['relu6', 'exponential'] as const),
  ]);

// biome-ignore lint/suspicious/noExplicitAny: the layers of a model have many types.
type Make = () => any;

function recurrent(returnSequences: boolean, isStateful: boolean): Make {
  const units = between(2, 7);
  const options = { units, returnSequences, useBias: chance(0.8), stateful: isStateful };
  const kind = pick(['lstm', 'gru', 'simpleRnn'] as const);
  const own = {
    ...(kind === 'simpleRnn' && chance(0.5) && { activation: 'relu' as const }),
    ...(kind === 'lstm' && chance(0.3) && { projSize: units - 1 }),
  };
  const make = { lstm: lib.lstm, gru: lib.gru, simpleRnn: lib.simpleRnn }[kind] as (given: object) => never;
  if (chance(0.35)) {
    const mergeMode = pick(['concat', 'sum', 'mul', 'ave'] as const);
    return () => lib.bidirectional(make({ ...options, ...own }), { mergeMode });
  }
  const goBackwards = chance(0.3);
  return () => make({ ...options, ...own, goBackwards });
}

const padding = () => pick(['same', 'valid'] as const);

/** A layer from a sequence to a sequence. */
function onSequence(isStateful: boolean): Make {
  const [pads, dilationRate] = [pick(['same', 'causal', 'valid'] as const), pick([1, 2])];
  const [epsilon, act, center, scale, useBias] = [
    pick([1e-3, 1e-5]),
    activation(),
    chance(0.7),
    chance(0.7),
    chance(0.7),
  ];
  const [p, groups] = [padding(), pick([1, 2])];
  return pick<Make>([
    recurrent(true, isStateful),
    recurrent(true, isStateful),
    recurrent(true, isStateful),
    () => lib.dense({ units: 5, activation: act, useBias }),
    () =>
      lib.sequential([
        lib.dense({ units: 4 }),
        lib.conv1d({ filters: 4, kernelSize: 3, padding: pads, dilationRate, groups, useBias }),
      ]),
    () => lib.conv1d({ filters: 4, kernelSize: 2, strides: 2, padding: 'same', activation: act }),
    () => lib.maxPooling1d({ poolSize: 2, padding: p }),
    () => lib.averagePooling1d({ poolSize: 3, strides: 2, padding: p }),
    () => lib.layerNormalization({ epsilon, center, scale }),
    () => images.batchNormalization({ epsilon, center, scale }),
    () => lib.dropout({ rate: 0.2 }),
    () => lib.spatialDropout1d({ rate: 0.2 }),
    () => lib.activation({ activation: act }),
    () => lib.timeDistributed(lib.dense({ units: 3, activation: act })),
    () => images.separableConv1d({ filters: 4, kernelSize: 3, padding: p, depthMultiplier: 2 }),
    () => images.upSampling1d({ size: 2 }),
    () => images.zeroPadding1d({ padding: [1, 2] }),
    () => images.cropping1d({ cropping: [1, 0] }),
    () => images.rescaling({ scale: 0.5, offset: 0.25 }),
    () => groupNormalizationLayer({ groups: pick([1, -1]), epsilon, center, scale }),
    () => unitNormalizationLayer({ axis: pick([1, -1]) }),
    () => prelu(pick([{}, { sharedAxes: [1] }])),
    () => reluLayer({ threshold: 0.1, negativeSlope: 0.2, maxValue: 0.7 }),
    () => pick([eluLayer, leakyReluLayer, softmaxLayer])({}),
    pick<Make>([
      () => gaussianNoiseLayer({ stddev: 0.1 } as never),
      () => gaussianDropoutLayer({ rate: 0.2 } as never),
      () => alphaDropoutLayer({ rate: 0.2 } as never),
    ]),
  ]);
}

function onImage(): Make {
  const [p, act, useBias] = [padding(), activation(), chance(0.7)];
  const dilationRate = pick([1, 2]);
  return pick<Make>([
    () => images.conv2d({ filters: 3, kernelSize: [3, 2], padding: p, activation: act, useBias, dilationRate }),
    () => images.conv2d({ filters: 4, kernelSize: 2, strides: 2, padding: p }),
    () => images.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, padding: p, useBias }),
    () => images.separableConv2d({ filters: 3, kernelSize: 2, padding: p, useBias }),
    () => images.maxPooling2d({ poolSize: 2, padding: p }),
    () => images.averagePooling2d({ poolSize: 2, padding: p }),
    () => images.batchNormalization(),
    () => images.upSampling2d({ size: [1, 2] }),
    () =>
      images.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 1],
        ],
      }),
    () =>
      images.cropping2d({
        cropping: [
          [1, 0],
          [0, 1],
        ],
      }),
    () => images.spatialDropout2d({ rate: 0.2 }),
  ]);
}

interface Case {
  readonly model: Model;
  readonly shape: readonly number[];
  readonly ids: number;
  readonly isStateful: boolean;
}

function randomCase(): Case {
  if (chance(0.2)) {
    const middle = Array.from({ length: between(1, 3) }, onImage);
    const end: Make[] = chance(0.5)
      ? [() => lib.flatten(), () => lib.dense({ units: 3 })]
      : [pick<Make>([() => images.globalAveragePooling2d(), () => images.globalMaxPooling2d()])];
    const first = images.conv2d({ filters: 4, kernelSize: 2, inputShape: [12, 13, 2] });
    return {
      model: lib.sequential([first, ...[...middle, ...end].map((make) => make())]) as Model,
      shape: [3, 12, 13, 2],
      ids: 0,
      isStateful: false,
    };
  }
  const hasIds = chance(0.3);
  const isStateful = chance(0.2);
  const width = between(1, 5);
  const start: Make = hasIds
    ? () => lib.embedding({ inputDim: 6, outputDim: width })
    : () => lib.dense({ units: width, batchInputShape: [isStateful ? 3 : null, null, 3] });
  const middle = Array.from({ length: between(0, 3) }, () => onSequence(isStateful));
  const end = pick<Make>([
    recurrent(false, isStateful),
    recurrent(false, isStateful),
    () => lib.globalAveragePooling1d(),
    () => lib.globalMaxPooling1d(),
    () =>
      lib.sequential([
        recurrent(false, isStateful)(),
        lib.repeatVector({ n: 2 }),
        lib.permute({ dims: [2, 1] }),
        lib.flatten(),
      ]),
  ]);
  const model = lib.sequential([start(), ...middle.map((make) => make()), end(), lib.dense({ units: 2 })]) as Model;
  return { model, shape: hasIds ? [3, 24] : [3, 24, 3], ids: hasIds ? 6 : 0, isStateful };
}

await lib.init();
const folder = mkdtempSync(join(tmpdir(), 'torch-'));
const cases = new Map<string, { model: Model; outputs: Float32Array[]; weights: Float32Array[]; names: object }>();
let [differ, worst, refused] = [0, 0, 0];
for (let i = 0; i < count; i++) {
  const { model, shape, ids, isStateful } = randomCase();
  const name = `model_${String(i).padStart(4, '0')}`;
  try {
    // Biases and statistics that are not 0 and 1.
    for (const weight of model.weights) {
      const isPositive = /moving_variance$/.test(weight.name);
      weight.assign(weight.toArray().map((value) => value + (isPositive ? 1 : 0.6) * (random.nextUniform() - 0.5)));
    }
    const inputs = Array.from({ length: isStateful ? 2 : 1 }, () => {
      const size = shape.reduce((product, n) => product * n, 1);
      const data = Array.from({ length: size }, () =>
        ids ? between(0, ids - 1) : Math.fround(2 * random.nextUniform() - 1),
      );
      return { shape, ids: ids > 0, data };
    });
    const last = model.layers.at(-1)!;
    const names = last.weights.length > 0 ? { [pick(['fc', 'head.0', 'decoder.out'])]: last.name } : {};
    writeFileSync(join(folder, `${name}.py`), exportTorch(model, { names }));
    writeFileSync(join(folder, `${name}.pt`), encodeCheckpoint(model, { names }));
    writeFileSync(join(folder, `${name}.in.json`), JSON.stringify(inputs));
    const outputs = inputs.map(({ data }) => {
      const values = ids ? Int32Array.from(data) : Float32Array.from(data);
      return model.predict(lib.ndarray(values as Float32Array, [...shape])).data as Float32Array;
    });
    cases.set(name, { model, outputs, weights: model.weights.map((weight) => weight.toArray()), names });
  } catch (error) {
    refused++;
    console.log(`${name}: ${(error as Error).message}`);
  }
}
const ran = spawnSync(python, [join(import.meta.dirname, 'run.py'), folder], { stdio: 'inherit' });
if (ran.status !== 0) throw new Error(`${python} ended with ${ran.status}`);
for (const [name, { model, outputs, weights, names }] of cases) {
  const result = JSON.parse(readFileSync(join(folder, `${name}.out.json`), 'utf8'));
  const describe = (): string => JSON.stringify(model.network.config());
  if (result.error) {
    differ++;
    console.log(`${name}: ${result.error} ${describe()}`);
    continue;
  }
  let found = 0;
  outputs.forEach((expected, i) => {
    const { data } = result.outputs[i] as { data: number[] };
    expected.forEach((value, at) => {
      const difference = Math.abs(data[at]! - value) / (1 + Math.abs(value));
      if (!(difference <= found)) found = difference;
    });
  });
  for (const weight of model.weights) weight.assign(new Float32Array(weight.size).fill(9));
  loadStateDict(model, readFileSync(join(folder, `${name}.back.pt`)), {
    flatten: 'channelsLast',
    names: names as never,
  });
  const bits = (values: Float32Array): string => new Int32Array(values.slice().buffer).join();
  const isSame = model.weights.every((weight, i) => bits(weight.toArray()) === bits(weights[i]!));
  worst = Math.max(worst, found);
  if (!(found <= 1e-5) || !isSame) {
    differ++;
    console.log(`${name}: ${found} ${isSame ? '' : 'other weights'} ${describe()}`);
  }
}
rmSync(folder, { recursive: true });
console.log(
  `${count} models, seed ${seed}: ${differ} differ, ${refused} refused, largest difference ${worst.toExponential(1)}`,
);
if (differ + refused > 0) process.exitCode = 1;
