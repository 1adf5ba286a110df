import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readWav, type WavFormat, writeWav } from '../../src/audio.ts';
import { DataError } from '../../src/data.ts';
import { values } from '../kernels/reference/values.ts';

/** Bytes of half a step of each format. */
const steps: Record<WavFormat, number> = {
  ...{ uint8: 2 ** -8, int16: 2 ** -16, int24: 2 ** -24, int32: 2 ** -24, float32: 0, float64: 0 },
};
const formats = Object.keys(steps) as WavFormat[];
const ascii = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
const u16 = (value: number): number[] => [value & 255, (value >> 8) & 255];
const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)];
/** A file of one channel of 8 bits, chunk by chunk. */
const chunk = (name: string, bytes: number[], size = bytes.length): number[] => [
  ...[...ascii(name), ...u32(size), ...bytes],
  ...(bytes.length % 2 ? [0] : []),
];
const format = (code = 1, channels = 1, rate = 8000, block = 1, bits = 8): number[] => [
  ...[...u16(code), ...u16(channels), ...u32(rate), ...u32(rate * block), ...u16(block), ...u16(bits)],
];
const wav = (...chunks: number[][]): Uint8Array =>
  Uint8Array.from([...ascii('RIFF'), ...u32(4 + chunks.flat().length), ...ascii('WAVE'), ...chunks.flat()]);
const samples = [0, 64, 128, 192, 255];
const heard = [-1, -0.5, 0, 0.5, 127 / 128];

describe.each(formats)('%s', (kind) => {
  test.each([1, 2, 3, 6])('of %i channels comes back within half a step', (count) => {
    const channels = Array.from({ length: count }, (_, c) => values(7, c + 1));
    const read = readWav(writeWav({ sampleRate: 44100, channels }, { format: kind }));
    expect([read.sampleRate, read.format, read.channels.length]).toEqual([44100, kind, count]);
    read.channels.forEach((channel, c) => {
      expect(channel.length).toBe(7);
      channel.forEach((value, i) => expect(Math.abs(value - channels[c]![i]!)).toBeLessThanOrEqual(steps[kind]));
    });
    expect(writeWav(read, { format: kind })).toEqual(writeWav({ sampleRate: 44100, channels }, { format: kind }));
  });

  test('full scale, and beyond it', () => {
    const [low, one, high] = readWav(writeWav({ sampleRate: 1, channels: [[-1, 1, 3]] as never }, { format: kind }))
      .channels[0]!;
    expect(low).toBe(-1);
    if (kind.startsWith('float')) expect([one, high]).toEqual([1, 3]);
    else expect([one, high]).toEqual([Math.fround(1 - 2 ** (1 - Number(kind.match(/\d+/)![0]))), one]);
  });
});

test('the bytes of a file of 16 bits are those of the format', () => {
  const file = writeWav({ sampleRate: 8000, channels: [Float32Array.of(0, -1, 0.5)] });
  const data = chunk('data', [...u16(0), ...u16(0x8000), ...u16(0x4000)]);
  expect(file).toEqual(wav(chunk('fmt ', format(1, 1, 8000, 2, 16)), data));
});

describe('what other programs write', () => {
  const read = (...chunks: number[][]): number[] => [...readWav(wav(...chunks)).channels[0]!];

  test('chunks of other names, of odd lengths too', () => {
    const list = chunk('LIST', [1, 2, 3]);
    expect(read(list, chunk('fmt ', format()), list, chunk('data', samples), list)).toEqual(heard);
  });

  test.each([0, 0xffffffff, 0x80000000, 0x7ffff000])('a length of %i that was not known yet is the rest', (size) => {
    expect(read(chunk('fmt ', format()), chunk('data', [...samples, 255], size))).toEqual([...heard, heard[4]]);
  });

  test('a length of 0 before another chunk, and at the end, is no samples', () => {
    expect(read(chunk('fmt ', format()), chunk('data', []), chunk('LIST', [1, 2]))).toEqual([]);
    expect(read(chunk('fmt ', format()), chunk('data', []))).toEqual([]);
  });

  test('a last frame that is not whole is left out', () => {
    expect(readWav(wav(chunk('fmt ', format(1, 2, 8000, 2)), chunk('data', samples))).channels[1]).toEqual(
      Float32Array.of(-0.5, 0.5),
    );
  });

  test('an ArrayBuffer, and a part of one', () => {
    const file = wav(chunk('fmt ', format()), chunk('data', samples));
    const moved = new Uint8Array(file.length + 3);
    moved.set(file, 3);
    expect([...readWav(moved.subarray(3)).channels[0]!]).toEqual(heard);
    expect([...readWav(file.buffer as ArrayBuffer).channels[0]!]).toEqual(heard);
  });
});

