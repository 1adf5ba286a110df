// Hosts that lack or forbid something. Hosts that cannot be tested for real (no SIMD, no Wasm at all) are in
// test/engine/surroundings.test.ts.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Browser, isolated, visitFolder } from '../hosts/browsers.ts';
import { bundlePage } from '../hosts/bundlers.ts';
import { withWorker } from '../hosts/workerd.ts';

const refusal =
  "HostError: tapeloop may not compile WebAssembly here: a page needs 'wasm-unsafe-eval' in its Content-Security-Policy's script-src, " +
  "an edge worker a bundle made with the condition 'workerd' or 'edge-light'";

interface Seen {
  isolated: boolean;
  threads?: number;
  sum?: number;
  said?: string;
  saidAtFirstUse?: string;
  milliseconds: number;
}

const policy = (rest: string) => ({
  'content-security-policy': `default-src 'none'; connect-src 'self'; script-src 'self'${rest}`,
});

async function visitPage(app: string, browser: Browser, headers: Record<string, string>): Promise<Seen> {
  const dir = join(app, 'surroundings');
  await bundlePage(join(app, 'surroundings-page.mjs'), dir);
  return visitFolder<Seen>(browser, dir, headers);
}

export const refusedWasm = (browser: Browser) => async (app: string) => {
  const seen = await visitPage(app, browser, policy(''));
  assert.deepEqual([seen.said, seen.saidAtFirstUse], [refusal, refusal]);
  return seen.said!;
};

/** Isolated, so that memory could be shared, but with a policy that lets no worker start. */
export const refusedWorkers = (browser: Browser) => async (app: string) => {
  const seen = await visitPage(app, browser, { ...isolated, ...policy(" 'wasm-unsafe-eval'; worker-src 'none'") });
  assert.deepEqual([seen.isolated, seen.said, seen.threads, seen.sum], [true, undefined, 1, 6]);
  return `1 thread, no error, after ${seen.milliseconds.toFixed(0)} ms`;
};

export const noCondition = (app: string): Promise<string> =>
  withWorker(
    app,
    'refused-worker.mjs',
    async (url) => {
      const { said } = (await (await fetch(url)).json()) as { said: string[] };
      assert.deepEqual(said, [refusal, refusal]);
      return said[0]!;
    },
    [],
  );

export const memoryLimit = (app: string): Promise<string> =>
  withWorker(app, 'memory-worker.mjs', async (url) => {
    const response = await fetch(url);
    const { said, same, falls, bytes } = (await response.json()) as Record<string, unknown> & { said: string };
    assert.match(said, /^OutOfMemoryError: out of memory: a buffer of .* does not fit; .* the limit is 16\.0 MB$/);
    assert.deepEqual([same, falls], [true, true]);
    assert.ok((bytes as number) <= 2 ** 24);
    return said;
  });
