// Fourier transforms, framing and features by their definitions.

import type { PadMode, StftOptions } from '../../../src/audio.ts';
import * as audio from '../../../src/audio.ts';
import { inverse, spectrum } from '../../kernels/reference/fourier.ts';
import { byRow, type GradientCase, map } from './case.ts';

const rfftCases = [1, 2, 5, 8, 12, 14].map(
  (n): GradientCase => ({
    of: 'rfft',
    variant: `of length ${n}`,
    arguments: [{ shape: [3, n] }],
    run: (x) => audio.rfft(x!),
    shape: [3, Math.floor(n / 2) + 1, 2],
    reference: (x) => byRow(x!, n, spectrum),
  }),
);

const irfftCases = [1, 2, 5, 8, 12, 14].map((n): GradientCase => {
  const bins = Math.floor(n / 2) + 1;
  return {
    of: 'irfft',
    variant: `of length ${n}`,
    arguments: [{ shape: [3, bins, 2] }],
    run: (y) => audio.irfft(y!, { n }),
    shape: [3, n],
    reference: (y) => byRow(y!, 2 * bins, (row) => inverse(row, n)),
  };
});

const fitted: GradientCase[] = [
  {
    of: 'rfft',
    variant: 'of fewer samples, divided by √n',
    arguments: [{ shape: [2, 9] }],
    run: (x) => audio.rfft(x!, { n: 6, norm: 'ortho' }),
    reference: (x) => byRow(x!, 9, (row) => spectrum(row.subarray(0, 6)).map((v) => v / Math.sqrt(6))),
  },
  {
    of: 'rfft',
    variant: 'with zeros behind, divided by n',
    arguments: [{ shape: [2, 5] }],
    run: (x) => audio.rfft(x!, { n: 7, norm: 'forward' }),
    reference: (x) => byRow(x!, 5, (row) => spectrum([...row, 0, 0]).map((v) => v / 7)),
  },
  {
    of: 'irfft',
    variant: 'with bins of 0 above, times n',
    arguments: [{ shape: [2, 3, 2] }],
    run: (y) => audio.irfft(y!, { n: 7, norm: 'forward' }),
    reference: (y) => byRow(y!, 6, (row) => inverse([...row, 0, 0], 7).map((v) => v * 7)),
  },
];

/** Periodic Hann window. */
const hann = (n: number): number[] => Array.from({ length: n }, (_, k) => 0.5 - 0.5 * Math.cos((2 * Math.PI * k) / n));
const around = (x: ArrayLike<number>, pad: number, mode: PadMode): number[] =>
  Array.from({ length: x.length + 2 * pad }, (_, i) => {
    const at = i - pad;
    if (at >= 0 && at < x.length) return x[at]!;
    if (mode === 'constant') return 0;
    return x[at < 0 ? -at : 2 * (x.length - 1) - at]!;
  });

interface Variant extends StftOptions {
  samples: number;
  hopLength: number;
}

const VARIANTS: Variant[] = [
  { samples: 12, nFft: 8, hopLength: 2 },
  { samples: 11, nFft: 7, hopLength: 3, padMode: 'constant' },
  { samples: 13, nFft: 6, hopLength: 4, center: false },
  { samples: 9, nFft: 5, hopLength: 7, normalized: true, onesided: false },
  { samples: 10, nFft: 6, hopLength: 3, winLength: 3, onesided: false },
];

function frames({ samples: _, ...options }: Variant, x: ArrayLike<number>): number[][] {
  const { nFft: n, hopLength: hop, winLength = n, center = true, padMode = 'reflect', normalized = false } = options;
  const pad = center ? Math.floor(n / 2) : 0;
  const padded = around(x, pad, padMode);
  const left = Math.floor((n - winLength) / 2);
  const window = around(hann(winLength), 0, 'constant');
  const scale = normalized ? 1 / Math.sqrt(n) : 1;
  return Array.from({ length: 1 + Math.floor((padded.length - n) / hop) }, (_, t) => {
    const frame = Array.from({ length: n }, (_, j) => padded[t * hop + j]! * (window[j - left] ?? 0) * scale);
    const lower = spectrum(frame);
    if (options.onesided !== false) return lower;
    const upper = Array.from({ length: n - Math.floor(n / 2) - 1 }, (_, i) => {
      const k = Math.ceil(n / 2) - 1 - i;
      return [lower[2 * k]!, -lower[2 * k + 1]!];
    });
    return [...lower, ...upper.flat()];
  });
}

const stftCases = VARIANTS.map((variant): GradientCase => {
  const { samples, ...options } = variant;
  return {
    of: 'stft',
    variant: JSON.stringify(variant),
    arguments: [{ shape: [2, samples] }],
    run: (x) => audio.stft(x!, options),
    reference: (x) => byRow(x!, samples, (row) => frames(variant, row).flat()),
  };
});

