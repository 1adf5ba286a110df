// Every type that may hold the bytes of a model file, or that users give in their place.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { exportRtNeural, importRtNeural } from '../../src/audio-models.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { loadCompiledStream } from '../../src/compiled.ts';
import { readSource } from '../../src/data/sources/source.ts';
import { browserStore } from '../../src/io/browser-store.ts';
import { exportKeras, exportKerasWeights, importKeras, loadKerasWeights } from '../../src/keras.ts';
import { dense } from '../../src/layers/dense.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { sequential } from '../../src/models/model.ts';
import { loadModel, saveModel } from '../../src/node.ts';
import { compileStream, exportOnnx, importOnnx } from '../../src/onnx.ts';
import { decodeModel, encodeModel, restoreModel } from '../../src/saving/saved-model.ts';
import { decodeStream, loadStream } from '../../src/streaming/load.ts';
import { exportTfjs, importTfjs } from '../../src/tfjs.ts';
import { encodeStateDict, importTorch, loadStateDict, readTorch } from '../../src/torch.ts';

const model = sequential([dense({ units: 2, inputShape: [3] })]);
const bytes = encodeModel(model);
const recurrent = sequential([gru({ units: 2, inputShape: [null, 1] })]);
const steps = compileStream(importOnnx(exportOnnx(recurrent, { states: true })));
const readers: readonly (readonly [name: string, read: (given: never) => unknown, bytes: Uint8Array])[] = [
  ['decodeModel', decodeModel, bytes],
  ['restoreModel', (given) => restoreModel(model, given), bytes],
  ['decodeStream', decodeStream, bytes],
  ['importOnnx', importOnnx, exportOnnx(model)],
  ['readTorch', readTorch, encodeStateDict(model)],
  ['importKeras', importKeras, exportKeras(model)],
  ['loadKerasWeights', (given) => loadKerasWeights(model, given), exportKerasWeights(model)],
  ['loadCompiledStream', loadCompiledStream, steps],
];
const tfjs = exportTfjs(model);
/** Those that read text or objects as well, or what another function has read. */
const others: typeof readers = [
  ['importTorch', importTorch, encodeStateDict(model)],
  ['loadStateDict', (given) => loadStateDict(model, given), encodeStateDict(model)],
  ['importTfjs, json', (given) => importTfjs(given, tfjs), tfjs['model.json']!],
  ['importTfjs, weights', (given) => importTfjs(tfjs['model.json']!, () => given), tfjs['group1-shard1of1.bin']!],
  ['importRtNeural', importRtNeural, exportRtNeural(model)],
];

describe.each([...readers, ...others])('%s', (_, read, bytes) => {
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  const inMiddle = new Uint8Array(bytes.length + 7);
  inMiddle.set(bytes, 3);

  test('takes a DataView and shared memory', () => {
    for (const given of [
      new DataView(inMiddle.buffer, 3, bytes.length),
      shared,
      new Uint8Array(shared),
      bytes.slice().buffer,
      Buffer.from(bytes),
    ]) {
      expect(() => read(given as never)).not.toThrow();
    }
  });
});

describe.each(readers)('%s', (name, read, bytes) => {
  test.each<[string, unknown, string]>([
    ['a promise', Promise.resolve(bytes), 'got Promise; await it'],
    ['a response', new Response(bytes as never), 'got Response'],
    ['a blob', new Blob([bytes as never]), 'got Blob'],
    ['a text', 'model.safetensors', 'got String'],
    ['nothing', undefined, 'got Undefined'],
  ])('given %s, names it', (_, given, got) => {
    const sentence = `${name}: bytes expected a Uint8Array or an ArrayBuffer, ${got}`;
    expect(() => read(given as never)).toThrow(new ArgumentError(sentence));
  });
});

describe.each(readers.slice(0, 3))('%s', (_, read) => {
  test('given a buffer that was transferred, says that there are no bytes', () => {
    const copy = bytes.slice();
    structuredClone(copy, { transfer: [copy.buffer] });
    for (const given of [copy, copy.buffer]) expect(() => read(given as never)).toThrow('got 0 bytes');
  });

  test('given a page, says so', () => {
    const page = new TextEncoder().encode('<!doctype html><html><body>Not found</body></html>');
    expect(() => read(page as never)).toThrow(': an HTML page');
  });
});

test('loadStream of a response, names it; of an unknown mode, too', async () => {
  await expect(loadStream(new Response(bytes) as never)).rejects.toThrow('got Response');
  await expect(loadStream(bytes, { mode: 'slow' as never })).rejects.toThrow(
    new ArgumentError("loadStream: mode expected 'fast' or 'reproducible', got 'slow'"),
  );
});

test('saveModel and loadModel, take an address of a file and refuse any other', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'tapeloop-')), 'a model.st');
  saveModel(model, pathToFileURL(path));
  expect(new Uint8Array(readFileSync(path))).toEqual(encodeModel(model));
  expect(loadModel(pathToFileURL(path)).model.weights).toHaveLength(2);
  const sentence = "loadModel: path expected an address of file:, got 'https://example.org/m.st'";
  expect(() => loadModel(new URL('https://example.org/m.st'))).toThrow(new ArgumentError(sentence));
});

test('browserStore, without a name or somebody to tell, is refused at once', () => {
  expect(() => browserStore('x', undefined as never)).toThrow(
    'browserStore: onProblem expected a function, got undefined',
  );
  expect(() => browserStore(5 as never, () => {})).toThrow('browserStore: name expected a string, got 5');
});

test('a controller in place of its signal, is refused by fit and by readers', async () => {
  const signal = new AbortController() as never;
  const own = sequential([dense({ units: 1, inputShape: [1] })]);
  own.compile({ optimizer: 'adam', loss: 'mse' });
  await expect(own.fit([[1]], [[1]], { signal })).rejects.toThrow('fit: signal expected an AbortSignal, got an object');
  await expect(readSource(bytes, { signal })).rejects.toThrow('readSource: signal expected an AbortSignal');
});
