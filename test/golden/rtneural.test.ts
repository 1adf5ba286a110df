// Files of RTNeural against PyTorch. rtneural.py makes the numbers.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { exportRtNeural, importRtNeural } from '../../src/audio-models.ts';
import { init } from '../../src/engine/engine.ts';
import { decodeModel, encodeModel, ndarray } from '../../src/index.ts';
import { modes } from '../engine/modes.ts';
import { expectOutput } from './expect-close.ts';

interface Case {
  name: string;
  file: object;
  x: number[][];
  y: number[][];
}

const { cases } = JSON.parse(readFileSync(new URL('rtneural.json', import.meta.url), 'utf8')) as { cases: Case[] };

describe.each(modes)('in %s mode', (mode) => {
  beforeAll(() => init({ mode }));

  test.each(cases)('$name, matches PyTorch, also after a model file and an export', ({ name, file, x, y }) => {
    const { model, metadata } = importRtNeural(file);
    const batch = ndarray(Float32Array.from(x.flat()), [1, x.length, x[0]!.length]);
    const whole = model.predict(batch).data;
    expectOutput(name, whole, { shape: [y.length, y[0]!.length], values: y.flat() });
    const again = importRtNeural(exportRtNeural(decodeModel(encodeModel(model)).model, { metadata }));
    expect([...again.model.predict(batch).data]).toEqual([...whole]);
    expect(again.metadata).toEqual(metadata);
    expect([...again.model.weights].map((weight) => [...weight.toArray()])).toEqual(
      [...model.weights].map((weight) => [...weight.toArray()]),
    );
  });
});
