// Text as a model sees it: characters (code points) as ids, cut into parallel streams of consecutive windows.

import { ArgumentError, expectArray, expectList, expectType, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { TapeloopError } from '../../checks/tapeloop-error.ts';
import { classOf } from '../../host/class-of.ts';
import { textOfUtf8 } from '../../host/utf8.ts';
import { invalidUtf8 } from './utf8.ts';

/** Text that cannot be used as asked: not UTF-8, a character outside the vocabulary, too short. */
export class TextError extends TapeloopError {
  constructor(message: string) {
    super(message);
    this.name = 'TextError';
  }
}

/**
 * Decodes UTF-8 strictly. A byte-order mark at the start is dropped; NUL is a character like others.
 *
 * @param bytes the whole text
 * @param name what to call it in an error, such as the file's path
 * @throws TextError at the first byte that no UTF-8 character can hold, with its offset
 * @see https://encoding.spec.whatwg.org/#utf-8-decoder
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
 * The distinct characters of a text, sorted by code point; a character's index is its id.
 *
 * @throws TextError if the text is empty
 */
export function buildVocabulary(text: string): string[] {
  expectType('buildVocabulary: text', text, 'a string');
  if (text === '') throw new TextError('buildVocabulary: expected text, got an empty one');
  return [...new Set(text)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
}

/**
 * The ids of a text's characters.
 *
 * @param vocabulary distinct characters by id, as from {@link buildVocabulary}
 * @returns one id a character (code point); the caller owns it
 * @throws TextError at the first character that the vocabulary lacks; ArgumentError if an entry of the vocabulary is
 *   not one character or stands twice
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
  // Fewer characters than UTF-16 units only if some take two.
  return count === ids.length ? ids : ids.slice(0, count);
}

/**
 * The text of a list of ids: what {@link encodeText} undoes.
 *
 * @throws ArgumentError if an id is not an index of the vocabulary
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

/** One step's input and target. The arrays belong to the streams and are overwritten by the next `next()`. */
export interface TextWindow {
  /** `[B, T]` i32, batch-major: T consecutive ids of each stream. */
  x: Int32Array<ArrayBuffer>;
  /** `[B, T]` i32, batch-major: for each id of `x` the one that follows it. */
  y: Int32Array<ArrayBuffer>;
  /**
   * Whether the window begins its streams, so that recurrent states must be reset; else they carry over from the window
   * before.
   */
  first: boolean;
}

/** A cursor over parallel streams of one text; from {@link textStreams}. */
export class TextStreams {
  /** Streams side by side. */
  readonly batch: number;
  /** Ids a window has of each stream. */
  readonly time: number;
  /** Windows of one pass over the text. */
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
    // One id stays back: the last stream's last target.
    this.#streamLength = Math.floor((ids.length - 1) / batch);
    this.windows = Math.floor(this.#streamLength / time);
    this.#x = new Int32Array(batch * time);
    this.#y = new Int32Array(batch * time);
  }

  /**
   * Index of the window that `next()` returns, 0 up to `windows` − 1. Set it to resume: whoever sets it to another
   * value than 0 also restores the states of that moment or resets them.
   *
   * @throws ArgumentError on setting anything else
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

  /** The next window; after the last one the streams begin again. */
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
 * Cuts a text into `batch` contiguous streams of equal length and walks them side by side, `time` ids a window, so that
 * each window's states carry over into the next. What is left of a stream behind its last whole window is not visited.
 *
 * @param ids `[N]` i32, one id a character; referred to, not copied
 * @param options `batch` streams B, `time` ids a window T
 * @returns the cursor, at the first window
 * @throws TextError if the text has fewer than B·T + 1 characters; ArgumentError if `batch` or `time` is not a whole
 *   number of 1 or more
 *
 * @example
 * const streams = textStreams(encodeText('hello world', buildVocabulary('hello world')), { batch: 2, time: 5 });
 * const { x, y, first } = streams.next();
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
