// Times the first 50 training steps in new processes of Node, Chromium and workerd.
//   npm run bench:first-steps -- [--only TEXT,TEXT] [--old FOLDER] [--runs N] [--markdown FILE]
// The folder of --old is a clone of the build before, after npm run build. Both builds alternate.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { installTools, tool } from '../../test/runtimes/app.ts';
import { type Browser, visitFolder } from '../../test/runtimes/hosts/browsers.ts';
import { bundlePage } from '../../test/runtimes/hosts/bundlers.ts';
import { withWorker } from '../../test/runtimes/hosts/workerd.ts';
import { NotHere } from '../../test/runtimes/suite-result.ts';
import { median } from '../peers/results.ts';

interface Times {
  init: number;
  model: number;
  steps: number[];
  build: string;
}

/** Each starts a new process for one sample. `app` is a folder in which the package is installed. */
type Host = (app: string) => Promise<Times>;

const node =
  (version: number, wide = false): Host =>
  async (app) => {
    const program = tool(`node-${version}/bin/node`);
    if (!existsSync(program)) throw new NotHere(`Node ${version} is not installed`);
    const options = JSON.stringify(wide ? { wide } : {});
    return JSON.parse(execFileSync(program, ['program.mjs', options], { cwd: app, encoding: 'utf8' }));
  };

const chromium =
  (browser: Browser): Host =>
  async (app) => {
    const folder = join(app, 'page');
    if (!existsSync(folder)) await bundlePage(join(app, 'page.mjs'), folder);
    return visitFolder<Times>(browser, folder);
  };

/** Numbers of steps of one request to workerd. Each request goes to a new process. */
const COUNTS = [0, 1, 2, 5, 10, 50];

/** Milliseconds of a request of `count` steps, as seen from outside. */
const request = (app: string, count: number): Promise<number> =>
  withWorker(app, 'worker.mjs', async (url) => {
    await (await fetch(url)).json();
    const start = performance.now();
    await (await fetch(`${url}/?steps=${count}`)).json();
    return performance.now() - start;
  });

const hosts: Record<string, Host> = {
  'Node 20': node(20),
  'Node 24': node(24),
  'Node 26': node(26),
  'Node 24, wide vectors': node(24, true),
  'Node 26, wide vectors': node(26, true),
  Chromium: chromium('chromium'),
  'Chromium, wide vectors': chromium('wide chromium'),
};

function makeApp(folder: string): string {
  const app = mkdtempSync(join(tmpdir(), 'tapeloop-first-steps-'));
  for (const file of ['steps', 'program', 'page', 'worker']) {
    cpSync(join(import.meta.dirname, `${file}.mjs`), join(app, `${file}.mjs`));
  }
  mkdirSync(join(app, 'node_modules'));
  symlinkSync(resolve(folder), join(app, 'node_modules/tapeloop'));
  return app;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    old: { type: 'string' },
    runs: { type: 'string', default: '7' },
    markdown: { type: 'string' },
  },
});
installTools();
const runs = Number(values.runs);
const isWanted = (name: string): boolean => values.only.split(',').some((text) => name.includes(text));
const apps = {
  ...(values.old !== undefined && { before: makeApp(values.old) }),
  now: makeApp(join(import.meta.dirname, '../..')),
};
const builds = Object.entries(apps);
const shown = (numbers: number[]): string => median(numbers).toFixed(1);
const table = (head: string[], rows: string[][]): string =>
  [head, head.map((_, i) => (i < 2 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Samples of each host and build, taken in turns. */
async function inTurns<T>(
  names: string[],
  sample: (name: string, app: string) => Promise<T>,
): Promise<Map<string, T[]>> {
  const all = new Map<string, T[]>();
  const missing = new Set<string>();
  for (let run = 0; run < runs; run++) {
    for (const name of names) {
      for (const [build, app] of builds) {
        if (missing.has(name)) continue;
        try {
          const key = `${name} | ${build}`;
          all.set(key, [...(all.get(key) ?? []), await sample(name, app)]);
        } catch (error) {
          if (!(error instanceof NotHere)) throw error;
          missing.add(name);
          console.error(`NOT RUN: ${name}, ${error.message}`);
        }
      }
    }
  }
  return all;
}

const parts: string[] = [];
try {
  const STEPS = [1, 2, 3, 4, 5, 10, 20, 50];
  const steps = await inTurns(Object.keys(hosts).filter(isWanted), (name, app) => hosts[name]!(app));
  if (steps.size > 0) {
    const head = ['host', 'build', 'init', 'model', ...STEPS.map((step) => `step ${step}`), 'steps 1–50', 'kernels'];
    const rows = Array.from(steps, ([key, all]) => [
      key,
      shown(all.map(({ init }) => init)),
      shown(all.map(({ model }) => model)),
      ...STEPS.map((step) => shown(all.map((times) => times.steps[step - 1]!))),
      median(all.map((times) => times.steps.reduce((sum, ms) => sum + ms))).toFixed(0),
      all.at(-1)!.build,
    ]);
    parts.push(table(head, rows));
  }
  if (isWanted('workerd')) {
    const requests = await inTurns(['workerd'], async (_, app) => {
      const all: number[] = [];
      for (const count of COUNTS) all.push(await request(app, count));
      return all;
    });
    const rows = Array.from(requests, ([key, all]) => [key, ...COUNTS.map((_, i) => shown(all.map((ms) => ms[i]!)))]);
    if (rows.length > 0)
      parts.push(table(['host', 'build', ...COUNTS.map((count) => `${count} step${count === 1 ? '' : 's'}`)], rows));
  }
} finally {
  for (const app of Object.values(apps)) rmSync(app, { recursive: true });
}
const day = new Date().toISOString().slice(0, 10);
const report = `${cpus()[0]?.model}, ${day}, ms, medians of ${runs} processes.\n\n${parts.join('\n\n')}\n`;
console.log(report);
if (values.markdown !== undefined) writeFileSync(values.markdown, report);
