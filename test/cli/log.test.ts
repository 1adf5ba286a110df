import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LossLog } from '../../src/cli/log.ts';
import { FileError } from '../../src/io/file-error.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapeloop-test-'));
  path = join(folder, 'loss.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('LossLog, each line can be read before the log is closed', () => {
  const log = new LossLog(path);
  log.write({ step: 1, loss: 2.5, charsPerSecond: 1234.6 });
  expect(readFileSync(path, 'utf8')).toBe('{"step":1,"loss":2.5,"charsPerSecond":1235}\n');
  log.write({ step: 2, loss: 2.25, valLoss: 2.75, charsPerSecond: 0 });
  expect(readFileSync(path, 'utf8').split('\n')[1]).toBe('{"step":2,"loss":2.25,"valLoss":2.75,"charsPerSecond":0}');
  log.close();
  log.close();
});

test('LossLog of a resumed run, appends', () => {
  for (const step of [1, 2]) {
    const log = new LossLog(path);
    log.write({ step, loss: 1, charsPerSecond: 1 });
    log.close();
  }
  const steps = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).step);
  expect(steps).toEqual([1, 2]);
});

test('LossLog after a run cut off inside a line, begins a line of its own', () => {
  writeFileSync(path, '{"step":1,"loss":1,"charsPerSecond":1}\n{"step":2,"lo');
  const log = new LossLog(path);
  log.write({ step: 2, loss: 1, charsPerSecond: 1 });
  log.close();
  expect(readFileSync(path, 'utf8').split('\n')[2]).toBe('{"step":2,"loss":1,"charsPerSecond":1}');
});

test('LossLog, loss that ran off, stays JSON', () => {
  const log = new LossLog(path);
  log.write({ step: 1, loss: Number.NaN, charsPerSecond: 1 });
  log.close();
  expect(JSON.parse(readFileSync(path, 'utf8')).loss).toBe(null);
});

test('LossLog in a missing folder or closed, throws FileError with the path', () => {
  const missing = join(folder, 'none', 'loss.jsonl');
  expect(() => new LossLog(missing)).toThrow(`cannot open ${missing}: no such file or directory (ENOENT)`);
  expect(() => new LossLog(folder)).toThrow(FileError);
  const log = new LossLog(path);
  log.close();
  expect(() => log.write({ step: 1, loss: 1, charsPerSecond: 1 })).toThrow(`cannot write ${path}: the log is closed`);
});
