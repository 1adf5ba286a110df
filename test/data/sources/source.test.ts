import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DataError, SourceError } from '../../../src/data/sources/data-error.ts';
import { listFiles } from '../../../src/data/sources/host-files.ts';
import { readSource, type Source } from '../../../src/data/sources/source.ts';

const bytes = new TextEncoder().encode('ten bytes.');
const zipped = new Uint8Array(gzipSync(bytes));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapeloop-test-'));
  writeFileSync(join(folder, 'a b.txt'), bytes);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  rmSync(folder, { recursive: true, force: true });
});

describe('readSource', () => {
  test.each<[string, () => Source]>([
    ['path', () => join(folder, 'a b.txt')],
    ['file URL as text', () => pathToFileURL(join(folder, 'a b.txt')).href],
    ['file URL', () => pathToFileURL(join(folder, 'a b.txt'))],
    ['data URL', () => 'data:text/plain;base64,dGVuIGJ5dGVzLg=='],
    ['blob URL', () => URL.createObjectURL(new Blob([bytes]))],
    ['Uint8Array within a larger buffer', () => Uint8Array.of(0, ...bytes, 0).subarray(1, 11)],
    ['Buffer', () => Buffer.from(bytes)],
    ['ArrayBuffer', () => bytes.slice().buffer],
    ['Blob', () => new Blob([bytes])],
    ['Response', () => new Response(bytes)],
    ['gzip', () => zipped],
  ])('%s, gives its bytes', async (_, source) => {
    expect(Buffer.from(await readSource(source()))).toEqual(Buffer.from(bytes));
  });

  test('Blob and Response of a class that does not say what it is, as those of happy-dom, give their bytes', async () => {
    const { buffer } = bytes;
    const blob = { size: 10, type: '', slice() {}, arrayBuffer: async () => buffer, name: 'f.txt' };
    expect(await readSource(blob as never)).toEqual(bytes);
    const response = { ok: true, status: 200, url: '', bodyUsed: false, arrayBuffer: async () => buffer };
    expect(await readSource(response as never)).toEqual(bytes);
    expect(
      await readSource({ ...blob, arrayBuffer: async () => zipped.slice(0, 15).buffer } as never).catch(String),
    ).toMatch(/^DataError: f\.txt: expected whole gzip data/);
  });

  test('Blob without arrayBuffer, as that of an older jsdom, is read by a FileReader', async () => {
    class Reader {
      result: unknown;
      onload = () => {};
      readAsArrayBuffer(blob: { bytes: Uint8Array }) {
        this.result = blob.bytes.slice().buffer;
        queueMicrotask(this.onload);
      }
    }
    vi.stubGlobal('FileReader', Reader);
    const blob = { [Symbol.toStringTag]: 'File', name: 'f', bytes };
    expect(await readSource(blob as never)).toEqual(bytes);
  });

  test('gzip where a Blob has no stream, is opened', async () => {
    vi.stubGlobal('Blob', class {});
    expect(await readSource(zipped)).toEqual(bytes);
  });

  test('sha256 where crypto.subtle is hidden, is that of the file', async () => {
    vi.stubGlobal('crypto', {});
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(await readSource(bytes, { sha256 })).toBe(bytes);
  });

  test('bytes that need no opening, are returned themselves', async () => {
    expect(await readSource(bytes)).toBe(bytes);
  });

  test('gzip: false, leaves gzip as it is; gzip: true, insists on it', async () => {
    expect(await readSource(zipped, { gzip: false })).toBe(zipped);
    await expect(readSource(bytes, { gzip: true, name: 'x.gz' })).rejects.toThrow(
      /^x\.gz: expected whole gzip data, got/,
    );
  });

  test('sha256, is that of the file as stored', async () => {
    const sha256 = createHash('sha256').update(zipped).digest('hex');
    expect(await readSource(zipped, { sha256 })).toEqual(bytes);
    const error = await readSource(join(folder, 'a b.txt'), { sha256 }).catch((e: unknown) => e as SourceError);
    expect(error).toMatchObject({ code: 'checksum' });
  });

  test.each<[string, Uint8Array<ArrayBuffer>]>([
    ['cut in its header', zipped.slice(0, 5)],
    ['cut in its data', zipped.slice(0, -9)],
    ['cut in its checksum', zipped.slice(0, -2)],
    ['with a wrong checksum', zipped.map((byte, i) => (i === zipped.length - 8 ? byte ^ 1 : byte))],
    ['with damaged data', zipped.map((byte, i) => (i === 12 ? byte ^ 0xff : byte))],
  ])('gzip %s, is an error that names the file', async (_, damaged) => {
    const path = join(folder, 'ids.gz');
    writeFileSync(path, damaged);
    const error = await readSource(path).catch((e: unknown) => e as DataError);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).file).toBe(path);
    expect((error as DataError).message).toContain(
      `${path}: expected whole gzip data, got a fault in its ${damaged.length} bytes`,
    );
  });

  test('path that leads nowhere or to a directory, is an error that names it', async () => {
    const none = join(folder, 'none');
    await expect(readSource(none)).rejects.toThrow(
      new SourceError('file', `cannot read ${none}: ENOENT: no such file or directory`),
    );
    await expect(readSource(folder)).rejects.toThrow(
      new SourceError('file', `${folder}: expected a file, got a directory`),
    );
  });

  test('path where there is no file system, is an error that says so', async () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    await expect(readSource('data/a.csv')).rejects.toThrow(/^data\/a\.csv: a path needs a file system/);
    await expect(readSource(new URL('file:///a.csv'))).rejects.toMatchObject({ code: 'host' });
    expect(await readSource(bytes)).toBe(bytes);
  });

  test('checksum where there is neither crypto.subtle nor Node, is an error that says so', async () => {
    vi.stubGlobal('crypto', {});
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    await expect(readSource(bytes, { sha256: '0'.repeat(64) })).rejects.toThrow('sha256 needs crypto.subtle');
    vi.unstubAllGlobals();
  });

  test('Response that is no success, is an error with its status', async () => {
    const error = await readSource(new Response('', { status: 500 })).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'http', status: 500, message: 'Response: expected a file, got HTTP 500' });
  });

  test('Response whose body was read, is an error', async () => {
    const response = new Response('a');
    await response.text();
    await expect(readSource(response, { name: 'r' })).rejects.toThrow('r: expected a Response not yet read');
  });

  test.each([[42], [undefined], [null], [[1, 2]], [new URL('ftp://host/file')]])('%s, is no source', async (source) => {
    await expect(readSource(source as unknown as Source)).rejects.toThrow(/^source expected a path, a URL .*, got/);
  });
});

describe('listFiles', () => {
  test('directory, gives its files with the extension, sorted, and no directories', async () => {
    for (const name of ['Z.txt', 'b.txt', 'b.csv']) writeFileSync(join(folder, name), '');
    mkdirSync(join(folder, 'c.txt'));
    expect(await listFiles(folder, { extension: '.txt' })).toEqual(
      ['Z.txt', 'a b.txt', 'b.txt'].map((name) => join(folder, name)),
    );
    expect(await listFiles(folder)).toHaveLength(4);
  });

  test('directory that is none, is an error that names it', async () => {
    const none = join(folder, 'none');
    await expect(listFiles(none)).rejects.toThrow(`cannot list ${none}: ENOENT: no such file or directory`);
  });
});
