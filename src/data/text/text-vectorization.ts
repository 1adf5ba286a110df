import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { ln } from '../../engine/float64.ts';
import { allocated, NdArray } from '../array.ts';
import { padSequences } from '../pad-sequences.ts';
import { isStrings } from './lines.ts';

export interface TextVectorizationOptions {
  /** Greatest size of the vocabulary, including special tokens. Default: unlimited. */
  maxTokens?: number | undefined;
  /** Standardization of a text: lower case and no ASCII punctuation (default), one of the two, none, or a function. */
  standardize?:
    | 'lowerAndStripPunctuation'
    | 'lower'
    | 'stripPunctuation'
    | null
    | ((text: string) => string)
    | undefined;
  /**
   * How to split a text into tokens: at white space (default), into characters, or by a function. With `null` the whole
   * text is one token.
   */
  split?: 'whitespace' | 'character' | null | ((text: string) => string[]) | undefined;
  /**
   * Joins up to this many consecutive tokens, with blanks, to further tokens; a list names the lengths. It is refused
   * if a text would give more than 2^25 joined tokens and 128 times as many as it has tokens.
   */
  ngrams?: number | readonly number[] | undefined;
  /**
   * The result of `encode`: ids of the tokens (default), the count of each token, whether each token occurs, or the
   * count weighted by the token's rarity in the texts of `adapt`.
   */
  outputMode?: 'int' | 'count' | 'multiHot' | 'tfIdf' | undefined;
  /**
   * Number of ids for each text in mode `int`: texts are cut or padded with 0 at the end. Default: that of the longest
   * text.
   */
  outputSequenceLength?: number | undefined;
  /** The tokens by id, in place of `adapt`, with or without the special tokens. */
  vocabulary?: readonly string[] | undefined;
  /**
   * With `vocabulary` in mode `tfIdf`: the weight of each token. If it has no special tokens, `'[UNK]'` gets the mean
   * weight.
   */
  idfWeights?: readonly number[] | undefined;
}

const PADDING = '';
const UNKNOWN = '[UNK]';

/**
 * Converts texts to ids of words, like the Keras layer of this name. The most frequent words of the texts in `adapt`
 * have the lowest ids.
 *
 * In mode `int` id 0 (`''`) is padding, and id 1 (`'[UNK]'`) is every token outside the vocabulary. In the other modes
 * place 0 is `'[UNK]'`. Tokens of equal frequency have falling order of their code points, as in Keras. Lower case
 * follows Unicode; Keras changes only ASCII letters.
 *
 * In mode `tfIdf` a token that occurs c times in a text gives c·idf with idf = ln(1 + N / (1 + n)), where n of the N
 * texts of `adapt` have the token. `'[UNK]'` has the mean of all idf.
 *
 * @param options default: standardize lower case without punctuation, split 'whitespace', outputMode 'int'.
 * @returns a vectorization with `adapt`, `encode`, `sequences` and `decode`.
 * @throws ArgumentError if an option is unknown or out of its range, `vocabulary` has a token twice or more than
 *   `maxTokens` tokens, or `idfWeights` is given outside mode `tfIdf` or is not one finite number for each token.
 * @see https://keras.io/api/layers/preprocessing_layers/text/text_vectorization/
 * @example
 * const words = textVectorization({ maxTokens: 5000, outputSequenceLength: 4 });
 * words.adapt(['the cat sat', 'the dog']);
 * words.encode(['The bird sat!']).toNested(); // [[2, 1, 3, 0]]
 */
export const textVectorization = (options: TextVectorizationOptions = {}): TextVectorization =>
  new TextVectorization(options);

/** Made by {@link textVectorization}. */
export class TextVectorization {
  readonly #options: TextVectorizationOptions;
  readonly #special: readonly string[];
  #vocabulary: readonly string[] = [];
  #ids: ReadonlyMap<string, number> = new Map();
  #idfWeights: readonly number[] = [];

