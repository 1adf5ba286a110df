import { describe, expect, test } from 'vitest';
import { type Model, ModelFileError, ndarray } from '../../src/index.ts';
import { importCharRnn } from '../../src/tfjs.ts';

const [CHARACTERS, WIDTH, UNITS] = [3, 2, 2];
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Numbers that differ from each other. */
const numbers = (count: number, from: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(from + 1.7 * i));

const weights: Record<string, { shape: number[]; data: Float32Array }> = {
  embedding: { shape: [CHARACTERS, WIDTH], data: numbers(6, 1) },
  'rnnlm/multi_rnn_cell/cell_0/basic_lstm_cell/weights': { shape: [WIDTH + UNITS, 4 * UNITS], data: numbers(32, 2) },
  'rnnlm/multi_rnn_cell/cell_0/basic_lstm_cell/biases': { shape: [4 * UNITS], data: numbers(8, 3) },
  'rnnlm/multi_rnn_cell/cell_1/basic_lstm_cell/kernel': { shape: [2 * UNITS, 4 * UNITS], data: numbers(32, 4) },
  'rnnlm/multi_rnn_cell/cell_1/basic_lstm_cell/bias': { shape: [4 * UNITS], data: numbers(8, 5) },
  'rnnlm/softmax_w': { shape: [UNITS, CHARACTERS], data: numbers(6, 6) },
  'rnnlm/softmax_b': { shape: [CHARACTERS], data: numbers(3, 7) },
};
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** The files, with the changed entries of the manifest. */
function folder(changes: Record<string, object | undefined> = {}, vocab: object = { a: 1, b: 0, c: 2 }) {
  const entries = Object.entries(weights).map(([name, { shape }]) => [
    name,
    { filename: name.replaceAll('/', '_'), shape },
  ]);
  const manifest = { ...Object.fromEntries(entries), ...changes };
  const files = Object.entries(weights).map(([name, { data }]) => [name.replaceAll('/', '_'), data.buffer] as const);
  return { 'manifest.json': json(manifest), 'vocab.json': json(vocab), ...Object.fromEntries(files) };
}

/** TensorFlow 1's BasicLSTMCell: [i, j, f, o] = [x; h]·W + b, c ← c·σ(f + 1) + σ(i)·tanh(j), h = tanh(c)·σ(o). */
function expectedOf(ids: readonly number[]): number[] {
  const cells = [0, 1].map((i) => {
    const [kernel, bias] = Object.values(weights)
      .slice(1 + 2 * i, 3 + 2 * i)
      .map(({ data }) => data);
    return { kernel: kernel!, bias: bias!, h: new Array(UNITS).fill(0), c: new Array(UNITS).fill(0) };
  });
  const [w, b] = Object.values(weights)
    .slice(5)
    .map(({ data }) => data);
  return ids.flatMap((id) => {
    let x: number[] = [...weights.embedding!.data.subarray(id * WIDTH, (id + 1) * WIDTH)];
    for (const cell of cells) {
      const rows = [...x, ...cell.h];
      const z = Array.from(
        cell.bias,
        (bias, j) => bias + rows.reduce((sum, value, i) => sum + value * cell.kernel[i * 4 * UNITS + j]!, 0),
      );
      const gate = (k: number, unit: number): number => z[k * UNITS + unit]!;
      cell.c = cell.c.map((c, u) => c * sigmoid(gate(2, u) + 1) + sigmoid(gate(0, u)) * Math.tanh(gate(1, u)));
      cell.h = cell.c.map((c, u) => Math.tanh(c) * sigmoid(gate(3, u)));
      x = cell.h;
    }
    const logits = Array.from(
      b!,
      (bias, j) => bias + x.reduce((sum, value, i) => sum + value * w![i * CHARACTERS + j]!, 0),
    );
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    return logits.map((logit) => Math.exp(logit) / total);
  });
}

describe('importCharRnn', () => {
  test('gives the probabilities of TensorFlow 1, and the characters by their ids', () => {
    const { model, vocabulary } = importCharRnn(folder());
    const ids = [0, 2, 1, 1];
    const y = (model as Model).predict(ndarray(Int32Array.from(ids), [1, 4])).data;
    for (const [i, value] of expectedOf(ids).entries()) expect(y[i]).toBeCloseTo(value, 6);
    expect(y.length).toBe(12);
    expect(vocabulary).toEqual(['b', 'a', 'c']);
  });

  test.each<[string, object, object | undefined, string]>([
    [
      'a missing weight',
      { 'rnnlm/softmax_b': undefined },
      undefined,
      'manifest.json expected a weight with softmax_b$',
    ],
    [
      'another size',
      { 'rnnlm/softmax_b': { filename: 'rnnlm_softmax_b', shape: [4] } },
      undefined,
      '12 bytes do not make the shape [4]',
    ],
    [
      'a shape that does not fit',
      { 'rnnlm/softmax_w': { filename: 'rnnlm_softmax_w', shape: [3, 2] } },
      undefined,
      'expected [2, 3], got [3, 2]',
    ],
    [
      'a missing file',
      { 'rnnlm/softmax_b': { filename: 'none', shape: [3] } },
      undefined,
      'file "none" expected its bytes, got none',
    ],
    ['an id twice', {}, { a: 0, b: 0, c: 1 }, 'vocab.json expected an id of its own for "b", got 0'],
    ['fewer characters', {}, { a: 0, b: 1 }, 'vocab.json expected 3 characters, got 2'],
    ['an id too large', {}, { a: 0, b: 1, c: 1e9 }, 'vocab.json expected ids from 0 to 1000000000, got fewer'],
  ])('%s, is one error', (_, changes, vocab, message) => {
    const call = (): unknown => importCharRnn(folder(changes as never, vocab), { file: 'woolf' });
    expect(call).toThrow(ModelFileError);
    expect(call).toThrow(message);
    expect(call).toThrow('woolf');
  });
});
