// The computations of the page's workers, without a page.
import type { Layer, Model } from 'tapeloop';
import { decodeRun } from 'tapeloop/characters';
import { describe, expect, test } from 'vitest';
import type { CellName } from '../../examples/demo/protocol.ts';
import { bracketsText } from '../../examples/demo/worker/brackets.ts';
import { gradientFlow } from '../../examples/demo/worker/gradient-flow.ts';
import { inspectText } from '../../examples/demo/worker/inspect.ts';
import { attachText, fileOf, newRun, trainStep } from '../../examples/demo/worker/run.ts';
import { plainGates } from './plain-gates.ts';

const text = bracketsText(4000);
const cells: CellName[] = ['lstm', 'gru', 'rnn'];

describe('inspectText', () => {
  for (const cell of cells) {
    test(`of a trained ${cell}, both layers, equals a plain computation in float64`, async () => {
      const run = newRun(text, { cell, layers: 2, hidden: 12 });
      const { streams } = await attachText(run, text);
      for (let i = 0; i < 5; i++) trainStep(run, streams);
      const ids = [...text.slice(0, 40)].map((character) => run.vocabulary.indexOf(character));
      for (const layer of [0, 1]) {
        const found = inspectText(run.model, ids, layer);
        const expected = plainGates(run.model, ids, layer);
        expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
        for (const [name, rows] of Object.entries(expected)) {
          const worst = Math.max(
            ...rows.flatMap((row, t) => [...row].map((x, u) => Math.abs(x - found[name][t * 12 + u]))),
          );
          expect(worst, `${cell} layer ${layer} ${name}`).toBeLessThan(1e-5);
        }
      }
    });
  }

  test('leaves the states that training carries as they were', async () => {
    const run = newRun(text, { cell: 'lstm', layers: 1, hidden: 8 });
    trainStep(run, (await attachText(run, text)).streams);
    const before = run.model.trainer.statefulLayers[0].carried.values;
    inspectText(run.model, [1, 2, 3], 0);
    expect(run.model.trainer.statefulLayers[0].carried.values).toEqual(before);
  });
});

describe('gradientFlow', () => {
  const make = (cell: 'lstm' | 'rnn'): { model: Model; parts: Parameters<typeof gradientFlow>[0] } => {
    const { model } = newRun(text, { cell, layers: 1, hidden: 6 });
    const [embedding, recurrent, dense] = model.layers as Layer[];
    return { model, parts: { embedding, recurrent, dense } };
  };

  for (const cell of ['lstm', 'rnn'] as const) {
    test(`of ${cell}, at the last step, is what the output layer sends back`, () => {
      const { model, parts } = make(cell);
      const ids = Int32Array.from([1, 4, 2, 3, 0, 5]);
      const [kernel, bias] = parts.dense.weights.map((weight) => weight.toArray());
      const vocabulary = bias.length;
      const { hidden } = gradientFlow(parts, ids, Int32Array.of(2));
      const h = inspectText(model, ids, 0).h.slice(-6);
      const logits = Array.from(bias, (b, v) =>
        h.reduce((sum, value, u) => sum + value * kernel[u * vocabulary + v], b),
      );
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      const dLogits = logits.map((logit, v) => Math.exp(logit) / total - (v === 2 ? 1 : 0));
      const dh = Array.from(h, (_, u) => dLogits.reduce((sum, d, v) => sum + d * kernel[u * vocabulary + v], 0));
      expect(hidden.at(-1)).toBeCloseTo(Math.hypot(...dh), 5);
      expect(hidden).toHaveLength(6);
    });
  }

  test('of a linear recurrence, is the power of its recurrent kernel', () => {
    const { parts } = make('rnn');
    // Nothing comes in and tanh is near its slope of 1, so that each step back multiplies by U, which halves.
    const [kernel, recurrentKernel, bias] = parts.recurrent.weights;
    kernel.assign(new Float32Array(kernel.size));
    bias.assign(new Float32Array(bias.size));
    recurrentKernel.assign(Float32Array.from({ length: 36 }, (_, i) => (i % 7 === 0 ? 0.5 : 0)));
    const { hidden } = gradientFlow(parts, Int32Array.from([1, 2, 3, 4]), Int32Array.of(0));
    hidden.forEach((norm, t) => expect(norm / hidden[3]).toBeCloseTo(0.5 ** (3 - t), 6));
  });
});

describe('a run', () => {
  test('that is saved and read again, goes on bit for bit', async () => {
    const run = newRun(text, { cell: 'gru', layers: 1, hidden: 8 });
    const { streams } = await attachText(run, text);
    for (let i = 0; i < 3; i++) trainStep(run, streams);
    const again = decodeRun(fileOf(run), 'file');
    const attached = await attachText(again, text);
    expect(attached.continues).toBe(true);
    for (let i = 0; i < 3; i++) expect(trainStep(again, attached.streams)).toEqual(trainStep(run, streams));
  });

  test('on another text, begins it and says so; on one with a new character, refuses it by name', async () => {
    const run = newRun(text, { cell: 'rnn', layers: 1, hidden: 4 });
    trainStep(run, (await attachText(run, text)).streams);
    expect((await attachText(run, text.slice(100))).continues).toBe(false);
    await expect(attachText(run, `${text}é`)).rejects.toThrow(/new one for it: character "é" \(U\+00E9\)/);
  });

  test('on a text that is too short, says how many characters it takes', async () => {
    const run = newRun('abc', { cell: 'rnn', layers: 1, hidden: 4 });
    await expect(attachText(run, 'abc')).rejects.toThrow('expected 1779 characters or more to train on, got 3');
  });
});

test('bracketsText closes all that it opens, in order', () => {
  const open: string[] = [];
  for (const character of text) {
    if ('([{'.includes(character)) open.push(character);
    else if (')]}'.includes(character)) expect('([{'.indexOf(open.pop() ?? '?')).toBe(')]}'.indexOf(character));
    else if (character === '\n') expect(open).toEqual([]);
  }
  expect(new Set(text).size).toBe(11);
});
