import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { tool } from '../app.ts';
import { NotHere, readResult, type SuiteResult } from '../suite-result.ts';

/**
 * The suite in a request handler of workerd, which lets nobody compile from bytes: the package's `workerd` condition at
 * work.
 */
export const workerd = (app: string): Promise<SuiteResult> =>
  withWorker(app, 'worker.mjs', async (url) => readResult(await textOf(fetch(url))));

/** What an answer says. Throws unless it is a good one. */
async function textOf(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  if (!response.ok) throw new Error(`workerd answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
  return response.text();
}

/** Bundles a worker of the app as a user would, has workerd serve it, and gives its address to `use`. */
export async function withWorker<T>(
  app: string,
  entry: string,
  use: (url: string) => Promise<T>,
  conditions: string[] = ['workerd'],
): Promise<T> {
  const dir = join(app, `workerd-${basename(entry, '.mjs')}-${conditions.join('-')}`);
  await bundleWorker(join(app, entry), dir, conditions);
  const modules = readdirSync(dir).filter((name) => name.endsWith('.wasm'));
  writeFileSync(
    join(dir, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [
      (name = "worker.js", esModule = embed "worker.js"),
      ${modules.map((name) => `(name = "${name}", wasm = embed "${name}"),`).join('\n      ')}
    ],
    compatibilityDate = "2026-11-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "main")],
);
`,
  );
  return serving(dir, use);
}

export async function bundleWorker(entry: string, dir: string, conditions: string[]): Promise<void> {
  await build({
    entryPoints: { worker: entry },
    bundle: true,
    format: 'esm',
    conditions,
    loader: { '.wasm': 'copy', '.safetensors': 'copy' },
    assetNames: '[name]',
    outdir: dir,
  });
}

/** Has workerd serve the folder's config.capnp, on a port that is free instead of the one it names. */
export async function serving<T>(dir: string, use: (url: string) => Promise<T>): Promise<T> {
  const program = tool('@cloudflare/workerd-linux-64/bin/workerd');
  if (!existsSync(program)) throw new NotHere('workerd is not installed');
  const address = `127.0.0.1:${await freePort()}`;
  const args = ['serve', 'config.capnp', `--socket-addr=http=${address}`];
  const server = spawn(program, args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  server.stderr.on('data', (chunk) => (complaints += chunk));
  try {
    while (!(await answers(address))) {
      if (server.exitCode !== null)
        throw new Error(`workerd ended with ${server.exitCode}: ${complaints.slice(0, 500)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return await use(`http://${address}`);
  } finally {
    server.kill();
  }
}

/** Whether somebody listens there. */
export const answers = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: address.split(':')[0]!, port: Number(address.split(':')[1]) });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
