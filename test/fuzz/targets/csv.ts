import { loadCsv, loadLines, loadPairs } from '../../../src/data.ts';
import { type Target, Violation } from '../target.ts';
import { made } from '../values.ts';
import { optionsOf, partsOf, textOf, utf8 } from './text-pieces.ts';

const pieces = [
  ...[',', ',', ',', '\n', '\n', '\r\n', '\r', '"', '""', '"a,b"', '"a\nb"', '"x""y"', ' ', '\t', ';', '|'],
  ...[
    'a',
    'b',
    'name',
    '1',
    '2',
    '3.5',
    '-4',
    '1e5',
    '1e999',
    '.5',
    '5.',
    '+7',
    '0x1',
    'NaN',
    'NA',
    'n/a',
    'null',
    '',
    'é',
    '\u{1f600}',
    '\0',
  ],
  ...['2026-01-31', '2026-02-30T12:30Z', '31/01/2026', '12345678901234567', '0.30000000000000004', '1e-400', '"5"'],
  ...['a,b\n', '1,2\n', '3,4\n', '\n\n', '__proto__', 'constructor'],
];

const options = {
  columns: [
    ['a'],
    ['a', 'b'],
    ['b', 'a'],
    ['__proto__'],
    { a: 'number' },
    { a: 'string', b: 'number' },
    { a: 'date' },
    {},
    [],
  ],
  dateFormat: ['YYYY-MM-DD', 'DD/MM/YYYY', 'M/D/YYYY h:mm A', 'YYYY MMM', '', 'YYYYYYYY'],
  delimiter: [',', ';', '\t', '|', ' ', '', ',,', '"', '\n', '\ud83d', ']', '\\', '^', '-'],
  header: [true, false, ['a', 'b'], ['a', 'a'], [], ['a']],
  missing: ['error', 'skip', 'nan', 'previous', 'interpolate', 'none'],
  gzip: [true, false],
  name: ['file.csv'],
  sha256: ['', 'ab', 'z'.repeat(64), '0'.repeat(64)],
};

/** Fields as RFC 4180 writes them. */
const written = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')).join('\r\n');

async function expectSame(rows: string[][]): Promise<void> {
  const header = rows[0]!.map((_, i) => `${i}`);
  const columns = Object.fromEntries(header.map((name) => [name, 'string' as const]));
  const table = await loadCsv(utf8(written(rows), undefined), { header: false, columns });
  const read = rows.map((_, i) => header.map((name) => table.strings(name)[i]));
  if (table.length !== rows.length || JSON.stringify(read) !== JSON.stringify(rows)) {
    throw new Violation('fields in quotes are read as others');
  }
}

export const target: Target = {
  name: 'csv',
  generate(random) {
    if (random.chance(0.1)) {
      const width = random.between(1, 4);
      const field = () =>
        textOf(random, pieces, 4)
          .slice(0, 100)
          .replaceAll(/\ufeff|\p{Cs}/gu, '');
      return { rows: random.list(1, 5, () => Array.from({ length: width }, field)) };
    }
    const reader = random.pick(['csv', 'csv', 'csv', 'csv', 'lines', 'pairs']);
    const text = textOf(random, pieces);
    const at = random.chance(0.05) ? random.below(65536) : -1;
    return { reader, text, ...(at >= 0 && { at }), options: optionsOf(random, options) };
  },
  async run(input) {
    const { reader, text, at, options: plain = {}, rows } = partsOf(input);
    if (Array.isArray(rows)) {
      const width = Array.isArray(rows[0]) ? rows[0].length : 0;
      const table = rows as string[][];
      const isTable = table.every(
        (row) => Array.isArray(row) && row.length === width && row.every((f) => typeof f === 'string'),
      );
      return width > 0 && isTable ? expectSame(table) : undefined;
    }
    const bytes = utf8(text, at);
    const how = made(plain) as object;
    if (reader === 'lines') await loadLines(bytes, how);
    else if (reader === 'pairs') await loadPairs(bytes, how as never);
    else {
      const table = await loadCsv(bytes, how);
      for (const name of table.names) {
        const column = table.column(name);
        if (column.length !== table.length) throw new Violation(`a column of another length than the table`);
        if (Array.isArray(column) !== (table.typeOf(name) === 'string'))
          throw new Violation(`a column of another type than it says`);
      }
    }
  },
};
