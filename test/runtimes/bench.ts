// Packs the package, installs it in an empty folder as a user does, and runs the benchmark suite in every runtime of
// this machine: by the command, on the page that it writes, in a worker, and as the script for engine shells. Every
// result must be verified, and the same in all.
//   npm run test:bench -- [--only NAME,NAME] [--all] [--size SIZE] [--rounds N] [--iterations N]
//     [--markdown FILE] [--folder FOLDER]
// With --all a missing runtime is a failure. --folder keeps the reports.
import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { createContext, Script } from 'node:vm';
import { type BenchReport, FORMAT } from '../../src/bench/results.ts';
import { installTools, makeApp, tool } from './app.ts';
import { type BenchedHost, cellsOf, hostTable, workloadTable } from './bench-tables.ts';
import { type Browser, visitFolder } from './hosts/browsers.ts';
import { withWorker } from './hosts/workerd.ts';
import { NotHere } from './suite-result.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    all: { type: 'boolean' },
    size: { type: 'string', default: 'small' },
    rounds: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
    iterations: { type: 'string' },
    markdown: { type: 'string' },
    folder: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const { quick, iterations } = values;
const options = { size: values.size, rounds, quick, ...(iterations && { iterations: Number(iterations) }) };
const flags = [
  ...['--size', values.size, '--rounds', values.rounds, ...(quick ? ['--quick'] : [])],
  ...(iterations ? ['--iterations', iterations] : []),
];

type Host = (app: string) => Promise<BenchReport>;

const MAIN = 'node_modules/tapeloop/dist/cli/main.js';
const execute = promisify(execFile);
const WIDE = '--experimental-wasm-revectorize';

