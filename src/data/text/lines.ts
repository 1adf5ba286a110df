import { checkOptions } from '../../checks/options.ts';
import { type NamedBytes, openSource, type Source, type SourceOptions, sourceNames } from '../sources/source.ts';
import { decodeUtf8 } from './text.ts';

/**
 * Reads a text in UTF-8. A byte-order mark is dropped.
 *
 * @param source a path, a URL or bytes.
 * @param options sha256, cache, fetch, signal, onProgress, name and gzip, as `readSource` takes them.
 * @returns the text.
 * @throws TextError at the first byte that is not UTF-8, with its offset. SourceError if the source cannot be read.
 *   DataError if the gzip is corrupt. ArgumentError if `source` or an option is of another kind or unknown. The
 *   signal's reason if it is aborted.
 * @see https://encoding.spec.whatwg.org/#utf-8-decode
 * @example
 * const story = await loadText('text.txt');
 */
export async function loadText(source: Source, options: SourceOptions = {}): Promise<string> {
  checkOptions('loadText', options, sourceNames);
  return (await openText(source, options)).text;
}

/**
 * Reads the lines of a text in UTF-8, such as a list of words or names.
 *
 * @param source a path, a URL or bytes.
 * @param options sha256, cache, fetch, signal, onProgress, name and gzip, as `readSource` takes them.
 * @returns the lines without their ends (LF, CR LF or CR). Text after the last line end is a line if it is not empty.
 * @throws TextError at the first byte that is not UTF-8, with its offset. SourceError if the source cannot be read.
 *   DataError if the gzip is corrupt. ArgumentError if `source` or an option is of another kind or unknown. The
 *   signal's reason if it is aborted.
 * @see https://docs.python.org/3/library/stdtypes.html#str.splitlines
 * @example
 * const lines = await loadLines('pairs.tsv'); // ['go\tva', 'stop\tarrete']
 */
export async function loadLines(source: Source, options: SourceOptions = {}): Promise<string[]> {
  checkOptions('loadLines', options, sourceNames);
  return linesOf(await loadText(source, options));
}

/** A text and its name for errors. @internal */
export async function openText(source: Source, options: SourceOptions): Promise<{ name: string; text: string }> {
  const { name, bytes }: NamedBytes = await openSource(source, options);
  return { name, text: decodeUtf8(bytes, name) };
}

/** @internal */
export const LINE_END = /\r\n?|\n/;

/** @internal */
export function linesOf(text: string): string[] {
  const lines = text.split(LINE_END);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Whether it is a list of strings. @internal */
export const isStrings = (value: unknown): value is string[] =>
  // `every` skips holes; a spread copy has none.
  Array.isArray(value) && [...value].every((each) => typeof each === 'string');
