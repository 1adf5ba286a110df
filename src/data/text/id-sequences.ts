import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { DataError } from '../sources/data-error.ts';
import { type NamedBytes, openSource, type Source, type SourceOptions } from '../sources/source.ts';

/** Unsigned little-endian integers of 8, 16 or 32 bits. */
export type IdWidth = 'u8' | 'u16' | 'u32';

export interface IdSources {
  /** All sequences, concatenated. */
  ids: Source;
  /** N + 1 numbers: sequence i is ids[offsets[i]] to ids[offsets[i + 1] − 1]. */
  offsets: Source;
  /** N labels. */
  labels: Source;
}

export interface IdOptions extends Omit<SourceOptions, 'sha256' | 'name'> {
  /** The SHA-256 of each file. */
  sha256?: { [file in keyof IdSources]?: string } | undefined;
  /** The width of each file's numbers. Default: ids u16, offsets u32, labels u8. */
  widths?: { [file in keyof IdSources]?: IdWidth } | undefined;
  /** Ids from this one on become `outOfVocabulary`. With ids by falling frequency, the most frequent words stay. */
  numWords?: number | undefined;
  /** Ids below this one become `outOfVocabulary`, including 0 and 1, as in Keras. */
  skipTop?: number | undefined;
  /**
   * Sequences of this length or more are left out with their labels, like `maxlen` of Keras. `padSequences` cuts
   * sequences instead.
   */
  maxLength?: number | undefined;
  /** The id that replaces others. Default 2. `null` removes them. */
  outOfVocabulary?: number | null | undefined;
}

export interface IdSequences {
  /** Ids of N sequences of unequal length. */
  sequences: Int32Array<ArrayBuffer>[];
  /** `[N]` labels. */
  labels: Int32Array<ArrayBuffer>;
}

/**
 * Reads labelled sequences of ids, such as the IMDB reviews, from three files: all ids, the start of each sequence, and
 * the labels.
 *
 * The options are those of `keras.datasets.imdb.load_data`. That function also shuffles; here `shuffle` does.
 *
 * @param sources the three files, each a path, a URL or bytes.
 * @param options default: widths u16, u32 and u8, skipTop 0, outOfVocabulary 2; the rest as `readSource` takes them.
 * @returns sequences of unequal length, and their labels `[N]` i32; the caller owns them. `padSequences` makes one
 *   array of them.
 * @throws DataError if a file is not a whole number of integers, the offsets do not ascend from 0 to the number of ids,
 *   the numbers of labels and sequences differ, an id needs more than 31 bits, or a gzip is corrupt; it names file and
 *   index. SourceError if a source cannot be read. ArgumentError if a source or an option is of another kind, out of
 *   its range or unknown, or no sequence is shorter than `maxLength`. The signal's reason if it is aborted.
 * @see https://keras.io/api/datasets/imdb/
 * @example
 * // In practice the sources are paths or URLs, such as 'train.ids.u16.gz'.
 * const sources = { ids: Uint8Array.of(5, 6, 7), offsets: Uint8Array.of(0, 1, 3), labels: Uint8Array.of(0, 1) };
 * const { sequences, labels } = await loadIds(sources, { widths: { ids: 'u8', offsets: 'u8' }, numWords: 7 });
 * padSequences(sequences, { maxLength: 2 }); // [[0, 5], [6, 2]]
 */
