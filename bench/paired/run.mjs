// Compares the speed of two builds of the package, to find out whether a change has made anything slower. The builds
// alternate sample by sample.
//   npm run bench:paired -- --old FOLDER [--new FOLDER] [--flags FLAGS] [--only TEXT] [--runs N] [--pairs N]
//     [--markdown FILE]
// A folder has dist/ from `npm run build`. A ratio is new / old: the median over all pairs of samples. Each case runs
// in several new pairs of processes, because the addresses of code and data make two processes of one build differ by
// one per cent. The processes of the new build get the flags of V8. With one folder as both, the flags are measured.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cases } from './cases.mjs';

const { values } = parseArgs({
  options: {
    old: { type: 'string' },
    new: { type: 'string', default: '.' },
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '15' },
    pairs: { type: 'string', default: '4' },
    flags: { type: 'string', default: '' },
    markdown: { type: 'string' },
  },
});
if (values.old === undefined)
  throw new Error('--old FOLDER expected: a clone of the build before, after npm run build');
const [runs, pairs] = [Number(values.runs), Number(values.pairs)];
const SAMPLE_MS = 20;

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

async function start(folder, flags = '') {
  const execArgv = flags.split(' ').filter(Boolean);
  const child = fork(new URL('child.mjs', import.meta.url), [resolve(folder, 'dist/index.js')], { execArgv });
  await once(child, 'message');
  return child;
}

async function ask(child, message) {
  const answer = once(child, 'message');
  child.send(message);
  return (await answer)[0];
}

const rows = [];
for (const [make, { name }] of cases.entries()) {
  if (!name.includes(values.only)) continue;
  const [times, ratios] = [{ old: [], new: [] }, []];
  const firsts = {};
  for (let pair = 0; pair < pairs; pair++) {
    const children = { old: await start(values.old), new: await start(values.new, values.flags) };
    for (const which of ['old', 'new']) {
      firsts[which] = (await ask(children[which], { make, sampleMs: SAMPLE_MS })).first;
    }
    for (let i = 0; i < runs; i++) {
      const sample = {};
      // The two builds alternate in being first.
      for (const which of i % 2 ? ['old', 'new'] : ['new', 'old']) sample[which] = (await ask(children[which], {})).ms;
      for (const which of ['old', 'new']) times[which].push(sample[which]);
      ratios.push(sample.new / sample.old);
    }
    for (const child of Object.values(children)) child.kill();
  }
  const same = Object.is(firsts.old, firsts.new) ? 'same' : `${firsts.old} / ${firsts.new}`;
  const row = [
    name,
    median(times.old).toPrecision(4),
    median(times.new).toPrecision(4),
    median(ratios).toFixed(3),
    same,
  ];
  rows.push(row);
  console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(34) : cell.padStart(10))).join(''));
}

const table = [
  `${cpus()[0]?.model}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}${values.flags && `, new with ${values.flags}`}; ${pairs} pairs of processes, ${runs} samples each.`,
  '',
  '| case | old ms | new ms | new / old | first result |',
  '| --- | --- | --- | --- | --- |',
  ...rows.map((row) => `| ${row.join(' | ')} |`),
  '',
].join('\n');
if (values.markdown) writeFileSync(values.markdown, table);
