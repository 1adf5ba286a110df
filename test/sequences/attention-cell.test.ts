import { describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { setSeed } from '../../src/engine/random.ts';
import { saveLayer } from '../../src/layers/base/saved-layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { layerFromConfig } from '../../src/layers/layer-classes.ts';
import { bidirectional } from '../../src/layers/rnn/bidirectional.ts';
import { gru, gruCell } from '../../src/layers/rnn/gru.ts';
import { lstmCell } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { beamSearch } from '../../src/models/beam-search.ts';
import type { BeamDecoder } from '../../src/models/beam-sources.ts';
import { type Model, model } from '../../src/models/model.ts';
import * as ops from '../../src/ops/index.ts';
import { adam } from '../../src/optimizers/index.ts';
import { encodeModel, restoreModel } from '../../src/saving/saved-model.ts';
import { attend } from '../../src/sequences/attend.ts';
import { type AttentionCellOptions, attentionCell } from '../../src/sequences.ts';
import { expectGradient, expectOutput } from '../golden/expect-close.ts';
import { inner, numericGradient } from '../kernels/reference/gradient.ts';
import { values } from '../kernels/reference/values.ts';

const [B, S, D, M] = [2, 3, 4, 5];
const MASK = [
  [1, 1, 0],
  [0, 1, 1],
];

/** Context and weights in float64. */
function reference(q: ArrayLike<number>, keys: ArrayLike<number>, memory: ArrayLike<number>, v?: ArrayLike<number>) {
  const [contexts, weights]: [number[], number[]] = [[], []];
  for (let b = 0; b < B; b++) {
    const scores = MASK[b]!.map((kept, s) => {
      if (kept === 0) return Number.NEGATIVE_INFINITY;
      let sum = 0;
      for (let d = 0; d < D; d++) {
        const [one, other] = [q[b * D + d]!, keys[(b * S + s) * D + d]!];
        sum += v ? v[d]! * Math.tanh(one + other) : one * other;
      }
      return sum;
    });
    const powers = scores.map((score) => Math.exp(score));
    const total = powers.reduce((sum, each) => sum + each, 0);
    const row = powers.map((each) => each / total);
    weights.push(...row);
    for (let m = 0; m < M; m++) contexts.push(row.reduce((sum, w, s) => sum + w * memory[(b * S + s) * M + m]!, 0));
  }
  return { contexts, weights };
}

describe('attend', () => {
  test.each(['additive', 'dot'] as const)(
    '%s scores, have the values and gradients of their float64 meaning',
    (kind) => {
      const given = [values(B * D, 1), values(B * S * D, 2), values(B * S * M, 3), values(D, 4)];
      const shapes = [[B, D], [B, S, D], [B, S, M], [D]];
      const count = kind === 'dot' ? 3 : 4;
      const [forContext, forWeights] = [values(B * M, 5), values(B * S, 6)];
      const of = (at: readonly ArrayLike<number>[]) =>
        reference(at[0]!, at[1]!, at[2]!, count === 4 ? at[3] : undefined);
      const loss = (at: readonly ArrayLike<number>[]): number => {
        const { contexts, weights } = of(at);
        return inner(contexts, forContext) + inner(weights, forWeights);
      };
      const inputs = given.slice(0, count).map((each, i) => tensor(each, { shape: shapes[i]! }));
      const { grads } = valueAndGrad(() => {
        const [q, keys, memory, scale] = inputs as [Tensor, Tensor, Tensor, Tensor?];
        const { context, weights } = attend(q, { keys, memory, mask: tensor(MASK), scale });
        const expected = of(given);
        expectOutput('context', context.toArray(), { shape: [B, M], values: expected.contexts });
        expectOutput('weights', weights.toArray(), { shape: [B, S], values: expected.weights });
        const parts = [
          ops.mul(context, tensor(forContext, { shape: [B, M] })),
          ops.mul(weights, tensor(forWeights, { shape: [B, S] })),
        ];
        return ops.add(ops.sum(parts[0]!), ops.sum(parts[1]!));
      }, inputs);
      for (let i = 0; i < count; i++) {
        const numeric = numericGradient((x) => loss(given.with(i, x as never)), given[i]!);
        expectGradient(`argument ${i}`, grads[i]!.toArray(), { shape: [...shapes[i]!], values: numeric });
      }
    },
  );

  test('the attention alone, or the context alone, may have a gradient', () => {
    const [q, keys, memory] = [
      tensor(values(B * D, 1), [B, D]),
      tensor(values(B * S * D, 2), [B, S, D]),
      tensor(values(B * S * M, 3), [B, S, M]),
    ];
    const gradient = (pick: (made: ReturnType<typeof attend>) => Tensor): number[] =>
      Array.from(
        valueAndGrad(
          () => ops.sum(ops.square(pick(attend(q, { keys, memory, mask: undefined, scale: undefined })))),
          [q],
        ).grads[0]!.toArray(),
      );
    const both = gradient(({ context, weights }) => ops.concatenate([context, weights]));
    const parts = [gradient(({ context }) => context), gradient(({ weights }) => weights)];
    both.forEach((value, i) => expect(value).toBeCloseTo(parts[0]![i]! + parts[1]![i]!, 5));
  });
});

const kinds: [string, Omit<AttentionCellOptions, 'cell'>][] = [
  ['additive', { units: 6 }],
  ['general', { score: 'general', attentionUnits: 7 }],
  ['general, scaled', { score: 'general', scale: 2 }],
  ['dot, asked before', { score: 'dot', query: 'before' }],
  ['dot as in the paper', { score: 'dot', query: 'before', scale: 1 }],
];

/** x `[2, 4, 3]`, memory `[2, 3, 4]`, masked. */
function operands(): { x: Tensor; memory: Tensor } {
  const memory = tensor(values(24, 8), [2, 3, 4]);
  memory.mask = tensor(MASK);
  return { x: tensor(values(24, 7), [2, 4, 3]), memory };
}

describe('attentionCell', () => {
  test.each(kinds)('%s: steps one by one, with keys made before, are the sequence', (_, options) => {
    setSeed(1);
    const cell = attentionCell({ cell: gruCell({ units: 4 }), ...options });
    const decode = rnn(cell, { returnSequences: true, returnState: true });
    const { x, memory } = operands();
    const [y, ...last] = decode(x, { constants: [memory] }) as [Tensor, ...Tensor[]];
    const whole = Array.from(y.toArray());
    const keys = cell.keysOf(memory);
    let states: Tensor[] | undefined;
    for (let t = 0; t < 4; t++) {
      const part = ops.slice(x, { axis: 1, from: t, to: t + 1 });
      const [now, ...next] = decode(part, { initialState: states, constants: [memory, keys] }) as [Tensor, ...Tensor[]];
      for (let b = 0; b < 2; b++) {
        const width = cell.outputWidth;
        const at = (b * 4 + t) * width;
        expect(Array.from(now.toArray()).slice(b * width, (b + 1) * width)).toEqual(whole.slice(at, at + width));
      }
      states = next;
    }
    last.forEach((state, i) => expect(states![i]!.toArray()).toEqual(state.toArray()));
  });

  test.each(['general', 'dot'] as const)('scale, is a factor of the scores %s', (score) => {
    const { x, memory } = operands();
    const weightsOf = (scale: number | undefined, keys?: (keys: Tensor) => Tensor): number[] => {
      setSeed(5);
      const cell = attentionCell({ cell: gruCell({ units: 4 }), score, query: 'before', scale });
      const constants = keys ? [memory, keys(cell.keysOf(memory))] : [memory];
      const h = tensor(values(8, 9), [2, 4]);
      rnn(cell)(x, { constants, initialState: [h] });
      return Array.from(cell.alignments[0]!.toArray());
    };
    const scaled = weightsOf(0.25);
    expect(scaled).not.toEqual(weightsOf(1));
    expect(scaled).toEqual(weightsOf(1, (keys) => ops.scale(keys, 0.25)));
    // The query has four features.
    expect(weightsOf(undefined)).toEqual(weightsOf(0.5));
  });

  test('what the mask of the memory hides, has no effect, NaN neither', () => {
    setSeed(2);
    const cell = attentionCell({ cell: lstmCell({ units: 4 }) });
    const decode = rnn(cell, { returnSequences: true });
    const { x, memory } = operands();
    const run = (): number[] => Array.from(decode(x, { constants: [memory] }).toArray());
    const before = run();
    for (const weights of cell.alignments) {
      const shares = weights.toArray();
      expect([shares[2], shares[3]]).toEqual([0, 0]);
      expect(shares[0]! + shares[1]!).toBeCloseTo(1, 6);
    }
    memory.set(Array.from(memory.toArray(), (value, i) => (MASK.flat()[Math.floor(i / 4)] === 0 ? Number.NaN : value)));
    expect(run()).toEqual(before);
  });

  test('a masked step of x, keeps the states and makes no alignment if all rows are masked', () => {
    setSeed(3);
    const cell = attentionCell({ cell: gruCell({ units: 4 }), score: 'general' });
    const decode = rnn(cell, { returnState: true });
    const { x, memory } = operands();
    const short = decode(ops.slice(x, { axis: 1, from: 0, to: 3 }), { constants: [memory] }) as Tensor[];
    const mask = [
      [1, 1, 1, 0],
      [1, 1, 1, 0],
    ];
    const long = decode(x, { constants: [memory], mask }) as Tensor[];
    expect(cell.alignments.length).toBe(3);
    long.forEach((each, i) => expect(each.toArray()).toEqual(short[i]!.toArray()));
  });

  test('in a stack and read backwards, reads the constants too', () => {
    setSeed(4);
    const cells = [gruCell({ units: 4 }), attentionCell({ cell: gruCell({ units: 4 }), score: 'general' })];
    const { x, memory } = operands();
    expect(rnn(cells, { returnSequences: true, goBackwards: true })(x, { constants: [memory] }).shape).toEqual([
      2, 4, 4,
    ]);
  });

  test.each([
    [
      'no cell',
      { cell: dense({ units: 2 }) },
      'attentionCell: cell expected a cell, such as gruCell(options), got the layer Dense',
    ],
    ['a score', { score: 'concat' }, "attentionCell: score expected 'additive', 'dot', 'general', got 'concat'"],
    ['a query', { query: 'now' }, "attentionCell: query expected 'before', 'after', got 'now'"],
    ['scale', { score: 'dot', scale: 0 }, 'attentionCell: scale expected a number > 0, got 0'],
    ['scale, additive', { scale: 2 }, "attentionCell: scale expected no value with score 'additive', got 2"],
    ['units', { units: 0 }, 'attentionCell: units expected an integer ≥ 1, got 0'],
    ['attentionUnits', { attentionUnits: 1.5 }, 'attentionCell: attentionUnits expected an integer ≥ 1, got 1.5'],
  ])('%s, is refused', (_, options, message) => {
    expect(() => attentionCell({ cell: gruCell({ units: 4 }), ...options } as never)).toThrow(message);
  });

  test('constants that do not fit, are refused', () => {
    const make = (score: 'additive' | 'dot') => rnn(attentionCell({ cell: gruCell({ units: 3 }), score }));
    const { x, memory } = operands();
    expect(() => make('additive')(x)).toThrow('attention_cell: constants expected [memory] or [memory, keys]');
    const three = tensor(values(6, 1), [2, 3]);
    expect(() => make('additive')(x, { constants: [three] })).toThrow('the memory, expected [2, S, M], got [2, 3]');
    expect(() => make('dot')(x, { constants: [memory] })).toThrow(
      'the memory, expected width 3 for the score dot, got 4',
    );
    expect(() => make('additive')(x, { constants: [memory, memory] })).toThrow(
      'the keys expected [2, 3, 3], got [2, 3, 4]',
    );
  });
});

/** Writes a sequence of 3 to 5 ids backwards, which needs a look at each of them. */
function reverser(): { net: Model; decoderOf(sources: number[][]): BeamDecoder; make(): Model } {
  const [classes, units] = [8, 24];
  const make = (): { net: Model; decoderOf(sources: number[][]): BeamDecoder } => {
    const cell = attentionCell({ cell: gruCell({ units }), score: 'additive' });
    const layers = {
      read: embedding({ inputDim: classes, outputDim: units, maskZero: true }),
      target: embedding({ inputDim: classes, outputDim: units }),
      encode: bidirectional(gru({ units: units / 2, returnSequences: true, returnState: true })),
      decode: rnn(cell, { returnSequences: true, returnState: true }),
      write: dense({ units: classes }),
    };
    const ids = { shape: [null], dtype: 'i32', limit: classes } as const;
    const encoded = (source: Tensor): Tensor[] => {
      const [memory, ...ends] = layers.encode(layers.read(source)) as Tensor[];
      return [memory!, ops.concatenate(ends)];
    };
    const net = model({ layers, inputs: { source: ids, target: ids } }, (x, { target, decode, write }) => {
      const [memory, h] = encoded(x.source) as [Tensor, Tensor];
      return write((decode(target(x.target), { initialState: [h], constants: [memory] }) as Tensor[])[0]!);
    });
    const encoder = model({ layers, inputs: ids }, (source) => {
      const [memory, h] = encoded(source) as [Tensor, Tensor];
      return [memory, cell.keysOf(memory), memory.mask!, h];
    });
    const decoderOf = (sources: number[][]): BeamDecoder => {
      const [memory, keys, mask, h] = encoder.predict(sources) as never as [never, never, never, never];
      return {
        states: [h],
        constants: [memory, keys, mask],
        step(last, initialState, [seen, made, kept]) {
          seen!.mask = kept;
          const constants = [seen!, made!];
          const [y, ...states] = layers.decode(layers.target(last), { initialState, constants }) as Tensor[];
          return [layers.write(y!), states];
        },
      };
    };
    return { net: net as never, decoderOf };
  };
  return { ...make(), make: () => make().net };
}

describe('an encoder and a decoder with attention', () => {
  const random = (i: number): number => 3 + ((Math.imul(i + 7, 2654435761) >>> 24) % 5);
  const sources = Array.from({ length: 256 }, (_, n) =>
    Array.from({ length: 3 + (n % 3) }, (__, i) => random(n * 5 + i)),
  );
  const [edge, longest] = [1, 6];
  const padded = (rows: number[][]) => rows.map((row) => [...row, ...Array(longest - row.length).fill(0)]);
  const targets = sources.map((ids) => [edge, ...ids.toReversed()]);
  const y = sources.map((ids) => [...ids.toReversed(), edge]);

  test('learn to write backwards inside fit, and a beam search with carried states reads it so', async () => {
    setSeed(5);
    const { net, decoderOf, make } = reverser();
    const loss = sparseCategoricalCrossentropy({ fromLogits: true, ignoreClass: 0 });
    net.compile({ optimizer: adam({ learningRate: 0.01 }), loss });
    await net.fit({ source: sources, target: padded(targets) } as never, padded(y), { epochs: 25, batchSize: 32 });
    const asked = sources.slice(0, 24);
    const options = { width: 3, nBest: 2, stopIds: [edge], maxLength: 8 };
    const prompts = asked.map(() => [edge]);
    const found = await beamSearch(decoderOf(asked), prompts, options);
    const right = found.filter(([best], i) => best!.ids.join() === asked[i]!.toReversed().join());
    expect(right.length).toBeGreaterThanOrEqual(22);

    // The same search, with everything read anew at each step.
    const inputs = (target: unknown, rows: readonly number[]) => ({ source: rows.map((i) => asked[i]!), target });
    const anew = await beamSearch(net, prompts, { ...options, inputs: inputs as never });
    for (const [i, hypotheses] of found.entries()) {
      hypotheses.forEach(({ ids, logProbability }, n) => {
        expect(anew[i]![n]!.ids).toEqual(ids);
        expect(anew[i]![n]!.logProbability).toBeCloseTo(logProbability, 4);
      });
    }

    const bytes = encodeModel(net as never);
    const other = make();
    restoreModel(other as never, bytes);
    const x = { source: asked, target: padded(targets.slice(0, 24)) };
    expect(other.predict(x as never).data).toEqual(net.predict(x as never).data);
  });

  test('a layer of a file with the cell, has its options and states', () => {
    const cell = attentionCell({ cell: lstmCell({ units: 3 }), score: 'general', attentionUnits: 5, name: 'look' });
    const { className, config } = saveLayer(rnn(cell, { returnSequences: true }));
    const loaded = layerFromConfig(className, JSON.parse(JSON.stringify(config)));
    expect(JSON.parse(JSON.stringify(loaded.config()))).toEqual(JSON.parse(JSON.stringify(config)));
    expect((loaded as unknown as ReturnType<typeof rnn>).stateSpecs).toEqual(cell.stateSpecs);
  });
});
