// A real Chromium that shows the page, for the tests.
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { addressOf, serveDemo } from '../../scripts/demo.ts';

export const launchOptions = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
};

export interface OpenPage {
  page: Page;
  context: BrowserContext;
  /** What the console and uncaught errors said, and requests that failed. */
  complaints: string[];
}

/** The page served and a browser to open it in, for one file of tests. */
export class Site {
  readonly address: string;
  readonly browser: Browser;
  readonly #server: Server;
  readonly #opened: OpenPage[] = [];

  private constructor(server: Server, browser: Browser) {
    this.#server = server;
    this.browser = browser;
    this.address = addressOf(server);
  }

  static async open(): Promise<Site> {
    const [server, browser] = await Promise.all([serveDemo(), chromium.launch(launchOptions)]);
    return new Site(server, browser);
  }

  /** A page with storage of its own. */
  async page(options: BrowserContextOptions = {}): Promise<OpenPage> {
    const context = await this.browser.newContext(options);
    return this.watch(context, await context.newPage());
  }

  /** Opens the site in a page, and keeps an ear on it until `closePages`. */
  async watch(context: BrowserContext, page: Page): Promise<OpenPage> {
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(this.address);
    const opened = { page, context, complaints };
    this.#opened.push(opened);
    return opened;
  }

  /** Closes what the test opened; none of it may have complained. */
  async closePages(): Promise<void> {
    const all = this.#opened.splice(0);
    await Promise.all(all.map(({ context }) => context.close()));
    expect(all.flatMap(({ complaints }) => complaints)).toEqual([]);
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** A small network on nested brackets, which it takes seconds to learn something of. */
export async function start(page: Page, choices: Record<string, string> = {}): Promise<void> {
  const chosen = { source: 'brackets', hidden: '32', ...choices };
  for (const [id, value] of Object.entries(chosen)) await page.selectOption(`#${id}`, value);
  await page.click('#run');
}

/** Waits until the number that an element shows is in a range; returns it. Throws what the page says is wrong. */
export async function until(page: Page, id: string, { above = -1e9, below = 1e9 }): Promise<number> {
  const handle = await page.waitForFunction(
    ([name, low, high]) => {
      const shown = document.getElementById(name)?.textContent?.replaceAll(',', '') || '–';
      const value = Number(shown);
      if (value > low && value < high) return { value };
      const box = document.getElementById('problem');
      return box && !box.hidden ? { problem: box.textContent } : undefined;
    },
    [id, above, below] as const,
    { timeout: 120_000 },
  );
  const { value, problem } = (await handle.jsonValue()) as { value: number; problem?: string };
  if (problem !== undefined) throw new Error(`waiting for '${id}': ${problem}`);
  return value;
}

/**
 * Waits until two networks are compared by what they have learned. Their steps go by faster than a crowded machine lets
 * one look.
 */
export async function compared(page: Page): Promise<void> {
  const isSo = (): boolean => /^(Step [1-9]|Done)/.test(document.getElementById('compare-status')?.textContent ?? '');
  await page.waitForFunction(isSo, undefined, { timeout: 60_000 }).catch(async (error: Error) => {
    throw new Error(`${error.message}: ${await page.textContent('#compare-status')}`);
  });
}

export async function pause(page: Page): Promise<void> {
  await page.click('#run:has-text("Pause")');
  await page.waitForSelector('#run:has-text("Resume")');
}

export interface Download {
  name: string;
  path: string;
  bytes: Buffer;
}

/** What clicking a button gives to download. */
export async function downloadBy(page: Page, button: string): Promise<Download> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  const path = await download.path();
  return { name: download.suggestedFilename(), path, bytes: readFileSync(path) };
}
