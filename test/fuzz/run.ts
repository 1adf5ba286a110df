// npm run fuzz -- [--minutes M] [--target csv,idx] [--seed S] [--from I] [--count N] [--only TARGET:SEED:INDEX]
// [--input TARGET JSON]
//
// Gives inputs to the targets until the time is over. Prints each finding, as small as possible, with the flags that
// repeat it. Each target runs in its own process, so an input that hangs or ends the process is found too, and the next
// process continues after it.
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Finding, Job, Message, Tally } from './child.ts';
import { attempt } from './oracle.ts';
import { Random } from './random.ts';
import type { Plain } from './target.ts';
import { targetNames, targetOf } from './targets.ts';

/**
 * Longest that an input may take before its process is ended, ms: more than a second, so that a busy host is no
 * finding.
 */
const HANG = 15_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    target: { type: 'string', default: targetNames.join(',') },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    count: { type: 'string', default: '1e15' },
    only: { type: 'string' },
    input: { type: 'string' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'tapeloop-fuzz-'));
const progress = join(folder, 'index');
const indexInProgress = (): number => Number(new BigUint64Array(new Uint8Array(readFileSync(progress)).buffer)[0]);

/** One process; how it ended, if not by itself. */
function runChild(job: Job, told: (message: Message) => void): Promise<string | undefined> {
  writeFileSync(progress, new Uint8Array(new BigUint64Array([BigInt(job.from)]).buffer));
  const child: ChildProcess = fork(new URL('./child.ts', import.meta.url), [], {
    execArgv: ['--import', 'tsx', '--max-old-space-size=1500'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let trouble = '';
  child.stderr!.on('data', (text) => (trouble = (trouble + text).slice(-3000)));
  child.on('message', told as (message: unknown) => void);
  child.send(job);
  let last = -1;
  let since = Date.now();
  let isHung = false;
  const watch = setInterval(() => {
    const now = indexInProgress();
    if (now !== last) [last, since] = [now, Date.now()];
    if (Date.now() - since < HANG) return;
    isHung = true;
    child.kill('SIGKILL');
  }, 500);
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      clearInterval(watch);
      resolve(
        isHung
          ? `no answer within ${HANG / 1000} s`
          : code === 0
            ? undefined
            : `ended by ${signal ?? code}: ${trouble}`,
      );
    });
  });
}

function print(target: string, seed: number, { signature, index, input, message, stack }: Finding): void {
  const frames = [...(stack ?? '').matchAll(/\/src\/([\w/.-]+:\d+)/g)].map(([, frame]) => frame);
  console.log(`\nFOUND ${signature}\n  ${message.slice(0, 300)}\n  ${frames.slice(0, 5).join(' < ')}`);
  console.log(
    `  --only ${target}:${seed}:${index}\n  --target ${target} --input '${JSON.stringify(input).slice(0, 600)}'`,
  );
}

async function runTarget(name: string, seed: number, share: number): Promise<Tally> {
  const target = await targetOf(name);
  const sum = { inputs: 0, answered: 0, milliseconds: 0, counts: {} as Record<string, number> };
  const first = Number(values.from);
  let from = first;
  const end = first + Number(values.count);
  while (sum.milliseconds < share && from < end) {
    const began = performance.now();
    let tally: Tally = { inputs: 0, answered: 0, milliseconds: 0, counts: {} };
    let isWhole = false;
    const job = { target: name, seed, from, count: end - from, milliseconds: share - sum.milliseconds, progress };
    const ending = await runChild(job, (message) => {
      if ('finding' in message) print(name, seed, message.finding);
      else ({ tally, isWhole } = message);
    });
    const index = isWhole ? from + tally.inputs - 1 : indexInProgress();
    sum.inputs += index + 1 - from;
    sum.answered += tally.answered;
    sum.milliseconds += isWhole ? tally.milliseconds : performance.now() - began;
    for (const [key, count] of Object.entries(tally.counts)) sum.counts[key] = (sum.counts[key] ?? 0) + count;
    if (isWhole) break;
    const message = ending ?? 'the process ended without an error';
    const signature = message.split('\n')[0]!.slice(0, 100);
    print(name, seed, { signature, index, input: target.generate(new Random(name, seed, index)), message });
    sum.counts[signature] = (sum.counts[signature] ?? 0) + 1;
    from = index + 1;
  }
  return sum;
}

async function replay(name: string, input: Plain): Promise<void> {
  console.log(JSON.stringify(input));
  const failure = await attempt(await targetOf(name), input);
  console.log(failure === undefined ? 'answered' : failure.signature === '' ? 'refused' : `FOUND ${failure.signature}`);
  if (failure) console.log(failure.error);
}

if (values.only !== undefined) {
  const [name, seed, index] = values.only.split(':') as [string, string, string];
  await replay(name, (await targetOf(name)).generate(new Random(name, Number(seed), Number(index))));
} else if (values.input !== undefined) {
  await replay(values.target, JSON.parse(values.input));
} else {
  const names = values.target.split(',');
  // One after the other: each target calls `init`, and the first `init` refuses what is made before it has finished.
  const shares: number[] = [];
  for (const name of names) shares.push((await targetOf(name)).share ?? 1);
  const all = shares.reduce((sum, share) => sum + share, 0);
  const tallies: [string, Tally][] = [];
  for (const [i, name] of names.entries()) {
    tallies.push([
      name,
      await runTarget(name, Number(values.seed), (Number(values.minutes) * 60_000 * shares[i]!) / all),
    ]);
  }
  console.log('\n| target | inputs | answered | seconds | inputs/s | findings |\n|---|---|---|---|---|---|');
  let found = 0;
  for (const [name, { inputs, answered, milliseconds, counts }] of tallies) {
    const findings = Object.keys(counts).length;
    const rate = Math.round((1000 * inputs) / milliseconds);
    const seconds = (milliseconds / 1000).toFixed(1);
    const cells = [name, inputs, answered, seconds, rate, findings];
    console.log(`| ${cells.join(' | ')} |`);
    found += findings;
  }
  for (const [name, { counts }] of tallies) {
    for (const [signature, count] of Object.entries(counts)) console.log(`${name}: ${count} × ${signature}`);
  }
  process.exitCode = found > 0 ? 1 : 0;
}
rmSync(folder, { recursive: true });
