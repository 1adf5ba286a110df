import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { tool } from '../app.ts';
import { NotHere, readResult, type SuiteResult } from '../suite-result.ts';

/** The suite in a request handler of workerd, which lets nobody compile from bytes: the package's `workerd` condition at work. */
export async function workerd(app: string): Promise<SuiteResult> {
  const program = tool('@cloudflare/workerd-linux-64/bin/workerd');
  if (!existsSync(program)) throw new NotHere('workerd is not installed');
  const dir = join(app, 'workerd');
  mkdirSync(dir, { recursive: true });
  await build({
    entryPoints: [join(app, 'worker.mjs')],
    bundle: true,
    format: 'esm',
    conditions: ['workerd'],
    loader: { '.wasm': 'copy' },
    assetNames: '[name]',
    outfile: join(dir, 'worker.js'),
  });
  const modules = readdirSync(dir).filter((name) => name.endsWith('.wasm'));
  const port = await freePort();
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
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`,
  );
  const server = spawn(program, ['serve', 'config.capnp'], { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    return readResult(await answerOf(server, `http://127.0.0.1:${port}/`));
  } finally {
    server.kill();
  }
}

async function answerOf(server: ChildProcess, url: string): Promise<string> {
  let complaints = '';
  server.stderr!.on('data', (chunk) => (complaints += chunk));
  for (;;) {
    if (server.exitCode !== null) throw new Error(`workerd ended with ${server.exitCode}: ${complaints.slice(0, 500)}`);
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return response.text();
    if (response) throw new Error(`workerd answered ${response.status}: ${complaints.slice(0, 500)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
