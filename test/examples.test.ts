// Every example runs here in a quick configuration, on small made-up files in the formats of the real ones. This tests
// the code. The acceptance run tests whether an example reaches its targets; only two examples that take a second are
// tested for that here, one of them by that run.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { dense, type InputSpec, model, ops, setSeed, type Tensor } from 'tapeloop';
import { readWav, writeWav } from 'tapeloop/audio';
import { exportOnnx } from 'tapeloop/onnx';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  checkFiles,
  type Example,
  exampleNames,
  loadExample,
  runExample,
  shown,
  table,
} from '../acceptance/examples.ts';

const FULL = ['parity'];

const data = mkdtempSync(join(tmpdir(), 'tapeloop-examples-'));
const log = (): void => {};

/** Numbers that look like noise: 0 to 1, by index. */
const noise = (i: number): number => (Math.imul(i + 1, 2654435761) >>> 8) / 2 ** 24;

function idx(axes: number[], value: (i: number) => number): Uint8Array {
  const header = Buffer.alloc(4 + 4 * axes.length);
  header.set([0, 0, 8, axes.length]);
  axes.forEach((length, i) => header.writeUInt32BE(length, 4 + 4 * i));
  const size = axes.reduce((product, length) => product * length, 1);
  return gzipSync(Buffer.concat([header, Uint8Array.from({ length: size }, (_, i) => value(i))]));
}

/** ONNX files with the inputs and outputs of the real ones, and one dense layer. */
function onnxFiles(): Record<string, Uint8Array> {
  setSeed(1);
  type Values = Record<string, Tensor>;
  const file = (
    inputs: Record<string, InputSpec>,
    units: number,
    body: (x: Values, gains: (x: Tensor) => Tensor) => Values,
  ): Uint8Array => {
    const layers = { gains: dense({ units, activation: 'sigmoid' }) };
    const made = model({ layers, inputs }, (x: Values, each) => body(x, each.gains));
    made.predict(
      Object.fromEntries(
        Object.entries(inputs).map(([name, { shape }]) => {
          const whole = [1, ...shape!.map((n) => n as number)];
          return [name, { data: new Float32Array(whole.reduce((a, b) => a * b)), shape: whole } as never];
        }),
      ),
    );
    return exportOnnx(made);
  };
  const detector = file({ input: { shape: [576] }, state: { shape: [1] } }, 1, ({ input, state }, gains) => ({
    output: gains(ops.concatenate([input!, state!])),
    stateN: ops.add(state!, 1),
  }));
  const denoiser = file({ mix: { shape: [257, 1, 2] }, cache: { shape: [3] } }, 2, ({ mix, cache }, gains) => ({
    enh: ops.mul(mix!, gains(mix!)),
    cache_out: ops.add(cache!, 1),
  }));
  const stage = (size: number): Uint8Array =>
    file({ input_2: { shape: [1, size] }, input_3: { shape: [2] } }, size, (x, gains) => ({
      activation_2: gains(x.input_2!),
      tf_op_layer_stack_2: ops.add(x.input_3!, 1),
    }));
  return {
    'silero-vad-half/silero_vad_half.onnx': detector,
    'silero-vad-v6-faster-whisper/silero_vad_v6.onnx': detector,
    'ulunas-stream-simple/ulunas_stream_simple.onnx': denoiser,
    'dtln-model-1/model_1.onnx': stage(257),
    'dtln-model-2/model_2.onnx': stage(512),
  };
}

const day = (i: number): string => new Date(Date.UTC(2015, 10, 1) + i * 86_400_000).toISOString().slice(0, 10);
const chorales = (count: number): number[][][] =>
  Array.from({ length: count }, (_, n) => Array.from({ length: 5 + n }, (_, t) => [30 + ((n + t) % 7), 50 + (t % 5)]));

