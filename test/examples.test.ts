// Every example is run as its README says, and its own numbers are held to what it promises.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('../examples/', import.meta.url));
const run = (name: string): string => execFileSync(process.execPath, [`${folder}${name}`], { encoding: 'utf8' });

const checks: Record<string, (output: string) => void> = {
  'custom-cell.mjs': (output) => {
    expect(Number(/epoch 20: .* unseen (\S+) /.exec(output)![1])).toBeLessThan(0.002);
  },
  'streaming.mjs': (output) => {
    expect(Number(/worst error (\S+)/.exec(output)![1])).toBeLessThan(0.1);
  },
};

for (const name of readdirSync(folder).filter((file) => file.endsWith('.mjs'))) {
  test(`example ${name}, run as it stands, does what it says`, () => {
    expect(checks[name], `a check for ${name}`).toBeDefined();
    checks[name]!(run(name));
  });
}
