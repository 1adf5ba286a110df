// The progress that fit shows: in a terminal, without a terminal, and when it is switched off.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { dense, progressText, sequential, setSeed, type Verbose } from '../../src/index.ts';
import type { FitOptions } from '../../src/models/model.ts';
import { progress } from '../../src/node.ts';

const x = Array.from({ length: 8 }, (_, i) => [i]);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** What a run of two epochs writes to standard output, and to the console. */
async function shown(isTTY: boolean, options: FitOptions): Promise<{ written: string; logged: string[] }> {
  let written = '';
  const logged: string[] = [];
  const stdout = { isTTY, columns: 60, write: (text: string) => void (written += text) };
  vi.spyOn(console, 'log').mockImplementation((text) => void logged.push(text));
  vi.spyOn(process, 'stdout', 'get').mockReturnValue(stdout as never);
  setSeed(1);
  const model = sequential([dense({ units: 1, inputShape: [1] })]);
  model.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['mae'] });
  await model.fit(x, x, { epochs: 2, batchSize: 4, validationSplit: 0.5, ...options });
  model.evaluate(x, x);
  model.predict(x);
  return { written, logged };
}

const ofEpoch = (epoch: number): RegExp =>
  new RegExp(
    `^Epoch ${epoch}/2 - 1/1 - 0s - \\d+(us|ms)/step - loss: \\S+ - mae: \\S+ - val_loss: \\S+ - val_mae: \\S+$`,
  );

describe('fit', () => {
  test.each<[string, FitOptions]>([
    ['by default', {}],
    ['with verbose 1', { verbose: 1 }],
    ["with 'auto'", { verbose: 'auto' }],
  ])('in a terminal %s, keeps one line an epoch, whole and with its validation', async (_, options) => {
    const { written, logged } = await shown(true, options);
    const lines = written.split('\n');
    expect(lines).toHaveLength(3);
    // Of what is drawn in one place the last stays.
    const kept = lines.slice(0, 2).map((line) => line.replace('\x1b[K', '').split('\r').at(-1));
    expect(kept[0]).toMatch(ofEpoch(1));
    expect(kept[1]).toMatch(ofEpoch(2));
    expect(lines[2]).toBe('');
    expect(logged).toEqual([]);
  });

  test.each<[string, boolean, FitOptions]>([
    ['without a terminal', false, {}],
    ["without a terminal and with 'auto'", false, { verbose: 'auto' }],
    ['in a terminal with verbose 0', true, { verbose: 0 }],
    ['without one with verbose 0', false, { verbose: 0 }],
  ])('%s, shows nothing', async (_, isTTY, options) => {
    expect(await shown(isTTY, options)).toEqual({ written: '', logged: [] });
  });

  test.each<[string, boolean, Verbose]>([
    ['without a terminal and with verbose 1', false, 1],
    ['without a terminal and with verbose 2', false, 2],
    ['in a terminal with verbose 2', true, 2],
  ])('%s, logs a line for each epoch', async (_, isTTY, verbose) => {
    const { written, logged } = await shown(isTTY, { verbose });
    expect(written).toBe('');
    expect(logged).toHaveLength(2);
    expect(logged[0]).toMatch(ofEpoch(1));
    expect(logged[1]).toMatch(ofEpoch(2));
  });

  // A bundler's stand-in for `process`. Without this method the runner of the tests, which reports meanwhile, fails.
  test('in a page, whose process has no output, shows nothing', async () => {
    vi.stubGlobal('process', { nextTick: process.nextTick });
    setSeed(1);
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const model = sequential([dense({ units: 1, inputShape: [1] })]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    await model.fit(x, x);
    expect(log).not.toHaveBeenCalled();
  });

  test.each([
    ['progressText', () => progressText(() => {})],
    ['progress', () => progress({ stream: { write() {} } })],
  ])('given %s among its callbacks, shows nothing beside it', async (_, callback) => {
    const options = { callbacks: [{ onEpochBegin() {} }, callback()], verbose: 1 } as const;
    expect(await shown(true, options)).toEqual({ written: '', logged: [] });
  });

  test('in a terminal, tells while an epoch goes on how long it will, as wide as the terminal is', async () => {
    let at = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (at += 3000));
    const { written } = await shown(true, { batchSize: 1, validationSplit: 0, epochs: 1 });
    const drawn = written.split('\r').map((line) => line.replace('\x1b[K', ''));
    expect(drawn[1]).toMatch(/^Epoch 1\/1 - 1\/8 - \d+s left - \d+s\/step - loss: /);
    for (const line of drawn.slice(0, -1)) expect(line.length).toBeLessThanOrEqual(59);
  });

  test('that ends in the middle of an epoch, leaves its line and goes to the next', async () => {
    let at = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (at += 3000));
    const failing = {
      onBatchEnd() {
        throw new Error('stop');
      },
    };
    let written = '';
    const stdout = { isTTY: true, columns: 60, write: (text: string) => void (written += text) };
    vi.spyOn(process, 'stdout', 'get').mockReturnValue(stdout as never);
    const model = sequential([dense({ units: 1, inputShape: [1] })]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    await expect(model.fit(x, x, { callbacks: failing })).rejects.toThrow('stop');
    expect(written.replace('\x1b[K\n', '|')).toMatch(/loss: \S+\|$/);
  });

  test('in a terminal, ends its line before a callback of the caller writes', async () => {
    const lines: string[] = [];
    let written = '';
    const stdout = { isTTY: true, columns: 60, write: (text: string) => void (written += text) };
    vi.spyOn(process, 'stdout', 'get').mockReturnValue(stdout as never);
    const model = sequential([dense({ units: 1, inputShape: [1] })]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    await model.fit(x, x, { callbacks: { onEpochEnd: () => void lines.push(written.at(-1)!) } });
    expect(lines).toEqual(['\n']);
  });

  test.each([3, -1, '1', true, null, Number.NaN])(
    'given %j for verbose, refuses it before it trains',
    async (verbose) => {
      const model = sequential([dense({ units: 1, inputShape: [1] })]);
      model.compile({ optimizer: 'sgd', loss: 'mse' });
      const run = model.fit(x, x, { verbose: verbose as Verbose });
      await expect(run).rejects.toThrow(ArgumentError);
      await expect(run).rejects.toThrow(/^fit: verbose expected 'auto', 0, 1, 2, got /);
      expect(model.optimizer.steps).toBe(0);
    },
  );
});