beforeAll(async () => {
  const files: Record<string, string | Uint8Array> = {
    'tinyshakespeare.txt': 'To be, or not to be: that is the question.\n'.repeat(100),
    'airline-passengers.csv': `"Month","Passengers"\n${Array.from({ length: 60 }, (_, i) => `"m${i}",${100 + i}`).join('\n')}\n`,
    'opsd_germany_daily.csv': `Date,Consumption,Wind,Solar,Wind+Solar\n${Array.from({ length: 500 }, (_, i) => `${day(i)},${1000 + 100 * noise(i)},,,`).join('\n')}\n`,
    'jsb-chorales.json': JSON.stringify({ train: chorales(6), valid: chorales(3), test: chorales(3) }),
  };
  for (const [part, count] of [
    ['train', 120],
    ['t10k', 20],
  ] as const) {
    files[`mnist/${part}-images-idx3-ubyte.gz`] = idx([count, 28, 28], (i) => 255 * noise(i));
    files[`mnist/${part}-labels-idx1-ubyte.gz`] = idx([count], (i) => i % 10);
  }
  for (const part of ['train', 'test']) {
    // Reviews of 3 to 8 words, sorted by label.
    const lengths = Array.from({ length: 40 }, (_, i) => 3 + (i % 6));
    const offsets = [0];
    for (const length of lengths) offsets.push(offsets.at(-1)! + length);
    const ids = Uint16Array.from({ length: offsets.at(-1)! }, (_, i) => 1 + Math.floor(12_000 * noise(i)));
    files[`imdb/${part}.ids.u16.gz`] = gzipSync(ids);
    files[`imdb/${part}.offsets.u32`] = new Uint8Array(Uint32Array.from(offsets).buffer);
    files[`imdb/${part}.labels.u8`] = Uint8Array.from(lengths, (_, i) => (i < 20 ? 1 : 0));
  }
  const syllable = (i: number): string => ['ka', 'lo', 'mi', 'ren', 'ás'][Math.floor(5 * noise(i))]!;
  const languages = await loadExample('names');
  for (const [n, file] of Object.keys(languages.files!).entries()) {
    const names = Array.from({ length: 12 }, (_, i) => syllable(40 * n + i) + syllable(40 * n + 3 * i + 13) + i);
    files[file] = `${names.join('\n')}\n`;
  }
  for (const [part, count] of Object.entries({ train: 60, val: 8, test_2016_flickr: 8 })) {
    const lines = (text: (word: string, n: number) => string): Uint8Array =>
      gzipSync(Array.from({ length: count }, (_, i) => `${text(syllable(i), i % 7)}\n`).join(''));
    files[`multi30k/${part}.en.gz`] = lines((word, n) => `a ${word} sees ${n} birds .`);
    files[`multi30k/${part}.fr.gz`] = lines((word, n) => `un ${word} voit ${n} oiseaux .`);
  }
  const { files: requests } = await loadExample('tagging');
  for (const file of Object.keys(requests!)) {
    const text = Array.from(
      { length: 20 },
      (_, i) => `BOS fly to ${syllable(i)} ${i % 2 ? 'city 7' : 'on sunday'} EOS`,
    );
    const tags = (i: number): string =>
      `O O O B-city ${i % 2 ? 'I-city B-day' : 'O B-day'} ${i % 3 ? 'flight' : 'fare'}`;
    files[file] = text.map((line, i) => `${line}\t${tags(i)}\n`).join('');
  }
  Object.assign(files, onnxFiles());
  const wav = (sampleRate: number): Uint8Array =>
    writeWav({ sampleRate, channels: [Float32Array.from({ length: sampleRate / 2 }, (_, i) => noise(i) - 0.5)] });
  files['vad-test-wav/test16k.wav'] = wav(16_000);
  files['vad-test-wav/test.wav'] = wav(44_100);
  files['vad-test-wav/test16k.ref.json'] = JSON.stringify({ silero_vad_v6_faster_whisper_512_with_64_context: [0.5] });
  for (const file of Object.keys(files)) mkdirSync(join(data, dirname(file)), { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(data, file), content);
});

afterAll(() => rmSync(data, { recursive: true }));

/** A picture that an example draws is a whole SVG, a sound is a WAV file. */
const draw = (file: string, content: string | Uint8Array): void => {
  expect(file).toMatch(typeof content === 'string' ? /^[\w-]+\.svg$/ : /^[\w-]+\.wav$/);
  if (typeof content === 'string') expect(content).toMatch(/^<svg .*<\/svg>\n?$/s);
  else expect(readWav(content).channels).toHaveLength(1);
};

describe.each(exampleNames())('example %s', (name) => {
  const isFull = FULL.includes(name);

  test(
    isFull ? 'run as it stands, reaches its targets' : 'run quickly on made-up data, gives a number for each metric',
    async () => {
      const example = await loadExample(name);
      checkFiles(name, example, data);
      const results = await runExample(name, example, { data, seed: 1, log, draw, quick: !isFull });
      expect(results.map(({ metric }) => metric)).toEqual([...new Set(results.map(({ metric }) => metric))]);
      expect(results.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
      expect(results.some(({ target }) => target !== null)).toBe(true);
      if (isFull) expect(results.filter(({ pass }) => !pass)).toEqual([]);
    },
  );
});

test("translate's BLEU, is nltk 3.8's corpus_bleu of the same words", async () => {
  const { bleu } = (await loadExample('translate')) as unknown as {
    bleu(answers: string[][], right: string[][]): number;
  };
  const words = (texts: string[]): string[][] => texts.map((text) => text.split(' '));
  const answers = words([
    "un chien court dans l' herbe verte .",
    'deux hommes jouent de la guitare sur la scène la la',
    'un homme en chemise bleue monte sur une échelle pour nettoyer une fenêtre .',
  ]);
  const right = words([
    "un chien brun court dans l' herbe .",
    'deux hommes jouent de la guitare sur la scène',
    'un homme en chemise bleue est debout sur une échelle pour nettoyer une fenêtre .',
  ]);
  expect(bleu(answers.slice(0, 1), right.slice(0, 1))).toBeCloseTo(42.728700639623405, 10);
  expect(bleu(answers.slice(0, 2), right.slice(0, 2))).toBeCloseTo(66.19895915904469, 10);
  expect(bleu(answers, right)).toBeCloseTo(71.54495972847035, 10);
  expect(bleu([['a', 'b']], [['a', 'b', 'c']])).toBe(0);
  expect(bleu(answers.slice(0, 1), answers.slice(0, 1))).toBeCloseTo(100, 10);
});

test('spans of the tagging example follow conlleval, and have the scores of seqeval', async () => {
  interface Tagging {
    spans(tags: string[]): [first: number, last: number, kind: string][];
    spanScores(wanted: string[][], given: string[][]): { precision: number; recall: number; f1: number };
  }
  const { spans, spanScores } = (await loadExample('tagging')) as unknown as Tagging;
  const split = (text: string): string[] => text.split(' ');
  expect(spans(split('B-a I-a B-a O I-b I-b I-a'))).toEqual([
    [0, 1, 'a'],
    [2, 2, 'a'],
    [4, 5, 'b'],
    [6, 6, 'a'],
  ]);
  // The example of seqeval's README, whose f1_score is 0.50.
  const wanted = [split('O O O B-MISC I-MISC I-MISC O'), split('B-PER I-PER O')];
  const given = [split('O O B-MISC I-MISC I-MISC I-MISC O'), split('B-PER I-PER O')];
  expect(spanScores(wanted, given)).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5 });
  expect(spanScores([split('B-a O B-a')], [split('B-a I-a O')])).toEqual({ precision: 0, recall: 0, f1: 0 });
  const { precision, recall, f1 } = spanScores([split('B-a B-b O B-c')], [split('B-a O O I-c')]);
  expect([precision, recall, f1]).toEqual([1, 2 / 3, 0.8]);
});

