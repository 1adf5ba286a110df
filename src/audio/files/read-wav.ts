import { ArgumentError, expectType } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { DataError } from '../../data/sources/data-error.ts';
import { classOf } from '../../host/class-of.ts';

/** What a file holds for a sample: integers of 8 (unsigned), 16, 24 or 32 bits, or floats. */
export type WavFormat = 'uint8' | 'int16' | 'int24' | 'int32' | 'float32' | 'float64';

/** Samples of sound. */
export interface Sound {
  /** Samples a second, in Hz. */
  readonly sampleRate: number;
  /** An array of samples for each channel, all of one length; −1 to 1 is full scale. */
  readonly channels: readonly Float32Array[];
}

/** What `readWav` returns. */
export interface WavSound extends Sound {
  /** How the file holds its samples. */
  readonly format: WavFormat;
}

export interface ReadWavOptions {
  /** A name of the file, for errors. Default `wav`. */
  file?: string | undefined;
}

/** Bytes of a sample, and its value as a number of [−1, 1). */
export const wavFormats: Readonly<Record<WavFormat, { bytes: number; read: (view: DataView, at: number) => number }>> =
  {
    uint8: { bytes: 1, read: (view, at) => (view.getUint8(at) - 128) / 128 },
    int16: { bytes: 2, read: (view, at) => view.getInt16(at, true) / 32768 },
    int24: { bytes: 3, read: (view, at) => (view.getUint16(at, true) + 65536 * view.getInt8(at + 2)) / 8388608 },
    int32: { bytes: 4, read: (view, at) => view.getInt32(at, true) / 2147483648 },
    float32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
    float64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  };

export const PCM = 1;
export const FLOAT = 3;
export const EXTENSIBLE = 0xfffe;
/** The last 14 bytes of a format's identifier, whose first two are its number. */
export const IDENTIFIER = [0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113];
/** Programs that do not know the length yet write 0, or a size that no file has. */
const UNKNOWN = 0x7fff_f000;

type Fail = (message: string) => never;

interface Format {
  format: WavFormat;
  channels: number;
  sampleRate: number;
}

const textAt = (view: DataView, at: number): string =>
  String.fromCharCode(...Array.from({ length: 4 }, (_, i) => view.getUint8(at + i)));

/** The fmt chunk of `size` bytes at `at`. */
function readFormat(view: DataView, at: number, size: number, fail: Fail): Format {
  if (size < 16) fail(`fmt chunk expected 16 bytes or more, got ${size}`);
  let code = view.getUint16(at, true);
  const channels = view.getUint16(at + 2, true);
  const sampleRate = view.getUint32(at + 4, true);
  const block = view.getUint16(at + 12, true);
  const bits = view.getUint16(at + 14, true);
  if (code === EXTENSIBLE) {
    if (size < 40) fail(`fmt chunk expected 40 bytes or more for WAVE_FORMAT_EXTENSIBLE, got ${size}`);
    if (!IDENTIFIER.every((byte, i) => view.getUint8(at + 26 + i) === byte)) fail('format expected PCM or float');
    code = view.getUint16(at + 24, true);
  }
  const names: Readonly<Record<string, WavFormat>> = {
    ...{ '1 8': 'uint8', '1 16': 'int16', '1 24': 'int24', '1 32': 'int32', '3 32': 'float32', '3 64': 'float64' },
  };
  const format = names[`${code} ${bits}`];
  if (!format) {
    return fail(
      `format expected PCM (1) of 8, 16, 24 or 32 bits or float (3) of 32 or 64 bits, got ${code} of ${bits} bits`,
    );
  }
  if (channels === 0) fail('channels expected 1 or more, got 0');
  if (sampleRate === 0) fail('sample rate expected 1 Hz or more, got 0');
  const expected = channels * wavFormats[format].bytes;
  if (block !== expected) fail(`block expected ${expected} bytes for ${channels} channels of ${format}, got ${block}`);
  return { format, channels, sampleRate };
}

