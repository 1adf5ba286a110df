// Values that a mask leaves out may be NaN, ∞ or huge: every layer gives the same bits as with zeros there, forward and
// backward.
import { beforeEach, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { Tensor, tensor } from '../../src/autograd/tensor.ts';
import { lstmCell as fusedLstm } from '../../src/cells/lstm.ts';
import { sizeOf } from '../../src/checks/shape.ts';
import { setSeed } from '../../src/engine/random.ts';
import { activation } from '../../src/layers/activations/activation.ts';
import type { AnyLayer, Layer } from '../../src/layers/base/layer.ts';
import { Sequential } from '../../src/layers/base/sequential.ts';
import { conv1d } from '../../src/layers/conv1d.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout, spatialDropout1d } from '../../src/layers/dropout.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { layerNormalization } from '../../src/layers/layer-normalization.ts';
import { permute } from '../../src/layers/permute.ts';
import { averagePooling1d, globalMaxPooling1d, maxPooling1d } from '../../src/layers/pooling.ts';
import { flatten, reshape } from '../../src/layers/reshape.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm, lstmCell } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { add, attention, mul, recurrence, sum } from '../../src/ops/index.ts';
import { expectSameBits } from '../kernels/compare.ts';
import { integers, values } from '../kernels/reference/values.ts';
import { exchanged } from '../ops/cases/case.ts';
import type { CaseInput, LayerCase } from './cases/case.ts';
import { imageCases } from './cases/images.ts';
import { recurrentCases } from './cases/recurrent.ts';
import { simpleCases } from './cases/simple.ts';

const BAD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, 1e20];

/** Values of an input, but for what its mask leaves out. */
function filledIn({ shape, mask, idsBelow }: CaseInput, i: number, hidden: (at: number) => number): Float32Array {
  const x = idsBelow ? Float32Array.from(integers(sizeOf(shape), idsBelow, i)) : values(sizeOf(shape), i + 1);
  const kept = mask?.flat();
  if (!kept || idsBelow) return x;
  return x.map((value, at) => (kept[Math.floor((at * kept.length) / x.length)] ? value : hidden(at)));
}

type Case = Pick<LayerCase, 'make' | 'inputs' | 'call' | 'initialState'>;

/** Outputs, and gradients of weights, initial states and of what masks leave in. */
function run(c: Case, hidden: (at: number) => number, timeMajor: boolean): Map<string, ArrayLike<number>> {
  setSeed(3);
  const list = (Array.isArray(c.inputs) ? c.inputs : [c.inputs]) as CaseInput[];
  const layer = c.make();
  layer.build(Array.isArray(c.inputs) ? list.map(({ shape }) => shape) : list[0]!.shape);
  layer.weights.forEach((weight, i) => weight.assign(values(weight.size, 100 + i, 0.8)));
  const inputs = list.map((input, i) => {
    const x = tensor(filledIn(input, i, hidden), { shape: input.shape, dtype: input.idsBelow ? 'i32' : 'f32' });
    const placed = timeMajor && input.shape.length > 2 ? exchanged(x) : x;
    if (input.mask) placed.mask = timeMajor ? exchanged(tensor(input.mask)) : tensor(input.mask);
    return placed;
  });
  const initialState = c.initialState?.map((shape, i) => tensor(values(sizeOf(shape), 50 + i), { shape }));
  const results = new Map<string, ArrayLike<number>>();
  const wrt = [...inputs.filter(({ dtype }) => dtype === 'f32'), ...(initialState ?? []), ...layer.weights];
  const { grads } = valueAndGrad(() => {
    const options = { ...c.call, ...(initialState && { initialState }) };
    const made = layer(Array.isArray(c.inputs) ? inputs : inputs[0]!, options);
    const outputs: Tensor[] = made instanceof Tensor ? [made] : made;
    outputs.forEach((y, i) => results.set(`output ${i}`, y.toArray()));
    return outputs
      .map((y, i) => sum(mul(y, tensor(values(y.size, 200 + i), { shape: y.shape }))))
      .reduce((total, part) => add(total, part));
  }, wrt);
  const masks = list.filter(({ idsBelow }) => !idsBelow).map(({ mask }) => mask?.flat());
  grads.forEach((gradient, i) => {
    const [d, kept] = [gradient.toArray(), masks[i]];
    expect(d.every(Number.isFinite), `gradient ${i} is finite`).toBe(true);
    results.set(
      `gradient ${i}`,
      kept ? d.map((v, at) => (kept[Math.floor((at * kept.length) / d.length)] ? v : 0)) : d,
    );
  });
  return results;
}

function expectHidden(c: Case): void {
  for (const timeMajor of [false, true]) {
    const expected = run(c, () => 0, timeMajor);
    for (const [name, got] of run(c, (at) => BAD[at % BAD.length]!, timeMajor)) {
      expectSameBits(Array.from(got), Array.from(expected.get(name)!), `${name}, timeMajor ${timeMajor}`);
    }
  }
}

beforeEach(() => setSeed(6));

const MASK = [
  [1, 1, 0, 1],
  [0, 1, 1, 0],
];
const SEQUENCE = { shape: [2, 4, 3], mask: MASK };

