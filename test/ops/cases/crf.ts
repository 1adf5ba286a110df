import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import type { ChainScores } from '../../../src/ops/chain.ts';
import * as crf from '../../../src/sequences/crf-ops.ts';
import { type Chain, forwardBackward, scoreOf, viterbi } from '../../kernels/reference/chain.ts';
import type { GradientCase } from './case.ts';

const [BATCH, STEPS, TAGS] = [3, 4, 3];
const MASK = [
  [1, 1, 1, 1],
  [0, 1, 0, 1],
  [1, 0, 0, 0],
];
const PATHS = [
  [0, 2, 1, 1],
  [1, 0, 2, 2],
  [2, 1, 0, 1],
];

const mask = (): Tensor => tensor(MASK);
const paths = (): Tensor => tensor(PATHS, { dtype: 'i32' });
const nest = (flat: Float64Array): number[][] =>
  Array.from({ length: flat.length / TAGS }, (_, i) => Array.from(flat.slice(i * TAGS, (i + 1) * TAGS)));

/** Each sample as a chain, and the steps of it that count. */
const chainsOf = ([e, pairs, start, end]: Float64Array[], kept?: number[][]): { chain: Chain; steps: number[] }[] =>
  Array.from({ length: BATCH }, (_, i) => {
    const steps = Array.from({ length: STEPS }, (_, t) => t).filter((t) => kept?.[i]?.[t] !== 0);
    const rows = nest(e!).slice(i * STEPS, (i + 1) * STEPS);
    const zeros = new Array<number>(TAGS).fill(0);
    return {
      steps,
      chain: {
        emissions: steps.map((t) => rows[t]!),
        transitions: nest(pairs!),
        start: start ? Array.from(start) : zeros,
        end: end ? Array.from(end) : zeros,
      },
    };
  });

const likelihoods = (given: Float64Array[], kept?: number[][]): Float64Array =>
  Float64Array.from(chainsOf(given, kept), ({ chain, steps }, i) => {
    const path = steps.map((t) => PATHS[i]![t]!);
    return scoreOf(chain, path) - forwardBackward(chain).logZ;
  });

const scoresOf = ([transitions, start, end]: Tensor[]): ChainScores => ({ transitions: transitions!, start, end });
const all = [
  { shape: [BATCH, STEPS, TAGS], low: -3, high: 3 },
  { shape: [TAGS, TAGS], low: -2, high: 2 },
  { shape: [TAGS] },
  { shape: [TAGS] },
];

export const crfCases: GradientCase[] = [
  {
    of: 'crfLogLikelihood',
    variant: 'with scores of both ends',
    arguments: all,
    run: (e, ...scores) => crf.crfLogLikelihood(e!, paths(), scoresOf(scores)),
    reference: (...given) => likelihoods(given),
  },
  {
    of: 'crfLogLikelihood',
    variant: 'with a mask, transitions alone',
    arguments: all.slice(0, 2),
    run: (e, ...scores) => crf.crfLogLikelihood(e!, paths(), { ...scoresOf(scores), mask: mask() }),
    reference: (...given) => likelihoods(given, MASK),
  },
  {
    of: 'crfLogNorm',
    variant: 'with a mask',
    arguments: all,
    run: (e, ...scores) => crf.crfLogNorm(e!, { ...scoresOf(scores), mask: mask() }),
    reference: (...given) => Float64Array.from(chainsOf(given, MASK), ({ chain }) => forwardBackward(chain).logZ),
  },
  {
    of: 'crfDecode',
    variant: 'the best paths',
    arguments: all,
    constant: true,
    shape: [BATCH, STEPS],
    run: (e, ...scores) => {
      const { tags } = crf.crfDecode(e!, { ...scoresOf(scores), mask: mask() });
      return tensor(Float32Array.from(tags.toArray()), { shape: tags.shape });
    },
    reference: (...given) => {
      const y = new Float64Array(BATCH * STEPS).fill(-1);
      chainsOf(given, MASK).forEach(({ chain, steps }, i) => {
        const { path } = viterbi(chain);
        steps.forEach((t, k) => {
          y[i * STEPS + t] = path[k]!;
        });
      });
      return y;
    },
  },
];
