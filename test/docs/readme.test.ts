// Every JavaScript block of the README is run as it stands, against the built package.
import { expect, test } from 'vitest';
import { parseCommand } from '../../src/cli/flags.ts';
import { blocksOf, programsOf, readPage, run } from './programs.ts';

const programs = programsOf(readPage('README.md'));

test('library example, run as printed, learns to more than 95% accuracy', async () => {
  expect(programs[0]!.code.trim().split('\n').filter(Boolean).length).toBeLessThanOrEqual(20);
  const output = await run(programs[0]!, 'readme-0');
  expect(output).toContain('Total params: 21,');
  expect(Number(/accuracy on unseen sequences: (\d\.\d+)/.exec(output)?.[1])).toBeGreaterThan(0.95);
});

test('data example, run as printed, forecasts far better than the mean', async () => {
  const output = await run(programs[1]!, 'readme-1');
  expect(Number(/error on the last fifth: (\d\.\d+)/.exec(output)?.[1])).toBeLessThan(0.1);
});

test('low-level example, run as printed, prints the value and gradient it says', async () => {
  const output = await run(programs[2]!, 'readme-2');
  expect(output).toContain('4.25');
  expect(output).toMatch(/Float32Array\(2\) \[ -9, -13 \]/);
});

test('README, its JavaScript blocks, are all tested here', () => {
  expect(programs).toHaveLength(3);
});

test('command lines of the README, are such that the command takes', () => {
  const lines = blocksOf(readPage('README.md')).flatMap(({ code }) =>
    Array.from(code.matchAll(/^npx tapeloop (.*)$/gm)),
  );
  expect(lines).toHaveLength(4);
  for (const [, line] of lines) parseCommand(line!.split(' ').map((word) => word.replaceAll('"', '')));
});
