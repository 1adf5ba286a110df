import { loadPianoRoll } from '../../../src/data.ts';
import { type Plain, type Target, Violation } from '../target.ts';
import { made, oddJsonValue, spoilt } from '../values.ts';
import { optionsOf, partsOf, utf8 } from './text-pieces.ts';

const options = { keys: [88, 12, 1, 0, 1e15], lowestKey: [0, 21, -3], gzip: [false], name: ['rolls.json'] };

export const target: Target = {
  name: 'piano-roll',
  share: 0.5,
  generate(random) {
    const pieces = (): Plain =>
      random.list(0, 2, () => random.list(0, 3, () => random.list(0, 3, () => random.below(12))));
    let music: Plain = { train: pieces(), valid: pieces(), test: pieces() };
    for (let n = random.below(3); n > 0; n--) music = spoilt(music, random, oddJsonValue);
    let text = JSON.stringify(music);
    if (random.chance(0.2)) text = text.slice(0, random.below(text.length));
    if (random.chance(0.1))
      text = text.slice(0, 3) + random.pick(['[', '{', '"', '\n', '1e999', '[[[[', '\\u', '-']) + text.slice(3);
    if (random.chance(0.001)) text = `{"train":${'['.repeat(50_000)}`;
    return { text, options: optionsOf(random, options), ...(random.chance(0.05) && { at: random.below(65536) }) };
  },
  async run(input) {
    const { text, at, options: plain = {} } = partsOf(input);
    const { train, valid, test } = await loadPianoRoll(utf8(text, at), made(plain) as object);
    for (const { data, shape } of [...train, ...valid, ...test]) {
      if (data.length !== shape[0]! * shape[1]!) throw new Violation('a roll of another size than its shape says');
    }
  },
};
