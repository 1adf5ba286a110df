// Beam search over ids. What computes the log-probabilities is a `BeamSource`; here the hypotheses are chosen.
import { ArgumentError } from '../checks/argument-error.ts';

/** One sequence of ids that a beam search has found. */
export interface Hypothesis {
  /** The ids after the prompt, without the stop id. */
  ids: number[];
  /** ln of the probability of these ids and of the stop id, given the prompt. */
  logProbability: number;
  /** The log-probability divided by the length penalty. */
  score: number;
  /** Whether a stop id has ended it. */
  isFinished: boolean;
}

/** A hypothesis of one prompt of a batch. */
export interface BeamHypothesis extends Hypothesis {
  sequence: number;
}

/** What decides which hypotheses stay; all are checked. */
export interface BeamRules {
  readonly width: number;
  readonly nBest: number;
  readonly maxLength: number;
  readonly minLength: number;
  readonly stopIds: readonly number[];
  readonly groups: number;
  readonly diversityPenalty: number;
  readonly noRepeatNgramSize: number;
  readonly earlyStopping: boolean;
  /** What the log-probability of n ids, the stop id included, is divided by. */
  penaltyOf(n: number): number;
}

/** One row of the model's next call. */
export interface BeamRow {
  /** Index of the prompt. */
  readonly prompt: number;
  /** The row of the call before whose states it continues; −1 at first. */
  readonly parent: number;
  /** The prompt up to here and the ids after it. The row reads the last of them. */
  readonly ids: readonly number[];
}

/** Computes log-probabilities. */
export interface BeamSource {
  /** ln p of the next id for each row, `[rows, V]`, valid until the next call. */
  after(rows: readonly BeamRow[]): { values: Float32Array; classes: number };
  dispose(): void;
}

interface Live {
  readonly ids: readonly number[];
  readonly logProbability: number;
  /** Row of the last call. */
  row: number;
}

interface Group {
  readonly size: number;
  live: Live[];
  finished: Hypothesis[];
  isDone: boolean;
}

interface Candidate {
  readonly from: Live;
  readonly id: number;
  readonly logProbability: number;
  /** What candidates are ordered by: the log-probability less the diversity penalty. */
  readonly rank: number;
}

/** A prompt during the search. */
interface Search {
  readonly prompt: readonly number[];
  readonly groups: readonly Group[];
  /** Row of the last call while the prompt is read. */
  row: number;
}

/**
 * Searches for all prompts at once. Yields, after each step of a prompt, the hypotheses that have ended there and then
 * the best of those that go on. Returns the best of each prompt, best first.
 */
export function* search(
  source: BeamSource,
  prompts: readonly (readonly number[])[],
  rules: BeamRules,
): Generator<BeamHypothesis, Hypothesis[][], void> {
  const searches = prompts.map((prompt): Search => {
    const groups = Array.from({ length: rules.groups }, (): Group => {
      const start = { ids: [], logProbability: 0, row: -1 };
      return { size: rules.width / rules.groups, live: [start], finished: [], isDone: false };
    });
    return { prompt, groups, row: -1 };
  });
  for (let t = 0; searches.some(isOpen); t++) {
    const rows: BeamRow[] = [];
    const expanding: number[] = [];
    for (const [prompt, each] of searches.entries()) {
      if (!isOpen(each)) continue;
      if (t < each.prompt.length) {
        // All hypotheses of a prompt start from one row, which reads the prompt.
        rows.push({ prompt, parent: each.row, ids: each.prompt.slice(0, t + 1) });
        each.row = rows.length - 1;
        for (const { live } of each.groups) live[0]!.row = each.row;
        if (t < each.prompt.length - 1) continue;
      } else {
        for (const live of each.groups.flatMap((group) => (group.isDone ? [] : group.live))) {
          rows.push({ prompt, parent: live.row, ids: [...each.prompt, ...live.ids] });
          live.row = rows.length - 1;
        }
      }
      expanding.push(prompt);
    }
    const { values, classes } = source.after(rows);
    for (const id of rules.stopIds) {
      if (id >= classes) throw new ArgumentError(`beamSearch: stopIds expected < ${classes}, got ${id}`);
    }
    for (const sequence of expanding) {
      const each = searches[sequence]!;
      const ended = extend(each, values, classes, rules);
      for (const hypothesis of ended) yield { sequence, ...hypothesis };
      const going = each.groups.flatMap((group) => (group.isDone ? [] : group.live.slice(0, 1)));
      const best = going.reduce((a, b) => (b.logProbability > a.logProbability ? b : a), going[0]!);
      if (best) yield { sequence, ...hypothesisOf(best.ids, best.logProbability, best.ids.length, false, rules) };
    }
  }
  return searches.map(({ groups }) =>
    bestOf(
      groups.flatMap(({ finished }) => finished),
      rules.nBest,
    ),
  );
}

