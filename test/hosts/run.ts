// Packs the package, installs it in an empty project of each host as a user does, and trains one model in each.
//   npm run test:hosts -- [--only NAME,NAME] [--markdown FILE]
// Hosts that this machine lacks are reported as left out.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packInto } from '../runtimes/app.ts';
import { NotHere } from '../runtimes/suite-result.ts';
import { electron } from './electron.ts';
import { page } from './page.ts';
import { makeProjects, type Project, type Result, resultOf, run, versionsOf } from './project.ts';
import { served } from './server.ts';

/** FNV-1a of the weights that training.mjs ends with in reproducible mode, on every host, for any number of threads. */
const EXPECTED_HASH = '519cddc8';

type Host = (project: Project) => Promise<Result>;

/** A program that leaves its result in a file. */
const program =
  (path: string, ...args: string[]): Host =>
  async (project) => {
    await run(project, path, args);
    return resultOf(project);
  };
const jest = (environment: string): Host => program('node_modules/jest/bin/jest.js', `--env=${environment}`);
const vitest = (environment: string): Host =>
  program('node_modules/vitest/vitest.mjs', 'run', `--environment=${environment}`);

/** Each host with the project that it is run in. */
const hosts: Record<string, [project: string, host: Host]> = {
  'CommonJS, require': ['commonjs', program('main.js')],
  'Jest 29': ['jest-29', jest('node')],
  'Jest 29, jsdom': ['jest-29', jest('jsdom')],
  'Jest 30': ['jest-30', jest('node')],
  'Jest 30, jsdom': ['jest-30', jest('jsdom')],
  'Vitest, node': ['vitest', vitest('node')],
  'Vitest, jsdom': ['vitest', vitest('jsdom')],
  Express: ['express', served('/')],
  'Next, server component': ['next', served('/')],
  'Next, client component in Chromium': ['next', served('/client', 'chromium')],
  'Next, Node route': ['next', served('/node')],
  'Next, edge route': ['next', served('/edge')],
  'Next dev, server component': ['next', served('/', undefined, 'dev')],
  'Next dev, client component in Chromium': ['next', served('/client', 'chromium', 'dev')],
  'Next dev, Node route': ['next', served('/node', undefined, 'dev')],
  'Next dev, edge route': ['next', served('/edge', undefined, 'dev')],
  'SvelteKit, load on the server': ['sveltekit', served('/')],
  'SvelteKit, endpoint': ['sveltekit', served('/api')],
  'SvelteKit, page in Chromium': ['sveltekit', served('/', 'chromium')],
  'SvelteKit dev, load on the server': ['sveltekit', served('/', undefined, 'dev')],
  'SvelteKit dev, page in Chromium': ['sveltekit', served('/', 'chromium', 'dev')],
  'script tag, Chromium': ['page', page('classic', 'chromium')],
  'script tag, Firefox': ['page', page('classic', 'firefox')],
  'module without a bundler, Chromium': ['page', page('module', 'chromium')],
  'module without a bundler, Firefox': ['page', page('module', 'firefox')],
  'isolated module without a bundler, Chromium': ['page', page('module', 'chromium', true)],
  'isolated module without a bundler, Firefox': ['page', page('module', 'firefox', true)],
  'Electron, main process': ['electron', electron('main')],
  'Electron, renderer with Node': ['electron', electron('node')],
  'Electron, renderer': ['electron', electron('page')],
};

const pageHead = `---
title: Hosts
---

# Hosts

One small program runs in an empty project of each host, into which the packed package was installed. It reads CSV,
trains an LSTM and a GRU with \`fit\`, saves and loads. \`hash equal\` says that the weights end in the hash that is a
constant of the test, in \`reproducible\` mode, with one thread and with two.
[Testing, SSR, Electron, React Native](testing-ssr-electron.md) says how each host is set up. \`dev\` is the
development server of a framework. Made by \`npm run test:hosts -- --markdown docs/guides/hosts.md\`.

In Firefox a classic worker of an isolated page that asks for threads sometimes waits for ever when it makes a Worker.
This happens without tapeloop too.

`;

interface Row {
  name: string;
  versions: string;
  result?: Result;
  failure?: string;
  missing?: string;
}

function cellsOf({ name, versions, result, failure, missing }: Row): string[] {
  if (!result) return [name, versions, missing ? `left out: ${missing}` : `FAILED: ${failure}`, '', ''];
  const { hash, hashThreads, threads, build } = result;
  const equal = hash === EXPECTED_HASH && hashThreads === EXPECTED_HASH;
  return [name, versions, equal ? 'yes' : `NO: ${hash} ${hashThreads}`, build, String(threads)];
}

const { values } = parseArgs({ options: { only: { type: 'string' }, markdown: { type: 'string' } } });
// Names have commas themselves.
const isWanted = (name: string): boolean => !values.only || values.only.split(',').some((part) => name.includes(part));
const wanted = Object.keys(hosts).filter(isWanted);
if (wanted.length === 0) {
  console.error(`--only expected parts of ${Object.keys(hosts).join('; ')}; got '${values.only}'`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'tapeloop-hosts-'));
const rows: Row[] = [];
const projects = makeProjects(folder, packInto(folder));
try {
  for (const name of wanted) {
    const [projectName, host] = hosts[name]!;
    const row: Row = { name, versions: versionsOf(projectName) };
    try {
      row.result = await host(await projects.open(projectName));
    } catch (error) {
      const message = (error as Error).message.replaceAll(/\s+/g, ' ').replaceAll('|', '/').trim();
      if (error instanceof NotHere) row.missing = message;
      else row.failure = message.slice(0, 300);
    }
    rows.push(row);
    console.error(cellsOf(row).join('  '));
  }
} finally {
  await projects.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
const table = [
  ['host', 'versions', 'hash equal', 'kernels of `fast`', 'threads'],
  Array(5).fill('---'),
  ...rows.map(cellsOf),
]
  .map((cells) => `| ${cells.join(' | ')} |`)
  .join('\n');
if (values.markdown) writeFileSync(values.markdown, `${pageHead}${table}\n`);
else console.log(table);
const missing = rows.filter((row) => row.missing !== undefined).map(({ name }) => name);
if (missing.length > 0) console.error(`LEFT OUT: ${missing.join('; ')}`);
process.exitCode = rows.some((row) => cellsOf(row).some((cell) => /^(NO|FAILED)/.test(cell))) ? 1 : 0;