  /** @internal */
  constructor(options: TextVectorizationOptions) {
    checkOptions('textVectorization', options, {
      maxTokens: 1,
      standardize: 1,
      split: 1,
      ngrams: 1,
      outputMode: 1,
      outputSequenceLength: 1,
      vocabulary: 1,
      idfWeights: 1,
    });
    checkValues(options);
    this.#options = options;
    this.#special = (options.outputMode ?? 'int') === 'int' ? [PADDING, UNKNOWN] : [UNKNOWN];
    if (options.vocabulary) this.#setVocabulary(options.vocabulary, options.idfWeights);
  }

  /**
   * Tokens by id, including special tokens; empty before `adapt`. Passed as `vocabulary`, it makes an equal
   * vectorization.
   */
  get vocabulary(): readonly string[] {
    return this.#vocabulary;
  }

  /**
   * The weight of each token by id in mode `tfIdf`; else empty. Passed as `idfWeights` with `vocabulary`, it makes an
   * equal vectorization.
   */
  get idfWeights(): readonly number[] {
    return this.#idfWeights;
  }

  /**
   * Learns the vocabulary from texts, and in mode `tfIdf` its weights. It replaces what was learned before.
   *
   * @throws ArgumentError if `texts` is one text instead of a list of texts.
   */
  adapt(texts: Iterable<string>): void {
    const counts = new Map<string, number>();
    // The number of texts with each token, for the weights.
    const textsWith = new Map<string, number>();
    const { maxTokens = Number.POSITIVE_INFINITY, outputMode } = this.#options;
    const weighs = outputMode === 'tfIdf';
    let size = 0;
    for (const text of severalTexts(texts)) {
      const tokens = this.tokens(text);
      for (const token of tokens) increment(counts, token);
      if (weighs) for (const token of new Set(tokens)) increment(textsWith, token);
      size++;
    }
    for (const token of this.#special) counts.delete(token);
    const ordered = [...counts].sort(([a, n], [b, m]) => m - n || compareCodePoints(b, a)).map(([token]) => token);
    const kept = ordered.slice(0, Math.max(maxTokens - this.#special.length, 0));
    const idfOf = (token: string): number => ln(1 + size / (1 + textsWith.get(token)!));
    this.#setVocabulary(kept, weighs ? kept.map(idfOf) : undefined);
  }

  /** The tokens of a text: standardized, split and joined to n-grams. */
  tokens(text: string): string[] {
    const { standardize = 'lowerAndStripPunctuation', split = 'whitespace', ngrams } = this.#options;
    let standard = text;
    if (typeof standardize === 'function') standard = standardize(text);
    if (typeof standard !== 'string') {
      const what = standard === text ? 'texts' : 'standardize';
      throw new ArgumentError(`textVectorization: ${what} expected text, got ${shown(standard)}`);
    }
    if (standardize === 'lower' || standardize === 'lowerAndStripPunctuation') standard = standard.toLowerCase();
    if (standardize === 'stripPunctuation' || standardize === 'lowerAndStripPunctuation') {
      standard = standard.replaceAll(/[!-/:-@[-`{-~]/g, '');
    }
    const tokens =
      typeof split === 'function'
        ? split(standard)
        : split === 'whitespace'
          ? standard.split(/\s+/).filter((token) => token !== '')
          : split === 'character'
            ? [...standard]
            : [standard];
    if (!isStrings(tokens))
      throw new ArgumentError(`textVectorization: split expected a list of text, got ${shown(tokens)}`);
    if (ngrams === undefined) return tokens;
    const most = Math.min(Number(ngrams), tokens.length);
    const lengths = typeof ngrams === 'number' ? Array.from({ length: most }, (_, i) => i + 1) : ngrams;
    const joined = lengths.reduce((sum, n) => sum + n * Math.max(tokens.length - n + 1, 0), 0);
    if (joined > LONG && joined > 128 * tokens.length) {
      throw new ArgumentError(
        `textVectorization: ngrams expected shorter runs for a text of ${tokens.length} tokens, got ${joined} joined tokens`,
      );
    }
    return lengths.flatMap((n) =>
      Array.from({ length: Math.max(tokens.length - n + 1, 0) }, (_, i) => tokens.slice(i, i + n).join(' ')),
    );
  }

  /**
   * The ids of each text, of unequal length.
   *
   * @throws ArgumentError if there is no vocabulary yet: neither `adapt` was called nor `vocabulary` given; or if `texts`
   *   is one text instead of a list of texts.
   */
  sequences(texts: Iterable<string>): Int32Array<ArrayBuffer>[] {
    if (this.#vocabulary.length === 0) {
      throw new ArgumentError('textVectorization: expected a vocabulary, got none; call adapt(texts) first');
    }
    const unknown = this.#special.indexOf(UNKNOWN);
    return Array.from(severalTexts(texts), (text) =>
      Int32Array.from(this.tokens(text), (token) => this.#ids.get(token) ?? unknown),
    );
  }

  /**
   * Encodes texts as one array.
   *
   * @returns `[N, L]` i32 ids, or, in the other modes, `[N, vocabulary.length]` f32; the caller owns it.
   * @throws ArgumentError if there is no vocabulary yet: neither `adapt` was called nor `vocabulary` given; or if `texts`
   *   is one text instead of a list of texts.
   */
  encode(texts: Iterable<string>): NdArray<Int32Array | Float32Array> {
    const { outputMode = 'int', outputSequenceLength: maxLength } = this.#options;
    const sequences = this.sequences(texts);
    if (outputMode === 'int') {
      return padSequences(sequences, {
        padding: 'post',
        truncating: 'post',
        ...(maxLength !== undefined && { maxLength }),
      });
    }
    const width = this.#vocabulary.length;
    const counts = allocated(Float32Array, sequences.length * width, 'textVectorization: texts');
    for (const [i, ids] of sequences.entries()) {
      for (const id of ids) counts[i * width + id] = outputMode === 'multiHot' ? 1 : counts[i * width + id]! + 1;
    }
    if (outputMode === 'tfIdf') counts.forEach((count, i) => (counts[i] = count * this.#idfWeights[i % width]!));
    return new NdArray(counts, [sequences.length, width]);
  }

  /**
   * Joins the tokens of a list of ids with blanks, or directly if `split` is `'character'`. Padding is left out.
   *
   * @throws ArgumentError if an id is not one of the vocabulary.
   */
  decode(ids: ArrayLike<number>): string {
    const tokens = Array.from(ids, (id, i) => {
      const token = Number.isInteger(id) ? this.#vocabulary[id] : undefined;
      if (token !== undefined) return token;
      throw new ArgumentError(`decode: ids[${i}] expected 0 to ${this.#vocabulary.length - 1}, got ${shown(id)}`);
    });
    return tokens.filter((token) => token !== PADDING).join(this.#options.split === 'character' ? '' : ' ');
  }

  #setVocabulary(tokens: readonly string[], weights: readonly number[] | undefined): void {
    const hasSpecial = this.#special.every((token, i) => tokens[i] === token);
    const own = hasSpecial ? tokens.slice(this.#special.length) : tokens;
    const vocabulary = [...this.#special, ...own];
    const ids = new Map(vocabulary.map((token, id) => [token, id]));
    if (ids.size < vocabulary.length) {
      const twice = vocabulary.find((token, id) => ids.get(token) !== id);
      throw new ArgumentError(
        `textVectorization: vocabulary expected each token once, got ${JSON.stringify(twice)} twice`,
      );
    }
    const { maxTokens } = this.#options;
    if (maxTokens !== undefined && vocabulary.length > maxTokens) {
      throw new ArgumentError(
        `textVectorization: vocabulary expected at most maxTokens ${maxTokens} with the special ones, got ${vocabulary.length}`,
      );
    }
    this.#vocabulary = vocabulary;
    this.#ids = ids;
    // The weights are rounded to float32, in which they are multiplied.
    this.#idfWeights = (weights && !hasSpecial ? withMeanFirst(weights) : (weights ?? [])).map(Math.fround);
  }
}

/** Refuses one text, which is an iterable too: of its characters. */
function severalTexts(texts: Iterable<string>): Iterable<string> {
  if (typeof texts !== 'string') return texts;
  throw new ArgumentError(`textVectorization: texts expected a list of texts, got one text, ${shown(texts)}`);
}

/** More joined tokens than this are refused for one text, unless the text itself has many tokens. */
const LONG = 2 ** 25;

function checkValues(options: TextVectorizationOptions): void {
  const { standardize, split, outputMode, maxTokens, ngrams, outputSequenceLength, vocabulary, idfWeights } = options;
  const check = (key: string, value: unknown, allowed: readonly unknown[]): void => {
    if (value === undefined || typeof value === 'function' || allowed.includes(value)) return;
    const names = allowed.map((each) => (each === null ? 'null' : `'${each}'`)).join(', ');
    throw new ArgumentError(`textVectorization: ${key} expected one of ${names}, got ${shown(value)}`);
  };
  check('standardize', standardize, ['lowerAndStripPunctuation', 'lower', 'stripPunctuation', null]);
  check('split', split, ['whitespace', 'character', null]);
  check('outputMode', outputMode, ['int', 'count', 'multiHot', 'tfIdf']);
  const least = outputMode === undefined || outputMode === 'int' ? 3 : 2;
  const sizes = [['maxTokens', maxTokens, least] as const, ['outputSequenceLength', outputSequenceLength, 1] as const];
  for (const [key, value, from] of [
    ...sizes,
    ...[ngrams === undefined ? [] : ngrams].flat().map((n) => ['ngrams', n, 1] as const),
  ]) {
    if (value === undefined || (Number.isInteger(value) && value >= from)) continue;
    throw new ArgumentError(
      `textVectorization: ${key} expected a whole number of ${from} or more, got ${shown(value)}`,
    );
  }
  if (vocabulary !== undefined && !isStrings(vocabulary)) {
    throw new ArgumentError(`textVectorization: vocabulary expected a list of text, got ${shown(vocabulary)}`);
  }
  if (idfWeights !== undefined && !Array.isArray(idfWeights)) {
    throw new ArgumentError(`textVectorization: idfWeights expected a list of numbers, got ${shown(idfWeights)}`);
  }
  checkIdfWeights(idfWeights, outputMode === 'tfIdf' ? vocabulary : undefined);
}

/** Throws `ArgumentError` if weights are missing or do not belong here. */
function checkIdfWeights(weights: readonly number[] | undefined, tokens: readonly string[] | undefined): void {
  if (weights?.length !== tokens?.length) {
    const expected = tokens
      ? `one number for each of ${tokens.length} tokens`
      : `none without a vocabulary and 'tfIdf'`;
    throw new ArgumentError(`textVectorization: idfWeights expected ${expected}, got ${weights?.length ?? 'none'}`);
  }
  const bad = weights?.findIndex((weight) => !Number.isFinite(weight)) ?? -1;
  if (bad < 0) return;
  throw new ArgumentError(
    `textVectorization: idfWeights[${bad}] expected a finite number, got ${shown(weights![bad])}`,
  );
}

const increment = (counts: Map<string, number>, token: string): void => {
  counts.set(token, (counts.get(token) ?? 0) + 1);
};

/** The weights, after the weight of unknown tokens, which is the mean of all weights. */
function withMeanFirst(weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return [sum / Math.max(weights.length, 1), ...weights];
}

/** Compares by code point, like Python and UTF-8 bytes. UTF-16 units would sort U+FF5E after an emoji. */
function compareCodePoints(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
