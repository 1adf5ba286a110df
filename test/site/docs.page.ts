// The site that `npm run docs` has built: widths, themes, keyboard, search, and required content of its pages.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchOptions } from '../demo/chromium.ts';
import { colorSchemes, expectAccessible, tabTo, widths } from './inspect.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const site = `${root}dist-docs/`;
const addressOf = (path: string): string => pathToFileURL(site + path).href;

let browser: Browser;
beforeAll(async () => {
  expect(existsSync(`${site}index.html`), 'dist-docs is missing: npm run docs makes it').toBe(true);
  browser = await chromium.launch(launchOptions);
});
afterAll(() => browser?.close());

/** Opens a page, waits until its navigation is there, and closes it after `use`; it may not complain. */
async function visit(
  path: string,
  use: (page: Page) => Promise<void>,
  { width = 1360, colorScheme = 'light' as 'light' | 'dark' } = {},
): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(addressOf(path));
  await page.waitForSelector('#tsd-nav-container a', { state: 'attached' });
  await use(page);
  await context.close();
  expect(complaints).toEqual([]);
}

const looked = [
  'index.html',
  'documents/Get_started.html',
  'documents/Port_from_Keras.html',
  'documents/Examples.html',
  'documents/Examples.numbers.mjs.html',
  'documents/How_tapeloop_works.html',
  'documents/Speed.html',
  'functions/tapeloop.lstm.html',
  'functions/tapeloop.earlyStopping.html',
  'interfaces/tapeloop.Model.html',
  'modules/tapeloop.html',
];

for (const path of looked) {
  for (const colorScheme of colorSchemes) {
    for (const width of widths) {
      test(`${path}, ${colorScheme} and ${width} wide, fits its width and is clean to axe-core`, async () => {
        await visit(path, (page) => expectAccessible(page, path), { width, colorScheme });
      });
    }
  }
}

test('every page, at each width, fits it', async () => {
  const pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.html'));
  expect(pages.length).toBeGreaterThan(300);
  // Each in a frame as wide as a screen, with the styles in it and without scripts, which add navigation and search
  // alone: they are loaded with the pages above.
  const style = ['style', 'highlight', 'custom'].map((name) => readFileSync(`${site}assets/${name}.css`, 'utf8'));
  const page = await browser.newPage();
  const wide: string[] = [];
  for (const path of pages) {
    const html = readFileSync(site + path, 'utf8');
    expect(html.match(/<link rel="stylesheet"/g), path).toHaveLength(style.length);
    const still = html
      .replace(/<script.*?<\/script>|<link rel="stylesheet".*?>/gs, '')
      .replace('</head>', () => `<style>${style.join('\n')}</style></head>`);
    const { title, scrollWidths } = await page.evaluate(
      async ([content, widths]) => {
        const frame = document.createElement('iframe');
        // Beside the window, where nothing is painted.
        Object.assign(frame.style, { position: 'absolute', left: '100vw', height: '800px', border: 'none' });
        frame.srcdoc = content;
        const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
        document.body.append(frame);
        await loaded;
        const { documentElement, title } = frame.contentDocument!;
        const scrollWidths = widths.map((width) => {
          frame.style.width = `${width}px`;
          return documentElement.scrollWidth;
        });
        frame.remove();
        return { title, scrollWidths };
      },
      [still, widths] as const,
    );
    expect(title, path).toContain('tapeloop');
    for (const [i, width] of widths.entries()) {
      if (scrollWidths[i] !== width) wide.push(`${path} at ${width}: ${scrollWidths[i]}`);
    }
  }
  await page.close();
  expect(wide).toEqual([]);
});

test('tables stay within the text’s column, beside the list of the page', async () => {
  await visit('documents/Port_from_Keras.html', async (page) => {
    const column = (await page.locator('.col-content').boundingBox())!;
    const list = (await page.locator('.page-menu').boundingBox())!;
    const boxes = await page.$$eval('.table-box', (all) => all.map((box) => box.getBoundingClientRect().right));
    expect(boxes.length).toBeGreaterThan(5);
    expect(Math.max(...boxes)).toBeLessThanOrEqual(column.x + column.width);
    expect(column.x + column.width).toBeLessThanOrEqual(list.x);
  });
});

test('every page has one title, and no file name stands in the navigation’s first level', async () => {
  for (const path of looked) {
    await visit(path, async (page) => {
      const titles = await page.$$eval('h1', (all) => all.map((title) => title.textContent.trim()));
      expect(titles.length, path).toBe(1);
      const crumbs = await page.$$eval('.tsd-breadcrumb a', (all) => all.map((crumb) => crumb.textContent));
      expect(crumbs, path).not.toContain(titles[0]!.split(' ').at(-1));
      expect(crumbs, path).not.toContain(titles[0]);
      const first = await page.$$eval('#tsd-nav-container > li > :is(a, details > summary)', (all) =>
        all.map((entry) => entry.textContent.trim()),
      );
      expect(first.filter((name) => /ARCHITECTURE|acceptance|\.md/.test(name))).toEqual([]);
    });
  }
});