const isOpen = ({ groups }: Search): boolean => groups.some(({ isDone }) => !isDone);

/** The best by score; of equal scores the one that was found first. */
const bestOf = (hypotheses: readonly Hypothesis[], count: number): Hypothesis[] =>
  [...hypotheses].sort((a, b) => b.score - a.score).slice(0, count);

function hypothesisOf(
  ids: readonly number[],
  logProbability: number,
  length: number,
  isFinished: boolean,
  { penaltyOf }: BeamRules,
): Hypothesis {
  return { ids: [...ids], logProbability, score: logProbability / penaltyOf(length), isFinished };
}

/** Makes one step of a prompt's hypotheses. Returns those that have ended. */
function extend({ prompt, groups }: Search, values: Float32Array, classes: number, rules: BeamRules): Hypothesis[] {
  const { stopIds, diversityPenalty, maxLength, nBest } = rules;
  const ended: Hypothesis[] = [];
  const timesTaken = new Map<number, number>();
  for (const group of groups) {
    if (group.isDone) continue;
    const length = group.live[0]!.ids.length + 1;
    // Each hypothesis has one candidate for each stop id, and the others must be enough to fill the group.
    const count = group.size + group.live.length * stopIds.length;
    const next: Live[] = [];
    let rank = 0;
    for (const { from, id, logProbability } of candidatesOf(group.live, count)) {
      if (next.length === group.size) break;
      if (stopIds.includes(id)) {
        // As in other beam searches, an ending counts only if it is among the best of its step.
        if (rank++ >= group.size) continue;
        const hypothesis = hypothesisOf(from.ids, logProbability, length, true, rules);
        ended.push(hypothesis);
        group.finished.push(hypothesis);
      } else {
        rank++;
        next.push({ ids: [...from.ids, id], logProbability, row: from.row });
      }
      timesTaken.set(id, (timesTaken.get(id) ?? 0) + 1);
    }
    // Where no id may follow, the hypotheses end as they are, unless one has found its end.
    const isStuck = length > 1 && next.length + group.finished.length === 0;
    if (length === maxLength || isStuck) {
      const kept = isStuck ? group.live : next;
      const cut = kept.map(({ ids, logProbability }) => hypothesisOf(ids, logProbability, ids.length, false, rules));
      ended.push(...cut);
      group.finished.push(...cut);
    }
    group.finished = bestOf(group.finished, Math.max(group.size, nBest));
    group.live = next;
    group.isDone = length === maxLength || next.length === 0 || isDecided(group, length, rules);
  }
  return ended;

  function candidatesOf(live: readonly Live[], count: number): Candidate[] {
    const best: Candidate[] = [];
    for (const from of live) {
      const refused = refusedIds([...prompt, ...from.ids], from.ids.length, rules);
      const at = from.row * classes;
      for (let id = 0; id < classes; id++) {
        const logProbability = from.logProbability + values[at + id]!;
        const rank =
          diversityPenalty > 0 ? logProbability - diversityPenalty * (timesTaken.get(id) ?? 0) : logProbability;
        if (!(best.length < count || rank > best.at(-1)!.rank) || rank === Number.NEGATIVE_INFINITY) continue;
        if (refused?.has(id)) continue;
        // Of equals the first stays first.
        let place = best.length;
        while (place > 0 && best[place - 1]!.rank < rank) place--;
        best.splice(place, 0, { from, id, logProbability, rank });
        if (best.length > count) best.pop();
      }
    }
    return best;
  }
}

/** Ids that may not follow: stop ids while the text is too short, and ids that would repeat an n-gram. */
function refusedIds(
  ids: readonly number[],
  length: number,
  { minLength, stopIds, noRepeatNgramSize: n }: BeamRules,
): Set<number> | undefined {
  const refused = new Set(length < minLength ? stopIds : []);
  if (n > 0) {
    const last = ids.slice(ids.length - n + 1);
    for (let at = 0; at + n <= ids.length; at++) {
      if (last.every((id, i) => ids[at + i] === id)) refused.add(ids[at + n - 1]!);
    }
  }
  return refused.size > 0 ? refused : undefined;
}

/** Whether no hypothesis that goes on can get among the group's best. */
function isDecided({ finished, live, size }: Group, length: number, rules: BeamRules): boolean {
  const wanted = Math.min(size, finished.length);
  if (wanted < size) return false;
  if (rules.earlyStopping) return true;
  const worst = finished[size - 1]!.score;
  const { penaltyOf, maxLength } = rules;
  // A log-probability never grows, and the penalty goes one way with the length.
  const least = Math.max(penaltyOf(length + 1), penaltyOf(maxLength));
  return live.every(({ logProbability }) => logProbability / least <= worst);
}
