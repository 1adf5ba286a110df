// Streams against stft and istft on the whole signal: equal bits, for chunks of any length.
import { beforeAll, describe, expect, test } from 'vitest';
import { istft, istftStream, type StftStreamOptions, stft, stftStream } from '../../src/audio.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { modes } from '../engine/modes.ts';
import { expectSameBits } from '../kernels/compare.ts';
import { integers, values } from '../kernels/reference/values.ts';

const variants: StftStreamOptions[] = [
  { nFft: 8 },
  { nFft: 16, hopLength: 3 },
  { nFft: 16, hopLength: 4, padMode: 'constant' },
  { nFft: 16, hopLength: 5, center: false, window: 'hamming' },
  { nFft: 9, hopLength: 2, window: 'blackman', normalized: true },
  { nFft: 12, hopLength: 6, winLength: 8, window: 'hamming' },
  { nFft: 10, hopLength: 10, window: 'rectangular' },
  { nFft: 10, hopLength: 8, window: 'rectangular', padMode: 'constant' },
  { nFft: 1, hopLength: 1, window: 'rectangular' },
];

/** Of what `push` and `flush` return, all numbers one after the other. */
function pieces(
  stream: { push(chunk: ArrayLike<number>): Float32Array; flush(): Float32Array },
  whole: Float32Array,
  unit: number,
  lengths: readonly number[],
): Float32Array {
  const made: number[] = [];
  for (let from = 0, i = 0; from < whole.length; i++) {
    const to = from + unit * lengths[i % lengths.length]!;
    made.push(...stream.push(whole.subarray(from, to)));
    from = to;
  }
  made.push(...stream.flush());
  return Float32Array.from(made);
}

const chunkings = [[1], [7], [100_000], [0, 1, 30, 2, 0, 9], Array.from(integers(20, 40, 3), (n) => n + 1)];

describe.each(modes)('in %s mode', (mode) => {
  beforeAll(async () => {
    await init({ mode });
  });

  test.each(variants)('stftStream %j has the bits of stft, in chunks of any length', (options) => {
    const stream = stftStream(options);
    for (const length of [options.nFft, options.nFft + 1, 61, 5000]) {
      const x = values(length, length);
      const whole = stft(tensor(x), options).toArray();
      for (const chunks of length > 1000 ? chunkings.slice(2) : chunkings) {
        expectSameBits(pieces(stream, x, 1, chunks), whole, `${length} samples in chunks of ${chunks}`);
      }
    }
    stream.dispose();
  });

  test.each(variants)('istftStream %j has the bits of istft, in any number of frames', ({ padMode: _, ...options }) => {
    const stream = istftStream(options);
    const bins = Math.floor(options.nFft / 2) + 1;
    for (const frames of [2, 3, 40]) {
      const y = values(frames * bins * 2, frames);
      const whole = istft(tensor(y, { shape: [frames, bins, 2] }), options).toArray();
      for (const chunks of chunkings) {
        expectSameBits(pieces(stream, y, 2 * bins, chunks), whole, `${frames} frames by ${chunks}`);
      }
    }
    stream.dispose();
  });
});

test('stftStream and istftStream, one after the other, give the signal again', () => {
  const options = { nFft: 512, hopLength: 160, winLength: 400 };
  const [analysis, synthesis] = [stftStream(options), istftStream(options)];
  const x = values(4000, 5);
  const y: number[] = [];
  for (let from = 0; from < x.length; from += 128)
    y.push(...synthesis.push(analysis.push(x.subarray(from, from + 128))));
  // What is still under way is less than a window and a half.
  expect(y.length).toBeGreaterThan(x.length - 600);
  y.push(...synthesis.push(analysis.flush()), ...synthesis.flush());
  expect(y.length).toBe(Math.floor(x.length / 160) * 160);
  y.forEach((value, i) => expect(Math.abs(value - x[i]!)).toBeLessThan(2e-6));
});

test('a frame comes with its last sample, and a sample with its last frame', () => {
  const analysis = stftStream({ nFft: 8, hopLength: 4, center: false });
  expect(Array.from({ length: 16 }, (_, i) => analysis.push([i]).length / 10)).toEqual(
    Array.from({ length: 16 }, (_, i) => (i === 7 || i === 11 || i === 15 ? 1 : 0)),
  );
  const synthesis = istftStream({ nFft: 8, hopLength: 2 });
  // The first two frames have the samples before the signal.
  expect(Array.from({ length: 5 }, () => synthesis.push(new Float32Array(10)).length)).toEqual([0, 0, 2, 2, 2]);
});