test("the outline of the tagging example's request has a kind for each span", async () => {
  const { outline } = (await loadExample('tagging')) as unknown as {
    outline(words: string[], tags: string[]): string[];
  };
  const words = ['From', 'new', 'york', 'new', 'jersey', 'denver', 'flight', '825'];
  const tags = ['O', 'B-from.city', 'I-from.city', 'B-state', 'I-state', 'B-to.city', 'O', 'O'];
  expect(outline(words, tags).join(' ')).toBe('from <city> <state> <city> flight 000');
  expect(words).toHaveLength(8);
  expect(outline([], [])).toEqual([]);
});

test("spans of the vad example follow Silero's rules", async () => {
  interface Vad {
    spansOf(chances: number[]): [from: number, to: number][];
    farthest(spans: number[][], others: number[][]): number;
  }
  const { spansOf, farthest } = (await loadExample('vad')) as unknown as Vad;
  const chances = (text: string): number[] => [...text].map((digit) => Number(digit) / 10);
  const framed = (from: number, to: number): number[] => [0.032 * from - 0.03, 0.032 * to + 0.03];
  const expectSpans = (text: string, wanted: number[][]): void =>
    expect(farthest(spansOf(chances(text)), wanted)).toBeLessThan(1e-9);
  expectSpans('0000', []);
  expectSpans('0099999999000000', [framed(2, 10)]);
  // 96 ms are no speech; 0.4 goes on with a span and begins none.
  expectSpans('0099999999440000444999000000', [framed(2, 12)]);
  expectSpans('0099990099400000', [framed(2, 11)]);
  expectSpans('999999999', [[0, 0.288]]);
  expect(farthest([[0, 1]], [])).toBe(Number.POSITIVE_INFINITY);
  expect(farthest([], [])).toBe(0);
});

