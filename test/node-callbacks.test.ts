import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ArgumentError } from '../src/checks/argument-error.ts';
import { setSeed } from '../src/engine/random.ts';
import { FileError } from '../src/io/file-error.ts';
import type { Callback } from '../src/models/model.ts';
import { backupFile, checkpointFile, csvFile, progress, tensorBoardFolder } from '../src/node-callbacks.ts';
import { encodeModel } from '../src/saving/saved-model.ts';
import { oneWeight, runScript } from './callbacks/scripted.ts';
import golden from './golden/callbacks.json' with { type: 'json' };
import events from './golden/events.json' with { type: 'json' };
import { firstDifference } from './train/first-difference.ts';
import { regression, sequences, targets } from './train/regression.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapeloop-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => setSeed(11));

const inFolder = (name: string): string => join(folder, name);

describe('checkpointFile', () => {
  test.each(golden.modelCheckpoint.map((each, i) => [i, each] as const))(
    'case %i, names the files as Keras does',
    async (i, { options, values, template, saved }) => {
      const made = inFolder(`checkpoints/${i}`);
      await runScript(values, [checkpointFile(`${made}/${template}`, options as object)]);
      const files = saved.length === 0 ? [] : readdirSync(made);
      expect(files.sort()).toEqual([...new Set(saved)].sort());
    },
  );

  test('without a place for numbers, holds the last model', async () => {
    const path = inFolder('last.safetensors');
    const model = regression();
    await model.fit(sequences(4), targets(4), { epochs: 2, callbacks: [checkpointFile(path)] });
    expect(firstDifference(readFileSync(path), encodeModel(model))).toBe(-1);
  });

  test.each([
    ['{epoch:x}', "checkpointFile: path expected a format such as 03d or .2f, got 'x'"],
    ['{accuracy}', "checkpointFile: path expected one of loss, val_loss, epoch, got '{accuracy}'"],
  ])('%s, throws', async (path, message) => {
    await expect(runScript([1], [checkpointFile(inFolder(path))])).rejects.toThrow(new ArgumentError(message));
  });
});

describe('csvFile', () => {
  test('can be read as training goes on, and goes on itself with append', async () => {
    const path = inFolder('log.csv');
    const seen: number[] = [];
    const lines = () => readFileSync(path, 'utf8').trimEnd().split('\n');
    const reader: Callback = { onEpochEnd: () => void seen.push(lines().length) };
    await runScript([1, 2], [csvFile(path), reader]);
    await runScript([1, 2, 3], [csvFile(path, { append: true }), reader], { initialEpoch: 2 });
    expect(seen).toEqual([2, 3, 4]);
    expect(lines()).toEqual(['epoch,loss,val_loss', '0,2,1', '1,4,2', '2,6,3']);
    await runScript([5], [csvFile(path, { separator: ';' })]);
    expect(lines()).toEqual(['epoch;loss;val_loss', '0;10;5']);
  });

  test('where TextEncoder is hidden, as in the jsdom of Jest, writes all the same', async () => {
    vi.stubGlobal('TextEncoder', undefined);
    const path = inFolder('hidden.csv');
    await runScript([5], [csvFile(path)]).finally(() => vi.unstubAllGlobals());
    expect(readFileSync(path, 'utf8')).toBe('epoch,loss,val_loss\n0,10,5\n');
  });

  test('in a folder that does not exist, throws before the first step', async () => {
    await expect(runScript([1], [csvFile(inFolder('none/log.csv'))])).rejects.toThrow(FileError);
  });
});

/** The events of a file: how TFRecords and messages are read, written apart from how they are written. */
function eventsOf(bytes: Uint8Array): { step: bigint; scalars: Record<string, number> }[] {
  const found: ReturnType<typeof eventsOf> = [];
  for (let at = 0; at < bytes.length; ) {
    const { buffer, byteOffset } = bytes.subarray(at);
    const length = Number(new DataView(buffer, byteOffset).getBigUint64(0, true));
    const scalars: Record<string, number> = {};
    let step = 0n;
    for (const [field, value] of fieldsOf(bytes.subarray(at + 12, at + 12 + length))) {
      if (field === 2) step = value as bigint;
      for (const [, summary] of field === 5 ? fieldsOf(value as Uint8Array) : []) {
        const parts = new Map(fieldsOf(summary as Uint8Array));
        const number = parts.get(2) as Uint8Array;
        const tag = new TextDecoder().decode(parts.get(1) as Uint8Array);
        scalars[tag] = new DataView(number.buffer, number.byteOffset).getFloat32(0, true);
      }
    }
    found.push({ step, scalars });
    at += length + 16;
  }
  return found;
}

