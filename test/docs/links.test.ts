// Links between the pages of this repository, and into it.
import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readPage } from './programs.ts';

const root = new URL('../../', import.meta.url);
const pagesIn = (folder: string): string[] =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => `${folder}${file}`);
const guides = pagesIn('docs/guides/');
const pages = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...['docs/', 'examples/', 'acceptance/', 'bench/'].flatMap(pagesIn),
  'test/README.md',
];

const withoutCode = (page: string): string => page.replace(/^```.*?^```$/gms, '').replace(/`[^`]*`/g, '');

/** As code hosts make anchors of headings. */
const anchorsOf = (page: string): string[] =>
  Array.from(page.matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test.each(pages)('%s, its relative links, lead to files and headings', (path) => {
  const links = Array.from(withoutCode(readPage(path)).matchAll(/\]\(([^)\s]+)\)/g), ([, href]) => href!);
  const lost = links.filter((href) => {
    if (/^[a-z]+:/.test(href)) return false;
    const target = new URL(href, new URL(path, root));
    if (!existsSync(target)) return true;
    return target.hash !== '' && !anchorsOf(readPage(target.pathname)).includes(target.hash.slice(1));
  });
  expect(lost).toEqual([]);
});

const internals = ['ARCHITECTURE.md', 'docs/decisions.md', ...pagesIn('docs/internals/')];

test.each(internals)('%s, files and folders that it names in code, are there', (path) => {
  const named = Array.from(readPage(path).matchAll(/`((?:assembly|bench|docs|examples|scripts|src|test)\/[^`\s]*)`/g));
  const lost = named.map(([, name]) => name!).filter((name) => !existsSync(new URL(name, root)));
  expect(lost).toEqual([]);
});

test('every page of the internals is linked from ARCHITECTURE.md', () => {
  const map = readPage('ARCHITECTURE.md');
  expect(internals.slice(1).filter((page) => !map.includes(`](${page})`))).toEqual([]);
});

test('every guide is linked from the README', () => {
  const readme = readPage('README.md');
  expect(guides.filter((guide) => !readme.includes(`](${guide})`))).toEqual([]);
});

test.each(pages)('%s, npm scripts that it names, are there', (path) => {
  const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> };
  const named = Array.from(readPage(path).matchAll(/\bnpm run ([\w:-]+)/g), ([, name]) => name!);
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});
