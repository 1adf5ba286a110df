import { activation } from '../../../src/layers/activations/activation.ts';
import { additiveAttention, attention } from '../../../src/layers/attention.ts';
import { Sequential } from '../../../src/layers/base/sequential.ts';
import { conv1d } from '../../../src/layers/conv1d.ts';
import { dense } from '../../../src/layers/dense.ts';
import { dropout, spatialDropout1d } from '../../../src/layers/dropout.ts';
import { embedding } from '../../../src/layers/embedding.ts';
import { layerNormalization } from '../../../src/layers/layer-normalization.ts';
import { masking } from '../../../src/layers/masking.ts';
import { add, average, concatenate, maximum, minimum, multiply, subtract } from '../../../src/layers/merge.ts';
import { permute } from '../../../src/layers/permute.ts';
import {
  averagePooling1d,
  globalAveragePooling1d,
  globalMaxPooling1d,
  maxPooling1d,
} from '../../../src/layers/pooling.ts';
import { repeatVector } from '../../../src/layers/repeat-vector.ts';
import { flatten, reshape } from '../../../src/layers/reshape.ts';
import { lstm } from '../../../src/layers/rnn/lstm.ts';
import { timeDistributed } from '../../../src/layers/time-distributed.ts';
import * as reference from '../../reference/layers.ts';
import { type Elementwise, elementwise, type Mat, type Seq, type Vec } from '../../reference/layers.ts';
import { each, eachStep, type LayerCase } from './case.ts';

const SEQUENCE = { shape: [2, 5, 3] };
const MASK = [
  [1, 1, 1, 0, 0],
  [1, 0, 1, 1, 0],
];

const denseCases: LayerCase[] = (['linear', 'relu', 'tanh', 'sigmoid', 'softmax', 'softplus', 'elu'] as const).map(
  (name) => ({
    of: 'Dense',
    variant: name,
    inputs: SEQUENCE,
    make: () => dense({ units: 4, activation: name }),
    reference: (x, { kernel, bias }) => eachStep((row) => reference.dense(row, kernel, bias, name))(x),
  }),
);

const activationCases: LayerCase[] = (Object.keys(elementwise) as Elementwise[]).map((name) => ({
  of: 'Activation',
  variant: name,
  inputs: SEQUENCE,
  make: () => activation({ activation: name }),
  reference: eachStep((row) => row.map(elementwise[name])),
}));

const conv1dCases: LayerCase[] = [
  { strides: 1, padding: 'valid', dilation: 1 },
  { strides: 2, padding: 'valid', dilation: 1 },
  { strides: 1, padding: 'same', dilation: 2 },
  { strides: 2, padding: 'same', dilation: 1 },
  { strides: 1, padding: 'causal', dilation: 2 },
].map((options) => {
  const { strides, padding, dilation } = options as { strides: number; padding: 'same'; dilation: number };
  return {
    of: 'Conv1D',
    variant: `${padding}, strides ${strides}, dilation ${dilation}`,
    inputs: SEQUENCE,
    make: () => conv1d({ filters: 2, kernelSize: 3, strides, padding, dilationRate: dilation, activation: 'tanh' }),
    reference: (x, { kernel, bias }) =>
      each((sample) =>
        reference.conv1d(sample, kernel, bias, { strides, padding, dilation }).map((row) => row.map(Math.tanh)),
      )(x),
  } satisfies LayerCase;
});

const poolingCases: LayerCase[] = [
  { size: 2, strides: 2, padding: 'valid' },
  { size: 3, strides: 1, padding: 'valid' },
  { size: 3, strides: 2, padding: 'same' },
  { size: 2, strides: 3, padding: 'same' },
].flatMap((options) => {
  const windows = options as { size: number; strides: number; padding: 'valid' | 'same' };
  const { size: poolSize, strides, padding } = windows;
  const variant = `of ${poolSize}, strides ${strides}, ${padding}`;
  return [
    {
      of: 'MaxPooling1D',
      variant,
      inputs: SEQUENCE,
      make: () => maxPooling1d({ poolSize, strides, padding }),
      reference: each((x) => reference.pool(x, windows, 'max')),
    },
    {
      of: 'AveragePooling1D',
      variant,
      inputs: SEQUENCE,
      make: () => averagePooling1d({ poolSize, strides, padding }),
      reference: each((x) => reference.pool(x, windows, 'average')),
    },
  ];
});

