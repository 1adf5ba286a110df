// Every @example of a public function runs as it stands, with the package's exports and a few values in scope.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as audio from '../../src/audio.ts';
import * as audioModels from '../../src/audio-models.ts';
import * as audioStream from '../../src/audio-stream.ts';
import * as bench from '../../src/bench.ts';
import * as characters from '../../src/characters.ts';
import * as data from '../../src/data.ts';
import * as images from '../../src/images.ts';
import * as main from '../../src/index.ts';
import * as node from '../../src/node.ts';
import * as plot from '../../src/plot.ts';
import * as sequences from '../../src/sequences.ts';
import * as stateSpace from '../../src/state-space.ts';
import * as stream from '../../src/stream.ts';
import { functions } from './public-functions.ts';

const folder = mkdtempSync(join(tmpdir(), 'tapeloop-examples-'));
const cwd = process.cwd();

beforeAll(() => {
  process.chdir(folder);
  vi.spyOn(console, 'log').mockImplementation(() => {});
});
afterAll(() => {
  vi.restoreAllMocks();
  process.chdir(cwd);
  rmSync(folder, { recursive: true, force: true });
});

const text = 'the cat sat on the mat. '.repeat(20);

/** What examples find, made anew for each: samples `[8, 5, 2]` of sequences, one number to predict, a model, a text, files. */
function scope(): Record<string, unknown> {
  main.setSeed(1);
  const { sequential, gru, dense, embedding } = main;
  const x = main.ndarray(
    Float32Array.from({ length: 80 }, (_, i) => Math.sin(i)),
    [8, 5, 2],
  );
  const y = main.ndarray(
    Float32Array.from({ length: 8 }, (_, i) => Math.cos(i)),
    [8, 1],
  );
  const model = sequential([gru({ units: 4, inputShape: [5, 2] }), dense({ units: 1 })]);
  model.compile({ optimizer: 'adam', loss: 'mse' });
  const vocabulary = main.buildVocabulary(text);
  const ids = main.encodeText(text, vocabulary);
  const units = vocabulary.length;
  const languageModel = sequential([
    embedding({ inputDim: units, outputDim: 4 }),
    gru({ units: 4, returnSequences: true }),
    dense({ units }),
  ]);
  writeFileSync('text.txt', text);
  writeFileSync('data.csv', 'date,load,price\n2026-01-01,1,2\n2026-01-02,2,3\n2026-01-03,4,5\n');
  writeFileSync('pairs.tsv', 'go\tva\nstop\tarrete\n');
  const amp = sequential([main.lstm({ units: 2, returnSequences: true, inputShape: [null, 1] }), dense({ units: 1 })]);
  const namFile = audioModels.exportNam(amp);
  writeFileSync('model.safetensors', main.encodeModel(model));
  return { x, y, model, text, vocabulary, ids, languageModel, amp, namFile };
}

const entries: Record<string, object> = {
  ...{ 'audio-models': audioModels, 'audio-stream': audioStream },
  ...{ audio, bench, characters, images, plot, sequences, node, data },
  ...{ 'state-space': stateSpace, stream, index: main },
};
const AsyncFunction = (async () => {}).constructor as new (
  ...args: string[]
) => (...values: unknown[]) => Promise<void>;

describe('examples of docstrings', () => {
  const examples = functions.flatMap(({ name, entry, tags }) =>
    (tags.example ?? []).map((code, i) => [i > 0 ? `${name} (${i + 1})` : name, entry, code] as const),
  );

  test('are there', () => {
    expect(examples.length).toBeGreaterThan(10);
  });

  test.each(examples)('%s of %s, runs', async (name, entry, code) => {
    // The entry's own names go before those of the main one.
    const values = { ...main, ...data, ...node, ...plot, ...characters, ...entries[entry], ...scope() };
    // The example of `model` needs the function, not the model in scope.
    if (name === 'model') values.model = main.model;
    const program = code.replace(/^```\w*\n|```$/g, '').replace(/^import .*$/gm, '');
    const run = new AsyncFunction(...Object.keys(values), `{\n${program}\n}`);
    await run(...Object.values(values));
  });
});
