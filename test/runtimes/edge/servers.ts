// Examples that are servers, each started by its own runtime.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tool } from '../app.ts';
import { answers, freePort } from '../hosts/workerd.ts';
import { NotHere } from '../suite-result.ts';
import { modelFile } from './worker-example.ts';

async function withServer<T>(
  program: string,
  args: string[],
  cwd: string,
  use: (address: string) => Promise<T>,
): Promise<T> {
  if (!existsSync(program)) throw new NotHere(`${program.split('/node_modules/').at(-1)} is not installed`);
  const port = await freePort();
  const server = spawn(program, [...args, String(port)], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  server.stderr.on('data', (chunk) => (complaints += chunk));
  try {
    while (!(await answers(`127.0.0.1:${port}`))) {
      if (server.exitCode !== null) throw new Error(`it ended with ${server.exitCode}: ${complaints.slice(0, 500)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return await use(`127.0.0.1:${port}`);
  } finally {
    server.kill();
  }
}

/** Type-checked by Deno, with the permissions that its README names and no other. */
export async function denoExample(app: string): Promise<string> {
  const folder = join(app, 'examples/deno');
  cpSync(modelFile(app), join(folder, 'model.safetensors'));
  // `npm:tapeloop` is then what is installed beside it, not what a registry has.
  const args = ['run', '--check', '--node-modules-dir=manual', '--allow-read', '--allow-net', 'serve.ts'];
  return withServer(tool('@deno/linux-x64-glibc/deno'), [...args, 'model.safetensors'], folder, async (address) => {
    const parts: Uint8Array[] = [];
    for await (const part of (await fetch(`http://${address}/?prompt=The%20`)).body!) parts.push(part);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    assert.equal(length, 1000);
    assert.ok(parts.length > 10, `expected text in many parts, got ${parts.length}`);
    const refused = await fetch(`http://${address}/?prompt=%C3%A9`);
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /^encodeText: character "é"/);
    return `${length} characters in ${parts.length} parts`;
  });
}

export async function bunExample(app: string): Promise<string> {
  const folder = join(app, 'examples/bun');
  const signal = (t: number): number => 20 + 5 * Math.sin(0.3 * t) + 2 * Math.sin(0.71 * t);
  writeFileSync(join(folder, 'readings.txt'), Array.from({ length: 4000 }, (_, t) => signal(t)).join('\n'));
  return withServer(tool('bun/bin/bun.exe'), ['serve.ts', 'readings.txt'], folder, async (address) => {
    // Two at a time, since each has states of its own; at one place a reading is 9 too high.
    const [watched, other] = await Promise.all([
      readingsOf(address, 200, (t) => signal(t) + (t === 150 ? 9 : 0)),
      readingsOf(address, 200, () => 20),
    ]);
    const usual = Math.max(...watched.slice(100, 150).map(({ surprise }) => surprise));
    const odd = watched[150]!.surprise;
    assert.ok(usual < 0.5, `expected usual readings within half a standard deviation, got ${usual}`);
    assert.ok(odd > 4 * usual, `expected the odd reading to stand out of ${usual}, got ${odd}`);
    assert.equal(other.length, 200);
    const [{ error }] = (await readingsOf(address, 1, () => Number.NaN)) as unknown as [{ error: string }];
    assert.equal(error, 'stream: input expected finite numbers');
    return `usual readings surprise by ${usual.toFixed(2)} at most, the odd one by ${odd.toFixed(1)}`;
  });
}

interface Reading {
  surprise: number;
}

function readingsOf(address: string, count: number, value: (t: number) => number): Promise<Reading[]> {
  const { WebSocket } = globalThis as unknown as { WebSocket?: new (url: string) => EventTarget & Socket };
  if (!WebSocket) throw new NotHere('this Node has no WebSocket; 22 and newer do');
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${address}`);
    const seen: Reading[] = [];
    socket.addEventListener('error', () => reject(new Error('the WebSocket failed')));
    socket.addEventListener('open', () => socket.send(String(value(0))));
    socket.addEventListener('message', (event) => {
      seen.push(JSON.parse((event as MessageEvent<string>).data));
      if (seen.length < count) return socket.send(String(value(seen.length)));
      socket.close();
      resolve(seen);
    });
  });
}

interface Socket {
  send(text: string): void;
  close(): void;
}
