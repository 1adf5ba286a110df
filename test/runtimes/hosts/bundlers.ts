// The script of the page, bundled by each bundler with its defaults and run in Chromium.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tool } from '../app.ts';
import { NotHere, type SuiteResult } from '../suite-result.ts';
import { type Browser, isolated, strict, visit, visitFolder } from './browsers.ts';

const require = createRequire(tool('package.json'));

/** A bundler of these tests' own; types are not worth another install. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
async function load(name: string): Promise<any> {
  try {
    return await import(pathToFileURL(require.resolve(name)).href);
  } catch {
    throw new NotHere(`${name} is not installed`);
  }
}

function writePage(dir: string, script: string): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, 'index.html'),
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>tapeloop</title><script type="module" src="${script}"></script></html>\n`,
  );
}

/** Scripts bundled by esbuild with its defaults, one file each. */
export async function bundleScripts(entryPoints: string[], outdir: string): Promise<void> {
  const { build } = await load('esbuild');
  await build({ entryPoints, bundle: true, minify: true, format: 'esm', entryNames: '[name]', outdir });
}

/** A page of its own that runs one script. */
export async function bundlePage(entry: string, dir: string): Promise<void> {
  writePage(dir, `./${basename(entry, '.mjs')}.js`);
  await bundleScripts([entry], dir);
}

async function bundleByEsbuild(app: string): Promise<string> {
  const dir = join(app, 'by-esbuild');
  await bundlePage(join(app, 'page.mjs'), dir);
  return dir;
}

/** A page of a plain bundle, under any headers. */
export const page =
  (browser: Browser, headers: 'plain' | 'isolated' | 'strict') =>
  async (app: string): Promise<SuiteResult> =>
    visitFolder(browser, await bundleByEsbuild(app), { plain: {}, isolated, strict }[headers]);

export async function rollup(app: string): Promise<SuiteResult> {
  const dir = join(app, 'by-rollup');
  writePage(dir, './page.js');
  const { rollup: bundle } = await load('rollup');
  const { nodeResolve } = await load('@rollup/plugin-node-resolve');
  const bundled = await bundle({ input: join(app, 'page.mjs'), plugins: [nodeResolve()], logLevel: 'silent' });
  await bundled.write({ dir, entryFileNames: 'page.js', format: 'es' });
  return visitFolder('chromium', dir);
}

export async function webpack(app: string): Promise<SuiteResult> {
  const dir = join(app, 'by-webpack');
  writePage(dir, './page.js');
  const bundle = (await load('webpack')).default;
  const options = {
    mode: 'production',
    entry: join(app, 'page.mjs'),
    output: { path: dir, filename: 'page.js', module: true },
    experiments: { outputModule: true },
  };
  await new Promise<void>((resolve, reject) => {
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    bundle(options, (error: Error | null, stats: any) => {
      if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString({ all: false, errors: true })));
      else resolve();
    });
  });
  return visitFolder('chromium', dir);
}

export async function viteBuild(app: string): Promise<SuiteResult> {
  writePage(app, '/page.mjs');
  const { build } = await load('vite');
  const outDir = join(app, 'by-vite');
  await build({ root: app, logLevel: 'silent', build: { outDir, target: 'esnext' } });
  return visitFolder('chromium', outDir);
}

export async function viteDev(app: string): Promise<SuiteResult> {
  writePage(app, '/page.mjs');
  const { createServer } = await load('vite');
  let server: { close(): Promise<void> } | undefined;
  try {
    return await visit(
      'chromium',
      (_, response) => response.writeHead(404).end(),
      async (ours) => {
        const made = await createServer({
          root: app,
          logLevel: 'silent',
          cacheDir: join(app, '.vite'),
          server: { port: 0, host: '127.0.0.1', proxy: { '/result': ours } },
        });
        server = made;
        await made.listen();
        return made.resolvedUrls.local[0];
      },
    );
  } finally {
    await server?.close();
  }
}
