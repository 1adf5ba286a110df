// Builds dist-site from the landing page, the demo, the page of the benchmark suite and the documentation. The site works at any path.
//   npm run site
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PAGE_FILES } from '../src/cli/bench/page-files.ts';
import { brokenLinks } from './broken-links.ts';
import { bundleDemo } from './demo.ts';
import { repository } from './site/addresses.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const site = `${root}dist-site`;

/** The part of README before its second heading, rendered by the documentation. */
function firstScreen(): string {
  const page = readFileSync(`${root}dist-docs/index.html`, 'utf8');
  const from = page.indexOf('<h1');
  const screen = page
    .slice(from, page.indexOf('<h2', from))
    .replace(/<a [^>]*tsd-anchor-icon.*?<\/a>|<button.*?<\/button>/gs, '')
    // Scrollable parts must be reachable by keyboard.
    .replaceAll('<pre>', '<pre tabindex="0">')
    .replace(/ (href|src|srcset)="(?!https?:)/g, ' $1="docs/');
  const toDemo = screen.replace(/docs\/documents\/Examples\.Watch[^"]*/, 'demo/');
  if (from < 0 || toDemo === screen) throw new Error('dist-docs/index.html expected a title and a link to the demo');
  return toDemo;
}

function landingPage(): string {
  const source = repository ? `<a href="${repository}">Source</a>` : '';
  return readFileSync(`${root}scripts/site/landing.html`, 'utf8')
    .replace('<!-- repository -->', source)
    .replace('<!-- first screen -->', () => firstScreen());
}

if (!existsSync(`${root}dist-docs/index.html`)) throw new Error('dist-docs/ is missing: npm run docs makes it');
rmSync(site, { recursive: true, force: true });
mkdirSync(`${site}/demo`, { recursive: true });
cpSync(`${root}dist-docs`, `${site}/docs`, { recursive: true });
for (const [path, content] of await bundleDemo()) {
  if (path === '/' || path.startsWith('/bench/')) continue;
  const html = () => new TextDecoder().decode(content).replaceAll('href="docs/', 'href="../docs/');
  writeFileSync(`${site}/demo${path}`, path.endsWith('.html') ? html() : content);
}
mkdirSync(`${site}/bench`);
for (const name of PAGE_FILES) cpSync(`${root}dist/bench/${name}`, `${site}/bench/${name}`);
writeFileSync(`${site}/index.html`, landingPage());
cpSync(`${root}scripts/site/landing.css`, `${site}/landing.css`);

const broken = brokenLinks(site);
for (const link of broken) console.error(`broken link: ${link}`);
if (broken.length > 0) process.exitCode = 1;
else console.log(`site built: ${site}/index.html`);
