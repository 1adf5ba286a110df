// The program, the commands and the links that a reader of the README tries first.
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../src/cli/flags.ts';
import { blocksOf, programsOf, readPage, run } from './programs.ts';

const readme = readPage('README.md');
const programs = programsOf(readme);

test('README, its program, run as printed, forecasts the sine', async () => {
  expect(programs).toHaveLength(1);
  expect(programs[0]!.code.split('\n').filter(Boolean)).toHaveLength(8);
  const [forecast, truth] = (await run(programs[0]!, 'readme')).trim().split(' ').map(Number);
  expect(truth).toBe(Math.sin(50));
  expect(Math.abs(forecast! - truth!)).toBeLessThan(0.05);
});

test('README, its first screen, has four facts with a link each, install, program and picture', () => {
  const first = readme.slice(0, readme.indexOf('\n## '));
  const facts = Array.from(first.matchAll(/^- \*\*.*(?:\n {2}.*)*/gm), ([fact]) => fact);
  expect(facts).toHaveLength(4);
  expect(facts.filter((fact) => !/\[[^\]]+\]\([^)]+\)$/.test(fact))).toEqual([]);
  expect(blocksOf(first).map(({ language }) => language)).toEqual(['sh', 'js']);
  for (const theme of ['light', 'dark']) {
    const path = `docs/learning-${theme}.svg`;
    expect(first).toContain(`"${path}"`);
    expect(readPage(path).length).toBeLessThan(16_000);
  }
});

describe.each(['README.md', 'docs/guides/streaming.md'])('%s', (path) => {
  test('its command lines, are such that the command takes', () => {
    const lines = blocksOf(readPage(path)).flatMap(({ code }) => Array.from(code.matchAll(/^npx tapeloop (.*)$/gm)));
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const [, line] of lines) parseCommand(line!.split(' ').map((word) => word.replaceAll('"', '')));
  });
});
