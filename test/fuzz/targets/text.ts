import { textVectorization } from '../../../src/data.ts';
import { type Plain, type Target, Violation } from '../target.ts';
import { made, spoilt } from '../values.ts';
import { optionsOf, partsOf, textOf } from './text-pieces.ts';

const words = [
  'the',
  'cat',
  'sat',
  'THE',
  'é',
  '\u{1f600}',
  '[UNK]',
  '',
  '.',
  ',',
  '!',
  ' ',
  ' ',
  '  ',
  '\n',
  '\t',
  '\u00a0',
  '\ud800',
  '__proto__',
  'constructor',
];
const functions: Readonly<Record<string, unknown>> = {
  identity: (text: string) => text,
  letters: (text: string) => [...text],
  nothing: () => undefined,
  number: () => 5,
  numbers: () => [1, 2],
};
const options = {
  maxTokens: [1, 2, 3, 4, 10],
  standardize: [
    'lowerAndStripPunctuation',
    'lower',
    'stripPunctuation',
    null,
    { $: 'identity' },
    { $: 'nothing' },
    { $: 'number' },
  ],
  split: [
    'whitespace',
    'character',
    null,
    { $: 'letters' },
    { $: 'nothing' },
    { $: 'number' },
    { $: 'numbers' },
    { $: 'identity' },
  ],
  ngrams: [1, 2, 3, [1, 3], [], [2]],
  outputMode: ['int', 'count', 'multiHot', 'tfIdf'],
  outputSequenceLength: [1, 2, 5],
  vocabulary: [['a', 'b'], ['', '[UNK]', 'a'], ['a', 'a'], ['the', 'cat'], []],
  idfWeights: [[1, 2], [1], [], [1e39, 2]],
};

export const target: Target = {
  name: 'text',
  generate(random) {
    const text = (): string => textOf(random, words, 10);
    const maybe = (value: Plain): Plain => (random.chance(0.05) ? spoilt(value, random) : value);
    return {
      options: maybe(optionsOf(random, options)),
      texts: maybe(random.list(0, 4, text)),
      encoded: maybe(random.list(0, 3, text)),
      ids: maybe(random.list(0, 4, () => random.below(5))),
    };
  },
  run(input) {
    const { options: plain = {}, texts = [], encoded = [], ids = [] } = partsOf(input);
    const make = (tag: string): unknown => functions[tag];
    const vectorization = textVectorization(made(plain, make) as object);
    if (vectorization.vocabulary.length === 0) vectorization.adapt(made(texts, make) as string[]);
    const { data, shape } = vectorization.encode(made(encoded, make) as string[]);
    if (data.length !== shape.reduce((product, n) => product * n, 1))
      throw new Violation('an array of another size than its shape says');
    vectorization.decode(made(ids, make) as number[]);
  },
};
