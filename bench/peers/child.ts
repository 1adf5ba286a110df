// node --import tsx child.ts ENGINE THREADS: one engine in its own process. Requests come through stdin.
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Memory, OpenEngine, PeerEngine, Prepared, Request, Sample, Task } from './protocol.ts';

/** Length of the warm-up, for optimizing compilers, and its least number of runs for slow cases. */
const WARM_UP_MS = 500;
const WARM_UP_RUNS = 2;
/** Least length of a sample. */
const SAMPLE_MS = 20;
/** Unmeasured run time before a sample, to fill the caches again after another engine has used them. */
const REFRESH_MS = 5;
const RUNS_FOR_MEMORY = 5;
const MEGABYTE = 2 ** 20;

let task: Task | undefined;
let repeats = 1;

async function runFor(count: number): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    const pending = task!.run();
    if (pending instanceof Promise) await pending;
  }
  return performance.now() - started;
}

async function warmUp(): Promise<void> {
  let elapsed = 0;
  let last = 0;
  for (let runs = 0; runs < WARM_UP_RUNS || elapsed < WARM_UP_MS; runs++) {
    last = await runFor(1);
    elapsed += last;
  }
  // A single run of a fast case is too short for the clock, so a batch of runs is timed.
  repeats = last > SAMPLE_MS ? 1 : Math.ceil(SAMPLE_MS / ((await runFor(20)) / 20));
}

async function prepare(engine: PeerEngine, request: Request & { op: 'prepare' }): Promise<Prepared> {
  task = await engine.prepare(request.case, request.variant);
  const values = task.check ? await task.check() : new Float32Array(0);
  writeFileSync(request.checked, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  if (request.warm) await warmUp();
  const { note, variant } = task;
  return { ...(note && { note }), ...(variant && { variant }) };
}

async function sample(): Promise<Sample> {
  if (repeats > 1) await runFor(Math.ceil((repeats * REFRESH_MS) / SAMPLE_MS));
  const before = process.cpuUsage();
  const elapsed = await runFor(repeats);
  const { user, system } = process.cpuUsage(before);
  return { ms: elapsed / repeats, busy: (user + system) / 1000 / elapsed };
}

/** Memory of this process, in bytes. Only Linux can reset the peak. */
function residentMemory(): { now: number; peak: number } {
  const status = readFileSync('/proc/self/status', 'utf8');
  const read = (field: string) => 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)![1]);
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

async function measureMemory(engine: PeerEngine, request: Request & { op: 'memory' }): Promise<Memory> {
  writeFileSync('/proc/self/clear_refs', '5');
  const base = residentMemory().now;
  task = await engine.prepare(request.case);
  await runFor(RUNS_FOR_MEMORY);
  return { megabytes: (residentMemory().peak - base) / MEGABYTE, baseMegabytes: base / MEGABYTE };
}

function answer(engine: PeerEngine, request: Request): Promise<object> {
  if (request.op === 'prepare') return prepare(engine, request);
  if (request.op === 'memory') return measureMemory(engine, request);
  return sample();
}

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const explain = (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) });
// Libraries print to stdout, but stdout is only for answers to the driver.
console.log = console.info = console.debug = console.error;

const [name, threads] = process.argv.slice(2);
try {
  const { default: open } = (await import(`./engines/${name}.ts`)) as { default: OpenEngine };
  const engine = await open({ threads: Number(threads) });
  say({ version: engine.version });
  for await (const line of createInterface({ input: process.stdin })) {
    say(await answer(engine, JSON.parse(line)).catch(explain));
  }
} catch (error) {
  say(explain(error));
}
process.exit();
