// node --import tsx acceptance/keras/random-models.ts COUNT SEED [OUT]
// Random models: tapeloop → .keras → tapeloop gives weights of the same bits and outputs within 1e-5. With OUT, the
// archives are kept there with input and output, for check.py, which loads them by Keras's rules with h5py and numpy.
import { mkdirSync, writeFileSync } from 'node:fs';
import { batchNormalization } from '../../src/images.ts';
import * as lib from '../../src/index.ts';
import { reluLayer, softmaxLayer } from '../../src/keras/layers/activation-layers.ts';
import { dotLayer } from '../../src/keras/layers/dot.ts';
import { alphaDropoutLayer, gaussianNoiseLayer } from '../../src/keras/layers/noise.ts';
import { groupNormalizationLayer, unitNormalizationLayer } from '../../src/keras/layers/normalizations.ts';
import { exportKeras, importKeras } from '../../src/keras.ts';
import { prelu } from '../../src/layers/activations/prelu.ts';
import { drawsOf } from '../draws.ts';

const [count, first, out] = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 1), process.argv[4]];
if (out) mkdirSync(out, { recursive: true });

// biome-ignore lint/suspicious/noExplicitAny: the layers of one list differ.
type AnyOne = any;

function modelOf(random: lib.RandomStream): { model: lib.Model; shape: number[] } {
  const { between, pick } = drawsOf(random);
  const below = (n: number): number => between(0, n - 1);
  const flip = (): boolean => below(2) === 0;
  const units = (): number => 1 + below(5);
  const shape = [3 + below(4), 1 + below(3)];
  const own = () => ({ activation: pick(['tanh', 'relu', 'sigmoid', 'softsign'] as const), useBias: flip() });
  const cellOf = (): AnyOne =>
    pick([lib.lstmCell, lib.gruCell, lib.simpleRnnCell])({ units: units(), ...own() } as never);
  const recurrent = (returnSequences: boolean): AnyOne => {
    const options = { units: units(), returnSequences, goBackwards: below(4) === 0, ...own() };
    const kind = below(3);
    if (kind === 0) return lib.lstm({ ...options, recurrentActivation: pick(['sigmoid', 'hardSigmoid'] as const) });
    if (kind === 1) return lib.gru({ ...options, resetAfter: flip() });
    return lib.simpleRnn(options);
  };
  const other = (): AnyOne =>
    pick([
      () => gaussianNoiseLayer({ stddev: 0.1 } as never),
      () => alphaDropoutLayer({ rate: 0.2 } as never),
      () => groupNormalizationLayer({ groups: pick([1, -1]), scale: flip() }),
      () => unitNormalizationLayer({ axis: pick([1, -1]) }),
      () => prelu({ sharedAxes: [1] }),
      () => reluLayer({ threshold: 0.1, negativeSlope: 0.2, maxValue: 0.7 }),
      () => softmaxLayer({ axis: pick([1, -1]) }),
    ])();
  const sequence = (): AnyOne => {
    const kind = below(12);
    if (kind === 11) return other();
    if (kind < 3) return recurrent(true);
    if (kind === 3) {
      const inner = pick([lib.lstm, lib.gru, lib.simpleRnn] as const)({
        units: units(),
        returnSequences: true,
        ...own(),
      } as never);
      return lib.bidirectional(inner as AnyOne, { mergeMode: pick(['concat', 'sum', 'mul', 'ave'] as const) });
    }
    if (kind === 4) return lib.rnn([cellOf(), cellOf()], { returnSequences: true });
    if (kind === 5) return lib.timeDistributed(lib.dense({ units: units(), ...own() }));
    if (kind === 6) return batchNormalization({ scale: flip() });
    if (kind === 7) return lib.layerNormalization({ center: flip() });
    if (kind === 8)
      return lib.conv1d({
        filters: units(),
        kernelSize: 1 + below(3),
        padding: pick(['same', 'causal'] as const),
        ...own(),
      });
    if (kind === 9) return lib.dropout({ rate: 0.3 });
    return lib.timeDistributed(
      lib.sequential([lib.dense({ units: units() }), lib.activation({ activation: 'tanh' })]) as AnyOne,
    );
  };
  const layers = Array.from({ length: 1 + below(4) }, sequence);
  if (flip()) {
    const list = [...layers, recurrent(false), lib.dense({ units: units() })];
    return { model: lib.sequential([lib.sequential(list.slice(0, 1)), ...list.slice(1)] as AnyOne), shape };
  }
  // Branches that join.
  const [a, b, head] = [recurrent(false), recurrent(false), lib.dense({ units: units() })];
  const isSame = a.units === b.units && below(2) === 0;
  const join = isSame
    ? pick([() => lib.maximum(), () => lib.minimum(), () => dotLayer({ axes: 1 })])()
    : lib.concatenate();
  const named = Object.fromEntries(layers.map((layer, i) => [`body${i}`, layer]));
  const model = lib.model(
    { layers: { head, b, ...named, join, a }, inputs: { shape } } as AnyOne,
    ((x: lib.Tensor) => {
      let y = x;
      for (const layer of layers) y = layer(y);
      return head((join as AnyOne)([a(y), b(x)]));
    }) as AnyOne,
  ) as AnyOne;
  return { model, shape };
}

let failures = 0;
let largest = 0;
for (let seed = first; seed < first + count; seed++) {
  const random = new lib.RandomStream(seed);
  lib.setSeed(seed);
  const { model, shape } = modelOf(random);
  try {
    model.network.build([null, ...shape] as never);
    const x = lib.ndarray(
      Float32Array.from({ length: 2 * shape[0]! * shape[1]! }, () => 2 * random.nextUniform() - 1),
      [2, ...shape],
    );
    for (const weight of model.weights) {
      weight.assign(
        Float32Array.from(
          { length: weight.size },
          () => 0.1 + random.nextUniform() - (weight.name.includes('variance') ? 0 : 0.5),
        ),
      );
    }
    const y = model.predict(x);
    const bytes = exportKeras(model);
    const back = importKeras(bytes);
    const values = (each: lib.Model) =>
      each.weights
        .map((weight) => [...weight.toArray()].join())
        .sort()
        .join('|');
    if (values(back) !== values(model)) throw new Error('weights differ');
    const z = back.predict(x);
    const difference = Math.max(...[...y.data].map((value, i) => Math.abs(value - z.data[i]!)));
    largest = Math.max(largest, difference);
    if (!(difference <= 1e-5)) throw new Error(`outputs differ by ${difference}`);
    if (out) {
      writeFileSync(`${out}/${seed}.keras`, bytes);
      writeFileSync(`${out}/${seed}.json`, JSON.stringify({ x: [...x.data], dims: x.shape, y: [...y.data] }));
    }
    back.dispose();
  } catch (error) {
    failures++;
    if (failures < 9) console.log(`seed ${seed}: ${(error as Error).message}`);
  }
  model.dispose();
}
console.log(
  `${count} models, seeds ${first} to ${first + count - 1}: ${failures} failed, largest difference of outputs ${largest.toExponential(1)}`,
);
process.exitCode = failures === 0 ? 0 : 1;
