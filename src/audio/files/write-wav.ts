import { ArgumentError, expectArray, expectList, shown } from '../../checks/argument-error.ts';
import { expectChoice } from '../../checks/choices.ts';
import { checkOptions } from '../../checks/options.ts';
import { integerPower } from '../../engine/float64.ts';
import { EXTENSIBLE, FLOAT, IDENTIFIER, PCM, type Sound, type WavFormat, wavFormats } from './read-wav.ts';

export interface WriteWavOptions {
  /** Default `int16`. */
  format?: WavFormat | undefined;
}

/** The integer of `bits` bits for a sample: rounded to the nearest, and cut at full scale. */
function integerOf(value: number, bits: number): number {
  const scale = integerPower(2, bits - 1);
  return Math.min(Math.max(Math.round(value * scale), -scale), scale - 1);
}

const writers: Readonly<Record<WavFormat, (view: DataView, at: number, value: number) => void>> = {
  uint8: (view, at, value) => view.setUint8(at, integerOf(value, 8) + 128),
  int16: (view, at, value) => view.setInt16(at, integerOf(value, 16), true),
  int24(view, at, value) {
    const integer = integerOf(value, 24);
    view.setUint16(at, integer & 0xffff, true);
    view.setInt8(at + 2, integer >> 16);
  },
  int32: (view, at, value) => view.setInt32(at, integerOf(value, 32), true),
  float32: (view, at, value) => view.setFloat32(at, value, true),
  float64: (view, at, value) => view.setFloat64(at, value, true),
};

/** The checked sound. */
function expectSound(sound: Sound): { sampleRate: number; channels: ArrayLike<number>[]; length: number } {
  const known = { sampleRate: 1, channels: 1, format: 1 };
  const { sampleRate, channels } = checkOptions('writeWav: sound', sound as Sound & { format?: unknown }, known);
  if (!Number.isInteger(sampleRate) || sampleRate < 1 || sampleRate >= 2 ** 32)
    throw new ArgumentError(`writeWav: sampleRate expected an integer from 1 to 2³² − 1, got ${shown(sampleRate)}`);
  const list = expectList('writeWav: channels', channels) as ArrayLike<number>[];
  if (list.length < 1 || list.length > 8191)
    throw new ArgumentError(`writeWav: channels expected 1 to 8191, got ${list.length}`);
  for (const [c, channel] of list.entries()) {
    expectArray(`writeWav: channels[${c}]`, channel);
    if (channel.length !== list[0]!.length) {
      throw new ArgumentError(
        `writeWav: channels[${c}] expected ${list[0]!.length} samples as channels[0], got ${channel.length}`,
      );
    }
    const at = Array.prototype.findIndex.call(channel, (value) => typeof value !== 'number' || !Number.isFinite(value));
    if (at >= 0)
      throw new ArgumentError(`writeWav: channels[${c}] expected finite numbers, got ${shown(channel[at])} at ${at}`);
  }
  return { sampleRate, channels: list, length: list[0]!.length };
}

/**
 * Writes a WAV file.
 *
 * Integers of b bits are round(x·2^(b − 1)), cut at full scale. More than two channels, and integers of more than 16
 * bits, are written as WAVE_FORMAT_EXTENSIBLE.
 *
 * @param sound sampleRate and channels, such as `readWav` returns: a list of arrays of one length, −1 to 1.
 * @param options format, default `int16`. That of a sound from `readWav` is not used.
 * @returns the whole file; the caller owns it.
 * @throws ArgumentError if a sample is not a finite number, channels differ in length, the file would have 4 GiB or
 *   more, or an option is unknown or not one of its values.
 * @see https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatextensible
 *
 * @example
 * const tone = Float32Array.from({ length: 8000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 8000));
 * writeWav({ sampleRate: 8000, channels: [tone] }).length; // 16044
 */
export function writeWav(sound: Sound, options: WriteWavOptions = {}): Uint8Array<ArrayBuffer> {
  const { format = 'int16' } = checkOptions('writeWav', options, { format: 1 });
  expectChoice('writeWav', 'format', format, Object.keys(writers));
  const { sampleRate, channels, length } = expectSound(sound);
  const { bytes } = wavFormats[format];
  const block = bytes * channels.length;
  const isFloat = format.startsWith('float');
  const isExtensible = channels.length > 2 || (!isFloat && bytes > 2);
  const formatBytes = isExtensible ? 40 : isFloat ? 18 : 16;
  const factBytes = isFloat || isExtensible ? 12 : 0;
  const dataBytes = block * length;
  const start = 28 + formatBytes + factBytes;
  const total = start + dataBytes + (dataBytes % 2);
  if (total >= 2 ** 32)
    throw new ArgumentError(`writeWav: channels expected fewer samples, got a file of ${total} bytes`);
  const file = new Uint8Array(total);
  const view = new DataView(file.buffer);
  let at = 0;
  const text = (name: string): void => {
    for (const letter of name) view.setUint8(at++, letter.charCodeAt(0));
  };
  const u16 = (value: number): void => {
    view.setUint16(at, value, true);
    at += 2;
  };
  const u32 = (value: number): void => {
    view.setUint32(at, value, true);
    at += 4;
  };
  text('RIFF');
  u32(total - 8);
  text('WAVEfmt ');
  u32(formatBytes);
  const code = isFloat ? FLOAT : PCM;
  u16(isExtensible ? EXTENSIBLE : code);
  u16(channels.length);
  u32(sampleRate);
  u32(Math.min(sampleRate * block, 2 ** 32 - 1));
  u16(block);
  u16(8 * bytes);
  if (formatBytes > 16) u16(formatBytes - 18);
  if (isExtensible) {
    u16(8 * bytes);
    // Which loudspeaker a channel is for: not said.
    u32(0);
    u16(code);
    file.set(IDENTIFIER, at);
    at += IDENTIFIER.length;
  }
  if (factBytes > 0) {
    text('fact');
    u32(4);
    u32(length);
  }
  text('data');
  u32(dataBytes);
  const write = writers[format];
  for (let i = 0; i < length; i++) {
    for (const channel of channels) {
      write(view, at, channel[i]!);
      at += bytes;
    }
  }
  return file;
}
