// Files of Neural Amp Modeler against a float64 evaluation of its formulas. nam.py makes the numbers.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { exportNam, importNam } from '../../src/audio-models.ts';
import { init } from '../../src/engine/engine.ts';
import { decodeModel, encodeModel, ndarray } from '../../src/index.ts';
import { modes } from '../engine/modes.ts';
import { expectOutput } from './expect-close.ts';

interface Case {
  name: string;
  file: { weights: number[]; config: object; metadata: object };
  x: number[];
  y: number[];
}

const { cases } = JSON.parse(readFileSync(new URL('nam.json', import.meta.url), 'utf8')) as { cases: Case[] };

describe.each(modes)('in %s mode', (mode) => {
  beforeAll(() => init({ mode }));

  test.each(cases)('.nam $name, matches the reference, also after a stream, a model file and an export', (golden) => {
    const { file, x, y } = golden;
    const { model, sampleRate, metadata } = importNam(file);
    const batch = ndarray(Float32Array.from(x), [1, x.length, 1]);
    const whole = model.predict(batch).data;
    expectOutput(golden.name, whole, { shape: [y.length], values: y });
    expect(sampleRate).toBe(48_000);
    expect(metadata).toEqual(file.metadata);

    const stream = model.stream({ maxSteps: 7 });
    const live = x.flatMap((_, t) => (t % 7 ? [] : [...stream.steps(x.slice(t, t + 7), Math.min(7, x.length - t))]));
    expect(live).toEqual([...whole]);

    const again = importNam(exportNam(decodeModel(encodeModel(model)).model, { sampleRate: 48_000, metadata }));
    expect([...again.model.predict(batch).data]).toEqual([...whole]);
    const written = JSON.parse(new TextDecoder().decode(exportNam(model, { metadata }))) as Case['file'];
    expect(written.weights).toEqual([...Float32Array.from(file.weights)]);
    expect(written.config).toMatchObject({
      ...file.config,
      ...('head_scale' in file.config && { head_scale: Math.fround(0.02) }),
    });
    expect(written.metadata).toEqual(file.metadata);
  });
});
