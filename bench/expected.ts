// node --import tsx bench/expected.ts [--references]
// Writes src/bench/expected/hashes.ts: what each workload of each size computes on this host. With --references it also
// writes references.ts, the run that scores are relative to: do it on a quiet host, with Node 20.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { workloads } from '../src/bench/workloads/all.ts';
import { type BenchReport, runBench, SIZES } from '../src/bench.ts';

const { values } = parseArgs({ options: { references: { type: 'boolean', default: false } } });
const heading = '// Written by `npm run bench:expected`; do not edit.\n';
const file = (name: string): URL => new URL(`../src/bench/expected/${name}.ts`, import.meta.url);

const reports: BenchReport[] = [];
for (const size of SIZES) {
  // Calls of size large take long enough to be measured in few.
  const timed = size === 'large' ? { rounds: 1, quick: true } : { rounds: 3 };
  const settings = values.references ? timed : { rounds: 1, iterations: 4 };
  const onProgress = (name: string, done: number, count: number): void =>
    console.error(`${size} ${done + 1}/${count} ${name}`);
  reports.push(await runBench({ size, ...settings, onProgress }));
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
  const medians = results.map(({ id, median }) => `'${id}': ${median.toPrecision(4)}`);
  writeFileSync(
    file('references'),
    `${heading}
/** The run that scores are relative to: 100 is as fast as this. */
export const references: { readonly host: string; readonly date: string; readonly medians: Record<string, number> } = {
  host: '${host.cpu}, ${host.engine} of Node ${host.version}',
  date: '${date.slice(0, 10)}',
  medians: {
${pairs(medians.map((entry) => `  ${entry}`))}  },
};
`,
  );
}
