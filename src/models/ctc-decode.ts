// From the outputs of a network that was trained with CTC to labels.
import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { asArray, type DataLike } from '../data/array.ts';
import { exp2, ln } from '../engine/float64.ts';
import { type CtcOptions, checkedInputLengths } from '../ops/ctc.ts';

/** A label that was read from the outputs of a network. */
export interface CtcLabel {
  /** Its classes, without blanks. */
  ids: number[];
  /** Greedy: ln of the probability of the likeliest path. Beam search: ln of that of all paths that were kept. */
  logProbability: number;
}

/** A label of a beam search. */
export interface CtcHypothesis extends CtcLabel {
  /** `logProbability` with the language model and the bonus, by which labels are ordered. */
  score: number;
}

export interface CtcGreedyOptions extends CtcOptions {
  /** Whether equal classes at neighbouring steps are one class, as in training. Default true. */
  mergeRepeated?: boolean | undefined;
}

export interface CtcBeamOptions extends CtcOptions {
  /** Number of prefixes that are kept at each step. Default 100. */
  width?: number | undefined;
  /** Number of labels that are returned for each sequence. Default 1. */
  nBest?: number | undefined;
  /** ln p(next | prefix) of a language model; called once for each prefix that is considered. Default: none. */
  languageModel?: ((prefix: readonly number[], next: number) => number) | undefined;
  /** α, weight of the language model. Default 1. */
  languageModelWeight?: number | undefined;
  /** β, added to the score for each class of a label, in nats; makes up for what the language model costs. Default 0. */
  lengthBonus?: number | undefined;
}

interface Sequences {
  /** ln p of the classes at a step of a sequence, in float64. */
  at(sequence: number, step: number): Float64Array;
  readonly lengths: Int32Array;
  readonly classes: number;
  readonly blank: number;
}

function sequencesOf(what: string, given: DataLike, { blank = 0, inputLengths }: CtcOptions): Sequences {
  const { data, shape } = asArray(given, `${what}: logits`);
  const [batch, steps, classes] = shape as [number, number, number];
  if (shape.length !== 3) {
    throw new ArgumentError(`${what}: logits expected [B, T, V], got ${formatShape(shape)}`);
  }
  if (!(Number.isInteger(blank) && blank >= 0 && blank < classes)) {
    throw new ArgumentError(`${what}: blank expected a class in [0, ${classes}), got ${shown(blank)}`);
  }
  const lengths = checkedInputLengths(what, inputLengths, [batch, steps]);
  return {
    lengths,
    classes,
    blank,
    at(sequence, step) {
      const from = (sequence * steps + step) * classes;
      const values = Float64Array.from({ length: classes }, (_, i) => Number(data[from + i]));
      if (!values.every(Number.isFinite)) {
        throw new ArgumentError(`${what}: logits expected finite numbers, got others at [${sequence}, ${step}]`);
      }
      const total = values.reduce(logAdd, Number.NEGATIVE_INFINITY);
      return values.map((value) => value - total);
    },
  };
}

/** ln(eᵃ + eᵇ) */
function logAdd(a: number, b: number): number {
  if (a < b) return logAdd(b, a);
  return b === Number.NEGATIVE_INFINITY ? a : a + ln(1 + exp2((b - a) / Math.LN2));
}

/**
 * Reads the likeliest path: the likeliest class at each step, without repeats and then without blanks.
 *
 * @param logits `[B, T, V]`, not normalised: an array, nested numbers or a tensor, such as what `predict` returns.
 * @param given.blank the class that means no label; default 0.
 * @param given.inputLengths `[B]`, number of steps of each sequence; default T.
 * @param given.mergeRepeated whether repeats are removed; default true.
 * @returns B labels, each with ln of the probability of its path, Σ_t max ln softmax(logits)_t.
 * @throws ArgumentError if an option is unknown, logits are not finite or have not three axes, `blank` is outside
 *   [0, V), or a length is not an integer in [0, T].
 * @see Graves et al. 2006; keras.ops.ctc_decode
 *
 * @example
 * const logits = [[[0, 5, 0], [0, 5, 0], [5, 0, 0], [0, 5, 0], [0, 0, 5]]]; // [1, 5, 3]
 * ctcGreedyDecode(logits)[0].ids; // 1 1 2
 */
