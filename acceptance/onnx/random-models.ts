// node --import tsx acceptance/onnx/random-models.ts [COUNT] [SEED]
// Random models of layers, exported: run by ONNX Runtime and read again by importOnnx. Outputs to 1e-5 relative to
// 1 + |value|, weights with the same bits. First: npm ci --prefix acceptance/onnx
import * as ort from 'onnxruntime-node';
import * as images from '../../src/images.ts';
import * as lib from '../../src/index.ts';
import type { AnyModel } from '../../src/models/model.ts';
import { differenceOf } from '../../src/onnx/export/infer.ts';
import { readModelProto } from '../../src/onnx/format/messages.ts';
import { tensorData } from '../../src/onnx/format/tensor-data.ts';
import { exportOnnx, importOnnx, onnxSession } from '../../src/onnx.ts';
import { layerNormLstmCell } from '../../src/sequences.ts';
import type { ExportedCase } from '../../test/onnx/exported-models.ts';
import { builtModel, inputsOf } from '../../test/onnx/exported-runs.ts';
import { drawsOf } from '../draws.ts';

const [count, seed] = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 1)];
const random = new lib.RandomStream(seed);
const { between, pick, chance } = drawsOf(random);
const activation = () =>
  pick(['linear', 'relu', 'tanh', 'sigmoid', 'elu', 'gelu', 'silu', 'softsign', 'softplus', 'leakyRelu'] as const);

// biome-ignore lint/suspicious/noExplicitAny: the layers of a model have many types.
type Make = () => any;

function recurrent(returnSequences: boolean): Make {
  const options = {
    units: between(1, 7),
    returnSequences,
    useBias: chance(0.8),
    ...(chance(0.3) && { activation: activation() }),
    ...(chance(0.2) && { zeroOutputForMask: true }),
  };
  const kind = pick(['lstm', 'gru', 'simpleRnn', 'cells', 'norm'] as const);
  const goBackwards = chance(0.3);
  if (kind === 'cells') {
    return () =>
      lib.rnn([lib.lstmCell({ units: options.units }), lib.gruCell({ units: 3 })], { returnSequences, goBackwards });
  }
  if (kind === 'norm')
    return () => lib.rnn(layerNormLstmCell({ units: options.units }), { returnSequences, goBackwards });
  const own = { ...(kind === 'gru' && { resetAfter: chance(0.5) }), ...(kind === 'lstm' && { peephole: chance(0.3) }) };
  const make = { lstm: lib.lstm, gru: lib.gru, simpleRnn: lib.simpleRnn }[kind] as (given: object) => never;
  if (chance(0.3)) {
    const mergeMode = pick(['concat', 'sum', 'mul', 'ave'] as const);
    return () => lib.bidirectional(make({ ...options, ...own }), { mergeMode });
  }
  return () => make({ ...options, ...own, goBackwards });
}

/** A layer from a sequence to a sequence. */
function onSequence(): Make {
  const [padding, dilationRate] = [pick(['same', 'causal', 'valid'] as const), pick([1, 2])];
  const epsilon = pick([1e-3, 1e-5]);
  return pick<Make>([
    recurrent(true),
    recurrent(true),
    () => lib.dense({ units: 5, activation: 'gelu' }),
    () => lib.conv1d({ filters: 6, kernelSize: 3, padding, dilationRate }),
    () => lib.conv1d({ filters: 4, kernelSize: 2, strides: 2, padding: 'same', activation: 'relu' }),
    () => lib.maxPooling1d({ poolSize: 2, padding: 'same' }),
    () => lib.averagePooling1d({ poolSize: 3, strides: 2 }),
    () => lib.layerNormalization({ epsilon }),
    () => images.batchNormalization(),
    () => lib.dropout({ rate: 0.2 }),
    () => lib.timeDistributed(lib.dense({ units: 3, activation: 'tanh' })),
    () => images.separableConv1d({ filters: 4, kernelSize: 3, padding: 'same' }),
    () => images.upSampling1d({ size: 2 }),
    () => images.zeroPadding1d({ padding: 2 }),
  ]);
}

function randomCase(i: number): ExportedCase {
  const hasIds = chance(0.4);
  const width = between(1, 5);
  const isMasked = chance(0.5);
  const start: Make = hasIds
    ? () => lib.embedding({ inputDim: 6, outputDim: width, maskZero: isMasked })
    : () => lib.dense({ units: width, inputShape: [null, 3] });
  const middle = Array.from({ length: between(0, 3) }, onSequence);
  const end = pick<Make>([recurrent(false), () => lib.globalAveragePooling1d(), () => lib.globalMaxPooling1d()]);
  return {
    name: `model ${i}`,
    inputs: [hasIds ? [[3, 24], 6] : [[3, 24, 3]]],
    make: () => lib.sequential([start(), ...middle.map((make) => make()), end(), lib.dense({ units: 2 })]) as AnyModel,
  };
}

/** Whether every value of `weights` is among the initializers of the file, as often. */
function holds(bytes: Uint8Array, weights: readonly Float32Array[]): boolean {
  const left = new Map<number, number>();
  for (const proto of readModelProto(bytes).graph!.initializer!) {
    if (proto.dataType !== 1) continue;
    for (const x of tensorData(proto).data as Float32Array) left.set(x, (left.get(x) ?? 0) + 1);
  }
  return weights.every((each) =>
    each.every((x) => {
      left.set(x, (left.get(x) ?? 0) - 1);
      return left.get(x)! >= 0;
    }),
  );
}

await lib.init();
let [differ, worst, refused] = [0, 0, 0];
for (let i = 0; i < count; i++) {
  const each = randomCase(i);
  try {
    const [input] = inputsOf(each);
    const { model, outputs } = builtModel(each);
    const bytes = exportOnnx(model);
    const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
    const feed = new ort.Tensor(input!.isIds ? 'int32' : 'float32', input!.data as Float32Array, [...input!.shape]);
    const { output } = await session.run({ input: feed });
    await session.release();
    const again = importOnnx(bytes);
    const back = onnxSession(again).run({ input: { data: input!.data, shape: input!.shape } });
    const found = Math.max(
      differenceOf(outputs[0]!, { shape: output!.dims, data: output!.data as Float32Array }),
      differenceOf(outputs[0]!, back.output as never),
    );
    const isSame = holds(
      bytes,
      model.weights.map((weight) => weight.toArray()),
    );
    worst = Math.max(worst, found);
    if (!(found <= 1e-5) || !isSame) {
      differ++;
      const what = isSame ? '' : 'other weights';
      console.log(`${each.name}: ${found} ${what} ${JSON.stringify(model.network.config())}`);
    }
    model.dispose();
    again.dispose();
  } catch (error) {
    refused++;
    console.log(`${each.name}: ${(error as Error).message}`);
  }
}
console.log(
  `${count} models, seed ${seed}: ${differ} differ, ${refused} refused, largest difference ${worst.toExponential(1)}`,
);
if (differ + refused > 0) process.exitCode = 1;