export async function loadIds(sources: IdSources, options: IdOptions = {}): Promise<IdSequences> {
  checkOptions('loadIds', options, {
    fetch: 1,
    signal: 1,
    onProgress: 1,
    cache: 1,
    gzip: 1,
    sha256: 1,
    widths: 1,
    numWords: 1,
    skipTop: 1,
    maxLength: 1,
    outOfVocabulary: 1,
  });
  const { sha256 = {}, widths = {}, numWords, skipTop = 0, maxLength, outOfVocabulary = 2, ...how } = options;
  const limits = { numWords, skipTop, maxLength, outOfVocabulary: outOfVocabulary ?? undefined };
  for (const [key, value] of Object.entries(limits)) {
    const isId = key === 'outOfVocabulary';
    if (value !== undefined && !(Number.isInteger(value) && value >= 0 && !(isId && value > 0x7fffffff))) {
      const range = isId ? 'from 0 to 2^31 - 1' : 'of 0 or more';
      throw new ArgumentError(`loadIds: ${key} expected a whole number ${range}, got ${shown(value)}`);
    }
  }
  for (const [key, value] of Object.entries({ sha256, widths })) {
    if (typeof value !== 'object' || value === null) {
      throw new ArgumentError(`loadIds: ${key} expected an object, got ${shown(value)}`);
    }
  }
  const open = async (file: keyof IdSources): Promise<NamedBytes> => {
    const digest = sha256[file];
    return openSource(sources[file], { ...how, ...(digest !== undefined && { sha256: digest }) });
  };
  const files = await Promise.all([open('ids'), open('offsets'), open('labels')]);
  const ids = integers(files[0], widths.ids ?? 'u16');
  const offsets = integers(files[1], widths.offsets ?? 'u32');
  const labels = integers(files[2], widths.labels ?? 'u8');
  checkOffsets(offsets, { ids: ids.length, labels: labels.length, file: files[1].name, labelFile: files[2].name });

  const kept: number[] = [];
  for (let i = 0; i < labels.length; i++) {
    if (maxLength === undefined || offsets[i + 1]! - offsets[i]! < maxLength) kept.push(i);
  }
  if (kept.length === 0 && labels.length > 0) {
    throw new ArgumentError(`loadIds: maxLength ${maxLength} left none of ${labels.length} sequences, all are as long`);
  }
  const inVocabulary = (id: number): boolean => id >= skipTop && (numWords === undefined || id < numWords);
  const sequences = kept.map((i) => {
    const sequence = ids.subarray(offsets[i], offsets[i + 1]);
    return outOfVocabulary === null
      ? sequence.filter(inVocabulary)
      : sequence.map((id) => (inVocabulary(id) ? id : outOfVocabulary));
  });
  return { sequences, labels: Int32Array.from(kept, (i) => labels[i]!) };
}

function integers({ name, bytes }: NamedBytes, width: IdWidth): Int32Array<ArrayBuffer> {
  const size = new Map([
    ['u8', 1],
    ['u16', 2],
    ['u32', 4],
  ]).get(width);
  if (size === undefined) throw new ArgumentError(`loadIds: widths expected 'u8', 'u16' or 'u32', got ${shown(width)}`);
  if (bytes.length % size !== 0) {
    throw new DataError(
      name,
      `expected numbers of ${size} bytes, got ${bytes.length} bytes: the file is cut short or of another width`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = new Int32Array(bytes.length / size);
  for (let i = 0; i < values.length; i++) {
    const value = size === 1 ? bytes[i]! : size === 2 ? view.getUint16(2 * i, true) : view.getUint32(4 * i, true);
    if (value > 0x7fffffff) throw new DataError(name, `expected numbers below 2^31, got ${value} at index ${i}`);
    values[i] = value;
  }
  return values;
}

function checkOffsets(
  offsets: Int32Array,
  { ids, labels, file, labelFile }: { ids: number; labels: number; file: string; labelFile: string },
): void {
  if (offsets.length !== labels + 1) {
    throw new DataError(
      file,
      `expected ${labels + 1} offsets for the ${labels} labels of ${labelFile}, got ${offsets.length}`,
    );
  }
  if (offsets[0] !== 0) throw new DataError(file, `offset 0 expected 0, got ${offsets[0]}`);
  for (let i = 1; i < offsets.length; i++) {
    if (offsets[i]! < offsets[i - 1]!) {
      throw new DataError(file, `offset ${i} expected ${offsets[i - 1]} or more, the offset before, got ${offsets[i]}`);
    }
  }
  if (offsets[labels] !== ids) {
    throw new DataError(file, `offset ${labels}, the last, expected ${ids}, the number of ids, got ${offsets[labels]}`);
  }
}