export function ctcGreedyDecode(logits: DataLike, given: CtcGreedyOptions = {}): CtcLabel[] {
  const names = { blank: 1, inputLengths: 1, mergeRepeated: true } as const;
  const { mergeRepeated = true, ...options } = checkOptions('ctcGreedyDecode', given, names);
  const { at, lengths, blank } = sequencesOf('ctcGreedyDecode', logits, options);
  return Array.from(lengths, (steps, sequence) => {
    const ids: number[] = [];
    let logProbability = 0;
    let before = blank;
    for (let t = 0; t < steps; t++) {
      const values = at(sequence, t);
      const most = values.reduce((a, b) => Math.max(a, b));
      const id = values.indexOf(most);
      logProbability += most;
      if (id !== blank && !(mergeRepeated && id === before)) ids.push(id);
      before = id;
    }
    return { ids, logProbability };
  });
}

/** A prefix of labels, in a tree in which each prefix is one object. */
interface Prefix {
  readonly parent: Prefix | undefined;
  readonly id: number;
  readonly length: number;
  readonly next: Map<number, Prefix>;
  /** What the language model and the bonus add to the score. */
  readonly bonus: number;
  /** ln of the probability of its paths so far that end in a blank, and that do not. */
  blank: number;
  label: number;
  /** The same for the paths that are one step longer. */
  nextBlank: number;
  nextLabel: number;
  /** Number of the step that has reached it. */
  step: number;
}

const NONE = Number.NEGATIVE_INFINITY;

function idsOf(prefix: Prefix): number[] {
  const ids: number[] = [];
  for (let at = prefix; at.parent; at = at.parent) ids.push(at.id);
  return ids.reverse();
}

/**
 * Searches for the likeliest labels, each with the probability of all its paths together. `width` prefixes are kept at
 * every step. If all fit, the probabilities are exact: −ln p is then the loss `ctc` of the label.
 *
 * score = ln p(label | logits) + α·Σᵢ ln p(idᵢ | id₁ … idᵢ₋₁) + β·n, for n classes
 *
 * @param logits `[B, T, V]`, not normalised: an array, nested numbers or a tensor, such as what `predict` returns.
 * @param given.blank the class that means no label; default 0.
 * @param given.inputLengths `[B]`, number of steps of each sequence; default T.
 * @param given.width number of prefixes that are kept; default 100.
 * @param given.nBest number of labels for each sequence; default 1.
 * @param given.languageModel ln p(next | prefix), from the classes of a prefix and the next class; default none.
 * @param given.languageModelWeight α; default 1.
 * @param given.lengthBonus β; default 0.
 * @returns for each of the B sequences its `nBest` labels, the best first; fewer if no more were found.
 * @throws ArgumentError if an option is unknown or out of range, logits are not finite or have not three axes, `blank`
 *   is outside [0, V), a length is not an integer in [0, T], or the language model returns NaN or a number above 0.
 * @see Hannun et al. 2014, https://arxiv.org/abs/1408.2873; keras.ops.ctc_decode
 *
 * @example
 * const logits = [[[1, 0.8, -9], [1, 0.8, -9]]]; // [1, 2, 3]
 * ctcGreedyDecode(logits)[0].ids; // none: two blanks are the likeliest path
 * ctcBeamDecode(logits)[0][0].ids; // 1: three paths give it
 */
