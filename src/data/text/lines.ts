import { checkOptions } from '../../checks/options.ts';
import { type NamedBytes, openSource, type Source, type SourceOptions, sourceNames } from '../sources/source.ts';
import { decodeUtf8 } from './text.ts';

/**
 * Reads a text in UTF-8; a byte-order mark is dropped.
 *
 * @param source a path, a URL or bytes, as `readSource` takes it.
 * @returns the text.
 * @throws TextError at the first byte that is not UTF-8, with its offset; SourceError and DataError as `readSource`
 *   does.
 *
 * @example
 * const text = await loadText('shakespeare.txt');
 */
export async function loadText(source: Source, options: SourceOptions = {}): Promise<string> {
  checkOptions('loadText', options, sourceNames);
  return (await openText(source, options)).text;
}

/**
 * Reads a text line by line: a list of words or names, one a line.
 *
 * @returns the lines without their ends (LF, CR LF or CR); what stands behind the last end is a line if it is not
 *   empty.
 * @throws as `loadText` does.
 */
export async function loadLines(source: Source, options: SourceOptions = {}): Promise<string[]> {
  checkOptions('loadLines', options, sourceNames);
  return linesOf(await loadText(source, options));
}

/** A text and what to call it in errors. @internal */
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
  // `every` passes over holes.
  Array.isArray(value) && [...value].every((each) => typeof each === 'string');
