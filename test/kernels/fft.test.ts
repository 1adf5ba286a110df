// Fourier transforms against their definition in float64.
import { describe, expect, test } from 'vitest';
import { sizeOfPlan, writePlan } from '../../src/audio/fft/plan.ts';
import { expectClose, expectSameBits } from './compare.ts';
import { inverse, spectrum } from './reference/fourier.ts';
import { values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

/** Every factor, alone and after others, and lengths of use in audio. */
const lengths = [
  ...Array.from({ length: 34 }, (_, i) => i + 1),
  ...[36, 40, 42, 45, 48, 49, 50, 60, 64, 70, 77, 80, 97, 100, 121, 125, 128, 160, 194, 225, 240, 256],
  ...[320, 343, 400, 441, 480, 512, 640, 882, 1009, 1024, 2018, 2048],
];

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build, 64);
  const { audio } = sandbox;
  const planOf = (n: number): number => {
    const words = new Int32Array(sizeOfPlan(n));
    writePlan(n, words);
    return sandbox.i32(words);
  };

  test.each(lengths)('rfft and irfft of length %i match the definition', (n) => {
    const bins = Math.floor(n / 2) + 1;
    const batch = 2;
    const [step, scale, edges] = [n + 3, 0.75, 0.5];
    const x = values((batch - 1) * step + n, n);
    const window = values(n, 7);
    const y = values(batch * bins * 2, 8);
    const before = values(x.length, 9);
    // The error of a transform grows with the number of passes. Sums have n terms below 1.
    const tolerance = { absolute: 4e-7 * Math.sqrt(n) * Math.log2(n + 1) };
    const ofOne = (i: number): number => (i === 0 || 2 * i === n ? edges : 1);
    const spectraOf = (windowed: boolean): number[] =>
      Array.from({ length: batch }, (_, b) =>
        spectrum(Array.from({ length: n }, (_, j) => x[b * step + j]! * (windowed ? window[j]! : 1))),
      ).flatMap((each) => each.map((v, i) => v * scale * ofOne(i >> 1)));
    const expected = [spectraOf(false), spectraOf(true)];
    const signals = Array.from({ length: batch }, (_, b) =>
      inverse(
        Array.from(y.subarray(b * bins * 2, (b + 1) * bins * 2), (v, i) => v * ofOne(i >> 1)),
        n,
      ),
    );
    for (const misaligned of [false, true]) {
      for (const windowed of [false, true]) {
        sandbox.clear();
        const plan = planOf(n);
        const work = sandbox.f32(4 * n, misaligned);
        const [xAt, wAt] = [sandbox.f32(x, misaligned), windowed ? sandbox.f32(window, misaligned) : 0];
        const yAt = sandbox.f32(batch * bins * 2, misaligned);
        audio.rfft(batch, n, plan, xAt, step, wAt, yAt, scale, edges, work);
        const [spectra, sums] = [sandbox.f32(y, misaligned), sandbox.f32(before, misaligned)];
        const written = sandbox.f32(before, misaligned);
        audio.irfft(batch, n, plan, spectra, sums, step, wAt, scale / n, edges, 1, work);
        audio.irfft(batch, n, plan, spectra, written, step, wAt, scale / n, edges, 0, work);
        sandbox.checkFences();

        const weigh = (j: number): number => (windowed ? window[j]! : 1);
        const got = sandbox.read(yAt, y.length);
        expectClose(got, expected[windowed ? 1 : 0]!, tolerance, `rfft of ${n}`);
        const [total, replaced] = [Float64Array.from(before), Float64Array.from(before)];
        signals.forEach((signal, b) => {
          signal.forEach((v, j) => {
            total[b * step + j]! += v * scale * weigh(j);
            replaced[b * step + j] = v * scale * weigh(j);
          });
        });
        expectClose(sandbox.read(sums, x.length), total, { absolute: 1e-6 }, `irfft of ${n}, added`);
        expectClose(sandbox.read(written, x.length), replaced, { absolute: 1e-6 }, `irfft of ${n}`);
        for (let b = 0; b < batch; b++) {
          expect(got[b * bins * 2 + 1], 'the imaginary part of bin 0').toBe(0);
          if (n % 2 === 0) expect(got[(b + 1) * bins * 2 - 1], 'that of the last bin').toBe(0);
        }
      }
    }
  });

  test('sequences that overlap have the bits that each has alone', () => {
    const [n, hop, batch] = [48, 7, 6];
    const bins = n / 2 + 1;
    const x = values((batch - 1) * hop + n, 3);
    sandbox.clear();
    const [plan, work, xAt] = [planOf(n), sandbox.f32(4 * n), sandbox.f32(x)];
    const [together, alone] = [sandbox.f32(batch * bins * 2), sandbox.f32(batch * bins * 2)];
    audio.rfft(batch, n, plan, xAt, hop, 0, together, 1, 1, work);
    for (let i = 0; i < batch; i++) audio.rfft(1, n, plan, xAt + 4 * i * hop, 0, 0, alone + 8 * i * bins, 1, 1, work);
    expectSameBits(sandbox.read(together, batch * bins * 2), sandbox.read(alone, batch * bins * 2), 'overlapping');
  });

  test('a batch of 0 writes nothing', () => {
    sandbox.clear();
    const [plan, work] = [planOf(8), sandbox.f32(32)];
    const [xAt, yAt] = [sandbox.f32(8), sandbox.f32(10)];
    audio.rfft(0, 8, plan, xAt, 8, 0, yAt, 1, 1, work);
    audio.irfft(0, 8, plan, yAt, xAt, 8, 0, 1, 1, 1, work);
    sandbox.checkFences();
    expect(sandbox.read(yAt, 10).every(Number.isNaN)).toBe(true);
  });
});