const istftCases = [
  { count: 5, nFft: 8, hopLength: 2 },
  { count: 4, nFft: 7, hopLength: 3, length: 8 },
  { count: 3, nFft: 6, hopLength: 2, normalized: true, length: 12 },
  { count: 4, nFft: 6, hopLength: 1, winLength: 4, onesided: false },
].map(({ count, ...options }): GradientCase => {
  const { nFft: n, hopLength: hop, winLength = n, normalized = false, onesided = true } = options;
  const bins = onesided ? Math.floor(n / 2) + 1 : n;
  const left = Math.floor((n - winLength) / 2);
  const window = Array.from({ length: n }, (_, j) => hann(winLength)[j - left] ?? 0);
  const pad = Math.floor(n / 2);
  const covered = n + hop * (count - 1);
  const length = options.length ?? covered - 2 * pad;
  return {
    of: 'istft',
    variant: JSON.stringify({ count, ...options }),
    arguments: [{ shape: [2, count, bins, 2] }],
    run: (y) => audio.istft(y!, options),
    shape: [2, length],
    reference: (y) =>
      byRow(y!, count * bins * 2, (row) => {
        const [total, squares] = [new Float64Array(covered), new Float64Array(covered)];
        for (let t = 0; t < count; t++) {
          const frame = inverse(row.subarray(t * bins * 2, (t + 1) * bins * 2), n);
          for (let j = 0; j < n; j++) {
            total[t * hop + j]! += frame[j]! * window[j]! * (normalized ? Math.sqrt(n) : 1);
            squares[t * hop + j]! += window[j]! ** 2;
          }
        }
        return Array.from({ length }, (_, i) => (pad + i < covered ? total[pad + i]! / squares[pad + i]! : 0));
      }),
  };
});

const power = (row: ArrayLike<number>): number[] =>
  Array.from({ length: row.length / 2 }, (_, k) => row[2 * k]! ** 2 + row[2 * k + 1]! ** 2);
const options = { sampleRate: 2000, nFft: 8, hopLength: 4, nMels: 3, melScale: 'htk', norm: 'none' } as const;
const mel = (f: number): number => 2595 * Math.log10(1 + f / 700);
const edges = Array.from({ length: 5 }, (_, i) => 700 * (10 ** ((mel(1000) * i) / 4 / 2595) - 1));
const bank = (k: number, m: number): number => {
  const f = k * 250;
  return Math.max(
    0,
    Math.min((f - edges[m]!) / (edges[m + 1]! - edges[m]!), (edges[m + 2]! - f) / (edges[m + 2]! - edges[m + 1]!)),
  );
};
const mels = (x: ArrayLike<number>): number[] =>
  frames({ samples: 12, ...options }, x).flatMap((frame) =>
    [0, 1, 2].map((m) => power(frame).reduce((sum, p, k) => sum + p * bank(k, m), 0)),
  );

const featureCases: GradientCase[] = [
  {
    of: 'magnitude',
    variant: 'of spectra',
    arguments: [{ shape: [3, 4, 2] }],
    run: (y) => audio.magnitude(y!),
    shape: [3, 4],
    reference: (y) => Float64Array.from(power(y!).map(Math.sqrt)),
  },
  {
    of: 'magnitude',
    variant: 'squared',
    arguments: [{ shape: [3, 4, 2] }],
    run: (y) => audio.magnitude(y!, { power: 2 }),
    reference: (y) => Float64Array.from(power(y!)),
  },
  {
    of: 'amplitudeToDb',
    variant: 'with a least value',
    arguments: [{ shape: [3, 5], low: 0.1 }],
    run: (x) => audio.amplitudeToDb(x!, { amin: 0.3, ref: 0.5 }),
    reference: (x) => map(x!, (v) => 20 * Math.log10(Math.max(v, 0.3)) - 20 * Math.log10(0.5)),
  },
  {
    of: 'powerToDb',
    variant: 'cut below the largest',
    arguments: [{ shape: [3, 5], low: 0.1 }],
    run: (x) => audio.powerToDb(x!, { topDb: 3 }),
    reference: (x) => map(x!, (v) => 10 * Math.log10(Math.max(v, Math.max(...x!) / 10 ** 0.3))),
  },
  {
    of: 'melSpectrogram',
    variant: JSON.stringify(options),
    arguments: [{ shape: [2, 12] }],
    run: (x) => audio.melSpectrogram(x!, options),
    shape: [2, 4, 3],
    reference: (x) => byRow(x!, 12, mels),
  },
  {
    of: 'logMelSpectrogram',
    variant: JSON.stringify(options),
    arguments: [{ shape: [2, 12] }],
    run: (x) => audio.logMelSpectrogram(x!, { ...options, amin: 0.5 }),
    reference: (x) => byRow(x!, 12, (row) => mels(row).map((v) => Math.log(Math.max(v, 0.5)))),
  },
];

export const audioCases: GradientCase[] = [
  ...rfftCases,
  ...irfftCases,
  ...fitted,
  ...stftCases,
  ...istftCases,
  ...featureCases,
];
