import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { brokenLinks } from '../../scripts/broken-links.ts';

test('brokenLinks, pages with links of all kinds, names those that lead nowhere', () => {
  const site = mkdtempSync(join(tmpdir(), 'site-'));
  try {
    mkdirSync(join(site, 'guide'));
    writeFileSync(join(site, 'style.css'), '');
    writeFileSync(
      join(site, 'index.html'),
      '<h1 id="top"></h1><a href="guide/a%20b.html#part"></a><a href="guide/a%20b.html#gone"></a><a href="#top"></a><a href="#gone"></a>',
    );
    writeFileSync(
      join(site, 'guide', 'a b.html'),
      '<link href="../style.css?v=1"><h2 id="part"></h2><img src="no.png"><source srcset="no.svg"><a href="https://example.org/gone"></a><a href="../"></a>',
    );
    expect(brokenLinks(site).sort()).toEqual([
      'guide/a b.html: no.png',
      'guide/a b.html: no.svg',
      'index.html: #gone',
      'index.html: guide/a%20b.html#gone',
    ]);
  } finally {
    rmSync(site, { recursive: true });
  }
});
