import { describe, expect, test } from 'vitest';
import { ArgumentError, decodeModel, encodeModel, type Model, ModelFileError } from '../../src/index.ts';
import { readGroup } from '../../src/tfjs/manifest.ts';
import { exportTfjs, importTfjs, loadTfjs, type TfjsArtifacts } from '../../src/tfjs.ts';
import { arrayOf, artifactsOf, bytesOf, models, outputsOf, quantized, type TfjsCase } from './golden.ts';

const close = (a: ArrayLike<number>, b: ArrayLike<number>, by = 1e-6): void => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThanOrEqual(by * (1 + Math.abs(b[i]!)));
};

describe.each(Object.entries(models as Record<string, TfjsCase>))('%s', (_, golden) => {
  const model = importTfjs(artifactsOf(golden));

  test('of TF.js, gives its outputs', () => {
    const outputs = outputsOf(model, golden);
    expect(outputs.map(({ shape }) => [...shape])).toEqual(golden.outputs.map(({ shape }) => shape));
    outputs.forEach(({ data }, i) => close(data, golden.outputs[i]!.data));
  });

  test('exported and imported again, has the same weights and outputs, bit for bit', () => {
    const files = exportTfjs(model);
    const back = importTfjs(files['model.json']!, files);
    expect(back.weights.map((weight) => weight.toArray())).toEqual(model.weights.map((weight) => weight.toArray()));
    expect(outputsOf(back, golden)).toEqual(outputsOf(model, golden));
  });

  test('saved and loaded, gives the same outputs', () => {
    const { model: back } = decodeModel(encodeModel(model));
    expect(outputsOf(back as Model, golden)).toEqual(outputsOf(model, golden));
  });
});

test.each(Object.entries(models as Record<string, TfjsCase>).filter(([, { losses }]) => losses))(
  '%s: training goes on with the state of the optimizer, and gives the losses of TF.js',
  (_, golden) => {
    const model = importTfjs(artifactsOf(golden));
    const isIds = (model.network.inputs as { dtype?: string }).dtype === 'i32';
    const [x, y] = [arrayOf(golden.x[0]!, isIds), arrayOf(golden.y!)];
    expect(model.optimizer.iterations).toBe(3);
    const losses = golden.losses!.map(() => model.trainOnBatch(x, y).loss!);
    close(losses, golden.losses!, 1e-5);
  },
);

test('weights of TF.js, quantized to any type, are decoded as TF.js decodes them', () => {
  const decoded = readGroup(quantized.specs, bytesOf(quantized.bytes));
  expect(Object.fromEntries(decoded.map(({ name, data }) => [name, Array.from(data)]))).toEqual(quantized.values);
});

const [[, first]] = Object.entries(models as Record<string, TfjsCase>) as [[string, TfjsCase]];
const own = (): { json: Record<string, unknown>; bytes: Uint8Array } => {
  const { weightSpecs, trainingConfig, ...artifacts } = first.artifacts;
  const weights = (weightSpecs as { group?: string; shape: number[] }[]).filter(({ group }) => !group);
  const size = 4 * weights.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
  const bytes = bytesOf(first.weights).slice(0, size);
  return { json: { ...artifacts, weightsManifest: [{ paths: ['a.bin', 'b.bin'], weights }] }, bytes };
};

test('a model.json with weights in several files, as text, bytes or an object, is one model', async () => {
  const { json, bytes } = own();
  const files = { 'a.bin': bytes.slice(0, 11), 'b.bin': bytes.slice(11) };
  const text = JSON.stringify(json);
  const expected = outputsOf(importTfjs(json, files), first);
  expect(
    outputsOf(
      importTfjs(text, (path) => files[path as 'a.bin']),
      first,
    ),
  ).toEqual(expected);
  expect(outputsOf(importTfjs(new TextEncoder().encode(text), files), first)).toEqual(expected);
  const fetched: string[] = [];
  const fetch = (async (url: string) => {
    fetched.push(url);
    const name = url.split('?')[0]!.split('/').at(-1)!;
    return new Response(name === 'model.json' ? text : files[name as 'a.bin']);
  }) as typeof globalThis.fetch;
  const loaded = await loadTfjs('https://example.org/m/model.json?key=1', { fetch });
  expect(outputsOf(loaded, first)).toEqual(expected);
  expect(fetched).toEqual(['model.json', 'a.bin', 'b.bin'].map((name) => `https://example.org/m/${name}?key=1`));
});

