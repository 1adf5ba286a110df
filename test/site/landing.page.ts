// The site that `npm run site` has built, served by a plain static server, under a path that is not the root.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokenLinks } from '../../scripts/broken-links.ts';
import { addressOf } from '../../scripts/demo.ts';
import { launchOptions, pause, start, until } from '../demo/chromium.ts';
import { colorSchemes, expectAccessible, tabTo, widths } from './inspect.ts';

const site = fileURLToPath(new URL('../../dist-site/', import.meta.url));
const PATH = 'some/path/';
const types: Record<string, string> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

let server: Server;
let browser: Browser;
let home: string;

beforeAll(async () => {
  expect(existsSync(`${site}index.html`), 'dist-site is missing: npm run site makes it').toBe(true);
  server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://localhost').pathname);
    const name = path.startsWith(`/${PATH}`) ? site + path.slice(PATH.length + 1) : '';
    const file = name.endsWith('/') ? `${name}index.html` : name;
    const found = statSync(file, { throwIfNoEntry: false })?.isFile();
    response.writeHead(found ? 200 : 404, { 'content-type': types[extname(file)] ?? 'text/plain' });
    response.end(found ? readFileSync(file) : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  home = addressOf(server) + PATH;
  browser = await chromium.launch(launchOptions);
});
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

/** Opens the landing page and closes it after `use`; nothing on it may fail. */
async function visit(
  use: (page: Page) => Promise<void>,
  { width = 1360, colorScheme = 'light' as 'light' | 'dark' } = {},
): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(home);
  await use(page);
  await context.close();
  expect(complaints).toEqual([]);
}

for (const colorScheme of colorSchemes) {
  for (const width of widths) {
    test(`landing page, ${colorScheme} and ${width} wide, fits its width and is clean to axe-core`, async () => {
      const use = async (page: Page): Promise<void> => {
        await expectAccessible(page, 'landing page');
        const picture = await page.$eval('main img', (image) => (image as HTMLImageElement).currentSrc);
        expect(picture).toContain(`learning-${colorScheme}.svg`);
        expect((await page.locator('main .buttons').boundingBox())!.y).toBeLessThan(400);
      };
      await visit(use, { width, colorScheme });
    });
  }
}

test('landing page, says what README says first', async () => {
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  const [title, sentence] = readme.split('\n').filter(Boolean);
  await visit(async (page) => {
    expect(`# ${await page.textContent('h1')}`).toBe(title);
    expect(await page.textContent('h1 + p')).toBe(sentence);
    expect(await page.locator('main li').count()).toBe(4);
  });
});

test('landing page, by keyboard, leads to the demo, which trains there', async () => {
  await visit(async (page) => {
    await tabTo(page, 'main .buttons a');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${home}demo/`);
    await start(page);
    await until(page, 'validation', { below: 3 });
    await pause(page);
  });
});

test('landing page and demo, their links, are answered', async () => {
  await visit(async (page) => {
    for (const path of ['', 'demo/']) {
      await page.goto(home + path);
      const links = await page.$$eval('a', (all) => all.map(({ href }) => href));
      expect(links.length).toBeGreaterThan(2);
      for (const link of links) expect([link, (await page.request.get(link)).status()]).toEqual([link, 200]);
    }
  });
});

test('site, all its links, are relative and lead to pages, files and headings of it', () => {
  expect(brokenLinks(site)).toEqual([]);
});
