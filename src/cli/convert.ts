import { dirname, join, resolve } from 'node:path';
import { sizeOf } from '../checks/shape.ts';
import { NdArray } from '../data/array.ts';
import { leavesOf, mapNested, type Nested } from '../data/nested.ts';
import { RandomStream } from '../engine/random.ts';
import { writeFileAtomic } from '../io/node-files.ts';
import { type InputSpec, isInputSpec } from '../layers/base/input-spec.ts';
import type { AnyModel } from '../models/model.ts';
import { differenceOf, type Elements } from '../onnx/export/infer.ts';
import { described, grouped, sessionOf } from './describe.ts';
import { type ConvertOptions, UsageError } from './flags.ts';
import { readModel } from './model-file.ts';
import { formatOf, knownEndings } from './written-formats.ts';

/** Sizes that are tried where one varies: some models want one sequence, or many samples. */
const SIZES = [8, 64, 512, 4096].flatMap((length) => [2, 1].map((batch) => ({ batch, length })));

/** Writes a model in another format. Prints what it is, and with `check` how much both differ on random input. */
export function convert(from: string, to: string, options: ConvertOptions): number {
  const { check, states, name, seed } = options;
  const format = formatOf(to);
  if (!format) {
    throw new UsageError(
      `tapeloop convert: OUT expected a name that ends in ${knownEndings}, got ${JSON.stringify(to)}`,
    );
  }
  if (resolve(from) === resolve(to)) throw new UsageError('tapeloop convert: OUT expected another file than IN');
  if (format.name !== 'ONNX' && (states || name !== undefined)) {
    throw new UsageError(
      `tapeloop convert: ${states ? '--states' : '--name'} expected an OUT that ends in .onnx, got ${JSON.stringify(to)}`,
    );
  }
  if (check && !format.reread) {
    throw new UsageError(`tapeloop convert: --check expected an OUT that can be read again, got ${JSON.stringify(to)}`);
  }
  const read = readModel(from, options);
  process.stdout.write(`${described(read).join('\n')}\n`);
  const [bytes, beside = {}] = format.write(read, options);
  for (const [file, content] of Object.entries(beside)) writeFileAtomic(join(dirname(to), file), content);
  writeFileAtomic(to, bytes);
  process.stdout.write(` Written: ${to}, ${grouped(bytes.length)} bytes, ${format.name}\n`);
  if (!check || !format.reread) return 0;
  const written = format.reread(to, read.model);
  process.stdout.write(`${described(written).join('\n')}\n`);
  const difference = compare(read.model, written.model, seed);
  process.stdout.write(
    ` Largest difference on random input: ${difference.toExponential(1)}, relative to 1 + |value|\n`,
  );
  // NaN is a difference, too.
  return difference <= 1e-4 ? 0 : 1;
}

/** A value that a model takes: its axes, null where a length varies. */
interface Input {
  readonly isInteger: boolean;
  readonly shape: readonly (number | string | null)[];
}

/** How a model is called: what it takes, and the outputs for such values. */
interface Callable {
  readonly inputs: readonly Input[];
  run(values: readonly NdArray[]): Elements[];
}

function callableOf(model: AnyModel): Callable {
  const session = sessionOf(model);
  if (session) {
    const given = session.inputs.filter(({ name }) => !Object.hasOwn(session.states, name));
    const next = Object.values(session.states);
    return {
      inputs: given.map(({ type, dims }) => ({ isInteger: !type.includes('float'), shape: dims ?? [1] })),
      run(values) {
        session.reset();
        const results = session.run(Object.fromEntries(given.map(({ name }, i) => [name, values[i]!])));
        return session.outputs.filter(({ name }) => !next.includes(name)).map(({ name }) => results[name]!);
      },
    };
  }
  const { inputs, batchInputShape } = model.network;
  return {
    inputs: leavesOf<InputSpec>(inputs, isInputSpec).map(({ dtype, shape }) => ({
      isInteger: dtype === 'i32',
      shape: [batchInputShape?.[0] ?? null, ...(shape ?? [null])],
    })),
    run(values) {
      let at = 0;
      const x = mapNested<InputSpec, NdArray>(inputs, isInputSpec, () => values[at++]!);
      model.resetStates();
      const y = model.predict(x as never) as unknown as Nested<NdArray>;
      model.resetStates();
      return leavesOf<NdArray>(y, (each): each is NdArray => each instanceof NdArray);
    },
  };
}

/** The largest difference of the outputs of two models on the same random input, relative to 1 + |value|. */
function compare(model: AnyModel, other: AnyModel, seed: number): number {
  const [a, b] = [callableOf(model), callableOf(other)];
  let failure: unknown;
  for (const { batch, length } of SIZES) {
    const random = new RandomStream(seed);
    const values = a.inputs.map(({ isInteger, shape }) => {
      const full = shape.map((n, axis) => (typeof n === 'number' ? n : axis === 0 ? batch : length));
      const data = Float32Array.from({ length: sizeOf(full) }, () =>
        isInteger ? random.nextUint32() % 2 : 2 * random.nextUniform() - 1,
      );
      return new NdArray((isInteger ? Int32Array.from(data) : data) as Float32Array, full);
    });
    let results: [Elements[], Elements[]];
    try {
      results = [a.run(values), b.run(values)];
    } catch (error) {
      failure ??= error;
      continue;
    }
    return Math.max(0, ...results[0].map((y, i) => differenceOf(y, results[1][i])));
  }
  throw failure;
}
