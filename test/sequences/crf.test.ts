// The crf layer and its loss in a model: decoded tags, masks, weights, constraints, files; and what is refused.
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { init } from '../../src/engine/engine.ts';
import {
  adam,
  bidirectional,
  decodeModel,
  dense,
  dropout,
  earlyStopping,
  embedding,
  encodeModel,
  lstm,
  type Model,
  masking,
  model,
  sequential,
  setSeed,
} from '../../src/index.ts';
import { allowedTags, type Crf, crf, crfDecode, crfLogLikelihood, crfLoss, crfMarginals } from '../../src/sequences.ts';
import { modes } from '../engine/modes.ts';
import { expectClose } from '../kernels/compare.ts';
import { type Chain, enumerated, forwardBackward, pathsOf, scoreOf, viterbi } from '../kernels/reference/chain.ts';
import { values } from '../kernels/reference/values.ts';

const TAGS = 3;
const names = ['O', 'B-a', 'I-a'];
const LENGTHS = [5, 2, 4, 1];
const rows = (flat: ArrayLike<number>): number[][] =>
  Array.from({ length: flat.length / TAGS }, (_, i) => Array.prototype.slice.call(flat, i * TAGS, (i + 1) * TAGS));

/** Scores as features of unequal length, so that the chains are known: a crf layer alone. */
const scores = LENGTHS.map((length, i) => rows(values(length * TAGS, i + 1, 2)));
const tags = LENGTHS.map((length, i) => Array.from({ length }, (_, t) => (t * (i + 2) + i) % TAGS));

function tagger(options: Parameters<typeof crf>[0] = {}): { net: Model; layer: Crf } {
  const layer = crf({ ...options, inputShape: [null, TAGS] });
  const net = sequential([layer]);
  net.compile({ optimizer: adam({ learningRate: 0.1 }), loss: crfLoss(), metrics: ['accuracy'] });
  layer.weights.forEach((weight, i) => weight.assign(values(weight.size, 20 + i)));
  return { net, layer };
}

function chainsOf(layer: Crf, given = scores): Chain[] {
  const [chain, left, right] = layer.weights.map((weight) => weight.toArray());
  const zeros = new Array<number>(TAGS).fill(0);
  const limits = (flags: ArrayLike<number>): number[] => Array.from(flags, (flag) => (flag ? 0 : -Infinity));
  const allowed = layer.config().allowed as ReturnType<typeof allowedTags> | undefined;
  const plus = (a: ArrayLike<number>, b?: ArrayLike<number>): number[] =>
    Array.from(a, (x, i) => x + (b ? limits(b)[i]! : 0));
  return given.map((emissions) => ({
    emissions,
    transitions: rows(plus(chain!, allowed?.transitions.flat())),
    start: plus(left ?? zeros, allowed?.start),
    end: plus(right ?? zeros, allowed?.end),
  }));
}

const nll = (chain: Chain, path: readonly number[]): number => forwardBackward(chain).logZ - scoreOf(chain, path);
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
const oneHot = (path: readonly number[]): number[][] => path.map((tag) => names.map((_, j) => Number(j === tag)));