/**
 * Reads a WAV file.
 *
 * Integers of b bits are divided by 2^(b − 1); those of 8 bits have 128 subtracted first. Samples of float64 and of 32
 * bits are rounded to float32. Files whose header was written before the length was known (a size of 0 or above 2³¹ −
 * 4097) are read to their end.
 *
 * @param bytes the whole file: PCM of 8, 16, 24 or 32 bits or float of 32 or 64 bits, any number of channels,
 *   WAVE_FORMAT_EXTENSIBLE too. It is not changed, and the result does not refer to it.
 * @param options file, a name for errors.
 * @returns sampleRate, channels and format; the caller owns them. The memory is at most four times that of `bytes`.
 * @throws DataError if the bytes are not such a file, or it is cut short. ArgumentError if `bytes` is something else,
 *   `file` is not a string, or an option is unknown.
 * @see https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatextensible
 *
 * @example
 * const file = writeWav({ sampleRate: 8000, channels: [Float32Array.of(0, 0.5, -1)] });
 * readWav(file).channels[0]; // 0, 0.5, −1
 */
export function readWav(bytes: Uint8Array | ArrayBuffer, options: ReadWavOptions = {}): WavSound {
  const { file = 'wav' } = checkOptions('readWav', options, { file: 1 });
  expectType('readWav: file', file, 'a string');
  const kind = classOf(bytes);
  if (kind !== 'Uint8Array' && kind !== 'ArrayBuffer')
    throw new ArgumentError(`readWav: bytes expected a Uint8Array or an ArrayBuffer, got ${kind}`);
  const fail: Fail = (message) => {
    throw new DataError(file, message);
  };
  const { buffer = bytes as ArrayBuffer, byteOffset = 0, byteLength } = bytes as Uint8Array<ArrayBuffer>;
  if (byteLength < 12) fail(`expected a WAV file, which has 44 bytes or more, got ${byteLength}`);
  const view = new DataView(buffer, byteOffset, byteLength);
  const [riff, wave] = [textAt(view, 0), textAt(view, 8)];
  if (riff !== 'RIFF' || wave !== 'WAVE') {
    const got = riff === 'RF64' || riff === 'RIFX' ? riff : 'other bytes';
    fail(`expected a WAV file, which begins with RIFF and WAVE, got ${got}`);
  }
  let format: Format | undefined;
  // Chunks begin at even places.
  for (let at = 12; at + 8 <= byteLength; ) {
    const name = textAt(view, at);
    const size = view.getUint32(at + 4, true);
    const left = byteLength - at - 8;
    if (name === 'data') {
      if (!format) return fail('fmt chunk expected before the data chunk, got none');
      const isUnknown = size >= UNKNOWN || (size === 0 && left > 0 && !isChunk(view, at + 8));
      if (size > left && !isUnknown) fail(`data chunk says ${size} bytes, got ${left}: the file is cut short`);
      return { ...readSamples(view, at + 8, isUnknown ? left : size, format), format: format.format };
    }
    if (size > left) fail(`chunk at byte ${at} says ${size} bytes, got ${left}: the file is cut short`);
    if (name === 'fmt ') format = readFormat(view, at + 8, size, fail);
    at += 8 + size + (size % 2);
  }
  return fail(format ? 'expected a data chunk, got none' : 'expected a fmt chunk, got none');
}

/** Whether another chunk follows, with a name of letters and a size that fits exactly or leaves room for a next one. */
function isChunk(view: DataView, at: number): boolean {
  if (at + 8 > view.byteLength || !/^[A-Za-z][A-Za-z0-9 ]{3}$/.test(textAt(view, at))) return false;
  return view.getUint32(at + 4, true) <= view.byteLength - at - 8;
}

/** Samples of a part of the file, whose last frame may be incomplete. */
function readSamples(view: DataView, at: number, size: number, { format, channels, sampleRate }: Format): Sound {
  const { bytes, read } = wavFormats[format];
  const frames = Math.floor(size / (channels * bytes));
  const made = Array.from({ length: frames > 0 ? channels : 0 }, () => new Float32Array(frames));
  for (const [c, channel] of made.entries()) {
    for (let i = 0; i < frames; i++) channel[i] = read(view, at + (i * channels + c) * bytes);
  }
  const empty = new Float32Array(0);
  return { sampleRate, channels: frames > 0 ? made : Array.from({ length: channels }, () => empty) };
}
