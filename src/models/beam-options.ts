import { ArgumentError, expectList } from '../checks/argument-error.ts';
import { expectChoice } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import type { Names } from '../checks/options.ts';
import type { NdArray } from '../data/array.ts';
import type { RaggedArray } from '../data/ragged.ts';
import { power } from '../engine/float64.ts';
import type { WeightFormat } from '../streaming/program.ts';
import type { Data } from '../train/feeds/checked-data.ts';
import type { BeamRules } from './beams.ts';

/** How a beam search chooses. */
export interface BeamSearchOptions {
  /** Number of hypotheses that are kept at each step. Default 5. 1 takes the likeliest id at each step. */
  width?: number | undefined;
  /** Number of hypotheses that are returned for each prompt. Default 1. */
  nBest?: number | undefined;
  /** The largest number of ids of a hypothesis, the stop id included. Default 100. */
  maxLength?: number | undefined;
  /** The least number of ids before a stop id. Default 0. */
  minLength?: number | undefined;
  /** Ids that end a hypothesis. They are not part of the output. Default none. */
  stopIds?: readonly number[] | undefined;
  /**
   * α: hypotheses are compared by ln p / penalty. Default 0, by ln p alone, which prefers short ones. Above 0 it
   * prefers longer ones.
   */
  lengthPenalty?: number | undefined;
  /** Penalty of n ids, the stop id included: `power`, n^α; `gnmt`, ((5 + n)/6)^α (Wu et al. 2016). Default `power`. */
  lengthPenaltyForm?: 'power' | 'gnmt' | undefined;
  /**
   * Number of groups that the hypotheses are divided into. Each group is searched by itself, and avoids the ids that
   * the groups before it take at the same step (Vijayakumar et al. 2016). It divides `width`. Default 1.
   */
  groups?: number | undefined;
  /** λ: what an id costs each time that a group before has taken it at this step, in nats. Default 0.5. */
  diversityPenalty?: number | undefined;
  /** n: no n ids in a row occur twice in a prompt and what follows it. Default 0: they may. */
  noRepeatNgramSize?: number | undefined;
  /**
   * Whether the search of a prompt ends once `width` hypotheses have ended. Default false: it ends once no other
   * hypothesis can get among them, which with a length penalty takes longer.
   */
  earlyStopping?: boolean | undefined;
  /** Whether the model gives logits rather than probabilities. Default true, unless its last activation is softmax. */
  fromLogits?: boolean | undefined;
  /** Number of the last ids that a model reads again for each next id; see `generate`. For models only. */
  contextLength?: number | undefined;
  /**
   * Makes the inputs of a model from ids `[N, T]`, if the ids are not its only input. `prompts` has the index of the
   * prompt of each of the N rows. For models only.
   */
  inputs?: ((ids: NdArray | RaggedArray, prompts: readonly number[]) => Data) | undefined;
  /** Format of the weights in a stream. Default `float32`. For models only. */
  weights?: WeightFormat | undefined;
}

/** The names of the options, for their check. */
export const optionNames: Names<BeamSearchOptions> = {
  width: 1,
  nBest: 1,
  maxLength: 1,
  minLength: 1,
  stopIds: 1,
  lengthPenalty: 1,
  lengthPenaltyForm: 1,
  groups: 1,
  diversityPenalty: 1,
  noRepeatNgramSize: 1,
  earlyStopping: true,
  fromLogits: true,
  contextLength: 1,
  inputs: 1,
  weights: 1,
};

/** The options with their defaults. Throws `ArgumentError` if one is out of range. */
export function rulesOf(options: BeamSearchOptions): BeamRules {
  const { width = 5, nBest = 1, maxLength = 100, minLength = 0, stopIds = [], groups = 1 } = options;
  const { lengthPenalty = 0, lengthPenaltyForm = 'power', diversityPenalty = 0.5 } = options;
  const { noRepeatNgramSize = 0, earlyStopping = false } = options;
  for (const [name, value] of Object.entries({ width, nBest, groups, maxLength })) {
    expectNumber(`beamSearch: ${name}`, value, 'an integer ≥ 1');
  }
  for (const [name, value] of Object.entries({ minLength, noRepeatNgramSize })) {
    expectNumber(`beamSearch: ${name}`, value, 'an integer ≥ 0');
  }
  expectNumber('beamSearch: lengthPenalty', lengthPenalty, 'a finite number');
  expectNumber('beamSearch: diversityPenalty', diversityPenalty, '≥ 0');
  expectChoice('beamSearch', 'lengthPenaltyForm', lengthPenaltyForm, ['power', 'gnmt']);
  if (!stopIds?.includes) expectList('beamSearch: stopIds', stopIds);
  for (const id of stopIds) expectNumber('beamSearch: stopIds', id, 'an integer ≥ 0');
  if (minLength > maxLength) {
    throw new ArgumentError(`beamSearch: minLength expected at most maxLength = ${maxLength}, got ${minLength}`);
  }
  if (nBest > width) throw new ArgumentError(`beamSearch: nBest expected at most width = ${width}, got ${nBest}`);
  if (width % groups !== 0) {
    throw new ArgumentError(`beamSearch: groups expected to divide width = ${width}, got ${groups}`);
  }
  return {
    ...{ width, nBest, maxLength, minLength, groups, noRepeatNgramSize, earlyStopping },
    stopIds: Array.from(new Set(stopIds)),
    diversityPenalty: groups > 1 ? diversityPenalty : 0,
    penaltyOf: (n) => power(lengthPenaltyForm === 'gnmt' ? (5 + n) / 6 : n, lengthPenalty),
  };
}
