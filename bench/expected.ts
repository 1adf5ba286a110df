// node --import tsx bench/expected.ts [--references]
// Writes src/bench/expected/hashes.ts: what each workload of each size computes on this host. With --references it also
// writes references.ts, the run that scores are relative to: do it on a quiet host, with Node 20.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { workloads } from '../src/bench/workloads/all.ts';
import { type BenchReport, runBench, SIZES, type Size } from '../src/bench.ts';

const { values } = parseArgs({ options: { references: { type: 'boolean', default: false } } });
const heading = '// Written by `npm run bench:expected`; do not edit.\n';
const file = (name: string): URL => new URL(`../src/bench/expected/${name}.ts`, import.meta.url);

/** As `tapeloop bench` measures, each round in a process. Calls of size large are long, so few do. */
function measured(size: Size): BenchReport {
  const folder = mkdtempSync(join(tmpdir(), 'tapeloop-references-'));
  const report = join(folder, 'report.json');
  const few = size === 'large' ? ['--quick', '--rounds', '3'] : [];
  const command = ['--import', 'tsx', 'src/cli/main.ts', 'bench', '--size', size, '--json', report, ...few];
  try {
    execFileSync(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] });
    return JSON.parse(readFileSync(report, 'utf8')) as BenchReport;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const onProgress = (name: string, done: number, count: number): void =>
  console.error(`${done + 1} of ${count}: ${name}`);
const reports: BenchReport[] = [];
for (const size of SIZES) {
  reports.push(values.references ? measured(size) : await runBench({ size, rounds: 1, iterations: 4, onProgress }));
}
const results = reports.flatMap((report) => report.results);
const pairs = (entries: readonly string[]): string => entries.map((entry) => `  ${entry},\n`).join('');

const shared = new Set(workloads.filter(({ sameAs }) => sameAs !== undefined).map(({ name }) => name));
const own = results.filter(({ name }) => !shared.has(name));
const hashes = own.map(({ id, hash }) => `'${id}':\n    '${hash}'`);
writeFileSync(
  file('hashes'),
  `${heading}
/** SHA-256 of what each workload computes in mode \`reproducible\`, which every host computes. */
export const hashes: Readonly<Record<string, string>> = {
${pairs(hashes)}};
`,
);
if (values.references) {
  const { host, date } = reports[0]!;
  const times = results.map(({ id, fast }) => `'${id}': ${fast.toPrecision(4)}`);
  writeFileSync(
    file('references'),
    `${heading}
/** The run that scores are relative to: 100 is as fast as this. */
export const references: { readonly host: string; readonly date: string; readonly times: Record<string, number> } = {
  host: '${host.cpu}, ${host.engine} of Node ${host.version}',
  date: '${date.slice(0, 10)}',
  times: {
${pairs(times.map((entry) => `  ${entry}`))}  },
};
`,
  );
}
