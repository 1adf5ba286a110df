// node --import tsx bench/peers/run.ts
//
// Runs all suites on all engines. bench/README.md lists the options.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Calibration } from './calibration.ts';
import { CASES, type SuiteName } from './cases.ts';
import { type Engine, measure, measureMemory } from './measure.ts';
import { EngineProcess, here, javascriptEngine, pythonEngine } from './processes.ts';
import { htmlReport } from './report-html.ts';
import { formatLine, markdownReport } from './report-markdown.ts';
import type { Host, PeerResult, Report } from './results.ts';
import { measureStart } from './start.ts';

const JAVASCRIPT = ['tapeloop', 'tapeloop-wide', 'tfjs-wasm', 'jax-js', 'ort-web', 'ort-node', 'brain'];
const ENGINES = [...JAVASCRIPT, 'torch'];
const SUITES: SuiteName[] = [
  'train',
  'models',
  'images',
  'crf',
  'infer',
  'step',
  'gemm',
  'chars',
  'memory',
  'start',
  'sweep',
];
const PYTHONS = ['/usr/bin/python3', 'python3', 'python'];

const { values } = parseArgs({
  options: {
    suite: { type: 'string' },
    only: { type: 'string' },
    engines: { type: 'string' },
    runs: { type: 'string', default: '15' },
    budget: { type: 'string', default: '20' },
    threads: { type: 'string', default: '1' },
    node: { type: 'string', default: process.execPath },
    json: { type: 'string' },
    html: { type: 'string' },
    markdown: { type: 'string' },
  },
});

/** Splits a list such as `a,b` and checks each member against `known`. */
function choose<Name extends string>(option: string, given: string | undefined, known: readonly Name[]): Name[] {
  const chosen = given?.split(',') ?? [...known];
  for (const name of chosen) {
    if (!known.includes(name as Name)) throw new Error(`--${option} ${name}: expected one of ${known.join(', ')}`);
  }
  return chosen as Name[];
}

function positive(option: 'runs' | 'budget', text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`--${option} ${text}: expected a number above 0`);
  return number;
}

function installPeers(): void {
  if (existsSync(here('node_modules'))) return;
  console.log('bench/peers: installing the peers (npm ci --prefix bench/peers, about 770 MB on disk)');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--prefix', here('.')], { stdio: 'inherit' });
  if (status !== 0) throw new Error('npm ci --prefix bench/peers failed');
}

/** Path of a Python binary that can import torch; undefined if there is none. */
const findTorch = (): string | undefined =>
  PYTHONS.find((python) => spawnSync(python, ['-c', 'import torch, numpy']).status === 0);

function enginesOf(names: readonly string[], threads: number): Engine[] {
  return names.map((name) => {
    if (name !== 'torch') return { name, threads, command: javascriptEngine(values.node, name, threads) };
    if (torch) return { name, threads, command: pythonEngine(torch, threads) };
    const missing = `no Python here imports torch (tried ${PYTHONS.join(', ')}): apt-get install python3-torch libopenblas0-pthread`;
    return { name, threads, command: pythonEngine('python3', threads), missing };
  });
}

/** The version of every engine. Engines that cannot start are marked as missing. */
async function versionsOf(engines: readonly Engine[]): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const engine of engines) {
    if (engine.missing) continue;
    try {
      const { process, version } = await EngineProcess.start(engine.command);
      process.stop();
      versions[engine.name] = version;
    } catch (error) {
      engine.missing = (error as Error).message;
    }
  }
  return versions;
}

function describeHost(): Omit<Host, 'engines'> {
  const { stdout, stderr, status } = spawnSync(values.node, ['--import', 'tsx', here('host-child.ts')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`--node ${values.node} does not run: ${stderr}`);
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    arch: process.arch,
    date: new Date().toISOString(),
    ...(JSON.parse(stdout) as Pick<Host, 'node' | 'v8' | 'peakGflops'>),
  };
}

const suites = choose('suite', values.suite, SUITES);
const names = choose('engines', values.engines, ENGINES);
const runs = positive('runs', values.runs);
const budgetMs = 1000 * positive('budget', values.budget);
const threadCounts = values.threads.split(',').map(Number);

installPeers();
const torch = names.includes('torch') ? findTorch() : undefined;
const host: Host = { ...describeHost(), engines: {} };
const peakGflops = Math.max(...Object.values(host.peakGflops));
const calibration = Calibration.start();
const directory = mkdtempSync(join(tmpdir(), 'tapeloop-peers-'));
const results: PeerResult[] = [];
const report: Report = { host, results };

function writeReports(): void {
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  if (values.markdown) writeFileSync(values.markdown, markdownReport(report));
  if (values.html) writeFileSync(values.html, htmlReport(report));
}

try {
  for (const threads of threadCounts) {
    const engines = enginesOf(names, threads);
    Object.assign(host.engines, await versionsOf(engines));
    for (const { name, missing } of engines) if (missing) console.log(`${name}, ${threads}T: left out: ${missing}`);
    const [reference] = enginesOf(['tapeloop'], 1);
    for (const what of CASES) {
      if (!suites.includes(what.suite) || !what.case.includes(values.only ?? '')) continue;
      // A sweep measures only tapeloop, unless engines are named. brain.js supports only characters.
      const able = engines.filter(
        ({ name }) =>
          (what.suite !== 'sweep' || values.engines || name.startsWith('tapeloop')) &&
          (name !== 'brain' || what.suite === 'chars'),
      );
      const options = { calibration, runs, budgetMs, peakGflops, reference: reference!, directory };
      let added: PeerResult[];
      if (what.suite === 'memory') added = await measureMemory(what, able);
      else if (what.suite === 'start') added = await measureStart(what, able, { ...options, node: values.node });
      else added = await measure(what, able, options);
      for (const result of added) console.log(formatLine(result));
      results.push(...added);
      // The reports are rewritten after every case, so an interrupted run keeps its results.
      writeReports();
    }
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
console.log(`\n${markdownReport(report)}`);
