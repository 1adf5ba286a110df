// Packs the package, installs it in an empty folder as a user does, and runs one suite in every runtime of this
// machine.
//   npm run test:runtimes -- [--only NAME,NAME] [--all] [--markdown FILE]
// With --all a missing runtime is a failure.
import { rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { installTools, makeApp } from './app.ts';
import { page, rollup, viteBuild, viteDev, webpack } from './hosts/bundlers.ts';
import { bun, deno, node, nodeRequire } from './hosts/programs.ts';
import { workerd } from './hosts/workerd.ts';
import { NotHere, type SuiteResult } from './suite-result.ts';

/**
 * SHA-256 of the weights of an LSTM and a GRU after 50 steps each in reproducible mode, on every host, for any number
 * of threads.
 */
export const EXPECTED_HASH = 'cc8c24e3ce36814562af557ee80303d23e181712249318cd0c9f43942fe19834';

/** SHA-256 of what the entries for images, sequences and state-space compute in reproducible mode, on every host. */
export const EXPECTED_OTHERS = 'abdc3fddf928c6151fdf019dcaa8489b5575557467b42cba9e03f107ac9c22d1';

const WIDE = '--experimental-wasm-revectorize';

const hosts: Record<string, (app: string) => Promise<SuiteResult>> = {
  'Node 20': node(20),
  'Node 22': node(22),
  'Node 24': node(24),
  'Node 26': node(26),
  'Node 24, wide vectors': node(24, WIDE),
  'Node 26, wide vectors': node(26, WIDE),
  'Node 20 by require': nodeRequire(20),
  'Node 22 by require': nodeRequire(22),
  'Node 24 by require': nodeRequire(24),
  'Node 26 by require': nodeRequire(26),
  Deno: deno,
  Bun: bun,
  workerd,
  Chromium: page('chromium', 'plain'),
  'isolated Chromium': page('chromium', 'isolated'),
  'Chromium with strict CSP': page('chromium', 'strict'),
  'Chromium, wide vectors': page('wide chromium', 'plain'),
  Firefox: page('firefox', 'plain'),
  'isolated Firefox': page('firefox', 'isolated'),
  'Firefox with strict CSP': page('firefox', 'strict'),
  'Vite dev': viteDev,
  'Vite build': viteBuild,
  webpack,
  Rollup: rollup,
};

interface Row {
  name: string;
  result?: SuiteResult;
  failure?: string;
  missing?: string;
}

const pageHead = `---
title: Runtimes
---

# Runtimes

One suite runs on the packed package in each runtime: it loads, trains an LSTM and a GRU for 50 steps, saves, loads,
trains further, and streams 1,000 steps, of the model and with \`tapeloop/stream\` of its file, with the same bits.
\`hash equal\` says that the weights end in the SHA-256 that is a constant of the test, in \`reproducible\` mode, with any
number of threads; and so do convolutions of \`tapeloop/images\`, a random field of \`tapeloop/sequences\` and a filter of
\`tapeloop/state-space\`, whose kernels are a module of their own. Made by \`npm run test:runtimes -- --markdown docs/guides/runtimes.md\`.

`;

const mark = (ok: boolean): string => (ok ? 'yes' : 'NO');

function cellsOf({ name, result, failure, missing }: Row): string[] {
  if (!result) return [name, missing ? `not run: ${missing}` : `FAILED: ${failure}`, '', '', '', '', '', ''];
  const { build, trains, resumes, streams, splits, threads, hash, hashThreads, hashOthers } = result;
  const isEqual = hash === EXPECTED_HASH && hashThreads === EXPECTED_HASH && hashOthers === EXPECTED_OTHERS;
  return [
    name,
    build,
    mark(trains),
    mark(resumes),
    mark(streams),
    mark(splits),
    isEqual ? 'yes' : `NO: ${hash}, ${hashThreads}, ${hashOthers}`,
    String(threads),
  ];
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, all: { type: 'boolean' }, markdown: { type: 'string' } },
});
const wanted = values.only?.split(/,(?! )/) ?? Object.keys(hosts);
const unknown = wanted.find((name) => !Object.hasOwn(hosts, name));
if (unknown !== undefined) {
  console.error(`--only expected some of ${Object.keys(hosts).join(', ')}; got '${unknown}'`);
  process.exit(2);
}
installTools();
const { app } = makeApp();
const rows: Row[] = [];
try {
  for (const name of wanted) {
    const row: Row = { name };
    try {
      row.result = await hosts[name]!(app);
    } catch (error) {
      if (error instanceof NotHere) row.missing = error.message;
      else row.failure = (error as Error).message.split('\n')[0]!;
    }
    rows.push(row);
    console.error(cellsOf(row).join('  '));
  }
} finally {
  rmSync(app, { recursive: true, force: true });
}
const table = [
  ['runtime', 'kernels', 'trains', 'saves, resumes', 'streams', 'any batch size, same bits', 'hash equal', 'threads'],
  Array.from({ length: 8 }, () => '---'),
  ...rows.map(cellsOf),
].map((cells) => `| ${cells.join(' | ')} |`);
if (values.markdown) writeFileSync(values.markdown, `${pageHead}${table.join('\n')}\n`);
else console.log(table.join('\n'));
const missing = rows.filter((row) => row.missing !== undefined).map(({ name }) => name);
if (missing.length > 0) console.error(`NOT RUN: ${missing.join(', ')}`);
const failed = rows.some((row) => cellsOf(row).some((cell) => /^(NO|FAILED)/.test(cell)));
process.exitCode = failed || (values.all && missing.length > 0) ? 1 : 0;
