// node --import tsx acceptance/onnx/backend.ts FOLDER [NAME] > acceptance/onnx.md
// ONNX's own test cases: each folder of FOLDER/{node,simple,…} has model.onnx and data sets of inputs and outputs.
// Writes a table of operators: how many cases pass, and what is refused and why. Exit code 1 if an output is wrong.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFloat } from '../../src/onnx/format/element-types.ts';
import { readModelProto, readTensorProto } from '../../src/onnx/format/messages.ts';
import { tensorData } from '../../src/onnx/format/tensor-data.ts';
import { importOnnx, onnxSession } from '../../src/onnx.ts';

const [folder = '', only = ''] = process.argv.slice(2);
// ONNX compares with 1e-3 and 1e-7; a float32 near 0 that was computed in another order differs by more.
const [relative, absolute] = [1e-3, 1e-5];

const load = (file: string) => tensorData(readTensorProto(readFileSync(file)));

/** The operators of a case, in the order in which they come. */
function operatorsOf(bytes: Uint8Array): string {
  try {
    const nodes = readModelProto(bytes).graph?.node ?? [];
    const names = [...new Set(nodes.map(({ domain, opType }) => (domain ? `${domain}.${opType}` : opType)))];
    return names.length > 3 ? 'several' : names.join(', ') || 'none';
  } catch {
    return 'several';
  }
}

/** Runs all data sets of a case. Returns what differs, or undefined. */
function difference(place: string, bytes: Uint8Array): string | undefined {
  const session = onnxSession(importOnnx(bytes, { states: {} }));
  for (const set of readdirSync(place).filter((each) => each.startsWith('test_data_set'))) {
    const file = (kind: string, i: number): string => join(place, set, `${kind}_${i}.pb`);
    const given = session.inputs.flatMap((input, i) =>
      existsSync(file('input', i)) ? [[input.name, load(file('input', i))] as const] : [],
    );
    const results = session.run(Object.fromEntries(given) as never);
    for (const [i, output] of session.outputs.entries()) {
      if (!existsSync(file('output', i))) continue;
      const expected = load(file('output', i));
      const got = results[output.name]!;
      const values = (got.strings ?? got.data) as ArrayLike<number | string>;
      if (got.shape.join() !== expected.shape.join()) return `shape [${got.shape}], not [${expected.shape}]`;
      for (let j = 0; j < expected.data.length; j++) {
        const [a, b] = [values[j]!, expected.data[j]!];
        if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
        const distance = Math.abs(Number(a) - Number(b));
        if (isFloat(expected.type) && distance <= absolute + relative * Math.abs(Number(b))) continue;
        return `${output.name}[${j}] is ${a}, not ${b}`;
      }
    }
  }
  return undefined;
}

interface Row {
  passed: number;
  readonly refused: Map<string, number>;
  readonly wrong: string[];
}
const rows = new Map<string, Row>();
for (const part of readdirSync(folder)) {
  for (const name of readdirSync(join(folder, part))) {
    if (!name.includes(only)) continue;
    const place = join(folder, part, name);
    const bytes = readFileSync(join(place, 'model.onnx'));
    const key = operatorsOf(bytes);
    const row: Row = rows.get(key) ?? { passed: 0, refused: new Map(), wrong: [] };
    rows.set(key, row);
    try {
      const wrong = difference(place, bytes);
      if (wrong === undefined) row.passed++;
      else row.wrong.push(`${name}: ${wrong}`);
    } catch (error) {
      const why = (error as Error).message
        .replace('importOnnx: ', '')
        .replace('what it uses is not supported: ', '')
        .replace(/ \(nodes? [^)]*\)/g, '')
        .replace(/^'[^']*' /, 'an input or output ');
      row.refused.set(why, (row.refused.get(why) ?? 0) + 1);
    }
  }
}

const all = [...rows.values()];
const count = (of: (row: Row) => number): number => all.reduce((sum, row) => sum + of(row), 0);
const refusedIn = ({ refused }: Row): number => [...refused.values()].reduce((sum, n) => sum + n, 0);
const wrong = all.flatMap((row) => row.wrong);
console.log(`# ONNX's own test cases

\`\`\`sh
node --import tsx acceptance/onnx/backend.ts FOLDER > acceptance/onnx.md
\`\`\`

Measured on ${new Date().toISOString().slice(0, 10)} with Node ${process.versions.node}, on the cases of onnx 1.22: ${count((row) => row.passed)} pass, ${count(refusedIn)} are
refused, ${wrong.length} differ. An output passes within 1e-5 + 1e-3·|expected|. The cases that differ draw random numbers: they come
from the streams of the model and are others than NumPy's.

| operators of the case | pass | refused, and why |
| --- | --- | --- |`);
for (const [key, row] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const why = [...row.refused].map(([text, n]) => `${n}: ${text.replaceAll('|', '\\|').slice(0, 160)}`).join('; ');
  console.log(`| ${key} | ${row.passed} | ${why} |`);
}
console.log(`\nDiffer:\n\n${wrong.map((each) => `- ${each}`).join('\n')}`);
if (wrong.length > 0) process.exitCode = 1;