function fieldsOf(bytes: Uint8Array): [field: number, value: bigint | Uint8Array][] {
  const fields: [number, bigint | Uint8Array][] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const [field, type] = [key >> 3, key & 7];
    if (type === 0) fields.push([field, varint()]);
    else {
      const size = type === 1 ? 8 : type === 5 ? 4 : Number(varint());
      fields.push([field, bytes.slice(at, at + size)]);
      at += size;
    }
  }
  return fields;
}

describe('tensorBoardFolder', () => {
  test('as its reader here reads it, TensorBoard wrote its own file', () => {
    const own = eventsOf(new Uint8Array(Buffer.from(events.base64, 'base64')));
    expect(own.slice(1).map(({ step }) => Number(step))).toEqual(events.steps.map(({ step }) => step));
  });

  test('holds the numbers of epochs, batches and validations under the tags of Keras', async () => {
    const logs = inFolder('board');
    const callbacks = [tensorBoardFolder(logs, { updateFreq: 2 })];
    const model = oneWeight();
    const rows = [[0], [0], [0]];
    await model.fit(rows, rows, { epochs: 2, batchSize: 1, validationData: [[[0]], [[2]]], callbacks });
    const read = (run: string) => {
      const files = readdirSync(join(logs, run));
      expect(files.length).toBe(1);
      expect(files[0]).toMatch(/^events\.out\.tfevents\.\d{10}\./);
      return eventsOf(readFileSync(join(logs, run, files[0]!))).map(({ step, scalars }) => [Number(step), scalars]);
    };
    expect(read('train')).toEqual([
      [0, {}],
      [1, { batch_loss: 0 }],
      [0, { epoch_loss: 0, epoch_learning_rate: 1 }],
      [3, { batch_loss: 0 }],
      [5, { batch_loss: 0 }],
      [1, { epoch_loss: 0, epoch_learning_rate: 1 }],
    ]);
    expect(read('validation')).toEqual([
      [0, {}],
      [3, { evaluation_loss_vs_iterations: 2 }],
      [0, { epoch_loss: 2 }],
      [6, { evaluation_loss_vs_iterations: 2 }],
      [1, { epoch_loss: 2 }],
    ]);
  });
});

describe('backupFile', () => {
  test('is gone when training is over, and there when it was cut off', async () => {
    const path = inFolder('backup.safetensors');
    const cut: Callback = { onEpochBegin: (epoch) => (epoch === 2 ? Promise.reject(new Error('cut')) : undefined) };
    await expect(runScript([1, 2, 3], [backupFile(path), cut])).rejects.toThrow('cut');
    expect(readdirSync(folder)).toContain('backup.safetensors');
    const { history } = await runScript([1, 2, 3], [backupFile(path)]);
    expect(history.epoch).toEqual([0, 1, 2]);
    expect(readdirSync(folder)).not.toContain('backup.safetensors');
  });

  test('that holds something else, is refused and left', async () => {
    const path = inFolder('notes.txt');
    writeFileSync(path, 'not a model');
    await expect(runScript([1], [backupFile(path)])).rejects.toThrow('safetensors');
    expect(readFileSync(path, 'utf8')).toBe('not a model');
  });
});

describe('progress', () => {
  const written = async (isTTY: boolean): Promise<string> => {
    let text = '';
    const stream = { isTTY, columns: 40, write: (part: string) => void (text += part) };
    await oneWeight().fit([[0]], [[1]], { epochs: 2, callbacks: [progress({ stream, everyMs: 0, now: () => 0 })] });
    return text;
  };

  test('on a terminal, draws batches in place, as wide as it is, and keeps the whole line of an epoch', async () => {
    const line = (epoch: number) => `\rEpoch ${epoch}/2 - 1/1 - 0s - 0us/step - loss: 1.0000`;
    const epoch = (number: number) => `${line(number).slice(0, 40)}\x1b[K${line(number)}\x1b[K\n`;
    expect(await written(true)).toBe(epoch(1) + epoch(2));
  });

  test('into a file, writes epochs alone', async () => {
    expect(await written(false)).toBe(
      'Epoch 1/2 - 1/1 - 0s - 0us/step - loss: 1.0000\nEpoch 2/2 - 1/1 - 0s - 0us/step - loss: 1.0000\n',
    );
  });
});
