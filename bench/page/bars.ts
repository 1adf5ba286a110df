// Scores as bars with their intervals. They are lists of text, so that they can be read aloud and wrap on a phone.
import { barEndOf, REFERENCE } from '../../src/bench/report/layout.ts';
import { scoreText } from '../../src/bench/report/numbers.ts';
import { type BenchReport, GROUPS, type Score, type WorkloadResult } from '../../src/bench/results.ts';
import { element, section } from './elements.ts';

interface Bar {
  name: string;
  score: Score | null;
  isWrong?: boolean;
}

/** 100 · the reference's median / the ends of the median's interval. */
const scoreOf = ({ score, median, low, high }: WorkloadResult): Score | null =>
  score === null ? null : { value: score, low: (score * median) / high, high: (score * median) / low };

const share = (value: number, end: number): string => `${((100 * Math.min(value, end)) / end).toFixed(2)}%`;

/** One bar, with a line at the reference and the interval as a thin line over its end. */
function barOf({ name, score, isWrong = false }: Bar, end: number): HTMLElement {
  const words = score ? scoreText(score) : 'no reference';
  const head = element(
    'div',
    { className: 'bar-head' },
    element('span', {}, isWrong ? `✗ ${name} (wrong result)` : name),
    element('span', { className: 'value' }, words),
  );
  const track = element('div', { className: 'track', style: { '--reference': share(REFERENCE, end) } });
  if (score) {
    const isCut = score.value > end;
    track.append(
      element('div', {
        className: `fill${isWrong ? ' wrong' : ''}${isCut ? ' cut' : ''}`,
        style: { width: share(score.value, end) },
      }),
    );
    if (!isCut) {
      const left = share(score.low, end);
      const width = share(Math.min(score.high, end) - score.low, end);
      track.append(element('div', { className: 'interval', style: { left, width } }));
    }
  }
  return element('li', {}, head, track);
}

const barList = (bars: readonly Bar[], end: number): HTMLElement =>
  element('ul', { className: 'bars', role: 'list' }, ...bars.map((bar) => barOf(bar, end)));

/** The scores of the groups and of all. */
export function groupScores({ scores, score }: BenchReport): HTMLElement {
  const bars = GROUPS.flatMap((group): Bar[] => (scores[group] ? [{ name: group, score: scores[group] }] : []));
  const end = barEndOf([...bars.map((bar) => bar.score!.high), score?.high ?? null]);
  return section(
    'Scores by group',
    `The line is the reference run, ${REFERENCE}; longer is faster.`,
    barList(score ? [...bars, { name: 'all', score }] : bars, end),
  );
}

/** The scores of all workloads, by group. */
export function workloadScores({ results }: BenchReport): HTMLElement {
  const end = barEndOf(results.map((result) => scoreOf(result)?.high ?? null));
  const groups = GROUPS.flatMap((group) => {
    const own = results.filter((result) => result.group === group);
    if (own.length === 0) return [];
    const bars = own.map((result) => ({
      name: result.id,
      score: scoreOf(result),
      isWrong: result.verified === false,
    }));
    return [element('div', {}, element('h3', {}, group), barList(bars, end))];
  });
  return section(
    'Scores by workload',
    `The line is the reference run, ${REFERENCE}, and the thin one at a bar’s end its 95% interval.`,
    element('div', { className: 'columns' }, ...groups),
  );
}