const PAIR = [SEQUENCE, SEQUENCE, SEQUENCE];
const merged =
  (f: (values: Vec) => number) =>
  (inputs: Seq[]): Seq[] => [
    inputs[0]!.map((sample, b) => sample.map((row, t) => row.map((_, i) => f(inputs.map((x) => x[b]![t]![i]!))))),
  ];
const total = (v: Vec): number => v.reduce((sum, x) => sum + x, 0);

const mergeCases: LayerCase[] = [
  { of: 'Add', variant: 'of three', inputs: PAIR, make: () => add(), reference: merged(total) },
  {
    of: 'Subtract',
    variant: 'of two',
    inputs: PAIR.slice(1),
    make: () => subtract(),
    reference: merged(([a, b]) => a! - b!),
  },
  {
    of: 'Multiply',
    variant: 'of three',
    inputs: PAIR,
    make: () => multiply(),
    reference: merged((v) => v.reduce((product, x) => product * x, 1)),
  },
  {
    of: 'Average',
    variant: 'of three',
    inputs: PAIR,
    make: () => average(),
    reference: merged((v) => total(v) / v.length),
  },
  {
    of: 'Maximum',
    variant: 'of three',
    inputs: PAIR,
    make: () => maximum(),
    reference: merged((v) => Math.max(...v)),
  },
  {
    of: 'Minimum',
    variant: 'of three',
    inputs: PAIR,
    make: () => minimum(),
    reference: merged((v) => Math.min(...v)),
  },
  {
    of: 'Add',
    variant: 'of masked sequences, counts what one of them counts',
    inputs: [
      { ...SEQUENCE, mask: MASK },
      { ...SEQUENCE, mask: [MASK[1]!, MASK[0]!] },
    ],
    make: () => add(),
    reference: merged(total),
    outputMask: [
      [1, 1, 1, 1, 0],
      [1, 1, 1, 1, 0],
    ],
  },
  {
    of: 'Concatenate',
    variant: 'of features',
    inputs: [SEQUENCE, { shape: [2, 5, 2] }],
    make: () => concatenate(),
    reference: ([a, b]) => [(a as Seq).map((sample, s) => sample.map((row, t) => [...row, ...(b as Seq)[s]![t]!]))],
  },
  {
    of: 'Concatenate',
    variant: 'in time, joins masks',
    inputs: [{ ...SEQUENCE, mask: MASK }, { shape: [2, 2, 3] }],
    make: () => concatenate({ axis: 1 }),
    reference: ([a, b]) => [(a as Seq).map((sample, s) => [...sample, ...(b as Seq)[s]!])],
    outputMask: MASK.map((row) => [...row, 1, 1]),
  },
];

const dot = (q: Vec, k: Vec): number => q.reduce((sum, v, i) => sum + v * k[i]!, 0);
const QUERY = { shape: [2, 3, 4] };
const VALUE = { shape: [2, 5, 4] };
const attended =
  (
    score: (q: Vec, k: Vec, w: Record<string, never>) => number,
    options: object = {},
    giveWeights = false,
  ): LayerCase['reference'] =>
  ([q, v, k = v], w) => {
    const made = (q as Seq).map((query, b) => {
      const masks = options as { valueMask?: Mat; queryMask?: Mat; causal?: boolean };
      return reference.attention(query, v[b], k[b], (a, c) => score(a, c, w as never), {
        ...(masks.valueMask && { valueMask: masks.valueMask[b]! }),
        ...(masks.queryMask && { queryMask: masks.queryMask[b]! }),
        ...(masks.causal && { causal: true }),
      });
    });
    return giveWeights ? [made.map(({ y }) => y), made.map(({ weights }) => weights)] : [made.map(({ y }) => y)];
  };
const additive = (q: Vec, k: Vec, { scale }: Record<string, never>): number =>
  q.reduce((sum, v, i) => sum + ((scale as Vec | undefined)?.[i] ?? 1) * Math.tanh(v + k[i]!), 0);

