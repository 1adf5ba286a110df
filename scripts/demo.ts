// Serves examples/demo, and below /bench/ the page of the benchmark suite. It bundles the page and its workers from the built package, and sends the headers for threads.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { basename, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { PAGE_FILES } from '../src/cli/bench/page-files.ts';
import { projectText } from './embed-default-text.ts';
import { repository } from './site/addresses.ts';

const root = new URL('../', import.meta.url);
const folder = new URL('examples/demo/', root);

const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
};

const headers = {
  // Threads share memory only in a page that is cross-origin isolated.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  // `blob:` is for the threads: their script is a blob of a function's source.
  'content-security-policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

/** The pages of the documentation contain scripts of typedoc. */
const headersOfDocs = {
  ...headers,
  'content-security-policy':
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
};

/** A file of the documentation, or one sentence if `npm run docs` has not run. */
function documentation(path: string): { type: string; content: Uint8Array } | undefined {
  const docs = new URL('dist-docs/', root);
  if (!existsSync(docs)) {
    const words = 'The documentation is here once `npm run docs` has built it.\n';
    return { type: types.txt!, content: new TextEncoder().encode(words) };
  }
  const name = normalize(decodeURIComponent(path.slice('/docs/'.length)) || 'index.html');
  const file = new URL(name, docs);
  if (!file.href.startsWith(docs.href) || !statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
  return { type: types[name.slice(name.lastIndexOf('.') + 1)] ?? types.txt!, content: readFileSync(file) };
}

/** Every file of the page by its path, which begins with a slash. Throws an error if the package is not built. */
export async function bundleDemo(): Promise<Map<string, Uint8Array>> {
  if (!existsSync(new URL('dist/index.js', root))) throw new Error('dist/ is missing: npm run build makes it');
  const files = new Map<string, Uint8Array>();
  const entry = (path: string): string => fileURLToPath(new URL(path, folder));
  const { outputFiles } = await build({
    entryPoints: ['page/main.ts', 'worker/training-worker.ts', 'worker/gradient-worker.ts'].map(entry),
    ...{ bundle: true, splitting: true, minify: true, write: false },
    ...{ format: 'esm', target: 'es2022', entryNames: '[name]', outdir: entry('out') },
  });
  for (const { path, contents } of outputFiles) files.set(`/${basename(path)}`, contents);
  files.set('/icon.svg', readFileSync(new URL('icon.svg', folder)));
  const source = repository ? `<a href="${repository}">Source</a>` : '';
  const html = readFileSync(new URL('index.html', folder), 'utf8').replace('<!-- repository -->', source);
  for (const path of ['/', '/index.html']) files.set(path, new TextEncoder().encode(html));
  for (const name of PAGE_FILES) {
    const content = readFileSync(new URL(`dist/bench/${name}`, root));
    for (const path of name === 'index.html' ? ['', name] : [name]) files.set(`/bench/${path}`, content);
  }
  files.set('/code.txt', new TextEncoder().encode(projectText(root)));
  return files;
}

/**
 * Bundles the page and serves it until the server is closed.
 *
 * @param options.port 0 means any free port.
 * @returns the server, listening.
 */
export async function serveDemo({ port = 0, host = 'localhost' } = {}): Promise<Server> {
  const files = await bundleDemo();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname.startsWith('/docs/')) {
      const page = documentation(pathname);
      response.writeHead(page ? 200 : 404, { ...headersOfDocs, 'content-type': page?.type ?? types.txt! });
      response.end(request.method === 'HEAD' ? undefined : (page?.content ?? 'There is no such page here.\n'));
      return;
    }
    const file = files.get(pathname);
    const type = types[pathname.slice(pathname.lastIndexOf('.') + 1)] ?? types.html!;
    response.writeHead(file ? 200 : 404, { ...headers, 'content-type': file ? type : types.txt! });
    response.end(request.method === 'HEAD' ? undefined : (file ?? 'There is no such file here.\n'));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}

/** The address of a server. */
export const addressOf = (server: Server): string => {
  const address = server.address();
  return `http://localhost:${typeof address === 'object' && address ? address.port : ''}/`;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values } = parseArgs({
      options: { port: { type: 'string' }, host: { type: 'string' }, path: { type: 'string', default: '' } },
    });
    const server = await serveDemo({ port: Number(values.port ?? 5173), host: values.host ?? 'localhost' });
    console.log(`The page is at ${addressOf(server)}${values.path} (Ctrl-C ends it).`);
  } catch (error) {
    console.error(`demo: ${(error as Error).message}; --port and --host choose another address`);
    process.exitCode = 1;
  }
}
