// Real headless browsers. They open a page whose script runs the suite and posts the results. There is no driver.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { NotHere, readResult, type SuiteResult } from '../suite-result.ts';

/** `wide chromium` joins vectors of 128 bits into vectors of 256, which Chromium does if it is asked to. */
export type Browser = 'chromium' | 'wide chromium' | 'firefox';

const chromium = ['/usr/bin/chromium', '/usr/bin/google-chrome'];
const programs: Record<Browser, string[]> = {
  chromium,
  'wide chromium': chromium,
  firefox: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
};
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.css': 'text/css',
};
const PATIENCE_MS = 120_000;
// A browser that is started on a crowded machine may hang before it opens anything; a page that hangs does so each
// time.
const STARTS = 2;

/** Firefox's own, by their names. */
export type Preferences = Record<string, number | boolean>;

/**
 * How each is started: without a screen, a GPU or a user, as root too, and where nobody is there to click before a page
 * may play.
 */
const argumentsOf: Record<Browser, (profile: string, url: string, preferences: Preferences) => string[]> = {
  chromium: (profile, url) => chromiumArguments(profile, url),
  'wide chromium': (profile, url) => ['--js-flags=--wasm-revectorize', ...chromiumArguments(profile, url)],
  firefox: (profile, url, preferences) => {
    const all = { 'media.autoplay.default': 0, 'datareporting.policy.dataSubmissionEnabled': false, ...preferences };
    const lines = Object.entries(all).map(([name, value]) => `user_pref("${name}", ${value});\n`);
    writeFileSync(join(profile, 'user.js'), lines.join(''));
    return ['--headless', '--no-remote', '--profile', profile, url];
  },
};

const chromiumArguments = (profile: string, url: string): string[] => [
  ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
  ...['--autoplay-policy=no-user-gesture-required', `--user-data-dir=${profile}`, url],
];

/** Headers under which a page may share memory among threads. */
export const isolated = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
/** A policy that allows nothing but the page's own scripts and Wasm. */
export const strict = {
  'content-security-policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
};

/** Serves a folder, opens its page in a browser and waits for what the page posts. */
export async function visitFolder<Result = SuiteResult>(
  browser: Browser,
  dir: string,
  headers: Record<string, string> = {},
): Promise<Result> {
  return visit<Result>(browser, (path, response) => {
    const file = join(dir, normalize(path === '/' ? '/index.html' : path));
    if (!file.startsWith(dir) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', ...headers });
    response.end(readFileSync(file));
  });
}

/** The same for a page that another server serves; `base` is its address, and it must pass `/result` on to ours. */
export async function visit<Result = SuiteResult>(
  browser: Browser,
  serve: (path: string, response: ServerResponse) => void,
  address?: (ours: string) => Promise<string>,
  preferences: Preferences = {},
): Promise<Result> {
  const program = programs[browser].find(existsSync);
  if (!program) throw new NotHere(`${browser} is not installed`);
  let posted: (text: string) => void = () => {};
  const result = new Promise<string>((resolve) => {
    posted = resolve;
  });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    if (request.method !== 'POST') return serve(pathname, response);
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      response.writeHead(204).end();
      posted(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ours = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const url = address ? await address(ours) : `${ours}/`;
  try {
    for (let start = 1; ; start++) {
      const text = await whileOpen(
        browser,
        (profile) => spawn(program, argumentsOf[browser](profile, url, preferences), alone),
        result,
      );
      if (text !== undefined) return readResult<Result>(text);
      const silence = `${browser} posted nothing in ${PATIENCE_MS / 1000} s`;
      if (start === STARTS) throw new Error(silence);
      console.error(`${silence}; it is started once more`);
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const alone: SpawnOptions = { stdio: 'ignore', detached: true };

/** Opens a page in a browser with a profile of its own until `result` is there; undefined where that takes too long. */
async function whileOpen<T>(
  browser: Browser,
  open: (profile: string) => ChildProcess,
  result: Promise<T>,
): Promise<T | undefined> {
  const profile = mkdtempSync(join(tmpdir(), `tapeloop-${browser}-`));
  const child = open(profile);
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
    });
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
    try {
      // A browser is a family of processes.
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
