// The content of the tarball: files, links between its pages, scripts.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
const [{ files: listed }] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' })) as [
  { files: { path: string }[] },
];
const files: ReadonlySet<string> = new Set(listed.map(({ path }) => path));

test('relative links of README and of what it leads to, are to files of the tarball', () => {
  const broken: string[] = [];
  const seen = new Set<string>();
  const follow = (page: string): void => {
    if (seen.has(page)) return;
    seen.add(page);
    const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
    for (const [, href] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(?:[a-z]+:|#)/i.test(href!)) continue;
      const target = normalize(join(dirname(page), href!.split('#')[0]!));
      const isFolder = target.endsWith('/') && [...files].some((file) => file.startsWith(target));
      if (!files.has(target) && !isFolder) broken.push(`${page}: ${href}`);
      else if (target.endsWith('.md')) follow(target);
    }
  };
  follow('README.md');
  expect(seen.size).toBeGreaterThan(20);
  expect(broken).toEqual([]);
});

test('package.json, has no script that an install of the tarball runs or warns of', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const names = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'];
  expect(names.filter((name) => name in scripts)).toEqual([]);
});

test('what package.json names, is in the tarball', () => {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  const named = Array.from(text.matchAll(/"\.\/(dist\/[^"]*)"/g), ([, path]) => path!);
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((path) => !files.has(path))).toEqual([]);
});

test('declarations, say nothing that TypeScript 5.0 cannot read', () => {
  const declarations = [...files].filter((path) => path.endsWith('.d.ts'));
  expect(declarations.length).toBeGreaterThan(200);
  const newer = declarations.filter((path) =>
    /NoInfer<|Array<ArrayBuffer|'\.[^']*\.ts'/.test(readFileSync(join(root, path), 'utf8')),
  );
  expect(newer).toEqual([]);
});
