// node --import tsx acceptance/benchmark-suite.ts [PAIRS] [RUNS]
// Whether the benchmark suite can be quoted. PAIRS times (20) two reports of one build are compared, and one of them
// with a report in which `column-sums` takes 5% more: its kernel goes over a twentieth of the rows once more. Then the
// whole suite runs RUNS times (10): how far apart scores are, and whether intervals hold the medians of other runs.
// Settings are the defaults of `tapeloop bench`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Workload } from '../src/bench/workload.ts';
import { workloads } from '../src/bench/workloads/all.ts';
import { type BenchReport, compareReports, mergeReports, runBench } from '../src/bench.ts';

const SLOWED = 'column-sums';
const SOME = 'exp,softmax,gemv,column-sums';
const ROUNDS = 8;

/** The workload with a run that goes over a twentieth more of its rows. */
function slowed(workload: Workload): Workload {
  return {
    ...workload,
    async prepare(size, engine) {
      const prepared = await workload.prepare(size, engine);
      const { kernels } = engine;
      const [rows, cols] = { small: [64, 65], medium: [512, 512], large: [1024, 4096] }[size] as [number, number];
      let [x, y] = [0, 0];
      // The addresses are those of the workload's own call.
      const col_sum: typeof kernels.col_sum = (count, width, from, stride, to, accumulate) => {
        [x, y] = [from, to];
        kernels.col_sum(count, width, from, stride, to, accumulate);
      };
      engine.kernels = { ...kernels, col_sum };
      prepared.run();
      engine.kernels = kernels;
      const run = (): void => {
        kernels.col_sum(rows, cols, x, cols, y, 0);
        kernels.col_sum(Math.round(rows / 20), cols, x, cols, y, 0);
      };
      return { ...prepared, run };
    },
  };
}

interface Question {
  readonly only: string;
  readonly isSlowed: boolean;
}

if (process.send) {
  process.once('message', async ({ only, isSlowed }: Question) => {
    const at = workloads.findIndex(({ name }) => name === SLOWED);
    if (isSlowed) (workloads as Workload[])[at] = slowed(workloads[at]!);
    const report = await runBench({ only, rounds: 1 });
    process.send!(report, () => process.exit(0));
  });
} else await main();

/** One round in a process of its own. */
async function round(question: Question): Promise<BenchReport> {
  const child = fork(new URL(import.meta.url));
  child.send(question);
  const [report] = (await once(child, 'message')) as [BenchReport];
  await once(child, 'exit');
  return report;
}

async function reportOf(only: string, isSlowed: boolean): Promise<BenchReport> {
  const rounds: BenchReport[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round({ only, isSlowed }));
  return mergeReports(rounds);
}

async function main(): Promise<void> {
  const [pairs = 20, runs = 10] = process.argv.slice(2).map(Number);
  let [same, found, others] = [0, 0, 0];
  for (let i = 0; i < pairs; i++) {
    const [before, equal, slower] = [
      await reportOf(SOME, false),
      await reportOf(SOME, false),
      await reportOf(SOME, true),
    ];
    const named = (after: BenchReport): string[] =>
      compareReports(before, after)
        .rows.filter(({ verdict }) => verdict !== 'same')
        .map(({ id, verdict, ratio }) => `${id} ${verdict} ${ratio.toFixed(3)}`);
    const [ofEqual, ofSlower] = [named(equal), named(slower)];
    same += Number(ofEqual.length === 0);
    found += Number(ofSlower.some((text) => text.startsWith(`${SLOWED}/medium slower`)));
    others += ofSlower.filter((text) => !text.startsWith(SLOWED)).length;
    console.log(
      `pair ${i + 1}: equal builds: ${ofEqual.join(', ') || 'same'}; slower: ${ofSlower.join(', ') || 'same'}`,
    );
  }
  console.log(`| two equal builds are called the same | ${same} of ${pairs} |`);
  console.log(`| the slower kernel is found and named | ${found} of ${pairs}, beside it ${others} other names |`);

  const whole: BenchReport[] = [];
  for (let i = 0; i < runs; i++) {
    whole.push(await reportOf('', false));
    console.log(`run ${i + 1}: score ${whole.at(-1)!.score?.value.toFixed(2)}, ${whole.at(-1)!.seconds.toFixed(0)} s`);
  }
  if (runs === 0) return;
  const scores = whole.map(({ score }) => score!.value).sort((a, b) => a - b);
  const middle = scores[scores.length >> 1]!;
  const apart = scores.map((score) => 100 * (score / middle - 1));
  let [inside, all, scoresInside] = [0, 0, 0];
  for (const report of whole) {
    const { low, high } = report.score!;
    scoresInside += scores.filter((score) => score >= low && score <= high).length - 1;
    for (const { id, low, high } of report.results) {
      for (const other of whole) {
        if (other === report) continue;
        const { median } = other.results.find((result) => result.id === id)!;
        inside += Number(median >= low && median <= high);
        all++;
      }
    }
  }
  console.log(
    `| scores of ${runs} runs, from their median | ${apart[0]!.toFixed(1)}% to +${apart.at(-1)!.toFixed(1)}% |`,
  );
  console.log(`| medians of other runs inside of an interval of 95% | ${((100 * inside) / all).toFixed(1)}% |`);
  console.log(
    `| scores of other runs inside of an interval of 95% | ${((100 * scoresInside) / (runs * (runs - 1))).toFixed(1)}% |`,
  );
}
