// What a reader of the guide gets wrong is refused by name, and harms nothing else.
import { describe, expect, test } from 'vitest';
import { ArgumentError, dense, encodeModel, engine, gru, sequential } from '../../src/index.ts';
import { ModelFileError } from '../../src/io/safetensors.ts';
import { exportOnnx, importOnnx, onnxSession } from '../../src/onnx.ts';
import { attribute, modelOf } from './model-of.ts';

const floats = (...dims: number[]) => ({
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + 1)),
});
/** y = x·W + b, with one output. */
const affine = modelOf({
  nodes: [
    { op: 'MatMul', inputs: ['x', 'W'], outputs: ['xW'] },
    { op: 'Add', inputs: ['xW', 'b'], outputs: ['y'] },
  ],
  inputs: { x: floats(2, 3) },
  initializers: { W: floats(3, 1), b: floats(1) },
  outputs: ['y'],
});
const recurrent = modelOf({
  nodes: [
    {
      op: 'GRU',
      inputs: ['x', 'W', 'R', '', '', 'h'],
      outputs: ['y', 'hn'],
      attributes: [attribute('hidden_size', 2)],
    },
  ],
  inputs: { x: floats(4, 1, 3), h: floats(1, 1, 2) },
  initializers: { W: floats(1, 6, 3), R: floats(1, 6, 2) },
  outputs: ['y', 'hn'],
});
const x = { data: floats(4, 1, 3).data, shape: [4, 1, 3] };

describe('options of importOnnx', () => {
  test.each<[string, Parameters<typeof importOnnx>[1], string]>([
    ['a name of nothing', { trainable: 'nonsense' }, "trainable expected a parameter of 'W', 'R'; got 'nonsense'"],
    ['a pattern of nothing', { trainable: /^Q/ }, "trainable expected a parameter of 'W', 'R'; got /^Q/"],
    ['no pattern', { trainable: 5 as never }, 'trainable expected true, false, names or patterns, got 5'],
    ['states: null', { states: null as never }, 'states expected an object, got null'],
    [
      'one output for two states',
      { states: { h: 'hn', x: 'hn' } },
      "states: 'x' expected an output of its own, got 'hn'",
    ],
    ['constants that are too many', { constants: { h: [1, 2, 3] } }, "constants: 'h' expected one number or 2, got 3"],
    ['no constant', { constants: { h: [] } }, "constants: 'h' expected one number or 2, got 0"],
    [
      'a constant that is none',
      { constants: { h: 'abc' as never } },
      "constants: 'h' expected elements of float32, got",
    ],
    ['an axis that is not there', { batchAxes: { x: 7 } }, "batchAxes: 'x' expected an axis of [4, 1, 3], got 7"],
    ['an axis from the end', { batchAxes: { x: -1 } }, "batchAxes: 'x' expected an axis of [4, 1, 3], got -1"],
    ['a name that is none', { name: 5 as never }, 'name expected a string, got 5'],
  ])('%s', (_, options, message) => {
    const before = engine().heap.usedBytes;
    expect(() => importOnnx(recurrent, options)).toThrow(ArgumentError);
    expect(() => importOnnx(recurrent, options)).toThrow(message);
    expect(engine().heap.usedBytes - before).toBeLessThan(2 ** 21);
  });

  test('a pattern with the flag g fits every name that it fits', () => {
    const model = importOnnx(recurrent, { trainable: /[WR]/g });
    expect(model.weights.filter(({ trainable }) => trainable).map(({ name }) => name.split('/')[1])).toEqual([
      'W',
      'R',
    ]);
  });
});

describe('values of run', () => {
  const integers = modelOf({
    nodes: [{ op: 'Cast', inputs: ['n'], outputs: ['y'], attributes: [attribute('to', 1)] }],
    inputs: { n: { dims: [1], data: Uint8Array.of(1) } },
    outputs: ['y'],
  });

  test.each([300, -1, 97.5, Number.NaN, 'a', undefined])('%s is no uint8', (value) => {
    const session = onnxSession(importOnnx(integers));
    expect(() => session.run({ n: { data: [value] as never, shape: [1] } })).toThrow(
      "run: 'n' expected elements of uint8, got",
    );
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'run: feeds expected an object, got undefined'],
    ['null', null, 'run: feeds expected an object, got null'],
    ['data: null', { x: { data: null, shape: [1] } }, "run: 'x': data expected a list or a typed array, got null"],
    ['shape: null', { x: { data: [1], shape: null } }, "run: 'x': shape expected a list, got null"],
    ['an input that is fixed', { x, h: x }, "run: 'h' was fixed by the constants of importOnnx"],
  ])('%s', (_, feeds, message) => {
    const session = onnxSession(importOnnx(recurrent, { constants: { h: 0 }, states: {} }));
    expect(() => session.run(feeds as never)).toThrow(message);
    expect(() => session.run(feeds as never)).toThrow(ArgumentError);
  });

  test('states of another batch are refused', () => {
    const model = sequential([gru({ units: 2, inputShape: [null, 3], stateful: true })]);
    const session = onnxSession(importOnnx(exportOnnx(model, { states: true })));
    const [input] = session.inputs.filter(({ name }) => !Object.hasOwn(session.states, name));
    const feed = (batch: number) => ({ [input!.name]: { data: new Float32Array(batch * 12), shape: [batch, 4, 3] } });
    session.run(feed(1));
    expect(() => session.run(feed(2))).toThrow(
      /state '.*' expected .* = 2, as in '.*', got 1; reset\(\) starts from zeros/,
    );
    session.reset();
    session.run(feed(2));
  });
});

