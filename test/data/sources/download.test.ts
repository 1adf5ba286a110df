import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
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

describe('download', () => {
  test('twice, asks the server once and keeps one file under its name', async () => {
    const progress: [number, number | undefined][] = [];
    expect(await read({ onProgress: (received, total) => progress.push([received, total]) })).toEqual(file);
    expect(progress.at(-1)).toEqual([1000, 1000]);
    expect(await read()).toEqual(file);
    expect(server.requests).toHaveLength(1);
    expect(kept()).toEqual([expect.stringMatching(/^[0-9a-f]{16}-some_20file\.bin$/)]);
    expect(new Uint8Array(readFileSync(join(cache, kept()[0]!)))).toEqual(file);
  });

  test('of two addresses that differ in their query alone, keeps two files', async () => {
    await read();
    await readSource(`${url}2`, { cache });
    expect(kept()).toHaveLength(2);
  });

  test('of an address as URL object with a fragment, is the same file', async () => {
    await read();
    await readSource(new URL('#part', url), { cache });
    expect(server.requests).toHaveLength(1);
  });

  test('without cache, keeps nothing and asks each time', async () => {
    vi.stubEnv('XDG_CACHE_HOME', cache);
    await readSource(url, { cache: false });
    await readSource(url, { cache: false });
    expect(server.requests).toHaveLength(2);
    expect(kept()).toEqual([]);
  });

  test('with no cache named, keeps it under XDG_CACHE_HOME', async () => {
    vi.stubEnv('XDG_CACHE_HOME', cache);
    await readSource(url);
    expect(readdirSync(join(cache, 'tapeloop'))).toHaveLength(1);
  });

  test('by a fetch of the caller, uses that', async () => {
    const fetch = vi.fn(async () => new Response('abc'));
    expect(await read({ fetch })).toEqual(new TextEncoder().encode('abc'));
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(server.requests).toEqual([]);
  });

  test('where crypto is hidden, is kept nevertheless; without fetch, is an error that names the option', async () => {
    const { fetch } = globalThis;
    vi.stubGlobal('crypto', undefined);
    vi.stubGlobal('fetch', undefined);
    expect(await read({ fetch })).toEqual(file);
    expect(kept()).toHaveLength(1);
    expect(await read()).toEqual(file);
    await expect(readSource(`${url}2`, { cache })).rejects.toThrow(
      "this host has no fetch (Jest's jsdom hides it); the option fetch stands in for it",
    );
  });

  test('by a fetch of the caller and with no cache named, keeps nothing and asks each time', async () => {
    vi.stubEnv('XDG_CACHE_HOME', cache);
    for (const text of ['abc', 'd']) {
      const fetch = async () => new Response(text);
      expect(await readSource(url, { fetch })).toEqual(new TextEncoder().encode(text));
    }
    expect(kept()).toEqual([]);
  });

  test('HTTP 404, is an error with address and status, and keeps nothing', async () => {
    server.status = 404;
    const error = await faultOf(read());
    expect(error).toMatchObject({ code: 'http', status: 404 });
    expect(error.message).toBe(`${url.replace(' ', '%20')}: expected the file, got HTTP 404 Not Found`);
    expect(kept()).toEqual([]);
  });

  test('no server, is an error that says so', async () => {
    await server.stop();
    const error = await faultOf(read());
    expect(error.code).toBe('network');
    expect(error.message).toMatch(/^cannot download http:.*: .*ECONNREFUSED/);
    await server.start();
  });

  test('compressed transfer, gives the file and takes its length for no cut', async () => {
    server.compress = true;
    expect(await read()).toEqual(file);
    expect(server.requests[0]!['accept-encoding']).toBe('identity');
  });

  test('cache directory whose parents are missing, is made', async () => {
    const below = join(cache, 'a', 'b');
    expect(await read({ cache: below })).toEqual(file);
    expect(readdirSync(below)).toHaveLength(1);
  });

  test('cache directory that cannot be made, is an error before anything is asked for', async () => {
    writeFileSync(join(cache, 'file'), '');
    const error = await faultOf(read({ cache: join(cache, 'file', 'below') }));
    expect(error.code).toBe('cache');
    expect(error.message).toMatch(
      /^cannot write .*below: .*; another cache directory can be given as cache, or cache: false$/,
    );
    expect(server.requests).toEqual([]);
  });
});