describe('a file that is refused', () => {
  const fmt = chunk('fmt ', format());
  const extensible = (code: number, tail = 0): number[] => [
    ...[...format(0xfffe, 1, 8000, 1, 8), ...u16(22), ...u16(8), ...u32(0), ...u16(code)],
    ...[0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113 + tail],
  ];

  test.each<[string, Uint8Array, string]>([
    ['empty', new Uint8Array(0), 'expected a WAV file, which has 44 bytes or more, got 0'],
    ['of text', Uint8Array.from(ascii('<!doctype html><html>')), 'begins with RIFF and WAVE, got other bytes'],
    ['of 64 bits', Uint8Array.from([...ascii('RF64'), ...u32(0), ...ascii('WAVE')]), 'got RF64'],
    ['without chunks', wav(), 'expected a fmt chunk, got none'],
    ['without data', wav(fmt), 'expected a data chunk, got none'],
    ['without format', wav(chunk('data', samples)), 'fmt chunk expected before the data chunk, got none'],
    [
      'cut short',
      wav(fmt, chunk('data', samples)).subarray(0, 46),
      'data chunk says 5 bytes, got 2: the file is cut short',
    ],
    [
      'with a large chunk',
      wav(fmt, chunk('LIST', [1], 99)),
      'chunk at byte 36 says 99 bytes, got 2: the file is cut short',
    ],
    [
      'with a small fmt chunk',
      wav(chunk('fmt ', format().slice(0, 14))),
      'fmt chunk expected 16 bytes or more, got 14',
    ],
    ['of µ-law', wav(chunk('fmt ', format(7))), 'got 7 of 8 bits'],
    ['of 12 bits', wav(chunk('fmt ', format(1, 1, 8000, 2, 12))), 'got 1 of 12 bits'],
    ['without channels', wav(chunk('fmt ', format(1, 0, 8000, 0))), 'channels expected 1 or more, got 0'],
    ['without a rate', wav(chunk('fmt ', format(1, 1, 0))), 'sample rate expected 1 Hz or more, got 0'],
    [
      'of a wrong block',
      wav(chunk('fmt ', format(1, 2, 8000, 3))),
      'block expected 2 bytes for 2 channels of uint8, got 3',
    ],
    [
      'short extensible',
      wav(chunk('fmt ', format(0xfffe))),
      'expected 40 bytes or more for WAVE_FORMAT_EXTENSIBLE, got 16',
    ],
    ['of another family', wav(chunk('fmt ', extensible(1, 1))), 'format expected PCM or float'],
  ])('%s', (_, file, message) => {
    expect(() => readWav(file, { file: 'a.wav' })).toThrow(DataError);
    expect(() => readWav(file, { file: 'a.wav' })).toThrow(/^a\.wav: /);
    expect(() => readWav(file)).toThrow(message);
  });

  test('many channels without a sample take no memory for samples', () => {
    const read = readWav(wav(chunk('fmt ', format(1, 65535, 8000, 65535)), chunk('data', samples)));
    expect(read.channels.length).toBe(65535);
    expect(read.channels[0]!.buffer).toBe(read.channels[65534]!.buffer);
  });

  test('any changed bytes give a sound or a DataError', () => {
    const file = wav(chunk('fmt ', extensible(1)), chunk('data', samples));
    const change = fc.tuple(fc.nat(file.length - 1), fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255)));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.nat(file.length), (changes, length) => {
        const damaged = file.slice(0, length);
        for (const [at, byte] of changes) if (at < length) damaged[at] = byte;
        try {
          const { channels } = readWav(damaged);
          expect(channels[0]!.length).toBeLessThanOrEqual(length);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 2000, seed: 9 },
    );
  });
});

test.each<[unknown, unknown, string]>([
  [{ sampleRate: 8000 }, {}, 'writeWav: channels expected a list, got undefined'],
  [{ sampleRate: 8000, channels: [] }, {}, 'writeWav: channels expected 1 to 8191, got 0'],
  [{ sampleRate: 0.5, channels: [[0]] }, {}, 'writeWav: sampleRate expected an integer from 1 to 2³² − 1, got 0.5'],
  [{ sampleRate: 1, channels: [[0], [0, 1]] }, {}, 'writeWav: channels[1] expected 1 samples as channels[0], got 2'],
  [{ sampleRate: 1, channels: [[0, Number.NaN]] }, {}, 'writeWav: channels[0] expected finite numbers, got NaN at 1'],
  [{ sampleRate: 1, channels: [[0]] }, { format: 'int8' }, "writeWav: format expected 'uint8', 'int16'"],
])('writeWav of %j with %j is refused', (sound, options, message) => {
  expect(() => writeWav(sound as never, options as never)).toThrow(message);
});

test('readWav refuses what are no bytes', () => {
  expect(() => readWav('RIFF' as never)).toThrow('readWav: bytes expected a Uint8Array or an ArrayBuffer, got String');
});
