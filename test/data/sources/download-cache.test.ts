import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { readSource } from '../../../src/data/sources/source.ts';
import {
  cache,
  cutDownload,
  faultOf,
  file,
  hashOf,
  kept,
  other,
  read,
  serveFileToEach,
  server,
  url,
} from './served-file.ts';

serveFileToEach();

describe('checksum', () => {
  test('right, in capitals, passes', async () => {
    expect(await read({ sha256: hashOf(file).toUpperCase() })).toEqual(file);
  });

  test('wrong, names both and keeps no download', async () => {
    const expected = hashOf(other);
    const error = await faultOf(read({ sha256: expected }));
    expect(error.code).toBe('checksum');
    expect(error.message).toContain(`: expected sha256 ${expected}, got ${hashOf(file)} (1000 bytes)`);
    expect(kept()).toEqual([]);
  });

  test('wrong for a file kept before, leaves that file', async () => {
    await read();
    expect((await faultOf(read({ sha256: hashOf(other) }))).code).toBe('checksum');
    expect(kept()).toHaveLength(1);
    expect(await read({ sha256: hashOf(file) })).toEqual(file);
    expect(server.requests).toHaveLength(2);
  });

  test('of a new version, replaces the old one that was kept', async () => {
    await read();
    server.file = other;
    server.etag = '"v2"';
    expect(await read({ sha256: hashOf(other) })).toEqual(other);
    expect(await read()).toEqual(other);
    expect(kept()).toHaveLength(1);
    expect(server.requests).toHaveLength(2);
  });

  test('wrong because the part was damaged, drops the part, and the next call is right', async () => {
    await cutDownload(400);
    writeFileSync(join(cache, kept()[0]!), new Uint8Array(400));
    expect((await faultOf(read({ sha256: hashOf(file) }))).code).toBe('checksum');
    expect(await read({ sha256: hashOf(file) })).toEqual(file);
  });

  test.each(['abc', `${'0'.repeat(63)}g`])(
    '%s, which is none, is an error before anything is asked for',
    async (sha256) => {
      await expect(read({ sha256 })).rejects.toThrow(`sha256 expected 64 hexadecimal digits, got '${sha256}'`);
      expect(server.requests).toEqual([]);
    },
  );
});

describe('downloads at once of one file', () => {
  test('that share a part, both end with the whole file', async () => {
    server.holdAfter = 300;
    const enough = (count: number) => {
      let seen = 0;
      return () => ++seen === count && server.go();
    };
    const bothBegun = enough(2);
    const begun = new Set<number>();
    const one = (id: number) =>
      read({
        onProgress: () => {
          if (begun.size < 2 && !begun.has(id)) {
            begun.add(id);
            bothBegun();
          }
        },
      });
    expect(await Promise.all([one(1), one(2)])).toEqual([file, file]);
    expect(kept()).toEqual([expect.stringMatching(/some_20file\.bin$/)]);
    expect(await read()).toEqual(file);
    expect(server.requests).toHaveLength(2);
  });

  test('of which one goes on from the part that the other writes, both end with the whole file', async () => {
    server.holdAfter = 300;
    let second: Promise<Uint8Array> | undefined;
    const first = read({
      onProgress: (received) => {
        // The second asks for a range while the first waits for its rest; the answer to it lets both go on.
        if (received === 300) second = read({ onProgress: (count) => count === 600 && server.go() });
      },
    });
    expect(await first).toEqual(file);
    expect(await second).toEqual(file);
    expect(server.requests[1]!.range).toBe('bytes=300-');
    expect(new Uint8Array(readFileSync(join(cache, kept()[0]!)))).toEqual(file);
  });

  test('of two versions, never mix', async () => {
    server.holdAfter = 300;
    let second: Promise<Uint8Array> | undefined;
    const first = read({
      onProgress: (received) => {
        if (received !== 300) return;
        server.file = other;
        server.etag = '"v2"';
        second = read({ onProgress: (count) => count === 300 && server.go() });
      },
    });
    expect(await first).toEqual(file);
    expect(await second).toEqual(other);
    const [name, ...more] = kept();
    expect(more).toEqual([]);
    expect([hashOf(file), hashOf(other)]).toContain(hashOf(readFileSync(join(cache, name!))));
  });
});

describe('download where there is no file system', () => {
  /** As much of Cache Storage as is used. */
  class Storage {
    readonly opened: string[] = [];
    readonly files = new Map<string, Uint8Array>();
    full = false;
    async open(name: string) {
      this.opened.push(name);
      return {
        match: async (address: string) =>
          this.files.has(address) ? new Response(this.files.get(address) as BodyInit) : undefined,
        put: async (address: string, response: Response) => {
          if (this.full) throw new DOMException('no space', 'QuotaExceededError');
          this.files.set(address, new Uint8Array(await response.arrayBuffer()));
        },
      };
    }
  }
  let storage: Storage;
  beforeEach(() => {
    storage = new Storage();
    vi.stubGlobal('caches', storage);
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
  });

  test('twice, asks the server once and keeps the file in Cache Storage', async () => {
    expect(await readSource(url)).toEqual(file);
    expect(await readSource(url)).toEqual(file);
    expect(server.requests).toHaveLength(1);
    expect(storage.opened).toEqual(['tapeloop', 'tapeloop']);
  });

  test('with a full quota, gives the file all the same', async () => {
    storage.full = true;
    expect(await readSource(url, { cache: 'mine' })).toEqual(file);
    expect(storage.opened).toEqual(['mine']);
  });

  test('and no Cache Storage, or one that may not be used, gives the file', async () => {
    vi.stubGlobal('caches', undefined);
    expect(await readSource(url)).toEqual(file);
    vi.stubGlobal('caches', { open: () => Promise.reject(new DOMException('sandboxed', 'SecurityError')) });
    expect(await readSource(url)).toEqual(file);
    expect(server.requests).toHaveLength(2);
  });

  test('wrong checksum, keeps nothing', async () => {
    expect((await faultOf(readSource(url, { sha256: hashOf(other) }))).code).toBe('checksum');
    expect(storage.files.size).toBe(0);
  });

  test('cut, says that the next call begins anew', async () => {
    server.cutAfter = 400;
    const error = await faultOf(readSource(url, { onProgress: () => server.cut() }));
    expect(error.message).toMatch(/cut at 400 of 1000 bytes.*; the next call begins anew$/);
  });
});

describe('files that others have left', () => {
  test('temporary ones of a day ago, go with the next download; younger ones stay', async () => {
    const age = (name: string, days: number): void => {
      const path = join(cache, name);
      writeFileSync(path, '');
      const then = Date.now() / 1000 - days * 86_400;
      utimesSync(path, then, then);
    };
    await cutDownload(400);
    const [old, young] = [
      'a-x.01234567-89ab-cdef-0123-456789abcdef.tmp',
      'b-x.01234567-89ab-cdef-0123-456789abcdef.tmp',
    ];
    age(old, 1.1);
    age(young, 0.9);
    expect(await read()).toEqual(file);
    expect(kept()).not.toContain(old);
    expect(kept()).toContain(young);
  });

  test('a part whose name holds no tag, is passed over', async () => {
    await cutDownload(400);
    const [part] = kept();
    writeFileSync(join(cache, part!.replace(/\.[^.]*\.part$/, '.%E0.part')), 'x');
    expect(await read()).toEqual(file);
  });
});