describe('what a mask leaves out, changes no bit of', () => {
  const isMasked = ({ inputs }: LayerCase): boolean => [inputs].flat().some(({ mask, idsBelow }) => mask && !idsBelow);
  const cases = [...simpleCases, ...recurrentCases, ...imageCases].filter(isMasked);

  test('layers of more than twenty cases', () => {
    expect(cases.length).toBeGreaterThan(20);
  });

  test.each(cases.map((c) => [c.of, c.variant, c] as const))('%s, %s', (_, __, c) => {
    expectHidden(c);
  });

  const training = { call: { training: true } };
  test.each<[string, () => AnyLayer, Partial<Case>?]>([
    ['dense of softplus', () => dense({ units: 2, activation: 'softplus' })],
    ['dense of exponential', () => dense({ units: 2, activation: 'exponential' })],
    ['activation', () => activation({ activation: 'silu' })],
    ['layerNormalization', () => layerNormalization()],
    ['dropout', () => dropout({ rate: 0.5 }), training],
    ['spatialDropout1d', () => spatialDropout1d({ rate: 0.5 }), training],
    ['conv1d', () => conv1d({ filters: 2, kernelSize: 3, padding: 'same' })],
    ['maxPooling1d', () => maxPooling1d()],
    ['averagePooling1d', () => averagePooling1d({ poolSize: 3, strides: 1, padding: 'same' })],
    ['globalMaxPooling1d', () => globalMaxPooling1d()],
    ['flatten', () => new Sequential([flatten(), dense({ units: 2 })])],
    ['reshape', () => reshape({ targetShape: [3, 4] })],
    ['permute', () => permute({ dims: [2, 1] })],
    ['timeDistributed of layerNormalization', () => timeDistributed(layerNormalization())],
    ['lstm with dropout', () => lstm({ units: 3, dropout: 0.4 }), training],
    ['gru with both dropouts', () => gru({ units: 3, dropout: 0.4, recurrentDropout: 0.3 }), training],
    ['lstm with checkpoints', () => lstm({ units: 3, checkpointEvery: 2, returnSequences: true })],
    ['rnn with dropout', () => rnn(lstmCell({ units: 3, dropout: 0.4, recurrentDropout: 0.3 })), training],
    ['rnn of a cell of the caller’s own', () => rnn({ units: 3, call: (x, [h]) => add(x, h!) })],
    [
      'a stack',
      () => new Sequential([dense({ units: 3 }), simpleRnn({ units: 2, returnSequences: true }), dense({ units: 1 })]),
    ],
  ])('%s', (_, make, more) => {
    expectHidden({ make, inputs: SEQUENCE, ...more });
  });

  test('a layer that is given the mask in its call', () => {
    for (const make of [
      () => lstm({ units: 2 }),
      () => conv1d({ filters: 2, kernelSize: 2 }),
      () => dense({ units: 2 }),
    ]) {
      const [clean, dirty] = [() => 0, (at: number) => BAD[at % BAD.length]!].map((hidden) => {
        setSeed(6);
        const x = tensor(filledIn(SEQUENCE, 0, hidden), { shape: SEQUENCE.shape });
        return (make() as Layer)(x, { mask: tensor(MASK) }).toArray();
      });
      expectSameBits(dirty!, clean!, 'output');
    }
  });

  test('a layer behind an embedding whose row for padding is huge', () => {
    const grads = [0, 3e38].map((padding) => {
      setSeed(6);
      const words = embedding({ inputDim: 5, outputDim: 3, maskZero: true });
      const layer = gru({ units: 2 });
      const ids = tensor([[1, 2, 0], [4, 3, 1], [3, 0, 0]], { dtype: 'i32' }); // biome-ignore format: one row
      layer(words(ids));
      words.weights[0]!.assign(words.weights[0]!.toArray().fill(padding, 0, 3));
      return valueAndGrad(() => sum(layer(words(ids))), [...words.weights, ...layer.weights]).grads.map((d) =>
        d.toArray(),
      );
    });
    grads[0]!.forEach((gradient, i) => expectSameBits(grads[1]![i]!, gradient, `gradient ${i}`));
  });
});

describe('what a mask leaves out, changes no bit of op', () => {
  test('recurrence', () => {
    const results = [0, Number.NaN].map((hidden) => {
      const x = tensor(filledIn({ shape: [4, 2, 3], mask: [[1, 0], [1, 1], [0, 1], [1, 0]] }, 0, () => hidden), { shape: [4, 2, 3] }); // biome-ignore format: one row
      const mask = tensor([[1, 0], [1, 1], [0, 1], [1, 0]]); // biome-ignore format: one row
      const kernel = tensor(values(24, 1), { shape: [3, 8] });
      const recurrentKernel = tensor(values(16, 2), { shape: [2, 8] });
      const { value, grads } = valueAndGrad(
        () => sum(recurrence(fusedLstm, x, { kernel, recurrentKernel }, { mask }).outputs!),
        [kernel, recurrentKernel],
      );
      return [value, ...grads.flatMap((d) => Array.from(d.toArray()))];
    });
    expect(results[1]).toEqual(results[0]);
  });

  test('attention', () => {
    const results = [0, Number.NaN].map((hidden) => {
      const [query, key, value] = [2, 3, 4].map((seed) =>
        tensor(
          filledIn(seed > 2 ? SEQUENCE : { shape: SEQUENCE.shape }, seed, () => hidden),
          { shape: SEQUENCE.shape },
        ),
      );
      const { value: total, grads } = valueAndGrad(
        () => sum(mul(attention(query!, key!, value!, { mask: tensor(MASK) }).outputs, query!)),
        [query!],
      );
      return [total, ...grads[0]!.toArray()];
    });
    expect(results[1]).toEqual(results[0]);
  });
});
