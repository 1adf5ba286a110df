// The page in Firefox. The tests have no driver for Firefox, so a script in the page uses it and posts what happened.
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressOf, serveDemo } from '../../scripts/demo.ts';
import { type Preferences, visit } from '../runtimes/hosts/browsers.ts';

let site: Server;
beforeAll(async () => {
  site = await serveDemo();
});
afterAll(() => {
  site.close();
  site.closeAllConnections();
});

/** Opens the page with the script that uses it. */
function drive<Result>(what: string, preferences: Preferences = {}): Promise<Result> {
  const script = readFileSync(new URL('drive.mjs', import.meta.url));
  return visit<Result>(
    'firefox',
    async (path, response) => {
      if (path === '/drive.mjs') {
        response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
        return;
      }
      const answer = await fetch(new URL(path, addressOf(site)));
      const bytes = Buffer.from(await answer.arrayBuffer());
      const tag = `<script type="module" src="drive.mjs?${what}"></script>`;
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(path === '/' ? bytes.toString().replace('</head>', `${tag}</head>`) : bytes);
    },
    undefined,
    preferences,
  );
}

test('in Firefox a network learns on two threads, is kept, and goes on after a reload, and nothing complains', async () => {
  const seen = await drive<Record<string, string>>('');
  expect(seen.complaints).toEqual([]);
  expect(seen.status).toContain('Learning on 2 threads');
  expect(seen.sample).toMatch(/[[({abcd]/);
  expect(seen.question).toContain(`LSTM, 32 units, step ${seen.step}) is kept in this browser`);
  expect(seen.fits).toBe(true);
});

test.each<[string, Preferences, string]>([
  ['full', { 'dom.quotaManager.temporaryStorage.fixedLimit': 32 }, "this browser's storage is full"],
  ['denied', { 'network.cookie.cookieBehavior': 2 }, 'this browser denies the page its storage'],
])(
  'in Firefox with storage %s, training goes on, a file can be saved, and the page says that nothing is kept',
  async (_, preferences, sentence) => {
    const { storage, problem, file } = await drive<Record<string, unknown>>('nothing-kept', preferences);
    expect(storage).toBe(`Not kept: ${sentence}. Training goes on; “Save” gives you a file.`);
    expect(problem).toBe(false);
    expect(file).toBeGreaterThan(10_000);
  },
);
