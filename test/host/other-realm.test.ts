// Values of another realm, such as those of a frame, node:vm, Jest and Next's edge routes: `instanceof` does not
// recognise their classes.
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { backupAndRestore } from '../../src/callbacks/backup-and-restore.ts';
import { streamBatches } from '../../src/data/stream-batches.ts';
import { loadCsv } from '../../src/data/tables/csv.ts';
import { decodeUtf8 } from '../../src/data/text/text.ts';
import { init } from '../../src/engine/engine.ts';
import { compileRefused, HostError } from '../../src/engine/loading/load.ts';
import { classOf } from '../../src/host/class-of.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { dense } from '../../src/layers/dense.ts';
import { sequential } from '../../src/models/model.ts';
import { sgd } from '../../src/optimizers/index.ts';
import { decodeModel, encodeModel } from '../../src/saving/saved-model.ts';
import { compileKernels, decodeStream } from '../../src/streaming/load.ts';

const realm = createContext({ console, own: undefined as unknown });
const there = (code: string): never => runInContext(code, realm) as never;
/** A value of the other realm, made by `code` from `own`. */
function made(code: string, own: unknown): never {
  realm.own = own;
  return there(code);
}
const foreignBytes = (bytes: Uint8Array): Uint8Array => made('new Uint8Array(own)', [...bytes]);

afterEach(() => vi.unstubAllGlobals());

test('classes of another realm, are others, and classOf has their names', () => {
  expect((there('new Uint8Array(2)') as object) instanceof Uint8Array).toBe(false);
  const values = [
    'new Uint8Array(2)',
    'new ArrayBuffer(2)',
    '(async () => 1)()',
    'new Map()',
    'new DataView(new ArrayBuffer(1))',
  ];
  expect(values.map((code) => classOf(there(code)))).toEqual([
    'Uint8Array',
    'ArrayBuffer',
    'Promise',
    'Map',
    'DataView',
  ]);
  expect(classOf(new URL('file:///a'))).toBe('URL');
  expect([classOf(new Blob([])), classOf(new File([], 'a')), classOf(new Response())]).toEqual([
    'Blob',
    'File',
    'Response',
  ]);
});

describe('of another realm', () => {
  test('bytes and buffers of data, are read', async () => {
    const csv = new TextEncoder().encode('a,b\n1,2\n3,4\n');
    for (const source of [foreignBytes(csv), made('new Uint8Array(own).buffer', [...csv])]) {
      expect([...(await loadCsv(source)).numbers('b')]).toEqual([2, 4]);
    }
    expect(decodeUtf8(foreignBytes(csv), 'a.csv')).toBe('a,b\n1,2\n3,4\n');
  });

  test('typed arrays and lists, are data of fit, of tensors and of streams of batches', async () => {
    const model = sequential([dense({ units: 1, inputShape: [2] })]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    const { history } = await model.fit(there('[[1, 2], [3, 4]]'), there('[new Float32Array([1]), [2]]'), {
      epochs: 1,
    });
    expect(history.loss).toHaveLength(1);
    expect([...tensor(there('new Float32Array([1, 2])')).toArray()]).toEqual([1, 2]);
    expect(tensor(there('new Int32Array([1, 2])')).dtype).toBe('i32');
    const t = tensor([1, 2]);
    t.set(there('new Float32Array([3, 4])'));
    expect([...t.toArray()]).toEqual([3, 4]);
    const [first] = [...streamBatches(there('new Int32Array([1, 2, 3, 4, 5])'), { batchSize: 1, steps: 2 })];
    expect(first!.x.data).toEqual(new Int32Array([1, 2]));
  });

  test('model files and tensors of files, are read and written', async () => {
    const model = sequential([dense({ units: 1, inputShape: [2] })]);
    const file = encodeModel(model);
    expect(decodeModel(foreignBytes(file)).model.weights[0]!.toArray()).toEqual(model.weights[0]!.toArray());
    for (const bytes of [foreignBytes(file), made('new Uint8Array(own).buffer', [...file])]) {
      const stream = decodeStream(bytes);
      expect(stream.step([1, 2])).toEqual(model.stream().step([1, 2]));
    }
    const data = there('new Float32Array([1, 2])');
    const written = encodeSafetensors(new Map([['x', { dtype: 'F32', shape: [2], data }]]), {});
    expect(decodeSafetensors(written).tensors.get('x')!.data).toEqual(new Float32Array([1, 2]));
    expect(() => encodeSafetensors(new Map([['x', { dtype: 'I32', shape: [2], data }]]) as never, {})).toThrow(
      'data expected a Int32Array for dtype I32, got [object Float32Array]',
    );
  });

  test('a backup, is restored: its epoch is not trained again', async () => {
    const model = sequential([dense({ units: 1, inputShape: [1] })]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    let kept: Uint8Array | undefined;
    const store = { read: () => kept && foreignBytes(kept), write: (bytes: Uint8Array) => void (kept = bytes) };
    const train = (epochs: number) => model.fit([[1]], [[2]], { epochs, callbacks: [backupAndRestore(store)] });
    await train(1);
    kept = encodeModel(model, { extra: { epoch: 0, history: { loss: [7] }, states: [] } });
    expect((await train(2)).epoch).toEqual([1]);
  });

  test('a promise, is none that withEma takes for done', () => {
    const model = sequential([dense({ units: 1, inputShape: [1] })]);
    const optimizer = sgd({ useEma: true });
    model.compile({ optimizer, loss: 'mse' });
    model.trainOnBatch([[1]], [[2]]);
    expect(() => model.withEma(() => there('(async () => 1)()'))).toThrow('got a promise');
  });

  test('kernels, are run by the engine and by streams', async () => {
    const bytes = readFileSync(new URL('../../build/simd.wasm', import.meta.url));
    const module = made('new WebAssembly.Module(own)', bytes);
    expect((module as object) instanceof WebAssembly.Module).toBe(false);
    const engine = await init({ module });
    expect(engine.build).toBe('custom');
    expect(sequential([dense({ units: 3, inputShape: [2] })]).predict([[1, 2]]).shape).toEqual([1, 3]);
    await init();

    const file = encodeModel(sequential([dense({ units: 1, inputShape: [2] })]));
    const kernels = made(
      'new WebAssembly.Module(own)',
      readFileSync(new URL('../../build/stream-simd.wasm', import.meta.url)),
    );
    const own = decodeStream(file, { module: await compileKernels('reproducible') }).step([1, 2]);
    expect(decodeStream(file, { module: kernels }).step([1, 2])).toEqual(own);
  });

  test('an error of compiling, is a HostError', () => {
    expect(compileRefused(there("new WebAssembly.CompileError('no')"))).toBeInstanceOf(HostError);
    const other = there("new TypeError('no')");
    expect(compileRefused(other)).toBe(other);
  });
});