test('chunks of a steady length return the same array and allocate nothing', () => {
  const options = { nFft: 256, hopLength: 64 };
  const [analysis, synthesis] = [stftStream(options), istftStream(options)];
  const chunk = values(128, 2);
  for (let i = 0; i < 50; i++) synthesis.push(analysis.push(chunk));
  const before = engine().heap.usedBytes;
  const [spectra, samples] = [analysis.push(chunk), synthesis.push(analysis.push(chunk))];
  for (let i = 0; i < 200; i++) {
    expect(analysis.push(chunk)).toBe(spectra);
    expect(synthesis.push(spectra)).toBe(samples);
  }
  expect(engine().heap.usedBytes).toBe(before);
});

test('a stream goes on after memory has grown', () => {
  const options = { nFft: 16, hopLength: 4 };
  const x = values(200, 4);
  const whole = stft(tensor(x), options).toArray();
  const stream = stftStream(options);
  const made = [...stream.push(x.subarray(0, 90))];
  const large = tensor(new Float32Array(2 ** 24));
  made.push(...stream.push(x.subarray(90)), ...stream.flush());
  large.dispose();
  expectSameBits(made, whole, 'after growth');
});

test('flush and reset start anew, and dispose frees all buffers', () => {
  stftStream({ nFft: 32 }).dispose();
  const before = engine().heap.usedBytes;
  const [analysis, synthesis] = [stftStream({ nFft: 32 }), istftStream({ nFft: 32 })];
  expect(analysis.flush().length).toBe(0);
  expect(synthesis.flush().length).toBe(0);
  const x = values(100, 6);
  analysis.push(values(70, 7));
  analysis.reset();
  const spectra = [...analysis.push(x), ...analysis.flush()];
  expectSameBits([...analysis.push(x), ...analysis.flush()], spectra, 'spectra again');
  const samples = [...synthesis.push(spectra), ...synthesis.flush()];
  synthesis.push(values(34, 3));
  synthesis.reset();
  expectSameBits([...synthesis.push(spectra), ...synthesis.flush()], samples, 'samples again');
  analysis.dispose();
  synthesis.dispose();
  analysis.dispose();
  expect(engine().heap.usedBytes).toBe(before);
  expect(() => analysis.push([1])).toThrow('stftStream: it was disposed of');
  expect(() => synthesis.flush()).toThrow('istftStream: it was disposed of');
});

describe('what is refused', () => {
  test('a signal without room for its mirror image, and the stream goes on', () => {
    const stream = stftStream({ nFft: 8 });
    stream.push([1, 2, 3, 4]);
    expect(() => stream.flush()).toThrow('stftStream: reflect expected more than nFft/2 = 4 samples, got 4');
    const made = [...stream.push([5]), ...stream.flush()];
    expectSameBits(made, stft(tensor([1, 2, 3, 4, 5]), { nFft: 8 }).toArray(), 'after the refusal');
  });

  test.each<[object, string]>([
    [
      { nFft: 8, center: false },
      'istftStream: window expected not to be 0 at a sample in all its frames, got 0 at sample 0; center: true or a smaller hopLength',
    ],
    [{ nFft: 8, hopLength: 9 }, 'istftStream: hopLength expected at most nFft = 8, got 9'],
    [{ nFft: 8, hopLength: 6, winLength: 4 }, 'got 0 at sample '],
    [{ nFft: 8, onesided: true }, "istftStream: unknown option 'onesided'"],
  ])('istftStream of %j', (options, message) => {
    expect(() => istftStream(options as never)).toThrow(message);
  });

  test('frames that are not whole, and chunks of other things', () => {
    expect(() => istftStream({ nFft: 8 }).push([1, 2, 3])).toThrow(
      'istftStream: frames expected whole frames of 5 bins, 10 numbers each, got 3',
    );
    expect(() => stftStream({ nFft: 8 }).push('abc' as never)).toThrow(
      "stftStream: samples expected a list or a typed array, got 'abc'",
    );
    expect(() => stftStream({ nFft: 8 }).push([1, '2'] as never)).toThrow(
      "stftStream: samples expected numbers, got '2' at 1",
    );
  });

  test('flush of istftStream where the last windows are 0', () => {
    const window = [1, 1, 1, 1, 1, 1, 0, 0];
    const stream = istftStream({ nFft: 8, hopLength: 2, window, center: false });
    stream.push(new Float32Array(10));
    expect(() => stream.flush()).toThrow('got 0 at sample 6');
    expect(stream.push(new Float32Array(10)).length).toBe(2);
  });
});
