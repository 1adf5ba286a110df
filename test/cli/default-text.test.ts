import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { projectText, toPlainAscii } from '../../scripts/embed-default-text.ts';

test('toPlainAscii, spells, strips accents and marks the rest', () => {
  expect(toPlainAscii('B·T → é “x” ½\t日\r\n')).toBe('B*T -> e "x" 1?2  ?\n');
});

test('projectText, takes sources in sorted order, without generated files', () => {
  const root = mkdtempSync(join(tmpdir(), 'tapeloop-test-'));
  try {
    for (const folder of ['assembly', 'src/b']) mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, 'src/b/z.ts'), 'z');
    writeFileSync(join(root, 'src/a.ts'), 'a\n');
    writeFileSync(join(root, 'src/made.gen.ts'), 'no');
    writeFileSync(join(root, 'assembly/k.ts'), 'k');
    writeFileSync(join(root, 'assembly/tsconfig.json'), '{}');
    expect(projectText(pathToFileURL(`${root}/`))).toBe('// assembly/k.ts\nk\n// src/a.ts\na\n\n// src/b/z.ts\nz\n');
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('projectText of this project, is printable ASCII of a few hundred thousand characters', () => {
  const text = projectText(new URL('../../', import.meta.url));
  expect(text).toMatch(/^[\n -~]*$/);
  expect(text.length).toBeGreaterThan(300_000);
  expect(text.length).toBeLessThanOrEqual(400_000);
});