test("the denoise example's SI-SDR is that of Le Roux et al. (2019)", async () => {
  const { siSdr } = (await loadExample('denoise')) as unknown as {
    siSdr(estimate: Float64Array, clean: Float64Array): number;
  };
  const [clean, noise] = [Float64Array.of(1, 1, 0, 0), Float64Array.of(0, 0, 0.1, 0.1)];
  expect(
    siSdr(
      clean.map((value, i) => value + noise[i]!),
      clean,
    ),
  ).toBeCloseTo(20, 10);
  expect(
    siSdr(
      clean.map((value, i) => 3 * (value + noise[i]!)),
      clean,
    ),
  ).toBeCloseTo(20, 10);
});

const script = (path: string, ...args: string[]): string =>
  execFileSync(process.execPath, ['--import', 'tsx', fileURLToPath(new URL(path, import.meta.url)), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

describe('running examples', () => {
  const example = (outcome: object): Example => ({
    about: '',
    run: async () => [{ metric: 'm', value: 2, ...outcome }],
  });
  const judged = async (outcome: object) =>
    (await runExample('e', example(outcome), { data, seed: 1, log, draw })).map(({ target, pass }) => [
      target,
      pass,
    ])[0];

  test('a value and its bound give target and pass, NaN never passes, no bound is only reported', async () => {
    expect(await judged({ atLeast: 2 })).toEqual(['≥ 2', true]);
    expect(await judged({ atLeast: 2.1 })).toEqual(['≥ 2.1', false]);
    expect(await judged({ atMost: 2 })).toEqual(['≤ 2', true]);
    expect(await judged({ atMost: 1.9 })).toEqual(['≤ 1.9', false]);
    expect(await judged({ near: [1.5, 0.5] })).toEqual(['1.5 ± 0.5', true]);
    expect(await judged({ near: [1, 0.5] })).toEqual(['1 ± 0.5', false]);
    expect(await judged({ value: Number.NaN, atMost: 9 })).toEqual(['≤ 9', false]);
    expect(await judged({})).toEqual([null, true]);
  });

  test('numbers of a table have four digits', () => {
    expect([0.98765, 41.7392, 3, 0.000123456, 0].map(shown)).toEqual(['0.9877', '41.74', '3', '1.23e-4', '0']);
  });

  test('a table has a row for each result, and marks what was missed', () => {
    const row = { name: 'e', metric: 'm', value: 0.5, target: '≥ 1', pass: false, seconds: 1 };
    expect(table([row]).split('\n').at(-1)).toBe('| e       | m      | 0.5000 | ≥ 1    | **no**  | 1 s  |');
  });

  test('a file that is not there is named with its source, before anything runs', async () => {
    const airline = await loadExample('airline');
    expect(() => checkFiles('airline', airline, '/nowhere')).toThrow(
      /^airline: \/nowhere\/airline-passengers.csv is not there; it comes from https:\/\//,
    );
    expect(() => checkFiles('airline', airline, undefined)).toThrow(/--data expected the folder .* got none/);
  });

  test('an unknown name is refused with the names there are', async () => {
    await expect(loadExample('nothing')).rejects.toThrow(/expected an example of airline, .*; got 'nothing'/);
  });

  test('without a name the examples are listed, each with a line', () => {
    const listed = script('../scripts/examples.ts');
    for (const name of exampleNames()) expect(listed).toMatch(new RegExp(`^${name} +\\S.*\\.$`, 'm'));
  });

  test('a flag that is none ends with one line and code 2', () => {
    for (const path of ['../scripts/examples.ts', '../acceptance/run.ts']) {
      expect(() => script(path, '--wrong')).toThrow(expect.objectContaining({ status: 2 }));
    }
  });

  test('acceptance of one example, with --json, writes the rows it prints, and its targets are reached', async () => {
    const json = join(data, 'results.json');
    const { readFileSync } = await import('node:fs');
    const printed = script('../acceptance/run.ts', '--only', 'streaming', '--json', json);
    const rows = JSON.parse(readFileSync(json, 'utf8')) as { pass: boolean }[];
    expect(rows.filter(({ pass }) => !pass)).toEqual([]);
    expect(Object.keys(rows[0]!)).toEqual(['name', 'metric', 'value', 'target', 'pass', 'seconds']);
    expect(printed.match(/^\| streaming/gm)).toHaveLength(rows.length);
  });
});
