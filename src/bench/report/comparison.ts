// What a comparison of two reports says, in the form of a report.
import type { ComparedSide, ComparedWorkload, Comparison, Score } from '../results.ts';
import type { Fact, Layout, Tone } from './layout.ts';
import { counted, duration, minuteOf, printable, ratioNumber } from './numbers.ts';

/** The worst first. */
const VERDICTS = ['slower', 'same', 'faster'] as const;
const TONES: Record<ComparedWorkload['verdict'], Tone> = { slower: 'bad', same: 'plain', faster: 'good' };

const interval = ({ low, high }: { low: number; high: number }): string => `${ratioNumber(low)}–${ratioNumber(high)}`;

const worstFirst = (x: ComparedWorkload, y: ComparedWorkload): number =>
  VERDICTS.indexOf(x.verdict) - VERDICTS.indexOf(y.verdict) || y.ratio - x.ratio;

/** A ratio of times in words: 5.2% more time. */
const inWords = (ratio: number): string =>
  `${(100 * Math.abs(ratio - 1)).toFixed(1)}% ${ratio < 1 ? 'less' : 'more'} time`;

const overall = (all: Score): string => {
  const isSame = all.low <= 1 && all.high >= 1;
  return `in all ${isSame ? 'no difference' : inWords(all.value)}, ratio ${ratioNumber(all.value)} (${interval(all)})`;
};

const are = (count: number): string => `${count} ${count === 1 ? 'is' : 'are'}`;

function sentence(rows: readonly ComparedWorkload[], all: Score): string {
  const [slower, same, faster] = VERDICTS.map((verdict) => rows.filter((row) => row.verdict === verdict));
  const worst = slower![0];
  const best = faster!.at(-1);
  const words = [
    `${are(slower!.length)} slower${worst ? ` (most ${printable(worst.id)}, ${inWords(worst.ratio)})` : ''}`,
    `${are(faster!.length)} faster${best ? ` (most ${printable(best.id)}, ${inWords(best.ratio)})` : ''}`,
    `${are(same!.length)} the same`,
  ];
  return `Of ${counted(rows.length, 'workload')}, ${words.join(', ')}; ${overall(all)}.`;
}

/** Which engine, flags, tapeloop and run a report is of. */
function sideFact(name: string, { host, version, date, rounds, verified }: ComparedSide): Fact {
  const words = [
    `${host.runtime} ${host.version}`,
    host.engine,
    ...host.flags,
    ...(host.cpu === null ? [] : [host.cpu]),
    `tapeloop ${version}`,
    counted(rounds, 'round'),
    minuteOf(date),
    ...(verified ? [] : ['WRONG RESULTS']),
  ];
  return { name, value: printable(words.join(', ')), tone: verified ? 'plain' : 'bad' };
}

/** What a comparison says. */
export function comparisonLayout({ before: first, after: second, rows, missing, all }: Comparison): Layout {
  const sorted = [...rows].sort(worstFirst);
  const different = sorted.filter(({ isSameResult }) => !isSameResult);
  return {
    title: 'Before and after',
    facts: [sideFact('before', first), sideFact('after', second)],
    tables: [
      {
        title: 'workloads',
        columns: [
          { title: 'workload', align: 'left' },
          ...(different.length > 0 ? [{ title: '', align: 'left' } as const] : []),
          { title: 'before', align: 'right', leaves: 1 },
          { title: 'after', align: 'right', leaves: 2 },
          { title: 'after / before', align: 'right' },
          { title: '95% interval', align: 'right' },
          { title: 'verdict', align: 'left' },
        ],
        rows: sorted.map(({ id, before, after, ratio, low, high, verdict, isSameResult }) => ({
          cells: [
            printable(id),
            ...(different.length > 0 ? [isSameResult ? '' : '≠'] : []),
            duration(before),
            duration(after),
            ratioNumber(ratio),
            interval({ low, high }),
            verdict,
          ],
          bar: null,
          tone: TONES[verdict],
        })),
      },
    ],
    barEnd: null,
    notes: [
      ...(different.length > 0
        ? [`≠ the two results differ: ${different.map(({ id }) => printable(id)).join(', ')}`]
        : []),
      ...(Math.min(first.rounds, second.rounds) < 3
        ? [
            'Fewer than three rounds: how processes of one build differ was not seen and is taken as 1%, which may be too little.',
          ]
        : []),
      ...(missing.length > 0 ? [`in one of the two alone: ${missing.map(printable).join(', ')}`] : []),
    ],
    summary: sentence(sorted, all),
  };
}
