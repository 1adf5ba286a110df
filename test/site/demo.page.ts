// The page of `npm run demo` before, during and after training: widths, themes, the first view, and the targets of its
// links.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { compared, pause, Site, start, until } from '../demo/chromium.ts';
import { colorSchemes, expectAccessible, tabTo, widths } from './inspect.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.open();
});
afterEach(() => site.closePages());
afterAll(() => site?.close());

for (const colorScheme of colorSchemes) {
  for (const width of widths) {
    test(`page, ${colorScheme} and ${width} wide, fits and is clean to axe-core before, during and after training`, async () => {
      // Its policy would keep out the scripts of the test as well.
      const { page } = await site.page({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
      await expectAccessible(page, 'before');
      await start(page);
      await page.click('#compare');
      await until(page, 'validation', { below: 3 });
      await compared(page);
      await expectAccessible(page, 'during');
      await pause(page);
      await expectAccessible(page, 'after');
    });
  }
}

describe('before Start', () => {
  test('charts have axes, a sketch and a sentence, which go when there are numbers', async () => {
    const { page } = await site.page();
    for (const chart of ['#loss-chart', '#flow-chart']) {
      expect(await page.textContent(`${chart} .empty`)).toMatch(/\w.+\.$/);
      const drawn = await page.$eval(`${chart} canvas`, (element) => {
        const canvas = element as HTMLCanvasElement;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, i) => i % 4 === 3 && value > 0).length;
      });
      expect(drawn, chart).toBeGreaterThan(2000);
    }
    expect(await page.isVisible('#map-empty')).toBe(true);
    expect(await page.isVisible('#map-canvas')).toBe(false);
    await start(page);
    await until(page, 'validation', { below: 3 });
    await page.waitForSelector('#loss-chart .empty', { state: 'hidden' });
    expect(await page.isVisible('#flow-chart .empty')).toBe(true);
    await pause(page);
    await page.click('#discard');
    await page.click('#loss-dialog >> text=Let it go');
    await page.waitForSelector('#loss-chart .empty', { state: 'visible' });
  });

  test('legends name their lines, each with a piece of it, and say nothing of values', async () => {
    const { page } = await site.page();
    const names = await page.$$eval('#loss-chart .u-series', (rows) =>
      rows.filter((row) => row.checkVisibility()).map((row) => row.textContent),
    );
    expect(names).toEqual(['training', 'unseen text', 'guessing evenly']);
    const markers = await page.$$eval('#loss-chart .u-marker', (all) =>
      all
        .filter((marker) => marker.checkVisibility())
        .map((marker) => {
          const { width, height } = marker.getBoundingClientRect();
          return `${width > 2 * height ? 'line' : 'box'} ${getComputedStyle(marker).borderTopStyle}`;
        }),
    );
    expect(markers).toEqual(['line solid', 'line solid', 'line dashed']);
  });

  test('“What it writes” is within the first 800 pixels, 800 and 1360 wide', async () => {
    for (const width of [800, 1360]) {
      const { page } = await site.page({ viewport: { width, height: 800 } });
      const { y } = (await page.locator('#samples').boundingBox())!;
      // Two lines of it at least.
      expect(y).toBeLessThan(800 - 2 * 19);
    }
  });
});

test('on a phone no choice, label or sample is cut', async () => {
  const { page } = await site.page({ viewport: { width: 390, height: 800 } });
  await start(page);
  await until(page, 'validation', { below: 3 });
  await pause(page);
  const cut = await page.$$eval('label, legend, button, dt, dd, h1, h2, h3, .samples pre, .u-legend, .empty', (all) =>
    all
      .filter((element) => element.checkVisibility() && !element.classList.contains('hidden'))
      .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
      .map((element) => element.outerHTML.slice(0, 100)),
  );
  expect(cut).toEqual([]);
  // A closed choice does not tell how wide its text is: a canvas measures it.
  const clipped = await page.$$eval('select', (all) => {
    const context = document.createElement('canvas').getContext('2d')!;
    return all.flatMap((select) => {
      const style = getComputedStyle(select);
      context.font = style.font;
      const room =
        select.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight) - 18;
      const words = select.selectedOptions[0]!.text;
      return context.measureText(words).width > room ? [`${select.id}: ${words}`] : [];
    });
  });
  expect(clipped).toEqual([]);
  const last = (await page.textContent('#samples li:first-child pre'))!;
  expect(last.length).toBeLessThanOrEqual(240);
});

test('map has no mark before somebody looks at a cell, and a whole one at its edge afterwards', async () => {
  const { page } = await site.page();
  await start(page);
  await until(page, 'validation', { below: 3 });
  await pause(page);
  await page.fill('#read', 'a(b)');
  await page.waitForFunction(() => document.getElementById('map')?.ariaLabel?.includes('32 units by 4 characters'));
  const picture = (): Promise<string> =>
    page.$eval('#map-canvas', (canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const unmarked = await picture();
  await tabTo(page, '#map');
  const marked = await picture();
  expect(marked).not.toBe(unmarked);
  // The left end of the marked row, which begins at the edge, is drawn whole: its dark line stands on the canvas.
  const ink = await page.$eval('#map-canvas', (element) => {
    const canvas = element as HTMLCanvasElement;
    const { data } = canvas.getContext('2d')!.getImageData(0, 30, 2, 1);
    return [...data.slice(0, 3)].reduce((sum, value) => sum + value, 0) / 3;
  });
  expect(ink).toBeLessThan(120);
});

test('links lead to the documentation, or to a sentence on how it is built', async () => {
  const { page } = await site.page();
  const links = await page.$$eval('nav a', (all) => all.map((link) => (link as HTMLAnchorElement).href));
  expect(links.length).toBeGreaterThanOrEqual(2);
  for (const link of links.filter((address) => address.startsWith(site.address))) {
    const answer = await page.request.get(link);
    expect([link, answer.status()]).toEqual([link, 200]);
    expect(await answer.text()).toMatch(/tapeloop|npm run docs/);
  }
  expect((await page.request.get(`${site.address}docs/../../package.json`)).status()).toBe(404);
  expect((await page.request.get(`${site.address}docs/%2e%2e%2fpackage.json`)).status()).toBe(404);
});
