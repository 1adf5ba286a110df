import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { ln } from '../../engine/float64.ts';
import { allocated, NdArray } from '../array.ts';
import { padSequences } from '../pad-sequences.ts';
import { isStrings } from './lines.ts';

export interface TextVectorizationOptions {
  /** The vocabulary's greatest size, special tokens included; unlimited unless given. */
  maxTokens?: number | undefined;
  /**
   * What to do to a text first: lower its case and take ASCII punctuation out (default), one of both, nothing, or as a
   * function does.
   */
  standardize?:
    | 'lowerAndStripPunctuation'
    | 'lower'
    | 'stripPunctuation'
    | null
    | ((text: string) => string)
    | undefined;
  /**
   * Where tokens end: at white space (default), behind every character, or as a function says; `null` takes a text for
   * one token.
   */
  split?: 'whitespace' | 'character' | null | ((text: string) => string[]) | undefined;
  /**
   * Runs of this many tokens and fewer become tokens too, joined by a blank; a list names the lengths. Refused where a
   * text would become more than 2^25 joined tokens and 128 times as many as it has.
   */
  ngrams?: number | readonly number[] | undefined;
  /**
   * What `encode` makes of a text: the ids of its tokens (default), how often each token stands in it, whether it does,
   * or how often times how rare it is among the texts of `adapt`.
   */
  outputMode?: 'int' | 'count' | 'multiHot' | 'tfIdf' | undefined;
  /** Ids a text in mode `int`: texts are cut or filled with 0 at their end. That of the longest text unless given. */
  outputSequenceLength?: number | undefined;
  /** The tokens by id, instead of `adapt`: with or without the special ones. */
  vocabulary?: readonly string[] | undefined;
  /**
   * For `vocabulary` in mode `tfIdf`: the weight of each token, as many. Without special tokens `'[UNK]'` has their
   * mean.
   */
  idfWeights?: readonly number[] | undefined;
}

const PADDING = '';
const UNKNOWN = '[UNK]';

/**
 * Texts as ids of words, like Keras's layer of this name: the most frequent words of the texts it is adapted to have
 * the lowest ids.
 *
 * In mode `int` id 0 (`''`) fills up and id 1 (`'[UNK]'`) is every token outside the vocabulary; in the other modes
 * place 0 is `'[UNK]'`. Tokens of equal frequency stand in falling order of their code points, as in Keras. Case is
 * lowered by Unicode's rules; Keras lowers ASCII letters alone.
 *
 * In mode `tfIdf` a token that stands c times in a text gives c·idf, idf = ln(1 + N / (1 + n)), where n of the N texts
 * of `adapt` have the token. `'[UNK]'` has the mean of all idf.
 *
 * @throws ArgumentError if an option is none, `vocabulary` has a token twice or more than `maxTokens`, or `idfWeights`
 *   are not one finite number for each of its tokens, in mode `tfIdf` and no other.
 * @see https://keras.io/api/layers/preprocessing_layers/text/text_vectorization/
 *
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
   * Tokens by id, special ones included; empty before `adapt`. Given as `vocabulary` it makes the same vectorization
   * again.
   */
  get vocabulary(): readonly string[] {
    return this.#vocabulary;
  }

  /**
   * In mode `tfIdf` the weight of each token, by id; else empty. Given as `idfWeights` with `vocabulary` it makes the
   * same vectorization again.
   */
  get idfWeights(): readonly number[] {
    return this.#idfWeights;
  }

  /** Learns the vocabulary from texts, and in mode `tfIdf` its weights; what was learned before is forgotten. */
  adapt(texts: Iterable<string>): void {
    const counts = new Map<string, number>();
    // Of tokens, for their weights.
    const textsWith = new Map<string, number>();
    const { maxTokens = Number.POSITIVE_INFINITY, outputMode } = this.#options;
    const weighs = outputMode === 'tfIdf';
    let size = 0;
    for (const text of texts) {
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

  /** A text's tokens: standardized, split, joined to n-grams. */
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
   * Texts as the lists of their ids, of unequal length.
   *
   * @throws ArgumentError before `adapt`, unless a vocabulary was given.
   */
  sequences(texts: Iterable<string>): Int32Array<ArrayBuffer>[] {
    if (this.#vocabulary.length === 0) {
      throw new ArgumentError('textVectorization: expected a vocabulary, got none; call adapt(texts) first');
    }
    const unknown = this.#special.indexOf(UNKNOWN);
    return Array.from(texts, (text) => Int32Array.from(this.tokens(text), (token) => this.#ids.get(token) ?? unknown));
  }

  /**
   * Texts as one array.
   *
   * @returns `[N, L]` i32 ids, or, in the other modes, `[N, vocabulary.length]` f32; in memory of its own.
   * @throws ArgumentError as `sequences` does.
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
   * The tokens of a list of ids, joined by blanks (by nothing where `split` is `'character'`); what fills up is left
   * out.
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
    // As float32, which is what they are multiplied in.
    this.#idfWeights = (weights && !hasSpecial ? withMeanFirst(weights) : (weights ?? [])).map(Math.fround);
  }
}

/** So many joined tokens are more than anybody wants of one text, unless the text itself is as long. */
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

/** That there are weights where there are tokens to weigh. */
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

/** Weights of tokens with that of unknown ones before them: nothing is known of those but the mean. */
function withMeanFirst(weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return [sum / Math.max(weights.length, 1), ...weights];
}

/** By code point, as Python and bytes of UTF-8 compare; UTF-16 units would put U+FF5E behind an emoji. */
function compareCodePoints(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
