// Text for character models: characters (code points) become ids, and ids become parallel streams of consecutive
// windows.

import { ArgumentError, expectArray, expectList, expectType, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { TapeloopError } from '../../checks/tapeloop-error.ts';
import { classOf } from '../../host/class-of.ts';
import { textOfUtf8 } from '../../host/utf8.ts';
import { invalidUtf8 } from './utf8.ts';

/** A text cannot be used: it is not UTF-8, has a character outside the vocabulary, or is too short. */
export class TextError extends TapeloopError {
  constructor(message: string) {
    super(message);
    this.name = 'TextError';
  }
}

/**
 * Decodes UTF-8 strictly. A byte-order mark at the start is dropped; NUL is an ordinary character.
 *
 * @param bytes the whole text.
 * @param name of the text in errors, such as the path of the file.
 * @returns the text.
 * @throws TextError at the first byte that is not valid UTF-8, with its offset. ArgumentError if `bytes` or `name` is
 *   of another kind.
 * @see https://encoding.spec.whatwg.org/#utf-8-decoder
 * @example
 * decodeUtf8(Uint8Array.of(104, 195, 169), 'greeting'); // 'hé'
 */
export function decodeUtf8(bytes: Uint8Array, name: string): string {
  if (classOf(bytes) !== 'Uint8Array')
    throw new ArgumentError(`decodeUtf8: bytes expected a Uint8Array, got ${shown(bytes)}`);
  expectType('decodeUtf8: name', name, 'a string');
  try {
    const text = textOfUtf8(bytes);
    return text[0] === '\ufeff' ? text.slice(1) : text;
  } catch {
    const at = invalidUtf8(bytes);
    const utf16 = bytes[0] + bytes[1] === 0xff + 0xfe ? '; its first bytes are those of UTF-16' : '';
    const got = at < bytes.length ? `byte 0x${bytes[at].toString(16).padStart(2, '0')}` : 'the end inside a character';
    throw new TextError(`${name}: expected UTF-8, got ${got} at offset ${at}${utf16}`);
  }
}

/**
 * The distinct characters of a text, sorted by code point. The index of a character is its id.
 *
 * @param text the whole training text.
 * @returns a list of characters (code points); the caller owns it.
 * @throws TextError if the text is empty. ArgumentError if it is not a string.
 * @see https://www.tensorflow.org/text/tutorials/text_generation
 * @example
 * buildVocabulary('hello'); // ['e', 'h', 'l', 'o']
 */
export function buildVocabulary(text: string): string[] {
  expectType('buildVocabulary: text', text, 'a string');
  if (text === '') throw new TextError('buildVocabulary: expected text, got an empty one');
  return [...new Set(text)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
}

/**
 * Converts characters (code points) to ids.
 *
 * @param text any text.
 * @param vocabulary distinct characters by id, as from {@link buildVocabulary}.
 * @returns `[N]` i32, one id for each character; the caller owns it.
 * @throws TextError at the first character outside the vocabulary. ArgumentError if `text` is not a string, or an entry
 *   of the vocabulary is not one character or occurs twice.
 * @see https://keras.io/api/layers/preprocessing_layers/categorical/string_lookup/
 * @example
 * encodeText('hole', buildVocabulary('hello')); // [1, 3, 2, 0]
 */
export function encodeText(text: string, vocabulary: readonly string[]): Int32Array<ArrayBuffer> {
  expectType('encodeText: text', text, 'a string');
  expectList('encodeText: vocabulary', vocabulary);
  const idOf = new Map<number, number>();
  for (const [id, character] of vocabulary.entries()) {
    const code = typeof character === 'string' ? character.codePointAt(0) : undefined;
    if (code === undefined || character.length !== (code > 0xffff ? 2 : 1) || idOf.has(code)) {
      throw new ArgumentError(`vocabulary[${id}]: expected one character, not used before, got ${shown(character)}`);
    }
    idOf.set(code, id);
  }
  const ids = new Int32Array(text.length);
  let count = 0;
  for (let at = 0; at < text.length; count++) {
    const code = text.codePointAt(at)!;
    const id = idOf.get(code);
    if (id === undefined) {
      const shown = `${JSON.stringify(String.fromCodePoint(code))} (U+${code.toString(16).toUpperCase().padStart(4, '0')})`;
      throw new TextError(
        `encodeText: character ${shown} at position ${count} is not among the vocabulary's ${vocabulary.length} characters`,
      );
    }
    ids[count] = id;
    at += code > 0xffff ? 2 : 1;
  }
  // There are fewer characters than UTF-16 units if some take two units.
  return count === ids.length ? ids : ids.slice(0, count);
}

/**
 * Converts ids to text: the inverse of {@link encodeText}.
 *
 * @param ids indices into the vocabulary.
 * @param vocabulary characters by id.
 * @returns the text.
 * @throws ArgumentError if `ids` or `vocabulary` is not a list, or an id is not an index of the vocabulary.
 * @see https://keras.io/api/layers/preprocessing_layers/categorical/string_lookup/
 * @example
 * decodeIds([1, 3, 2, 0], ['e', 'h', 'l', 'o']); // 'hole'
 */
export function decodeIds(ids: ArrayLike<number>, vocabulary: readonly string[]): string {
  expectArray('decodeIds: ids', ids);
  expectList('decodeIds: vocabulary', vocabulary);
  return Array.from({ length: ids.length }, (_, at) => {
    const id = ids[at]!;
    if (Number.isInteger(id) && id >= 0 && id < vocabulary.length) {
      expectType(`decodeIds: vocabulary[${id}]`, vocabulary[id], 'a string');
      return vocabulary[id];
    }
    throw new ArgumentError(`decodeIds: ids[${at}] expected 0 to ${vocabulary.length - 1}, got ${shown(id)}`);
  }).join('');
}

/** Input and target of one step. The streams own the arrays; the next call of `next()` overwrites them. */
export interface TextWindow {
  /** `[B, T]` i32, row-major: T consecutive ids of each stream. */
  x: Int32Array<ArrayBuffer>;
  /** `[B, T]` i32, row-major: for each id of `x` the id after it. */
  y: Int32Array<ArrayBuffer>;
  /**
   * Whether the window is the first of its streams, so that recurrent states must be reset. Otherwise they carry over
   * from the window before.
   */
  first: boolean;
}

/** A cursor over parallel streams of one text, made by {@link textStreams}. */
export class TextStreams {
  /** Number of parallel streams B. */
  readonly batch: number;
  /** Ids T of a window in each stream. */
  readonly time: number;
  /** Number of windows in one pass over the text. */
  readonly windows: number;
  readonly #ids: Int32Array;
  readonly #streamLength: number;
  readonly #x: Int32Array<ArrayBuffer>;
  readonly #y: Int32Array<ArrayBuffer>;
  #position = 0;

  constructor(ids: Int32Array, batch: number, time: number) {
    this.batch = batch;
    this.time = time;
    this.#ids = ids;
    // One id is reserved for the last target of the last stream.
    this.#streamLength = Math.floor((ids.length - 1) / batch);
    this.windows = Math.floor(this.#streamLength / time);
    this.#x = new Int32Array(batch * time);
    this.#y = new Int32Array(batch * time);
  }

  /**
   * Index of the window that `next()` returns, from 0 to `windows` − 1. Set it to resume. After a value other than 0
   * the recurrent states must be restored or reset as well.
   *
   * @throws ArgumentError for a value that is not such an index.
   */
  get position(): number {
    return this.#position;
  }

  set position(position: number) {
    if (!Number.isInteger(position) || position < 0 || position >= this.windows) {
      throw new ArgumentError(`textStreams: position expected 0 to ${this.windows - 1}, got ${shown(position)}`);
    }
    this.#position = position;
  }

  /** The next window. After the last window the streams begin again. */
  next(): TextWindow {
    const first = this.#position === 0;
    for (let b = 0; b < this.batch; b++) {
      const from = b * this.#streamLength + this.#position * this.time;
      this.#x.set(this.#ids.subarray(from, from + this.time), b * this.time);
      this.#y.set(this.#ids.subarray(from + 1, from + 1 + this.time), b * this.time);
    }
    this.#position = (this.#position + 1) % this.windows;
    return { x: this.#x, y: this.#y, first };
  }
}

/**
 * Cuts a text into `batch` contiguous streams of equal length and reads them in parallel, `time` ids in each window.
 * The states of a window carry over into the next. Ids after the last whole window of a stream are not used.
 *
 * @param ids `[N]` i32, one id for each character. It is referenced, not copied.
 * @param options `batch`, the number of streams B, and `time`, the ids T of a window.
 * @returns the cursor, at the first window.
 * @throws TextError if there are fewer than B·T + 1 ids. ArgumentError if `batch` or `time` is not an integer ≥ 1, or
 *   an option is unknown.
 * @see Williams and Peng 1990
 * @example
 * const streams = textStreams(encodeText('hello world', buildVocabulary('hello world')), { batch: 2, time: 5 });
 * const { x, y, first } = streams.next(); // x and y: [2, 5] ids
 */
export function textStreams(ids: Int32Array, options: { batch: number; time: number }): TextStreams {
  checkOptions('textStreams', options, { batch: 1, time: 1 });
  for (const key of ['batch', 'time'] as const) {
    if (!Number.isSafeInteger(options[key]) || options[key] < 1) {
      throw new ArgumentError(`textStreams: ${key} expected a whole number of 1 or more, got ${shown(options[key])}`);
    }
  }
  expectArray('textStreams: ids', ids);
  const needed = options.batch * options.time + 1;
  if (ids.length < needed) {
    throw new TextError(
      `textStreams: expected a text of at least ${needed} characters for batch ${options.batch} and time ${options.time}, got ${ids.length}`,
    );
  }
  return new TextStreams(ids, options.batch, options.time);
}