describe('download that is cut', () => {
  test('says how many of how many bytes came, and the next one asks for the rest alone', async () => {
    const error = await cutDownload(400);
    const part = join(cache, kept()[0]!);
    expect(error.code).toBe('cut');
    expect(error.message).toContain(': the download was cut at 400 of 1000 bytes');
    expect(error.message).toContain(`they are kept in ${part}, and the next call goes on from there`);
    expect(new Uint8Array(readFileSync(part))).toEqual(file.subarray(0, 400));

    expect(await read({ sha256: hashOf(file) })).toEqual(file);
    expect(server.requests[1]).toMatchObject({ range: 'bytes=400-', 'if-range': '"v1"' });
    expect(kept()).toEqual([expect.stringMatching(/some_20file\.bin$/)]);
  });

  test('and cut again, counts the bytes of both', async () => {
    await cutDownload(400);
    expect((await cutDownload(250, 400)).message).toContain('cut at 650 of 1000 bytes');
    expect(await read()).toEqual(file);
    expect(server.requests[2]!.range).toBe('bytes=650-');
  });

  test('when the file has changed since, begins anew and leaves no part of the old one', async () => {
    await cutDownload(400);
    server.file = other;
    server.etag = '"v2"';
    expect(await read()).toEqual(other);
    expect(server.requests).toHaveLength(2);
    expect(kept()).toHaveLength(1);
  });

  test('and met by HTTP 503, keeps its part for the call after', async () => {
    await cutDownload(400);
    server.status = 503;
    expect(await faultOf(read())).toMatchObject({ code: 'http', status: 503 });
    server.status = 200;
    expect(await read()).toEqual(file);
    expect(server.requests[2]!.range).toBe('bytes=400-');
  });

  test('by a server without ranges, begins anew', async () => {
    await cutDownload(400);
    server.ranges = false;
    expect(await read()).toEqual(file);
    expect(server.requests).toHaveLength(2);
  });

  test('after its last byte, is complete without another', async () => {
    await cutDownload(400);
    writeFileSync(join(cache, kept()[0]!), file);
    expect(await read()).toEqual(file);
    expect(server.requests).toHaveLength(2);
    expect(kept()).toEqual([expect.not.stringContaining('.part')]);
  });

  test('with a part longer than the file, begins anew', async () => {
    await cutDownload(400);
    writeFileSync(join(cache, kept()[0]!), new Uint8Array(2000));
    expect(await read()).toEqual(file);
    expect(server.requests.map(({ range }) => range)).toEqual([undefined, 'bytes=2000-', undefined]);
  });

  test.each([
    ['no', undefined],
    ['a weak', 'W/"v1"'],
    ['an overlong', `"${'x'.repeat(200)}"`],
  ])('by a server that sends %s entity tag, keeps no part and says that the next call begins anew', async (_, etag) => {
    server.etag = etag;
    const error = await cutDownload(400);
    expect(error.message).toMatch(/cut at 400 of 1000 bytes \(.*\); the next call begins anew$/);
    expect(kept()).toEqual([]);
  });

  test.each([
    ['of another version', { 'content-range': 'bytes 400-999/1000', etag: '"v2"' }],
    ['from another place', { 'content-range': 'bytes 401-999/1000', etag: '"v1"' }],
    ['that ends early', { 'content-range': 'bytes 400-900/1000', etag: '"v1"' }],
    ['that does not say which', { etag: '"v1"' }],
  ])('answered by a range %s, begins anew', async (_, headers) => {
    await cutDownload(400);
    const fetch: typeof globalThis.fetch = async (input, init) =>
      'range' in (init!.headers as object)
        ? new Response('?', { status: 206, headers })
        : globalThis.fetch(input, init);
    expect(await read({ fetch })).toEqual(file);
  });

  test('with a disk that is full, says so and not that it was cut', async () => {
    const fs = process.getBuiltinModule('node:fs/promises');
    vi.spyOn(fs, 'open').mockRejectedValue(
      Object.assign(new Error("ENOSPC: no space left, open 'x'"), { code: 'ENOSPC' }),
    );
    const error = await faultOf(read());
    expect(error.code).toBe('cache');
    expect(error.message).toMatch(/^cannot write .*\.part: ENOSPC: no space left; another/);
  });
});

describe('download, aborted', () => {
  test('ends with the reason, keeps what has come, and the next one goes on', async () => {
    server.holdAfter = 300;
    const controller = new AbortController();
    const reason = new Error('enough');
    const promise = read({ signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(promise).rejects.toBe(reason);
    expect(kept()).toEqual([expect.stringMatching(/\.part$/)]);
    server.go();
    server.holdAfter = undefined;
    expect(await read()).toEqual(file);
    expect(server.requests[1]!.range).toBe('bytes=300-');
  });

  test('before it begins, asks for nothing', async () => {
    await expect(read({ signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(server.requests).toEqual([]);
  });

  test('by an error of onProgress, ends with that error', async () => {
    const onProgress = () => {
      throw new Error('mine');
    };
    await expect(read({ onProgress })).rejects.toThrow('mine');
  });
});