test('a state that another output follows, is refused by name', () => {
  const session = onnxSession(importOnnx(recurrent, { states: { h: 'y' } }));
  session.run({ x });
  expect(() => session.run({ x })).toThrow("state 'h' expected [1, 1, 2], got [4, 1, 1, 2]");
});

test('an input of another rank is refused by name, and other models still run', () => {
  const good = onnxSession(importOnnx(affine));
  const model = importOnnx(affine);
  expect(() => model.predict([1, 2, 3])).toThrow(/input 'x' expected \[2, 3\], got \[3\]/);
  good.run({ x: { data: floats(2, 3).data, shape: [2, 3] } });
});

describe('parameters', () => {
  test('a bias of one number is one', () => {
    const layer = sequential([dense({ units: 1, inputShape: [3] })]);
    const model = importOnnx(exportOnnx(layer));
    expect(model.countParams()).toBe(4);
    expect(importOnnx(affine).weights.map(({ name }) => name.split('/')[1])).toEqual(['W', 'b']);
  });

  test('a factor is none', () => {
    const bytes = modelOf({
      nodes: [{ op: 'Mul', inputs: ['x', 'half'], outputs: ['y'] }],
      inputs: { x: floats(2, 3) },
      initializers: { half: floats(1) },
      outputs: ['y'],
    });
    expect(importOnnx(bytes).countParams()).toBe(0);
  });

  test.each([
    ['Cast', [attribute('to', 7)]],
    ['Identity', []],
  ] as const)('that %s gives out, are those of now', (op, attributes) => {
    const bytes = modelOf({
      nodes: [
        { op, inputs: ['W'], outputs: ['y'], attributes: [...attributes] },
        { op: 'MatMul', inputs: ['x', 'W'], outputs: ['z'] },
      ],
      inputs: { x: floats(2, 3) },
      initializers: { W: floats(3, 1) },
      outputs: ['y', 'z'],
    });
    const model = importOnnx(bytes, { states: {} });
    const session = onnxSession(model);
    const feeds = { x: { data: floats(2, 3).data, shape: [2, 3] } };
    for (let i = 0; i < 5; i++) session.run(feeds);
    model.weights[0]!.assign([4, 6, 8]);
    for (let i = 0; i < 5; i++) expect([...session.run(feeds).y!.data]).toEqual([4, 6, 8]);
  });
});

test('what is no ONNX file, is said to be none', () => {
  for (const bytes of [new Uint8Array(0), new TextEncoder().encode('<!doctype html><html></html>')]) {
    expect(() => importOnnx(bytes)).toThrow(ModelFileError);
    expect(() => importOnnx(bytes)).toThrow('importOnnx: not an ONNX model: ');
  }
});

test('an imported model takes no options of export', () => {
  expect(() => exportOnnx(importOnnx(affine), { name: 'mine' })).toThrow(
    'exportOnnx: name expected to be left out: an imported model is written as it came',
  );
});

test('dispose gives back all that runs have kept', () => {
  const { heap, arena } = engine();
  const held = (): number => heap.usedBytes - arena.heldBytes;
  const conv = modelOf({
    nodes: [
      { op: 'Conv', inputs: ['x', 'K'], outputs: ['c'] },
      { op: 'Mul', inputs: ['c', 'm'], outputs: ['y'] },
    ],
    inputs: { x: floats(1, 2, 8) },
    initializers: { K: floats(3, 2, 3), m: floats(1, 3, 1) },
    outputs: ['y'],
  });
  for (const bytes of [affine, recurrent, conv]) {
    const before = held();
    const model = importOnnx(bytes);
    const feeds = Object.fromEntries(
      onnxSession(model).inputs.map(({ name, dims }) => {
        const shape = dims as number[];
        return [name, { data: floats(...shape).data, shape }];
      }),
    );
    const session = onnxSession(model);
    for (let i = 0; i < 5; i++) session.run(feeds);
    encodeModel(model);
    model.dispose();
    expect(held()).toBe(before);
  }
});
