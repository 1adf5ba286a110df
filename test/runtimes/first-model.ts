// Times the first steps of a new user: from an empty folder, with empty home folder and npm cache, to a model that is
// trained in a page. It runs the commands of the guide and the first programs of README.md and of the guide without
// changes. Only `tapeloop` is the packed tarball. npm run test:first-model -- [--create-vite VERSION]
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { launchOptions } from '../demo/chromium.ts';
import { blocksOf, programsOf, readPage } from '../docs/programs.ts';
import { packInto } from './app.ts';
import { freePort } from './hosts/workerd.ts';

const { values } = parseArgs({ options: { 'create-vite': { type: 'string', default: 'latest' } } });
const PATIENCE_MS = 120_000;

const GUIDE = 'docs/guides/get-started.md';

/** What each page's program says once its model is trained. */
const pages: Record<string, RegExp> = {
  // Forecast and truth, the sine of 50.
  'README.md': /^-0\.2[0-9]+ -0\.26237/m,
  [GUIDE]: /^error fell below a hundredth: true\ntrue$/m,
};

/**
 * The environment of somebody who has just installed Node: a registry or certificates of the machine's own alone are
 * kept.
 */
function environment(folder: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(node_extra_ca_certs|https?_proxy|no_proxy|npm_config_(registry|cafile))$/i.test(name),
  );
  const home = join(folder, 'home');
  mkdirSync(home);
  return { ...Object.fromEntries(kept), HOME: home, PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
}

const seconds = async (body: () => unknown): Promise<number> => {
  const start = performance.now();
  await body();
  return (performance.now() - start) / 1000;
};

/** Opens a page and waits until its console has said so. */
async function seen(browser: Browser, url: string, said: RegExp): Promise<void> {
  const page = await browser.newPage();
  try {
    const told: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const late = (): void => reject(new Error(`${url} expected ${said} in its console, got:\n${told.join('\n')}`));
      const timer = setTimeout(late, PATIENCE_MS);
      page.on('pageerror', (error) => reject(error));
      page.on('console', (message) => {
        told.push(message.text());
        if (!said.test(told.join('\n'))) return;
        clearTimeout(timer);
        resolve();
      });
      page.goto(url).catch(reject);
    });
  } finally {
    await page.close();
  }
}

/** Runs a server of Vite's while `use` looks at it. */
async function serving(command: string[], cwd: string, env: NodeJS.ProcessEnv, use: (url: string) => Promise<void>) {
  const port = String(await freePort());
  const server: ChildProcess = spawn('npx', [...command, '--port', port, '--host', '127.0.0.1'], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let printed = '';
    const timer = setTimeout(
      () => server.stdout!.destroy(new Error(`vite printed no address: ${printed}`)),
      PATIENCE_MS,
    );
    for await (const chunk of server.stdout!.iterator({ destroyOnReturn: false })) {
      printed += chunk;
      if (printed.includes(port)) break;
    }
    clearTimeout(timer);
    await use(`http://127.0.0.1:${port}/`);
  } finally {
    process.kill(-server.pid!, 'SIGKILL');
  }
}

async function follow(path: string, said: RegExp, tarball: string, browser: Browser): Promise<string[][]> {
  const folder = mkdtempSync(join(tmpdir(), 'tapeloop-newcomer-'));
  const env = environment(folder);
  const rows: string[][] = [];
  const step = async (what: string, body: () => unknown): Promise<void> => {
    rows.push([what, `${(await seconds(body)).toFixed(1)} s`]);
    console.error(rows.at(-1)!.join('  '));
  };
  try {
    const commands = blocksOf(readPage(GUIDE)).find(({ code }) => code.includes('npm create vite'))?.code;
    assert.ok(commands, `${GUIDE} expected commands that create an app with Vite`);
    let cwd = folder;
    for (const line of commands.trim().split('\n')) {
      const [program, ...args] = line.split(' ');
      if (program === 'cd') cwd = join(cwd, args[0]!);
      else {
        const given = args.map((arg) =>
          arg === 'tapeloop' ? tarball : arg.replace('@latest', `@${values['create-vite']}`),
        );
        await step(`\`${line}\``, () =>
          execFileSync(program!, given, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] }),
        );
      }
    }
    assert.notEqual(cwd, folder, `${GUIDE} expected a line that goes into the app's folder`);
    writeFileSync(join(cwd, 'src/main.js'), programsOf(readPage(path))[0]!.code);
    const look = (url: string) => seen(browser, url, said);
    await step('`npx vite`, to the end of training in the page', () => serving(['vite'], cwd, env, look));
    await step('`npx vite build`', () =>
      execFileSync('npx', ['vite', 'build'], { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] }),
    );
    await step('`npx vite preview`, to the end of training in the page', () =>
      serving(['vite', 'preview'], cwd, env, look),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  return rows;
}

const packed = mkdtempSync(join(tmpdir(), 'tapeloop-packed-'));
const browser = await chromium.launch(launchOptions);
try {
  const tarball = packInto(packed);
  for (const [path, said] of Object.entries(pages)) {
    console.log(`\n${path}\n`);
    const rows = await follow(path, said, tarball, browser);
    for (const cells of [['step', 'time'], ['---', '---'], ...rows]) console.log(`| ${cells.join(' | ')} |`);
  }
} finally {
  await browser.close();
  rmSync(packed, { recursive: true, force: true });
}
