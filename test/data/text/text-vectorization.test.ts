import { describe, expect, test } from 'vitest';
import { type TextVectorizationOptions, textVectorization } from '../../../src/data/text/text-vectorization.ts';
import golden from '../../golden/text-vectorization.json' with { type: 'json' };

const adapted = (texts: string[], options: TextVectorizationOptions = {}) => {
  const words = textVectorization(options);
  words.adapt(texts);
  return words;
};

describe('textVectorization', () => {
  test('example of the docstring, gives what it says', () => {
    const words = adapted(['the cat sat', 'the dog'], { maxTokens: 5000, outputSequenceLength: 4 });
    expect(words.encode(['The bird sat!']).toNested()).toEqual([[2, 1, 3, 0]]);
  });

  test('tokens of equal frequency, stand as in the example on Keras’s StringLookup page', () => {
    expect(adapted(['a c d', 'd z b']).vocabulary).toEqual(['', '[UNK]', 'd', 'z', 'c', 'b', 'a']);
  });

  test('tokens of equal frequency beyond the basic plane, stand by code point', () => {
    expect(adapted(['\uff5e 😀']).vocabulary.slice(2)).toEqual(['😀', '\uff5e']);
  });

  test('maxTokens, counts padding and unknown', () => {
    const words = adapted(['a a a b b c'], { maxTokens: 4 });
    expect(words.vocabulary).toEqual(['', '[UNK]', 'a', 'b']);
    expect(words.encode(['a b c']).toNested()).toEqual([[2, 3, 1]]);
  });

  test('adapt again, forgets what was learned', () => {
    const words = adapted(['a']);
    words.adapt(['b']);
    expect(words.vocabulary).toEqual(['', '[UNK]', 'b']);
  });

  test('texts of unequal length, are filled to the longest or cut to outputSequenceLength', () => {
    const texts = ['a', '', 'a a a'];
    expect(adapted(texts).encode(texts).toNested()).toEqual([
      [2, 0, 0],
      [0, 0, 0],
      [2, 2, 2],
    ]);
    expect(adapted(texts, { outputSequenceLength: 2 }).encode(texts).toNested()).toEqual([
      [2, 0],
      [0, 0],
      [2, 2],
    ]);
    expect(adapted(texts).sequences(texts)).toEqual([Int32Array.of(2), new Int32Array(), Int32Array.of(2, 2, 2)]);
  });

  test.each<[TextVectorizationOptions['standardize'], string[]]>([
    [undefined, ['çà', 'va', '12', 'oh']],
    ['lower', ['çà,', 'va?!', '"1-2"', '[oh]']],
    ['stripPunctuation', ['ÇÀ', 'va', '12', 'Oh']],
    [null, ['ÇÀ,', 'va?!', '"1-2"', '[Oh]']],
    [(text) => text.slice(0, 2), ['ÇÀ']],
  ])('standardize %s, prepares a text', (standardize, tokens) => {
    const options = standardize === undefined ? {} : { standardize };
    expect(textVectorization(options).tokens('ÇÀ, va?!\t"1-2"\n[Oh] ')).toEqual(tokens);
  });

  test('stripped, is every mark of ASCII and nothing else', () => {
    const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
    expect(textVectorization({ standardize: 'stripPunctuation' }).tokens(`${ascii}«`).join('')).toMatch(
      /^0123456789[A-Z]{26}[a-z]{26}«$/,
    );
  });

  test.each<[TextVectorizationOptions['split'], string[]]>([
    ['character', ['a', ' ', '😀']],
    [null, ['a 😀']],
    [(text) => text.split('😀'), ['a ', '']],
  ])('split %s, ends tokens', (split, tokens) => {
    expect(textVectorization({ split: split! }).tokens('a 😀')).toEqual(tokens);
  });

  test.each<[number | number[], string[]]>([
    [2, ['a', 'b', 'c', 'a b', 'b c']],
    [[3, 4], ['a b c']],
  ])('ngrams %j, are runs of tokens', (ngrams, tokens) => {
    expect(textVectorization({ ngrams }).tokens('a b c')).toEqual(tokens);
  });

  test('ngrams of which a text would have too many, are refused', () => {
    const characters = textVectorization({ split: 'character', ngrams: 1000 });
    expect(() => characters.tokens('a'.repeat(20_000))).toThrow(
      'ngrams expected shorter runs for a text of 20000 tokens, got 9676667000 joined tokens',
    );
    expect(characters.tokens('a'.repeat(200))).toHaveLength(20_100);
    expect(textVectorization({ ngrams: 2 }).tokens('a '.repeat(100_000))).toHaveLength(199_999);
  });

  test('ngrams of any length, are as long as the text at most', () => {
    expect(textVectorization({ ngrams: 2 ** 50 }).tokens('a b')).toEqual(['a', 'b', 'a b']);
  });

  test('count and multiHot, have a place for each token and the first for unknown ones', () => {
    const texts = ['b a b', 'c'];
    const vocabulary = ['a', 'b'];
    const count = textVectorization({ outputMode: 'count', vocabulary });
    expect(count.vocabulary).toEqual(['[UNK]', 'a', 'b']);
    expect(count.encode(texts).toNested()).toEqual([
      [0, 1, 2],
      [1, 0, 0],
    ]);
    expect(textVectorization({ outputMode: 'multiHot', vocabulary }).encode(texts).toNested()).toEqual([
      [0, 1, 1],
      [1, 0, 0],
    ]);
  });

  test.each(golden.cases.map((each) => [each.name, each] as const))("tfIdf of %s, is Keras's", (_, each) => {
    const options = each.options as TextVectorizationOptions;
    const words = textVectorization({ ...options, outputMode: 'tfIdf' });
    if (!options.vocabulary) words.adapt(golden.texts);
    expect(words.vocabulary).toEqual(each.vocabulary);
    const encoded = words.encode([...golden.texts, ...golden.others]);
    expect(encoded.shape).toEqual([each.encoded.length, each.vocabulary.length]);
    each.encoded.flat().forEach((value, i) => expect(encoded.data[i]).toBeCloseTo(value, 6));
  });

  test('tfIdf made again of its vocabulary and weights, encodes the same', () => {
    const words = adapted(golden.texts, { outputMode: 'tfIdf' });
    const { vocabulary, idfWeights } = words;
    const again = textVectorization({ outputMode: 'tfIdf', ...JSON.parse(JSON.stringify({ vocabulary, idfWeights })) });
    expect(again.idfWeights).toEqual(idfWeights);
    expect(again.encode(golden.others)).toEqual(words.encode(golden.others));
  });

  test('tfIdf adapted to texts without a token, knows the unknown one alone', () => {
    const words = adapted([''], { outputMode: 'tfIdf' });
    expect([words.vocabulary, words.idfWeights]).toEqual([['[UNK]'], [0]]);
    expect(words.encode(['a']).toNested()).toEqual([[0]]);
  });

  test('weights, are of mode tfIdf alone', () => {
    expect(adapted(['a b'], { outputMode: 'count' }).idfWeights).toEqual([]);
  });

  test('vocabulary of another, with or without special tokens, makes the same', () => {
    const { vocabulary } = adapted(['b a b']);
    expect(textVectorization({ vocabulary }).encode(['a b x']).toNested()).toEqual([[3, 2, 1]]);
    expect(textVectorization({ vocabulary: vocabulary.slice(2) }).vocabulary).toEqual(vocabulary);
  });

  test('special tokens within texts, get no second id', () => {
    expect(adapted(['[UNK] a'], { standardize: null }).vocabulary).toEqual(['', '[UNK]', 'a']);
  });

  test('ids, are decoded without what fills up', () => {
    const words = adapted(['the cat sat']);
    expect(words.decode(words.encode(['the cat ran off']).data)).toBe('the cat [UNK] [UNK]');
    const letters = adapted(['abc'], { split: 'character' });
    expect(letters.decode([...letters.encode(['cab']).data, 0])).toBe('cab');
    expect(() => words.decode([0, 9])).toThrow('decode: ids[1] expected 0 to 4, got 9');
  });

  test('one text instead of a list, is refused, because its characters would be the texts', () => {
    const words = textVectorization();
    const one = "textVectorization: texts expected a list of texts, got one text, 'the cat'";
    expect(() => words.adapt('the cat')).toThrow(one);
    words.adapt(['the cat']);
    expect(() => words.sequences('the cat')).toThrow(one);
    expect(() => words.encode('the cat')).toThrow(one);
  });

  test('encoding before adapt, is an error', () => {
    expect(() => textVectorization().encode(['a'])).toThrow(
      'textVectorization: expected a vocabulary, got none; call adapt(texts) first',
    );
  });

  test.each<[object, string]>([
    [
      { standardize: 'upper' },
      `standardize expected one of 'lowerAndStripPunctuation', 'lower', 'stripPunctuation', null, got 'upper'`,
    ],
    [{ split: 'words' }, `split expected one of 'whitespace', 'character', null, got 'words'`],
    [{ outputMode: 'tf_idf' }, `outputMode expected one of 'int', 'count', 'multiHot', 'tfIdf', got 'tf_idf'`],
    [
      { outputMode: 'tfIdf', vocabulary: ['a', 'b'], idfWeights: [1] },
      'idfWeights expected one number for each of 2 tokens, got 1',
    ],
    [{ outputMode: 'tfIdf', vocabulary: ['a'] }, 'idfWeights expected one number for each of 1 tokens, got none'],
    [
      { outputMode: 'tfIdf', vocabulary: ['a', 'b'], idfWeights: [1, Number.NaN] },
      'idfWeights[1] expected a finite number, got NaN',
    ],
    [
      { outputMode: 'count', vocabulary: ['a'], idfWeights: [1] },
      "idfWeights expected none without a vocabulary and 'tfIdf', got 1",
    ],
    [{ outputMode: 'tfIdf', idfWeights: [1] }, "idfWeights expected none without a vocabulary and 'tfIdf', got 1"],
    [{ maxTokens: 2 }, 'maxTokens expected a whole number of 3 or more, got 2'],
    [{ outputSequenceLength: 0 }, 'outputSequenceLength expected a whole number of 1 or more, got 0'],
    [{ ngrams: [1, 0] }, 'ngrams expected a whole number of 1 or more, got 0'],
    [{ vocabulary: ['a', 'a'] }, 'vocabulary expected each token once, got "a" twice'],
    [{ vocabulary: ['a', 'b'], maxTokens: 3 }, 'vocabulary expected at most maxTokens 3 with the special ones, got 4'],
  ])('option %j, is an error', (options, message) => {
    expect(() => textVectorization(options)).toThrow(`textVectorization: ${message}`);
  });
});