test('a file of 2018, without format, with a list for layers and a group a layer, is read', () => {
  const { json, bytes } = own();
  const { config } = json.modelTopology as { config: { layers: object[] } };
  const [{ weights }] = json.weightsManifest as [{ weights: { name: string; shape: number[] }[] }];
  const old = {
    modelTopology: {
      keras_version: '2.1.5',
      backend: 'tensorflow',
      model_config: { class_name: 'Sequential', config: config.layers },
    },
    weightsManifest: [
      { paths: ['group1-shard1of1'], weights: weights.slice(3) },
      { paths: ['group2-shard1of1'], weights: weights.slice(0, 3) },
    ],
  };
  const size =
    4 * weights.slice(0, 3).reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
  const files = { 'group1-shard1of1': bytes.slice(size), 'group2-shard1of1': bytes.slice(0, size) };
  expect(outputsOf(importTfjs(old, files), first)).toEqual(outputsOf(importTfjs(artifactsOf(first)), first));
});

const layer = (className: string, config: object): TfjsArtifacts => ({
  format: 'layers-model',
  modelTopology: {
    class_name: 'Sequential',
    config: {
      name: 'm',
      layers: [{ class_name: className, config: { batch_input_shape: [null, 2, 2], name: 'a', ...config } }],
    },
    keras_version: 'tfjs-layers 4.22.0',
  },
  weightsManifest: [],
});

test.each<[string, TfjsArtifacts | string]>([
  [
    'a graph model of TF.js has no layers: convert the model that it was made from to ONNX (tf2onnx) and use importOnnx',
    { format: 'graph-model', modelTopology: {} },
  ],
  ["layer 'a' (Unknown): tapeloop has no such layer: give customObjects: { Unknown: YourLayer }", layer('Unknown', {})],
  ["layer 'a' is a Lambda, whose code tapeloop does not run: give customObjects: { a: (x) => … }", layer('Lambda', {})],
  ["layer 'a' (Dense): units expected a value, got none", layer('Dense', {})],
  [
    "layer 'a' (Dense): banana expected no such option, got 1, which tapeloop does not have",
    layer('Dense', { units: 1, banana: 1 }),
  ],
  ["layer 'a' (LSTM): time_major expected false, got true", layer('LSTM', { units: 1, time_major: true })],
  [
    'layer \'a\' (Conv1D): data_format expected "channels_last", got "channels_first"',
    layer('Conv1D', { filters: 1, kernel_size: [1], data_format: 'channels_first' }),
  ],
  ['weight "a/kernel" expected in the manifest, got none', layer('Dense', { units: 1 })],
  [`model.json expected a JSON object, got "[1]"`, '[1]'],
])('%s: a file is refused with this sentence', (message, json) => {
  const refused = (): unknown => importTfjs(json);
  expect(refused).toThrow(ModelFileError);
  expect(refused).toThrow(new RegExp(`^importTfjs: ${message.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`));
});

test('strings, complex numbers, a lack of bytes and too many of them are refused', () => {
  const { json, bytes } = own();
  const files = { 'a.bin': bytes, 'b.bin': new Uint8Array() };
  expect(() => importTfjs(json, { ...files, 'a.bin': bytes.slice(0, -1) })).toThrow(
    /bytes for \[2\], got 7 in the files$/,
  );
  expect(() => importTfjs(json, { ...files, 'b.bin': bytes })).toThrow(/weights expected \d+ bytes in the files, got/);
  expect(() => importTfjs(json, {})).toThrow('weight file "a.bin" expected its bytes, got none');
  for (const dtype of ['string', 'complex64', 'float64'])
    expect(() => readGroup([{ name: 'a', shape: [1], dtype }], bytes)).toThrow(/dtype expected float32, int32 or bool/);
});

