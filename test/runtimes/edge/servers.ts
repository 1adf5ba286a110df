// The examples that are servers. Each is started by its own runtime.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tool } from '../app.ts';
import { answers, freePort } from '../hosts/workerd.ts';
import { NotHere } from '../suite-result.ts';
import { modelFile } from './worker-example.ts';

const execute = promisify(execFile);

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
    assert.ok(parts.length > 2, `expected text in parts, got ${parts.length}`);
    const refused = await fetch(`http://${address}/?prompt=%C3%A9`);
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /^encodeText: character "é"/);
    return `${length} characters in ${parts.length} parts`;
  });
}

interface Answer {
  surprise: number;
  error?: string;
}

export async function bunExample(app: string): Promise<string> {
  const folder = join(app, 'examples/bun');
  const bun = tool('bun/bin/bun.exe');
  const signal = (t: number): number => 20 + 5 * Math.sin(0.3 * t) + 2 * Math.sin(0.71 * t);
  writeFileSync(join(folder, 'readings.txt'), Array.from({ length: 4000 }, (_, t) => signal(t)).join('\n'));
  return withServer(bun, ['serve.ts', 'readings.txt'], folder, async (address) => {
    const send = async (readings: string[]): Promise<Answer[]> => {
      const { stdout } = await execute(bun, ['readings.mjs', address, ...readings], { cwd: app });
      return JSON.parse(stdout);
    };
    // Two at a time, since each has states of its own; at one place a reading is 9 too high.
    const [watched, other] = await Promise.all([
      send(Array.from({ length: 200 }, (_, t) => String(signal(t) + (t === 150 ? 9 : 0)))),
      send(Array.from({ length: 200 }, () => '20')),
    ]);
    const usual = Math.max(...watched.slice(100, 150).map(({ surprise }) => surprise));
    const odd = watched[150]!.surprise;
    assert.ok(usual < 0.5, `expected usual readings within half a standard deviation, got ${usual}`);
    assert.ok(odd > 4 * usual, `expected the odd reading to stand out of ${usual}, got ${odd}`);
    assert.equal(other.length, 200);
    const [refused] = await send(['x']);
    assert.equal(refused!.error, 'stream: input expected finite numbers, got NaN at 0');
    return `usual readings surprise by ${usual.toFixed(2)} at most, the odd one by ${odd.toFixed(1)}`;
  });
}
