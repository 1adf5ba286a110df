// `init({ wide })`: in processes of their own, because V8's flag holds for a whole process. Results are the same bits
// with and without it.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { init } from '../../src/engine/engine.ts';
import { canTurnOn } from './wide-host.ts';

const cpuinfo = '/proc/cpuinfo';
const hasVectorsOf256Bits = existsSync(cpuinfo) && /\bavx2\b/.test(readFileSync(cpuinfo, 'utf8'));

/** Trains with odd sizes and prints a checksum of the weights and the build, or the error. */
const program = (options: string, waits: number): string => `
import { createHash } from 'node:crypto';
import * as t from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)};
try {
  const engine = await t.init(${options});
  t.setSeed(3);
  const model = t.sequential([
    t.lstm({ units: 37, returnSequences: true, inputShape: [null, 19] }),
    t.gru({ units: 41 }),
    t.dense({ units: 3 }),
  ]);
  model.compile({ optimizer: 'adam', loss: 'mse' });
  const random = new t.RandomStream(1);
  const x = t.ndarray(Float32Array.from({ length: 23 * 13 * 19 }, () => random.nextNormal()), [23, 13, 19]);
  const y = t.ndarray(Float32Array.from({ length: 23 * 3 }, () => random.nextNormal()), [23, 3]);
  for (let step = 0; step < 60; step++) model.trainOnBatch(x, y);
  // Predictions change no weight. The engine may need longer to choose its tile while other tests run.
  for (let i = 0; i < ${waits} && !engine.build.endsWith('-wide'); i++) model.predict(x);
  const hash = createHash('sha256');
  for (const weight of model.weights) hash.update(weight.toArray());
  console.log(JSON.stringify({ hash: hash.digest('hex'), build: engine.build }));
} catch (error) {
  console.log(JSON.stringify({ error: error.name, message: error.message }));
}
process.exit();
`;

interface Outcome {
  hash?: string;
  build?: string;
  error?: string;
  message?: string;
}

const outcomeOf = (options: string, waits = 0): Outcome =>
  JSON.parse(
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program(options, waits)], {
      encoding: 'utf8',
      cwd: new URL('../..', import.meta.url),
    }),
  ) as Outcome;

describe.each(['fast', 'reproducible'])('mode %s', (mode) => {
  test('wide, gives the bits of an engine that is not, or says that this host cannot', () => {
    const run = (): Outcome => outcomeOf(`{ mode: '${mode}', wide: true }`, hasVectorsOf256Bits ? 5000 : 0);
    let wide = run();
    // The engine chooses by the clock. Beside other work one process may find nothing to gain.
    for (let i = 0; i < 2 && canTurnOn && hasVectorsOf256Bits && !wide.build?.endsWith('-wide'); i++) wide = run();
    if (canTurnOn) {
      const plain = outcomeOf(`{ mode: '${mode}' }`);
      expect(wide.hash).toBe(plain.hash);
      const build = mode === 'fast' ? 'relaxed' : 'simd';
      expect(wide.build).toBe(hasVectorsOf256Bits ? `${build}-wide` : build);
    } else {
      expect(wide.error).toBe('HostError');
      expect(wide.message).toMatch(/^init: wide: V8 \S+ cannot join vectors \(Node 24 and newer can\)/);
    }
  });
});

test.each([1, 'yes', null])('wide: %s, is refused by name', async (wide) => {
  const refused = init({ wide } as unknown as { wide: boolean });
  await expect(refused).rejects.toThrow(ArgumentError);
  await expect(refused).rejects.toThrow(/^init: wide expected true or false, got /);
});

test('wide after the first use, is refused, because V8 keeps the code that it has compiled', async () => {
  await init();
  await expect(init({ wide: true })).rejects.toThrow('init: wide expected before the first use and the first init');
});