const attentionCases: LayerCase[] = [
  {
    of: 'Attention',
    variant: 'of query and value',
    inputs: [QUERY, VALUE],
    make: () => attention(),
    reference: attended(dot),
  },
  {
    of: 'Attention',
    variant: 'of query, value and key, scaled, with its weights',
    inputs: [QUERY, { shape: [2, 5, 2] }, VALUE],
    make: () => attention({ useScale: true, returnAttentionScores: true }),
    reference: attended((q, k, { scale }) => (scale as number) * dot(q, k), {}, true),
  },
  {
    of: 'Attention',
    variant: 'of sums, scaled',
    inputs: [QUERY, VALUE],
    make: () => attention({ scoreMode: 'concat', useScale: true }),
    reference: attended(
      (q, k, { scale, concatScoreWeight }) =>
        (concatScoreWeight as number) * q.reduce((sum, v, i) => sum + Math.tanh((scale as number) * (v + k[i]!)), 0),
    ),
  },
  {
    of: 'Attention',
    variant: 'masked',
    inputs: [
      { ...QUERY, mask: [[1, 0, 1], [1, 1, 0]] }, // biome-ignore format: one row
      { ...VALUE, mask: MASK },
    ],
    make: () => attention(),
    reference: attended(dot, { queryMask: [[1, 0, 1], [1, 1, 0]], valueMask: MASK }), // biome-ignore format: one row
    outputMask: [[1, 0, 1], [1, 1, 0]], // biome-ignore format: one row
  },
  {
    of: 'Attention',
    variant: 'causal',
    inputs: [VALUE, VALUE],
    make: () => attention({ useCausalMask: true }),
    reference: attended(dot, { causal: true }),
  },
  {
    of: 'AdditiveAttention',
    variant: 'scaled',
    inputs: [QUERY, VALUE],
    make: () => additiveAttention(),
    reference: attended(additive),
  },
  {
    of: 'AdditiveAttention',
    variant: 'unscaled, masked',
    inputs: [QUERY, { ...VALUE, mask: MASK }],
    make: () => additiveAttention({ useScale: false }),
    reference: attended(additive, { valueMask: MASK }),
  },
];

