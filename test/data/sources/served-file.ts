// A server with one file and an empty cache for every test of downloads.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { SourceError } from '../../../src/data/sources/data-error.ts';
import { readSource, type SourceOptions } from '../../../src/data/sources/source.ts';
import { FileServer } from './file-server.ts';

export const file = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 0xff);
export const other = Uint8Array.from({ length: 900 }, (_, i) => (i * 11) & 0xff);
export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** It serves `file` at `url`. */
export let server: FileServer;
export let url: string;
/** A folder that exists. */
export let cache: string;

/** Has every test of a file begin with a server and a cache of its own. */
export function serveFileToEach(): void {
  beforeEach(async () => {
    server = new FileServer(file);
    url = await server.start();
    cache = mkdtempSync(join(tmpdir(), 'tapeloop-test-'));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
    await server.stop();
    rmSync(cache, { recursive: true, force: true });
  });
}

export const kept = (): string[] => readdirSync(cache).sort();
export const read = (options: SourceOptions = {}) => readSource(url, { cache, ...options });

export async function faultOf(promise: Promise<unknown>): Promise<SourceError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SourceError);
  return error as SourceError;
}

/** A download that is cut when the client has `bytes` of the answer. */
export async function cutDownload(bytes: number, before = 0): Promise<SourceError> {
  server.cutAfter = bytes;
  const error = await faultOf(read({ onProgress: (received) => received === before + bytes && server.cut() }));
  server.cutAfter = undefined;
  return error;
}