export function ctcBeamDecode(logits: DataLike, given: CtcBeamOptions = {}): CtcHypothesis[][] {
  const names = {
    blank: 1,
    inputLengths: 1,
    width: 1,
    nBest: 1,
    languageModel: 1,
    languageModelWeight: 1,
    lengthBonus: 1,
  };
  const what = 'ctcBeamDecode';
  const {
    width = 100,
    nBest = 1,
    languageModel,
    ...options
  } = checkOptions<CtcBeamOptions>(what, given, names as never);
  const { languageModelWeight = 1, lengthBonus = 0 } = options;
  expectNumber(`${what}: width`, width, 'an integer ≥ 1');
  expectNumber(`${what}: nBest`, nBest, 'an integer ≥ 1');
  expectNumber(`${what}: languageModelWeight`, languageModelWeight, '≥ 0');
  expectNumber(`${what}: lengthBonus`, lengthBonus, 'a finite number');
  if (languageModel !== undefined) expectType(`${what}: languageModel`, languageModel, 'a function');
  const sequences = sequencesOf(what, logits, options);

  const bonusOf = (prefix: Prefix, id: number): number => {
    if (!languageModel) return prefix.bonus + lengthBonus;
    const value = languageModel(idsOf(prefix), id);
    if (!(value <= 0))
      throw new ArgumentError(`${what}: languageModel expected to return ln p ≤ 0, got ${shown(value)}`);
    return prefix.bonus + lengthBonus + languageModelWeight * value;
  };
  const extended = (prefix: Prefix, id: number): Prefix => {
    let next = prefix.next.get(id);
    if (!next) {
      const from = { parent: prefix, id, length: prefix.length + 1, next: new Map(), bonus: bonusOf(prefix, id) };
      next = { ...from, blank: NONE, label: NONE, nextBlank: NONE, nextLabel: NONE, step: -1 };
      prefix.next.set(id, next);
    }
    return next;
  };
  return Array.from(sequences.lengths, (steps, sequence) =>
    decode(sequences, { sequence, steps, width, extended })
      .slice(0, nBest)
      .map((prefix) => {
        const logProbability = logAdd(prefix.blank, prefix.label);
        return { ids: idsOf(prefix), logProbability, score: scoreOf(prefix) };
      }),
  );
}

const scoreOf = ({ blank, label, bonus }: Prefix): number => logAdd(blank, label) + bonus;

/** The prefixes of one sequence that are kept after its last step, the best first. */
function decode(
  { at, classes, blank }: Sequences,
  given: { sequence: number; steps: number; width: number; extended: (prefix: Prefix, id: number) => Prefix },
): Prefix[] {
  const { sequence, steps, width, extended } = given;
  const none = { parent: undefined, id: -1, length: 0, next: new Map(), bonus: 0, label: NONE };
  let beam: Prefix[] = [{ ...none, blank: 0, nextBlank: NONE, nextLabel: NONE, step: -1 }];
  for (let t = 0; t < steps; t++) {
    const values = at(sequence, t);
    const reached: Prefix[] = [];
    const reach = (prefix: Prefix): Prefix => {
      if (prefix.step === t) return prefix;
      reached.push(prefix);
      return Object.assign(prefix, { step: t, nextBlank: NONE, nextLabel: NONE });
    };
    for (const prefix of beam) {
      const total = logAdd(prefix.blank, prefix.label);
      const same = reach(prefix);
      same.nextBlank = logAdd(same.nextBlank, total + values[blank]!);
      if (prefix.parent) same.nextLabel = logAdd(same.nextLabel, prefix.label + values[prefix.id]!);
      for (let id = 0; id < classes; id++) {
        // A class that repeats the last one starts a new label only after a blank.
        const before = id === prefix.id ? prefix.blank : total;
        if (id === blank || before === NONE) continue;
        const longer = reach(extended(prefix, id));
        longer.nextLabel = logAdd(longer.nextLabel, before + values[id]!);
      }
    }
    for (const prefix of reached) {
      prefix.blank = prefix.nextBlank;
      prefix.label = prefix.nextLabel;
    }
    beam = reached.sort((a, b) => scoreOf(b) - scoreOf(a)).slice(0, width);
  }
  return beam;
}