test('options in the place of files are refused, with the place where they belong', () => {
  const artifacts = artifactsOf(first);
  const sentence = (key: string): string =>
    `importTfjs: files expected the bytes of weight files by their paths, got "${key}": options are the third argument, importTfjs(json, {}, options)`;
  expect(() => importTfjs(artifacts, { compile: false } as never)).toThrow(new ArgumentError(sentence('compile')));
  expect(() => importTfjs(artifacts, { complie: false } as never)).toThrow(new ArgumentError(sentence('complie')));
  const { json, bytes } = own();
  expect(() => importTfjs(json, { inputShape: [5, 2] } as never)).toThrow(new ArgumentError(sentence('inputShape')));
  expect(importTfjs(artifacts, {}, { compile: false }).isCompiled).toBe(false);
  expect(importTfjs(artifacts, { 'a.bin': bytes }).isCompiled).toBe(true);
});

test.each<[string, () => unknown]>([
  [
    'importTfjs: json expected bytes, text or an object, got a Promise; await it',
    () => importTfjs(Promise.resolve({}) as never),
  ],
  [
    'importTfjs: json expected bytes, text or an object, got a Response; give await response.arrayBuffer()',
    () => importTfjs(new Response('{}') as never),
  ],
  [
    'importTfjs: json expected what a model is saved as, got a model: await model.save(tf.io.withSaveHandler(async (artifacts) => (made = importTfjs(artifacts))))',
    () => importTfjs({ name: 'm', save() {} }),
  ],
  [
    'importTfjs: files expected an object or a function, got a Promise; await it',
    () => importTfjs(own().json, Promise.resolve({}) as never),
  ],
  [
    'importTfjs: weight file "a.bin" expected its bytes, got a Promise; await it',
    () => importTfjs(own().json, (async () => new Uint8Array()) as never),
  ],
  [
    `importTfjs: weight file "a.bin" of 3 bytes, "b.bin" of 0 bytes: weight '`,
    () => importTfjs(own().json, { 'a.bin': new Uint8Array(3), 'b.bin': new Uint8Array() }),
  ],
  [
    'importTfjs: weight file "b.bin" is a page of a web server, not weights: weight',
    () =>
      importTfjs(own().json, { 'a.bin': new Uint8Array(3), 'b.bin': new TextEncoder().encode('<!DOCTYPE html><p>') }),
  ],
])('%s: an argument that is not what it should be is refused with this sentence', (message, call) => {
  expect(call).toThrow(message);
});

test('what cannot be fetched is named once', async () => {
  const fetch = (async (url: string) =>
    url.endsWith('.json') ? new Response(JSON.stringify(own().json)) : new Response('', { status: 404 })) as never;
  const none = (async () => new Response('', { status: 404 })) as never;
  await expect(loadTfjs('https://a.org/model.json', { fetch: none })).rejects.toThrow(
    /^https:\/\/a.org\/model.json: loadTfjs: answers 404$/,
  );
  await expect(loadTfjs('https://a.org/model.json', { fetch })).rejects.toThrow(
    /^https:\/\/a.org\/model.json: loadTfjs: https:\/\/a.org\/[ab].bin answers 404$/,
  );
  await expect(loadTfjs('indexeddb://m')).rejects.toThrow(
    "loadTfjs: url expected an address of http or https, got 'indexeddb://m': load it with tf.loadLayersModel, save it with tf.io.withSaveHandler and give what comes to importTfjs",
  );
  await expect(loadTfjs('file:///nowhere/model.json')).rejects.toThrow(
    /^file:\/\/\/nowhere\/model.json: loadTfjs: cannot be fetched: .*; read the files and give them to importTfjs$/,
  );
});

test('a Lambda, a custom layer and a custom activation get what the caller gives', () => {
  const lambda = importTfjs(
    layer('Lambda', { batch_input_shape: [null, 2, 2] }),
    {},
    { customObjects: { a: (x: unknown) => x } },
  );
  expect([
    ...lambda.predict([
      [
        [1, 2],
        [3, 4],
      ],
    ]).data,
  ]).toEqual([1, 2, 3, 4]);
  const custom = importTfjs(
    layer('Activation', { activation: 'mine' }),
    {},
    { customObjects: { mine: (x: unknown) => x } },
  );
  expect([
    ...custom.predict([
      [
        [1, 2],
        [3, 4],
      ],
    ]).data,
  ]).toEqual([1, 2, 3, 4]);
});