/** Runs a program in the app; what it writes to the standard error is the message if it fails. */
async function run(app: string, program: string, args: string[]): Promise<string> {
  if (!existsSync(program)) throw new NotHere(`${program.split('/').at(-1)} is not installed`);
  try {
    const { stdout } = await execute(program, args, { cwd: app, timeout: 900_000, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stderr, stdout, message } = error as Error & { stderr?: string; stdout?: string };
    throw new Error(
      [stderr, stdout, message]
        .find((text) => text?.trim())!
        .trim()
        .split('\n')
        .slice(-6)
        .join(' '),
    );
  }
}

/** `tapeloop bench`, as each runtime starts it. */
const command =
  (program: string, ...before: string[]): Host =>
  async (app) => {
    await run(app, program, [...before, MAIN, 'bench', ...flags, '--json', 'report.json']);
    return JSON.parse(readFileSync(join(app, 'report.json'), 'utf8'));
  };
const node = (version: number, ...more: string[]): Host => command(tool(`node-${version}/bin/node`), ...more);

// A click on the page, and its answer to the server.
const CLICK = `<script>
document.addEventListener('tapeloop-bench', ({ detail }) => {
  const body = JSON.stringify(detail instanceof Error ? { error: detail.message } : detail);
  fetch('/result', { method: 'POST', body });
});
const form = document.getElementById('run');
form.elements.namedItem('length').value = '${rounds > 1 ? 'whole' : 'quick'}';
form.elements.namedItem('size').value = '${values.size}';
form.requestSubmit();
</script>
`;
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

const page =
  (browser: Browser, headers: Record<string, string> = {}): Host =>
  async (app) => {
    const folder = join(app, 'bench-page');
    await run(app, process.execPath, [MAIN, 'bench', '--page', folder]);
    appendFileSync(join(folder, 'index.html'), CLICK);
    return visitFolder<BenchReport>(browser, folder, headers);
  };

const workerd: Host = (app) => {
  cpSync(join(import.meta.dirname, 'bench-worker.mjs'), join(app, 'bench-worker.mjs'));
  return withWorker(app, 'bench-worker.mjs', async (url) => {
    const query = encodeURIComponent(JSON.stringify(options));
    const response = await fetch(`${url}/?options=${query}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`workerd answered ${response.status}: ${text.slice(0, 500)}`);
    const report = JSON.parse(text) as BenchReport & { error?: string };
    if (report.error) throw new Error(report.error);
    return report;
  });
};

const scriptOf = async (app: string): Promise<string> => {
  const file = join(app, 'suite.js');
  await run(app, process.execPath, [MAIN, 'bench', '--script', file]);
  return file;
};
const shellOptions = [
  ...[`size=${values.size}`, `rounds=${values.rounds}`, 'json', ...(quick ? ['quick'] : [])],
  ...(iterations ? [`iterations=${iterations}`] : []),
];

/** The last line that the script printed. */
const lastLine = (text: string): BenchReport => JSON.parse(text.trim().split('\n').at(-1)!);

/** The script in a realm of its own: `print` and a clock are all that its global object has beyond the language. */
const bareScript: Host = async (app) => {
  const source = readFileSync(await scriptOf(app), 'utf8');
  return new Promise((resolve, reject) => {
    const print = (text: string): void => {
      if (text.startsWith('{')) resolve(JSON.parse(text));
    };
    const quit = (code: number): void => reject(new Error(`the script ended with ${code}`));
    const now = (): number => performance.now();
    const context = createContext(Object.assign(Object.create(null), { print, quit, arguments: shellOptions }));
    context.dateNow = now;
    new Script(source, { filename: 'suite.js' }).runInContext(context);
  });
};

/** A shell of an engine, which runs the script. */
const shell =
  (programs: string[], ...before: string[]): Host =>
  async (app) => {
    const program = programs.find((path) => existsSync(path));
    if (!program) throw new NotHere(`${programs[0]!.split('/').at(-1)} is not installed`);
    return lastLine(await run(app, program, [...before, await scriptOf(app), '--', ...shellOptions]));
  };

const hosts: Record<string, Host> = {
  'Node 20': node(20),
  'Node 22': node(22),
  'Node 24': node(24),
  'Node 26': node(26),
  'Node 24, wide vectors': node(24, WIDE),
  'Node 26, wide vectors': node(26, WIDE),
  Deno: command(tool('@deno/linux-x64-glibc/deno'), 'run', '-A', '--node-modules-dir=manual'),
  Bun: command(tool('bun/bin/bun.exe')),
  workerd,
  Chromium: page('chromium'),
  'isolated Chromium': page('chromium', ISOLATED),
  'Chromium, wide vectors': page('wide chromium', ISOLATED),
  Firefox: page('firefox'),
  'isolated Firefox': page('firefox', ISOLATED),
  'script in a bare realm': bareScript,
  'script in jsc': shell(['/usr/bin/jsc']),
};

/** What differs between reports of one form: a hash, a name, or a field. */
function differences(report: BenchReport, first: BenchReport): string[] {
  const found: string[] = [];
  if (report.format !== FORMAT) found.push(`format ${report.format}`);
  const fields = (value: object): string => Object.keys(value).sort().join();
  if (fields(report) !== fields(first) || fields(report.host) !== fields(first.host)) found.push('other fields');
  for (const result of report.results) {
    const same = first.results.find(({ id }) => id === result.id);
    if (same && fields(result) !== fields(same)) found.push(`${result.id}: other fields`);
    if (result.verified !== true) found.push(`${result.id}: ${result.verified === null ? 'no hash' : 'WRONG'}`);
    const isExact = result.build.startsWith('simd');
    if (same && isExact && result.hash !== same.hash) found.push(`${result.id}: another hash`);
  }
  return found;
}

const wanted = values.only?.split(/,(?! )/) ?? Object.keys(hosts);
const unknown = wanted.find((name) => !Object.hasOwn(hosts, name));
if (unknown !== undefined) {
  console.error(`--only expected some of ${Object.keys(hosts).join(', ')}; got '${unknown}'`);
  process.exit(2);
}
installTools();
if (values.folder) mkdirSync(values.folder, { recursive: true });
const { app } = makeApp();
const rows: BenchedHost[] = [];
const missing: string[] = [];
let first: BenchReport | undefined;
let failed = false;
try {
  for (const name of wanted) {
    try {
      const report = await hosts[name]!(app);
      first ??= report;
      const faults = differences(report, first);
      failed ||= faults.length > 0;
      if (values.folder) writeFileSync(join(values.folder, `${name}.json`), JSON.stringify(report));
      rows.push({ name, report, faults });
    } catch (error) {
      if (error instanceof NotHere) missing.push(`${name}: ${error.message}`);
      else failed = true;
      const text = (error as Error).message.split('\n')[0]!;
      rows.push({ name, text: error instanceof NotHere ? `not run: ${text}` : `FAILED: ${text}` });
    }
    console.error(cellsOf(rows.at(-1)!).join('  '));
  }
} finally {
  rmSync(app, { recursive: true, force: true });
}
const tables = `${hostTable(rows)}\n\n${workloadTable(rows)}\n`;
if (values.markdown) writeFileSync(values.markdown, tables);
else console.log(tables);
if (missing.length > 0) console.error(`NOT RUN: ${missing.join(', ')}`);
process.exitCode = failed || (values.all && missing.length > 0) ? 1 : 0;
