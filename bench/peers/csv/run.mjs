// npm run bench:csv -- [--megabytes 12] [--runs 9] [--markdown FILE]
//
// Compares loadCsv with papaparse and uDSV: the time from the bytes of a file to columns of numbers and texts, and the
// memory that a new process takes for it, including the bytes of the file. Libraries alternate. All must read equal
// numbers, to the last bit, and equal texts.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '12' },
    runs: { type: 'string', default: '9' },
    markdown: { type: 'string' },
  },
});
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const libraries = ['tapeloop', 'papaparse', 'udsv'];
for (const name of libraries.slice(1)) {
  if (!existsSync(here(`../node_modules/${name}`))) throw new Error(`${name} is missing: npm ci --prefix bench/peers`);
}

let state = 1;
const random = () => {
  state = (state * 1103515245 + 12345) % 2 ** 31;
  return state / 2 ** 31;
};
const towns = ['Berlin', 'München', 'Kiel', 'Köln', 'Bremen', 'Aachen'];
const minute = (i) => new Date(Date.UTC(2020, 0, 1) + i * 60_000).toISOString().slice(0, 16).replace('T', ' ');

/** Each function makes one row of a file. */
const files = {
  'five columns of numbers, 6 to 8 digits': (i) => [
    (random() * 1000).toFixed(4),
    (random() * 100).toFixed(6),
    (random() * 10 - 5).toFixed(6),
    i,
    (random() * 10_000).toFixed(3),
  ],
  'five columns of numbers, 16 to 17 digits': () =>
    Array.from({ length: 5 }, () => random() * 1000 - Math.sqrt(random())),
  'time, town, note and two numbers': (i) => [
    minute(i),
    towns[i % 6],
    `note ${i % 1000} of ${i}`,
    i,
    (random() * 100).toFixed(2),
  ],
  'the same, all in quotes, with quotes and commas within': (i) =>
    [minute(i), towns[i % 6], `"note" ${i % 1000}, of ${i}`, i, (random() * 100).toFixed(2)].map(
      (field) => `"${String(field).replaceAll('"', '""')}"`,
    ),
};

const folder = mkdtempSync(join(tmpdir(), 'tapeloop-csv-'));
const run = (what, library, file) => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--expose-gc', here('child.mjs'), what, library, file, values.runs],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${library}: ${stderr}`);
  return JSON.parse(stdout);
};
const version = (name) =>
  JSON.parse(readFileSync(here(name === 'tapeloop' ? '../../../package.json' : `../node_modules/${name}/package.json`)))
    .version;

const lines = [
  '| file | library | MB/s | ms | peak, bytes a byte of file | held |',
  '| --- | --- | ---: | ---: | ---: | ---: |',
];
try {
  for (const [name, row] of Object.entries(files)) {
    const path = join(folder, 'file.csv');
    const rows = ['a,b,c,d,e'];
    for (let i = 0, size = 0; size < Number(values.megabytes) * 1e6; i++) {
      rows.push(row(i).join(','));
      size += rows.at(-1).length + 1;
    }
    writeFileSync(path, `${rows.join('\n')}\n`);
    const bytes = readFileSync(path).length;
    const digests = new Set();
    for (const library of libraries) {
      const { ms, digest } = run('time', library, path);
      const { peak, held } = run('memory', library, path);
      digests.add(digest);
      const cells = [
        name,
        library,
        (bytes / 1e3 / ms).toFixed(0),
        ms.toFixed(0),
        (peak / bytes).toFixed(1),
        (held / bytes).toFixed(1),
      ];
      lines.push(`| ${cells.join(' | ')} |`);
      console.log(lines.at(-1));
    }
    if (digests.size > 1) throw new Error(`${name}: the libraries have read different values`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
const about = `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0]?.model}; ${libraries
  .map((name) => `${name} ${version(name)}`)
  .join(', ')}; files of ${values.megabytes} MB, medians of ${values.runs}.`;
console.log(about);
if (values.markdown) writeFileSync(values.markdown, `${about}\n\n${lines.join('\n')}\n`);
