// Mel filters, mel spectrograms and decibels against librosa's values. audio_features.py makes the numbers.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { amplitudeToDb, melFilters, melSpectrogram, powerToDb } from '../../src/audio.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { expectOutput } from './expect-close.ts';
import type { GoldenTensor } from './load.ts';

interface Golden {
  filters: { options: Parameters<typeof melFilters>[0]; values: GoldenTensor }[];
  spectrograms: { options: Parameters<typeof melSpectrogram>[1]; x: GoldenTensor; y: GoldenTensor }[];
  decibels: { options: object; x: GoldenTensor; amplitude: GoldenTensor; power: GoldenTensor }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('audio-features.json', import.meta.url), 'utf8'));
const tensorOf = ({ values, shape }: GoldenTensor) => tensor(Float32Array.from(values), { shape });

test.each(golden.filters.map((c) => [JSON.stringify(c.options), c] as const))(
  'mel filters %s match librosa',
  (_, { options, values }) => {
    const filters = melFilters(options);
    expect(filters.shape).toEqual(values.shape);
    expectOutput('filters', filters.toArray(), values);
  },
);

test.each(golden.spectrograms.map((c) => [JSON.stringify(c.options), c] as const))(
  'mel spectrogram %s matches librosa',
  (_, { options, x, y }) => {
    const mels = melSpectrogram(tensorOf(x), options);
    expect(mels.shape).toEqual(y.shape);
    expectOutput('mel spectrogram', mels.toArray(), y);
  },
);

test.each(golden.decibels.map((c) => [JSON.stringify(c.options), c] as const))(
  'decibels with %s match librosa',
  (_, { options, x, amplitude, power }) => {
    expectOutput('amplitudes', amplitudeToDb(tensorOf(x), options).toArray(), amplitude);
    expectOutput('powers', powerToDb(tensorOf(x), options).toArray(), power);
  },
);
