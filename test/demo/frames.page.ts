// The page never waits for the network: how long its frames take, and its main thread's tasks, while everything runs.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Site, start, until } from './chromium.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.open();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

const LIMIT_MS = 50;
const SPELLS = 5;
const SPELL_MS = 4000;

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  ph: string;
  /** Processor time, in microseconds. */
  tdur?: number;
  args: { name?: string };
}

/** The longest task of the page's main thread, in milliseconds of processor time. */
function longestTask(trace: Buffer): number {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const isMain = ({ name, args }: TraceEvent): boolean => name === 'thread_name' && args.name === 'CrRendererMain';
  const mains = new Set(traceEvents.filter(isMain).map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = traceEvents.filter(
    ({ name, ph, pid, tid }) => name.endsWith('RunTask') && ph === 'X' && mains.has(`${pid} ${tid}`),
  );
  expect(tasks.length).toBeGreaterThan(100);
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000));
}

test(`no frame takes more than ${LIMIT_MS} ms while a network trains, writes and is looked into`, async () => {
  const { page } = await site.page();
  // As text: what builds the tests gives functions helpers that the page does not have.
  await page.evaluate(`
    window.frames_ms = [];
    let last = performance.now();
    requestAnimationFrame(function frame(now) {
      frames_ms.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    });
  `);
  await site.browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  await start(page, { source: 'code', hidden: '128' });
  await until(page, 'step', { above: 10 });
  // Others may have the machine for a while, so the quietest of some spells counts.
  const spells: { frames: number; longest: number }[] = [];
  while (spells.length < SPELLS && !spells.some(({ longest }) => longest <= LIMIT_MS)) {
    await page.evaluate('frames_ms.length = 0');
    await page.waitForTimeout(SPELL_MS);
    const frames = (await page.evaluate('frames_ms')) as number[];
    spells.push({ frames: frames.length, longest: Math.round(10 * Math.max(...frames)) / 10 });
  }
  const task = longestTask(await site.browser.stopTracing());
  console.log(
    spells.map(({ frames, longest }) => `${frames} frames, longest ${longest} ms`).join('; '),
    `; longest task of the page's main thread ${task.toFixed(1)} ms of processor time`,
  );
  expect(task).toBeLessThan(LIMIT_MS);
  expect(Math.min(...spells.map(({ longest }) => longest))).toBeLessThanOrEqual(LIMIT_MS);
});
