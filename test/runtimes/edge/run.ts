// Runs the examples for the edge in their runtimes, and hosts that lack or forbid something, all with the packed
// tarball.
// npm run test:edge -- [--only NAME,NAME] [--all]
// With --all a missing runtime is a failure.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installTools, makeApp } from '../app.ts';
import { NotHere } from '../suite-result.ts';
import { ampInChromium } from './amp.ts';
import { audioPage, audioWorklet } from './audio-worklet.ts';
import { fineTunePage } from './fine-tune-page.ts';
import { bunExample, denoExample } from './servers.ts';
import { memoryLimit, noCondition, refusedWasm, refusedWorkers } from './surroundings.ts';
import { workerExample } from './worker-example.ts';

/** Each returns what it saw, in a few words, and throws if that is not what should be. */
const checks: Record<string, (app: string) => Promise<string>> = {
  'examples/worker in workerd': workerExample,
  'examples/audio-worklet in Chromium': audioWorklet('chromium'),
  'examples/audio-worklet in Firefox': audioWorklet('firefox'),
  'examples/audio-worklet, its page': audioPage,
  'examples/amp in Chromium': ampInChromium,
  'examples/fine-tune-page in Chromium': fineTunePage,
  'examples/deno': denoExample,
  'examples/bun': bunExample,
  'Chromium without wasm-unsafe-eval': refusedWasm('chromium'),
  'Firefox without wasm-unsafe-eval': refusedWasm('firefox'),
  'workerd without its condition': noCondition,
  'workerd at its memory limit': memoryLimit,
  'Chromium without workers': refusedWorkers('chromium'),
  'Firefox without workers': refusedWorkers('firefox'),
};

const { values } = parseArgs({ options: { only: { type: 'string' }, all: { type: 'boolean' } } });
const wanted = values.only?.split(',') ?? Object.keys(checks);
const unknown = wanted.find((name) => !Object.hasOwn(checks, name));
if (unknown !== undefined) {
  console.error(`--only expected some of ${Object.keys(checks).join(', ')}; got '${unknown}'`);
  process.exit(2);
}
installTools();
const { app } = makeApp();
try {
  cpSync(join(import.meta.dirname, '../../../examples'), join(app, 'examples'), { recursive: true });
  cpSync(join(import.meta.dirname, 'app'), app, { recursive: true });
  for (const name of wanted) {
    try {
      console.log(`${name}: ${await checks[name]!(app)}`);
    } catch (error) {
      const isMissing = error instanceof NotHere;
      console.log(`${name}: ${isMissing ? 'NOT RUN' : 'FAILED'}, ${(error as Error).message}`);
      if (!isMissing || values.all) process.exitCode = 1;
    }
  }
} finally {
  rmSync(app, { recursive: true, force: true });
}
