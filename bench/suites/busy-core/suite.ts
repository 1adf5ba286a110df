// Training steps on several threads, while all cores are free and beside another process that loops for ever. The
// numbers of threads take turns, each in its own process.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../../peers/results.ts';
import { TRAIN } from '../../shapes.ts';
import type { SuiteContext } from '../../suite.ts';

const WARM_UP_MS = 1_500;
// Training before a sample: the pool finds out which threads help.
const SETTLE_MS = 1_000;
const SAMPLE_MS = 300;
const ROUNDS = 5;
// A round starts when other processes take less than this part of a core, or after a while. It is dropped if they take
// more at its end. So many may be dropped.
const FOREIGN = 0.15;
const MOST_WAITS = 100;
const MOST_DROPPED = 14;

/** How many cores all processes of the host take now. */
async function coresInUse(): Promise<number> {
  const busyMs = () => cpus().reduce((sum, { times }) => sum + times.user + times.sys + times.nice, 0);
  const [before, start] = [busyMs(), performance.now()];
  await sleep(100);
  return (busyMs() - before) / (performance.now() - start);
}

async function train(child: ChildProcess, ms: number): Promise<number> {
  const answer = once(child, 'message');
  child.send(ms);
  return (await answer)[0];
}

/** Mean times of a step, one for each child, in turns. */
async function round(children: readonly ChildProcess[], isBusy: boolean): Promise<number[]> {
  for (let i = 0; i < MOST_WAITS && (await coresInUse()) > FOREIGN; i++);
  const busy = isBusy ? spawn(process.execPath, ['-e', 'for (;;);']) : undefined;
  try {
    await sleep(200);
    const times = [];
    for (const child of children) {
      await train(child, SETTLE_MS);
      times.push(await train(child, SAMPLE_MS));
    }
    return times;
  } finally {
    busy?.kill('SIGKILL');
    if (busy) await once(busy, 'exit');
  }
}

/** Every training shape. `context.threads` are the numbers of threads; 1, 2 and 4 if it is only 1. */
export async function busyCoreSuite(context: SuiteContext): Promise<void> {
  const numbers = context.threads.length > 1 ? context.threads : [1, 2, 4];
  const table: string[] = [];
  for (const [row, { name }] of TRAIN.entries()) {
    if (!name.includes(context.only)) continue;
    const children: ChildProcess[] = [];
    let build = '';
    for (const threads of numbers) {
      const child = fork(new URL('child.ts', import.meta.url), [String(row), String(threads)]);
      build = (await once(child, 'message'))[0];
      await train(child, WARM_UP_MS);
      children.push(child);
    }
    const samples: Record<string, number[][]> = { free: [], busy: [] };
    let dropped = 0;
    for (let i = 0; i < 2 * ROUNDS; ) {
      const state = i % 2 ? 'busy' : 'free';
      const times = await round(children, state === 'busy');
      if ((await coresInUse()) > FOREIGN && dropped++ < MOST_DROPPED) continue;
      samples[state]!.push(times);
      i++;
    }
    for (const child of children) child.kill();
    for (const [state, all] of Object.entries(samples)) {
      const cells = numbers.map((threads, n) => {
        const times = all.map((each) => each[n]!);
        const result = { medianMs: median(times), minMs: Math.min(...times), runs: times.length };
        context.add({
          ...{ suite: 'busy-core', case: `${name}, ${state}`, engine: build, threads, ...result },
          ...{ gflops: null, percentOfPeak: null },
        });
        const speed = median(all.map((each) => each[0]! / each[n]!));
        return n === 0 ? result.medianMs.toPrecision(4) : `${result.medianMs.toPrecision(4)} (${speed.toFixed(2)}×)`;
      });
      table.push(`| ${name} | ${state} | ${cells.join(' | ')} | ${all.length} |`);
    }
    if (dropped > MOST_DROPPED) console.log(`${name}: other processes disturbed the measurement`);
  }
  console.log(
    `| training step, ms | cores | ${numbers.map((n) => `${n} thread${n > 1 ? 's' : ''}`).join(' | ')} | rounds |`,
  );
  console.log(`| --- | --- | ${numbers.map(() => '---:').join(' | ')} | ---: |`);
  console.log(table.join('\n'));
}
