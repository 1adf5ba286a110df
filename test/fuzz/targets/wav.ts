import { readWav, type WavFormat, writeWav } from '../../../src/audio.ts';
import { type Target, Violation } from '../target.ts';
import { made } from '../values.ts';
import { bytesOf, latin, optionsOf, partsOf } from './text-pieces.ts';

const formats: WavFormat[] = ['uint8', 'int16', 'int24', 'int32', 'float32', 'float64'];

export const target: Target = {
  name: 'wav',
  share: 0.5,
  generate(random) {
    const length = random.below(6);
    const channels = random.list(1, 4, () => new Float32Array(length).fill(0.5));
    const bytes = writeWav({ sampleRate: random.pick([1, 8000, 44100]), channels }, { format: random.pick(formats) });
    // Sizes of the file, of fmt and of data, and the numbers of the format.
    for (let n = random.pick([0, 0, 1, 2, 4]); n > 0; n--) {
      const at = random.below(random.chance(0.7) ? Math.min(bytes.length, 60) : bytes.length);
      bytes[at] = random.pick([0, 1, 2, 127, 128, 255, random.below(256)]);
    }
    const cut = random.chance(0.2) ? random.below(bytes.length + 1) : bytes.length;
    return { bytes: latin(bytes.subarray(0, cut)), options: optionsOf(random, { file: ['a.wav'] }) };
  },
  async run(input) {
    const { bytes, options: plain = {} } = partsOf(input);
    const given = bytesOf(bytes);
    const { channels } = readWav(given, made(plain) as object);
    if (channels.some((channel) => channel.length !== channels[0]!.length))
      throw new Violation('channels of unequal length');
    if (channels.reduce((sum, { length }) => sum + length, 0) > given.length)
      throw new Violation('more samples than bytes');
  },
};