describe('options', () => {
  test.each([
    ['lstm', ['units', 'returnSequences', 'recurrentDropout', 'stateful', 'goBackwards']],
    ['earlyStopping', ['patience', 'restoreBestWeights', 'monitor', 'minDelta', 'startFromEpoch']],
    ['adam', ['learningRate', 'beta1', 'clipNorm']],
  ])('page of %s lists its options, each with what it does', async (name, options) => {
    await visit(`functions/tapeloop.${name}.html`, async (page) => {
      const told = await page.$$eval('.tsd-parameter', (all) =>
        all.map((each) => [
          each.querySelector('.tsd-kind-property')?.textContent ?? '',
          each.querySelector('.tsd-comment')?.textContent ?? '',
        ]),
      );
      for (const option of options) {
        const text = told.find(([found]) => found === option)?.[1];
        expect(text?.length, option).toBeGreaterThan(5);
      }
    });
  });
});

describe('search', () => {
  const testing = existsSync(`${root}docs/guides/testing-ssr-electron.md`);
  const firstOf: [query: string, expected: RegExp][] = [
    ['return_sequences', /documents\/Port_from_Keras\.html$/],
    ['seq2seq', /documents\/(?!Examples)\w+\.html$/],
    ['lstm', /functions\/tapeloop\.lstm\.html$/],
    ['gru', /functions\/tapeloop\.gru\.html$/],
    ['adam', /functions\/tapeloop\.adam\.html$/],
    ['dropout', /functions\/tapeloop\.dropout\.html$/],
    ['patience', /interfaces\/tapeloop\.EarlyStoppingOptions\.html#patience$/],
    ['custom cell', /documents\/Custom_cells\.html$/],
    ['pytorch', /documents\/Port_from_PyTorch\.html$/],
    ...(testing ? [['jest', /documents\/Testing.*\.html$/] as [string, RegExp]] : []),
  ];

  test.each(firstOf)('%s is found first where it is told', async (query, expected) => {
    await visit('index.html', async (page) => {
      await page.keyboard.press('/');
      await page.waitForFunction(() => 'searchData' in window);
      // At once: what a part of the query finds would be seen first.
      await page.fill('#tsd-search-input', query);
      await page.waitForSelector('#tsd-search-results a');
      const [first] = await page.$$eval('#tsd-search-results a', (all) =>
        all.map((link) => (link as HTMLAnchorElement).href),
      );
      expect(first).toMatch(expected);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.waitForURL(expected);
    });
  });

  for (const colorScheme of colorSchemes) {
    test(`results, ${colorScheme}, fit a phone and are clean to axe-core`, async () => {
      await visit(
        'index.html',
        async (page) => {
          await page.click('#tsd-search-trigger');
          await page.fill('#tsd-search-input', 'lstm');
          await page.waitForSelector('#tsd-search-results a');
          // Typedoc's results are links within options, so that they open in tabs too; the focus stays in the field all
          // the while.
          await expectAccessible(page, 'search', ['nested-interactive']);
        },
        { width: 390, colorScheme },
      );
    });
  }
});

describe('keyboard', () => {
  test('search, navigation and theme are reached and used', async () => {
    await visit('documents/Get_started.html', async (page) => {
      await tabTo(page, '#tsd-search-trigger');
      await page.keyboard.press('Enter');
      expect(await page.isVisible('#tsd-search-input')).toBe(true);
      await page.keyboard.press('Escape');
      await page.waitForSelector('#tsd-search', { state: 'hidden' });
      await tabTo(page, '.page-menu summary', 200);
      await page.keyboard.press('Enter');
      await tabTo(page, '#tsd-theme');
      await page.keyboard.press('ArrowDown');
      expect(await page.getAttribute('html', 'data-theme')).toBe('light');
      await tabTo(page, '#tsd-nav-container a[aria-current="page"]');
    });
  });

  test('on a phone the menu opens with Enter, and closes with Escape', async () => {
    await visit(
      'index.html',
      async (page) => {
        await tabTo(page, '#tsd-toolbar-menu-trigger');
        await page.keyboard.press('Enter');
        expect(await page.isVisible('.site-menu')).toBe(true);
        expect(await page.evaluate(() => document.activeElement?.closest('.col-sidebar') !== null)).toBe(true);
        await page.keyboard.press('Escape');
        await page.waitForSelector('.site-menu', { state: 'hidden' });
        expect(await page.evaluate(() => document.activeElement?.id)).toBe('tsd-toolbar-menu-trigger');
      },
      { width: 390 },
    );
  });

  test('what scrolls sideways takes the focus, and what does not takes none', async () => {
    for (const width of widths) {
      await visit(
        'documents/Port_from_Keras.html',
        async (page) => {
          const boxes = await page.$$eval('.table-box', (all) =>
            all.map((box) => [box.scrollWidth > box.clientWidth, (box as HTMLElement).tabIndex === 0]),
          );
          expect(boxes.filter(([scrolls, focusable]) => scrolls !== focusable)).toEqual([]);
        },
        { width },
      );
    }
  });
});
