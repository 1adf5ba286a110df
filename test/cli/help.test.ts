import { expect, test } from 'vitest';
import { generateFlags, parseCommand, trainFlags } from '../../src/cli/flags.ts';
import { helpText } from '../../src/cli/help.ts';

test('helpText of train, names every flag once at the start of a line, with defaults', () => {
  const text = helpText('train');
  for (const name of Object.keys(trainFlags)) {
    expect(
      text.split('\n').filter((line) => new RegExp(`^  (-., )?--${name}\\b(?!-)`).test(line)),
      name,
    ).toHaveLength(1);
  }
  expect(text).toMatch(/^ {2}--cell lstm\|gru\|rnn +recurrent cell \[lstm\]$/m);
  expect(text).toMatch(/^ {2}--dropout X .*\[0\]$/m);
  expect(text).toMatch(/^ {2}--steps N .*\[3000\]$/m);
  expect(parseCommand(['train'])).toMatchObject({ options: { steps: 3000 } });
});

test('helpText of generate, names every flag', () => {
  for (const name of Object.keys(generateFlags)) expect(helpText('generate')).toContain(`--${name}`);
});

test.each([undefined, 'train', 'generate', 'info'] as const)(
  'helpText of %s, fits 100 columns and ends its last line',
  (topic) => {
    const text = helpText(topic);
    expect(text.endsWith('\n')).toBe(true);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  },
);
