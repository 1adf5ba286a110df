// Real browsers, headless, sent to a page whose script runs the suite and posts what it found. No driver is between.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { NotHere, readResult, type SuiteResult } from '../suite-result.ts';

export type Browser = 'chromium' | 'firefox';

const programs: Record<Browser, string[]> = {
  chromium: ['/usr/bin/chromium', '/usr/bin/google-chrome'],
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
): Promise<Result> {
  const program = programs[browser].find(existsSync);
  if (!program) throw new NotHere(`${browser} is not installed`);
  const profile = mkdtempSync(join(tmpdir(), `tapeloop-${browser}-`));
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
  const args = {
    // Nobody is there to click before a page may play.
    chromium: [
      ...['--headless=new', '--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
      ...[`--user-data-dir=${profile}`, url],
    ],
    firefox: ['--headless', '--no-remote', '--profile', profile, url],
  }[browser];
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${browser} posted nothing in ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    });
    return readResult<Result>(await Promise.race([result, late]));
  } finally {
    clearTimeout(timer);
    // A browser is a family of processes.
    process.kill(-child.pid!, 'SIGKILL');
    server.close();
    server.closeAllConnections();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
