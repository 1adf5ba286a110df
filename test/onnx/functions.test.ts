// Functions of a file: what is saved with them, and what is refused.
import { expect, test } from 'vitest';
import { decodeModel, encodeModel } from '../../src/index.ts';
import type { FunctionProto } from '../../src/onnx/format/messages.ts';
import { importOnnx, onnxSession } from '../../src/onnx.ts';
import { functionCases } from './function-cases.ts';
import { modelOf, nodeOf } from './model-of.ts';

const domain = 'checks';
const functionOf = (name: string, ops: readonly string[]): FunctionProto => ({
  ...{ name, domain, input: ['x'], output: ['y'] },
  node: ops.map((op, i) =>
    nodeOf({ op, domain, inputs: [i === 0 ? 'x' : `h${i}`], outputs: [i === ops.length - 1 ? 'y' : `h${i + 1}`] }),
  ),
});

const modelWith = (functions: readonly FunctionProto[]): Uint8Array =>
  modelOf({
    nodes: [{ op: 'A', domain, inputs: ['x'], outputs: ['y'] }],
    inputs: { x: { dims: [2], data: Float32Array.of(1, 2) } },
    outputs: ['y'],
    functions,
  });

test('a model with functions is saved and loaded', () => {
  const { bytes, feeds } = functionCases[2]!;
  const given = Object.fromEntries(
    Object.entries(feeds).map(([name, { data, dims }]) => [name, { data, shape: dims }]),
  );
  const model = importOnnx(bytes);
  const { model: again } = decodeModel(encodeModel(model));
  const [a, b] = [model, again].map((each) => onnxSession(each).run(given as never).y0!.data);
  expect(b).toEqual(a);
});

test('functions in a circle are refused', () => {
  expect(() => importOnnx(modelWith([functionOf('A', ['B']), functionOf('B', ['A'])]))).toThrow(
    'its functions call each other more than 32 deep',
  );
});

test('functions that stand for very many nodes are refused', () => {
  const names = Array.from({ length: 24 }, (_, i) => String.fromCharCode(65 + i));
  const doubling = names.map((name, i) => functionOf(name, [names[i + 1] ?? 'Neg', names[i + 1] ?? 'Neg']));
  expect(() => importOnnx(modelWith(doubling))).toThrow('its functions stand for more than');
});
