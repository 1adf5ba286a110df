// Every JavaScript block of the README is run as it stands, against the built package.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map((match) => match[1]!);
const folder = new URL('../build/readme/', import.meta.url);

/** Inside the package's own folder `import 'tapeloop'` finds what a user's would: `exports` and dist. */
function run(index: number): string {
  mkdirSync(folder, { recursive: true });
  const file = new URL(`block-${index}.mjs`, folder);
  writeFileSync(file, blocks[index]!);
  return execFileSync(process.execPath, [file.pathname], { encoding: 'utf8' });
}

test('library example, run as printed, learns to more than 95% accuracy', () => {
  expect(blocks[0]!.trim().split('\n').filter(Boolean).length).toBeLessThanOrEqual(20);
  const output = run(0);
  expect(output).toContain('Total params: 21,');
  expect(Number(/accuracy on unseen sequences: (\d\.\d+)/.exec(output)?.[1])).toBeGreaterThan(0.95);
});

test('low-level example, run as printed, prints the value and gradient it says', () => {
  const output = run(1);
  expect(output).toContain('4.25');
  expect(output).toMatch(/Float32Array\(2\) \[ -9, -13 \]/);
});

test('README, its JavaScript blocks, are all tested here', () => {
  expect(blocks).toHaveLength(2);
});