describe.each(modes)('%s mode', (mode) => {
  beforeAll(async () => {
    await init({ mode });
    setSeed(1);
  });

  test('predict gives the best paths, one-hot, and zeros at padding', () => {
    const { net, layer } = tagger();
    const got = net.predict(scores).toNested() as number[][][];
    chainsOf(layer).forEach((chain, i) => {
      const { path } = viterbi(chain);
      expect(scoreOf(chain, path)).toBeCloseTo(enumerated(chain).best, 10);
      const padding = new Array(5 - LENGTHS[i]!).fill([0, 0, 0]);
      expect(got[i]).toEqual([...oneHot(path), ...padding]);
    });
  });

  test('evaluate gives the mean negative log-likelihood and the accuracy of decoded tags', () => {
    const { net, layer } = tagger();
    const chains = chainsOf(layer);
    const { loss, accuracy } = net.evaluate(scores, tags);
    expectClose([loss!], [mean(chains.map((chain, i) => nll(chain, tags[i]!)))], { relative: 1e-6 }, 'loss');
    const right = chains.flatMap((chain, i) => viterbi(chain).path.map((tag, t) => Number(tag === tags[i]![t])));
    expect(accuracy).toBeCloseTo(mean(right), 12);
    // One at a time, without padding, the sums are the same.
    const alone = scores.map((one, i) => net.evaluate([one], [tags[i]!]).loss!);
    expectClose([loss!], [mean(alone)], { relative: 1e-6 }, 'loss of single sequences');
  });

  test('weights count per sequence, and hide NaN', () => {
    const { net, layer } = tagger();
    const sampleWeight = [1, 0, 0.5, 2];
    const expected = mean(chainsOf(layer).map((chain, i) => sampleWeight[i]! * nll(chain, tags[i]!)));
    expectClose([net.evaluate(scores, tags, { sampleWeight }).loss!], [expected], { relative: 1e-6 }, 'loss');
    const x = tensor(
      Float32Array.from({ length: 12 }, (_, i) => (i < 6 ? i / 3 : Number.NaN)),
      [2, 2, 3],
    );
    const { value, grads } = valueAndGrad(
      () =>
        crfLoss().compute(
          tensor(
            [
              [0, 1],
              [0, 1],
            ],
            { dtype: 'i32' },
          ),
          layer(x),
          tensor([1, 0]),
        ),
      [x],
    );
    expect(value).toBeGreaterThan(0);
    expect(Array.from(grads[0]!.toArray().slice(6))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test.each([
    ['sumOverBatchSize', 1],
    ['sum', 4],
    ['meanWithSampleWeight', 4 / 3.5],
  ] as const)('reduction %s', (reduction, factor) => {
    const { net, layer } = tagger();
    net.compile({ optimizer: 'adam', loss: crfLoss({ reduction }) });
    const sampleWeight = [1, 0, 0.5, 2];
    const expected = factor * mean(chainsOf(layer).map((chain, i) => sampleWeight[i]! * nll(chain, tags[i]!)));
    expectClose([net.evaluate(scores, tags, { sampleWeight }).loss!], [expected], { relative: 1e-6 }, 'loss');
  });

  test('a chain goes on behind a gap of the mask', () => {
    const { layer } = tagger();
    const x = tensor(scores[0]!.flat(), [1, 5, TAGS]);
    x.mask = tensor([[1, 0, 1, 1, 0]]);
    const own = [0, 2, 3];
    const [chain] = chainsOf(layer, [own.map((t) => scores[0]![t]!)]);
    const y = layer(x);
    const expected = oneHot(viterbi(chain!).path);
    const got = rows(y.toArray());
    own.forEach((t, k) => expect(got[t]).toEqual(expected[k]));
    expect([got[1], got[4]]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(y.mask).toBe(x.mask);
    const loss = crfLoss().compute(tensor([[1, -9, 2, 0, 99]], { dtype: 'i32' }), y);
    expectClose([loss.item()], [nll(chain!, [1, 2, 0])], { relative: 1e-6 }, 'loss');
  });

  test('testMode marginal gives the probability of each tag', () => {
    const { net, layer } = tagger({ testMode: 'marginal' });
    const got = net.predict(scores).toNested() as number[][][];
    chainsOf(layer).forEach((chain, i) => {
      const { emissions } = enumerated(chain).gradients;
      expectClose(got[i]!.slice(0, LENGTHS[i]).flat(), emissions.flat(), { absolute: 1e-6 }, `sequence ${i}`);
      expect(got[i]!.slice(LENGTHS[i]).flat()).toEqual(new Array((5 - LENGTHS[i]!) * TAGS).fill(0));
    });
    layer.testMode = 'viterbi';
    expect(net.predict(scores.slice(0, 1)).toNested()).toEqual([oneHot(viterbi(chainsOf(layer)[0]!).path)]);
    const decoded = crfMarginals(tensor(scores[0]!.flat(), [1, 5, TAGS]), { transitions: layer.weights[0]! });
    expectClose(
      rows(decoded.toArray()).map((row) => row.reduce((a, b) => a + b, 0)),
      [1, 1, 1, 1, 1],
      { absolute: 1e-6 },
      'sums',
    );
  });

  test('what is not allowed has probability 0 in decoding, loss and marginals', () => {
    const { net, layer } = tagger({ allowed: allowedTags(names) });
    const got = net.predict(scores).toNested() as number[][][];
    chainsOf(layer).forEach((chain, i) => {
      const { best } = enumerated(chain);
      const path = got[i]!.slice(0, LENGTHS[i]).map((row) => row.indexOf(1));
      expect(scoreOf(chain, path)).toBeCloseTo(best, 5);
    });
    const legal = LENGTHS.map((length) => [1, 2, 2, 0, 0].slice(0, length));
    const expected = mean(chainsOf(layer).map((chain, i) => nll(chain, legal[i]!)));
    expectClose([net.evaluate(scores, legal).loss!], [expected], { relative: 1e-6 }, 'loss');
    const before = layer.weights[0]!.toArray();
    net.trainOnBatch(scores, legal);
    const after = layer.weights[0]!.toArray();
    // The transition O → I-a gets no gradient, the others do.
    expect(after.map((w, i) => Number(w !== before[i]))).toEqual(Float32Array.of(1, 1, 0, 1, 1, 1, 1, 1, 1));
    expect(() => net.evaluate(scores, legal.with(2, [1, 2, 0, 2]))).toThrow(
      'crfLoss: targets expected tags that the layer allows, got 2 behind 0 at step 3 of sample 2',
    );
    expect(() => net.evaluate(scores, legal.with(1, [2, 2]))).toThrow('got 2 first at step 0 of sample 1');
  });

  test('fit learns transitions that emissions do not tell, validates, stops early, and files keep it', async () => {
    setSeed(7);
    // The tag is 1 after an odd number of ones; the input of a step alone says nothing.
    const x = Array.from({ length: 48 }, (_, i) =>
      Array.from({ length: 3 + (i % 6) }, (_, t) => 1 + (((i + 3) * (t + 5)) % 7)),
    );
    const y = x.map((ids) => ids.map((id, t) => (id > 4 ? 1 : t > 0 && ids[t - 1]! > 4 ? 2 : 0)));
    const net = sequential([
      embedding({ inputDim: 8, outputDim: 8, maskZero: true }),
      bidirectional(lstm({ units: 8, returnSequences: true })),
      dropout({ rate: 0.1 }),
      dense({ units: TAGS }),
      crf({ allowed: allowedTags(names), chainRegularizer: { l2: 1e-4 } }),
    ]);
    net.compile({ optimizer: adam({ learningRate: 0.03 }), loss: crfLoss(), metrics: ['accuracy'] });
    const stop = earlyStopping({ patience: 5, restoreBestWeights: true });
    const { history } = await net.fit(x, y, { epochs: 15, validationSplit: 0.25, callbacks: stop, verbose: 0 });
    expect(history.accuracy!.at(-1)).toBeGreaterThan(0.95);
    const best = Math.min(...history.val_loss!);
    const penalty = (): number =>
      1e-4 *
      net
        .getLayer('crf')
        .weights[0]!.toArray()
        .reduce((sum, w) => sum + w * w, 0);
    expect(net.evaluate(x.slice(36), y.slice(36)).loss! - penalty()).toBeCloseTo(best - penalty(), 4);
    const { model: loaded } = decodeModel(encodeModel(net));
    expect(loaded.evaluate(x, y)).toEqual(net.evaluate(x, y));
    expect(loaded.predict(x).data).toEqual(net.predict(x).data);
    expect(loaded.getLayer('crf').config()).toEqual(net.getLayer('crf').config());
  });

  test('beside another output, after masking', () => {
    const layers = { mask: masking(), chain: crf(), yes: dense({ units: 1, activation: 'sigmoid' }) };
    const net = model({ layers, inputs: { shape: [null, TAGS] } }, (x: Tensor, each) => {
      const masked = each.mask(x);
      return { tags: each.chain(masked), yes: each.yes(masked) };
    });
    const loss = { tags: crfLoss(), yes: 'binaryCrossentropy' as const };
    net.compile({ optimizer: 'adam', loss, metrics: { tags: ['accuracy'], yes: ['accuracy'] } });
    const x = [[...scores[1]!, [0, 0, 0]]];
    const logs = net.trainOnBatch(x, { tags: [[1, 0, 2]], yes: [[[1], [0], [1]]] });
    expect(logs.tags_loss! + logs.yes_loss!).toBeCloseTo(logs.loss!, 5);
    const [chain] = chainsOf(layers.chain, [scores[1]!]);
    expect(chain!.emissions).toHaveLength(2);
  });
});

test('without boundaries a layer has one weight', () => {
  const { net, layer } = tagger({ useBoundary: false });
  expect(layer.weights.map(({ name }) => name)).toEqual(['crf/chain_kernel']);
  const expected = mean(chainsOf(layer).map((chain, i) => nll(chain, tags[i]!)));
  expectClose([net.evaluate(scores, tags).loss!], [expected], { relative: 1e-6 }, 'loss');
});

test('one tag is certain', () => {
  const net = sequential([crf({ inputShape: [null, 1], allowed: { transitions: [[1]], start: [1] } })]);
  net.compile({ optimizer: 'adam', loss: crfLoss() });
  expect(net.evaluate([[[3], [-2]]], [[0, 0]]).loss).toBe(0);
});

test('long chains of extreme scores keep their likelihood', () => {
  const [steps, tags] = [1000, 4];
  const flat = values(steps * tags, 3, 1e4);
  const transitions = values(tags * tags, 4, 1e4);
  const chain: Chain = {
    emissions: Array.from({ length: steps }, (_, t) => Array.from(flat.slice(t * tags, (t + 1) * tags))),
    transitions: Array.from({ length: tags }, (_, i) => Array.from(transitions.slice(i * tags, (i + 1) * tags))),
    start: [0, 0, 0, 0],
    end: [0, 0, 0, 0],
  };
  const { path, score } = viterbi(chain);
  const emissions = tensor(flat, [1, steps, tags]);
  const options = { transitions: tensor(transitions, [tags, tags]) };
  const best = crfDecode(emissions, options);
  expect(Array.from(best.tags.toArray())).toEqual(path);
  const likelihood = crfLogLikelihood(emissions, best.tags, options).item();
  expectClose([likelihood], [score - forwardBackward(chain).logZ], { absolute: 1e-5 }, 'likelihood');
  const other = Int32Array.from(path, (tag, t) => (t === 500 ? (tag + 1) % tags : tag));
  const expected = scoreOf(chain, Array.from(other)) - forwardBackward(chain).logZ;
  const got = crfLogLikelihood(emissions, tensor(other, [1, steps]), options).item();
  expectClose([got], [expected], { relative: 1e-6 }, 'likelihood of another path');
});

test('allowedTags of bio and iobes allow the paths of whole spans', () => {
  const iobes = ['O', 'B-a', 'I-a', 'E-a', 'S-a', 'B-b', 'E-b'];
  const isLegal = (path: string): boolean =>
    /^(O|S-a|B-a( I-a)* E-a|B-b E-b)( (O|S-a|B-a( I-a)* E-a|B-b E-b))*$/.test(path);
  const { transitions, start, end } = allowedTags(iobes, 'iobes');
  for (const path of pathsOf(4, iobes.length)) {
    const pairs = path.slice(1).every((tag, k) => transitions[path[k]!]![tag] === 1);
    const isAllowed = pairs && start[path[0]!] === 1 && end[path[3]!] === 1;
    expect(isAllowed, path.join()).toBe(isLegal(path.map((tag) => iobes[tag]).join(' ')));
  }
  expect(allowedTags(['O', 'B-a', 'I-a', 'I-b'])).toEqual({
    transitions: [
      [1, 1, 0, 0],
      [1, 1, 1, 0],
      [1, 1, 1, 0],
      [1, 1, 0, 1],
    ],
    start: [1, 1, 0, 0],
    end: [1, 1, 1, 1],
  });
});

test('allowedTags of bilou are those of iobes with L for E and U for S', () => {
  const iobes = ['O', 'B-a', 'I-a', 'E-a', 'S-a', 'E-b'];
  const bilou = ['O', 'B-a', 'I-a', 'L-a', 'U-a', 'L-b'];
  expect(allowedTags(bilou, 'bilou')).toEqual(allowedTags(iobes, 'iobes'));
});

test('crfDecode, NaN where the mask is 0, is without effect', () => {
  const emissions = tensor([
    [
      [0, 1],
      [Number.NaN, 0],
    ],
  ]);
  const { tags } = crfDecode(emissions, { transitions: e(2, 2), mask: tensor([[1, 0]]) });
  expect([...tags.toArray()]).toEqual([1, -1]);
});

const e = (...shape: number[]): Tensor => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape });
const fitted = (layers: Parameters<typeof sequential>[0], loss: unknown) => {
  const net = sequential(layers);
  net.compile({ optimizer: 'adam', loss: loss as never });
  return net;
};

test.each<[string, () => unknown]>([
  ["crf: unknown option 'useBoundaries'; did you mean 'useBoundary'?", () => crf({ useBoundaries: true } as never)],
  ['crf: useBoundary expected true or false', () => crf({ useBoundary: 1 as never })],
  ["crf: testMode expected 'viterbi', 'marginal', got 'best'", () => crf({ testMode: 'best' as never })],
  ['crf: chainInitializer expected', () => crf({ chainInitializer: 'mine' as never })],
  [
    'crf: allowed.transitions expected 0 or 1 in [2, 2], got',
    () =>
      crf({
        allowed: {
          transitions: [
            [1, 2],
            [1, 1],
          ],
        },
      }),
  ],
  [
    'crf: allowed.start expected 0 or 1 in [1], got a list of 2',
    () => crf({ allowed: { transitions: [[1]], start: [1, 0] } }),
  ],
  ['crf: allowed.transitions expected 0 or 1 in [3, 3], got', () => crf({ allowed: allowedTags(['O']) })(e(1, 2, 3))],
  ['crf: input expected [batch, time, features], got [2, 3]', () => crf()(e(2, 3))],
  ["crfLoss: unknown option 'reduce'", () => crfLoss({ reduce: 'sum' } as never)],
  ['crfLoss: reduction expected', () => crfLoss({ reduction: 'none' as never })],
  [
    'crfLoss: predictions expected the output of a crf layer, got another tensor',
    () => fitted([dense({ units: 3, inputShape: [2, 3] })], crfLoss()).evaluate([scores[1]!], [[0, 0]]),
  ],
  [
    'crf: its output has no gradient; compile the model with crfLoss()',
    () => fitted([dense({ units: 3, inputShape: [2, 3] }), crf()], 'mse').trainOnBatch([scores[1]!], [scores[1]!]),
  ],
  ['y expected ids in [0, 3), got 3', () => tagger().net.evaluate([scores[1]!], [[0, 3]])],
  ['crfLoss: targets expected [1, 2], got [1, 1]', () => tagger().net.evaluate([scores[1]!], [[0]])],
  [
    'sampleWeight expected [1], got [1, 2]',
    () => tagger().net.evaluate([scores[1]!], [[0, 1]], { sampleWeight: [[1, 0]] }),
  ],
  ['crf: CRF layers cannot run step by step', () => fitted([crf({ inputShape: [2, 3] })], crfLoss()).stream()],
  [
    'crfDecode: emissions expected [B, T, K] with K ≥ 1, got [2, 3]',
    () => crfDecode(e(2, 3), { transitions: e(3, 3) }),
  ],
  ['crfDecode: transitions expected [3, 3], got [3, 2]', () => crfDecode(e(1, 2, 3), { transitions: e(3, 2) })],
  ['crfDecode: transitions expected a tensor, got none', () => crfDecode(e(1, 2, 3), {} as never)],
  ['crfDecode: start expected [3], got [2]', () => crfDecode(e(1, 2, 3), { transitions: e(3, 3), start: e(2) })],
  ['crfDecode: mask expected [1, 2], got [2, 1]', () => crfDecode(e(1, 2, 3), { transitions: e(3, 3), mask: e(2, 1) })],
  ["crfDecode: unknown option 'masks'", () => crfDecode(e(1, 2, 3), { transitions: e(3, 3), masks: e(1, 2) } as never)],
  [
    'crfLogLikelihood: tags expected i32, got f32',
    () => crfLogLikelihood(e(1, 2, 3), e(1, 2), { transitions: e(3, 3) }),
  ],
  [
    'crfLogLikelihood: tags expected ids in [0, 3), got 3 at [0, 1]',
    () => crfLogLikelihood(e(1, 2, 3), tensor([[0, 3]], { dtype: 'i32' }), { transitions: e(3, 3) }),
  ],
  [
    'crfDecode: emissions expected numbers, got NaN at [0, 1, 2]',
    () =>
      crfDecode(
        tensor([
          [
            [0, 1, -Infinity],
            [0, 1, Number.NaN],
          ],
        ]),
        { transitions: e(3, 3) },
      ),
  ],
  [
    'crfDecode: transitions expected numbers, got NaN at [1, 0]',
    () =>
      crfDecode(e(1, 2, 2), {
        transitions: tensor([
          [0, 1],
          [Number.NaN, 0],
        ]),
      }),
  ],
  [
    'crf: allowed expected { transitions, start, end }, as allowedTags makes, got a list of 1',
    () => crf({ allowed: [[1]] as never }),
  ],
  ["allowedTags: tags expected 'O', or B-, I- and a kind, such as 'B-x', got 'E-x'", () => allowedTags(['O', 'E-x'])],
  [
    "allowedTags: tags expected 'O', or B-, I-, L-, U- and a kind, such as 'B-x', got 'E-x'",
    () => allowedTags(['E-x'], 'bilou'),
  ],
  ['allowedTags: tags expected names, got none', () => allowedTags([])],
  ["allowedTags: scheme expected 'bio', 'iobes', 'bilou', got 'iob1'", () => allowedTags(['O'], 'iob1' as never)],
])('refuses: %s', (message, call) => {
  expect(call).toThrow(message);
});
