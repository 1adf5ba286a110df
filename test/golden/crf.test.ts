// The CRF ops against a CRF written out in PyTorch: likelihoods, gradients and best paths as crf.py stored them.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { init } from '../../src/engine/engine.ts';
import { mul } from '../../src/ops/elementwise/elementwise.ts';
import { sum } from '../../src/ops/reduce.ts';
import { crfDecode, crfLogLikelihood } from '../../src/sequences.ts';
import { modes } from '../engine/modes.ts';
import { expectGradient, expectOutput } from './expect-close.ts';

interface Stored {
  shape: number[];
  values: number[];
}

const NAMES = ['emissions', 'transitions', 'start', 'end'] as const;
type Scores = Record<(typeof NAMES)[number], Stored>;

interface CrfCase extends Scores {
  lengths: number[];
  /** [B, T] */
  tags: Stored;
  weights: Stored;
  logLikelihood: Stored;
  best: Stored;
  /** [B, T], −1 at padding. */
  bestTags: Stored;
  /** Of Σ log-likelihoods·weights. */
  gradients: Scores;
}

const { cases } = JSON.parse(readFileSync(new URL('crf.json', import.meta.url), 'utf8')) as { cases: CrfCase[] };
const tensorOf = ({ values, shape }: Stored): Tensor => tensor(values, { shape });

describe.each(modes)('%s mode', (mode) => {
  beforeAll(async () => {
    await init({ mode });
  });

  test.each(cases.map((each) => ({ ...each, shape: each.emissions.shape })))(
    'a CRF of $shape, lengths $lengths, matches PyTorch',
    (given) => {
      const [emissions, transitions, start, end] = NAMES.map((name) => tensorOf(given[name])) as [
        Tensor,
        Tensor,
        Tensor,
        Tensor,
      ];
      const [batch, steps] = given.emissions.shape as [number, number];
      const kept = Array.from({ length: batch * steps }, (_, i) =>
        Number(i % steps < given.lengths[Math.floor(i / steps)]!),
      );
      emissions.mask = tensor(kept, { shape: [batch, steps] });
      const scores = { transitions, start, end };
      const tags = tensor(given.tags.values, { shape: given.tags.shape, dtype: 'i32' });
      const { grads } = valueAndGrad(() => {
        const each = crfLogLikelihood(emissions, tags, scores);
        expectOutput('log-likelihoods', each.toArray(), given.logLikelihood);
        return sum(mul(each, tensorOf(given.weights)));
      }, [emissions, transitions, start, end]);
      NAMES.forEach((name, i) => expectGradient(`d ${name}`, grads[i]!.toArray(), given.gradients[name]));
      const best = crfDecode(emissions, scores);
      expectOutput('best scores', best.scores.toArray(), given.best);
      expect(Array.from(best.tags.toArray())).toEqual(given.bestTags.values);
    },
  );
});