export const simpleCases: LayerCase[] = [
  ...denseCases,
  {
    of: 'Dense',
    variant: 'without bias, of vectors',
    inputs: { shape: [3, 4] },
    make: () => dense({ units: 2, useBias: false }),
    reference: ([x], { kernel }) => [(x as Mat).map((row) => reference.dense(row, kernel, undefined))],
  },
  {
    of: 'Dense',
    variant: 'of a masked sequence, hands its mask on',
    inputs: { ...SEQUENCE, mask: MASK },
    make: () => dense({ units: 2 }),
    reference: (x, { kernel, bias }) => eachStep((row) => reference.dense(row, kernel, bias))(x),
    outputMask: MASK,
  },
  ...activationCases,
  {
    of: 'Embedding',
    variant: 'of ids',
    inputs: { shape: [2, 5], idsBelow: 4 },
    make: () => embedding({ inputDim: 4, outputDim: 3 }),
    reference: ([ids], { embeddings }) => [(ids as Mat).map((row) => row.map((id) => embeddings[id]))],
  },
  {
    of: 'Embedding',
    variant: 'with maskZero',
    inputs: { shape: [2, 3], idsBelow: 4, edit: (ids) => ids.set([1, 0, 2, 3, 3, 0]) },
    make: () => embedding({ inputDim: 4, outputDim: 3, maskZero: true }),
    reference: ([ids], { embeddings }) => [(ids as Mat).map((row) => row.map((id) => embeddings[id]))],
    outputMask: [[1, 0, 1], [1, 1, 0]], // biome-ignore format: one row
  },
  {
    of: 'Masking',
    variant: 'of zeros, where every feature is',
    inputs: { shape: [1, 3, 2], edit: (x) => x.set([0, 0, 0, 0.5], 2) },
    make: () => masking(),
    reference: ([x]) => [[[x[0][0], x[0][1].map(() => 0), x[0][2]]]],
    outputMask: [[1, 0, 1]],
  },
  {
    of: 'Masking',
    variant: 'of another value, which becomes 0',
    inputs: { shape: [1, 3, 2], edit: (x) => x.set([-9, -9, -9, 1], 2) },
    make: () => masking({ maskValue: -9 }),
    reference: ([x]) => [[[x[0][0], x[0][1].map(() => 0), x[0][2]]]],
    outputMask: [[1, 0, 1]],
  },
  {
    of: 'LayerNormalization',
    variant: 'centred and scaled',
    inputs: { shape: [2, 5, 4] },
    make: () => layerNormalization(),
    reference: (x, { gamma, beta }) => eachStep((row) => reference.layerNormalization(row, gamma, beta, 1e-3))(x),
  },
  {
    of: 'LayerNormalization',
    variant: 'alone, with an epsilon',
    inputs: { shape: [2, 5, 4] },
    make: () => layerNormalization({ center: false, scale: false, epsilon: 0.1 }),
    reference: eachStep((row) => reference.layerNormalization(row, undefined, undefined, 0.1)),
  },
  {
    of: 'Dropout',
    variant: 'outside training',
    inputs: SEQUENCE,
    make: () => dropout({ rate: 0.5 }),
    reference: ([x]) => [x],
  },
  {
    of: 'SpatialDropout1D',
    variant: 'outside training',
    inputs: SEQUENCE,
    make: () => spatialDropout1d({ rate: 0.5 }),
    reference: ([x]) => [x],
  },
  {
    of: 'RepeatVector',
    variant: 'three times',
    inputs: { shape: [2, 4] },
    make: () => repeatVector({ n: 3 }),
    reference: ([x]) => [(x as Mat).map((row) => [row, row, row])],
  },
  {
    of: 'Flatten',
    variant: 'of sequences',
    inputs: SEQUENCE,
    make: () => flatten(),
    reference: ([x]) => [(x as Seq).map((sample) => sample.flat())],
  },
  {
    of: 'Reshape',
    variant: 'with a length to work out',
    inputs: { shape: [2, 4, 3] },
    make: () => reshape({ targetShape: [-1, 2] }),
    reference: ([x]) => [(x as Seq).map((sample) => sample.flat())],
  },
  {
    of: 'Permute',
    variant: 'of time and features',
    inputs: SEQUENCE,
    make: () => permute({ dims: [2, 1] }),
    reference: each((x) => x[0]!.map((_, f) => x.map((row) => row[f]!))),
  },
  ...conv1dCases,
  ...poolingCases,
  {
    of: 'GlobalMaxPooling1D',
    variant: 'over time',
    inputs: SEQUENCE,
    make: () => globalMaxPooling1d(),
    reference: each((x) => x[0]!.map((_, f) => Math.max(...x.map((row) => row[f]!)))),
  },
  {
    of: 'GlobalAveragePooling1D',
    variant: 'over time',
    inputs: SEQUENCE,
    make: () => globalAveragePooling1d(),
    reference: each((x) => x[0]!.map((_, f) => total(x.map((row) => row[f]!)) / x.length)),
  },
  {
    of: 'GlobalAveragePooling1D',
    variant: 'over the steps that count',
    inputs: { ...SEQUENCE, mask: MASK },
    make: () => globalAveragePooling1d(),
    reference: each((x, b) => x[0]!.map((_, f) => total(x.map((row, t) => MASK[b]![t]! * row[f]!)) / total(MASK[b]!))),
  },
  ...mergeCases,
  ...attentionCases,
  {
    of: 'Sequential',
    variant: 'of two layers, hands a mask through',
    inputs: { ...SEQUENCE, mask: MASK },
    make() {
      const stack = new Sequential([dense({ units: 4, activation: 'tanh' }), dense({ units: 2 })]);
      stack.setScope('');
      return stack;
    },
    reference: (x, weights) =>
      eachStep((row) => {
        const inner = reference.dense(row, weights['dense/kernel'], weights['dense/bias'], 'tanh');
        return reference.dense(inner, weights['dense_1/kernel'], weights['dense_1/bias']);
      })(x),
    outputMask: MASK,
  },
  {
    of: 'TimeDistributed',
    variant: 'of dense',
    inputs: { ...SEQUENCE, mask: MASK },
    make: () => timeDistributed(dense({ units: 2, activation: 'tanh' })),
    reference: (x, { kernel, bias }) => eachStep((row) => reference.dense(row, kernel, bias, 'tanh'))(x),
    outputMask: MASK,
  },
  {
    of: 'TimeDistributed',
    variant: 'of flatten',
    inputs: { shape: [2, 3, 2, 2] },
    make: () => timeDistributed(flatten()),
    reference: each((x) => x.map((frame) => (frame as unknown as Mat).flat())),
  },
  {
    of: 'TimeDistributed',
    variant: 'of a recurrent layer',
    inputs: { shape: [2, 3, 4, 2] },
    make: () => timeDistributed(lstm({ units: 3 })),
    reference: ([x], weights) => [
      (x as Seq[]).map((sample) =>
        sample.map(
          (sequence) =>
            reference.walk(
              sequence,
              (row, states) => {
                const next = reference.steps.lstm(row, states, weights as never, {});
                return { output: next[0]!, states: next };
              },
              { widths: [3, 3] },
            ).last,
        ),
      ),
    ],
  },
];
