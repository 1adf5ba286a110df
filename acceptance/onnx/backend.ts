// node --import tsx acceptance/onnx/backend.ts FOLDER [NAME]
// ONNX's own test cases: each folder of FOLDER/{node,simple,…} has model.onnx and data sets of inputs and outputs.
// Prints what passes, what is refused and why, and what is wrong.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFloat } from '../../src/onnx/format/element-types.ts';
import { readTensorProto } from '../../src/onnx/format/messages.ts';
import { tensorData } from '../../src/onnx/format/tensor-data.ts';
import { importOnnx, onnxSession } from '../../src/onnx.ts';

const [folder = '', only = ''] = process.argv.slice(2);
const [relative, absolute] = [1e-3, 1e-5];

const load = (file: string) => tensorData(readTensorProto(readFileSync(file)));
const counts = new Map<string, string[]>();
const put = (kind: string, name: string): void => void counts.set(kind, [...(counts.get(kind) ?? []), name]);

for (const part of readdirSync(folder)) {
  for (const name of readdirSync(join(folder, part))) {
    if (!name.includes(only)) continue;
    const place = join(folder, part, name);
    try {
      const model = importOnnx(readFileSync(join(place, 'model.onnx')), { states: {} });
      const session = onnxSession(model);
      for (const set of readdirSync(place).filter((each) => each.startsWith('test_data_set'))) {
        const file = (kind: string, i: number): string => join(place, set, `${kind}_${i}.pb`);
        const feeds = Object.fromEntries(
          session.inputs
            .filter((_, i) => existsSync(file('input', i)))
            .map((input, i) => [input.name, load(file('input', i))]),
        );
        const results = session.run(feeds as never);
        session.outputs.forEach((output, i) => {
          if (!existsSync(file('output', i))) return;
          const expected = load(file('output', i));
          const got = results[output.name]!;
          const values = (got.strings ?? got.data) as ArrayLike<number | string>;
          if (got.shape.join() !== expected.shape.join())
            throw new Error(`${output.name}: shape [${got.shape}], not [${expected.shape}]`);
          for (let j = 0; j < expected.data.length; j++) {
            const [a, b] = [values[j]!, expected.data[j]!];
            if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
            if (isFloat(expected.type) && Math.abs(Number(a) - Number(b)) <= absolute + relative * Math.abs(Number(b)))
              continue;
            throw new Error(`${output.name}[${j}]: ${a}, not ${b}`);
          }
        });
      }
      put('pass', name);
    } catch (error) {
      const { message } = error as Error;
      const kind = message.includes('not supported')
        ? message.replace(/\(nodes?.*/, '').replace('importOnnx: ', '')
        : `WRONG ${(error as Error).name}`;
      put(kind, kind.startsWith('WRONG') ? `${name}: ${message.slice(0, 150)}` : name);
    }
  }
}
for (const [kind, names] of [...counts].sort((a, b) => b[1].length - a[1].length)) {
  console.log(
    `${names.length} ${kind}${kind === 'pass' ? '' : kind.startsWith('WRONG') ? `\n  ${names.join('\n  ')}` : ''}`,
  );
}
