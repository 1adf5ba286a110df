import type { Random } from '../random.ts';
import type { Plain } from '../target.ts';
import { oddValue } from '../values.ts';

/** A text of pieces that a format gives a meaning, and of others. */
export function textOf(random: Random, pieces: readonly string[], most = 24): string {
  let text = random.chance(0.05) ? '\ufeff' : '';
  for (let n = random.below(most); n > 0; n--) {
    const piece = random.pick(pieces);
    text += random.chance(0.002) ? piece.repeat(20_000) : piece;
  }
  return text;
}

/** Some of the options, each of a value that it may have or of an odd one. */
export function optionsOf(
  random: Random,
  options: Readonly<Record<string, readonly Plain[]>>,
): { [key: string]: Plain } {
  const chosen: { [key: string]: Plain } = {};
  for (const [key, values] of Object.entries(options)) {
    if (random.chance(0.2)) chosen[key] = random.chance(0.15) ? oddValue(random) : random.pick(values);
  }
  return chosen;
}

/** Bytes as a string of one character each, and back. */
export const latin = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};
export const bytesOf = (text: Plain | undefined): Uint8Array<ArrayBuffer> => {
  const from = String(text ?? '');
  const bytes = new Uint8Array(from.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = from.charCodeAt(i);
  return bytes;
};

const encoder = new TextEncoder();

/** A text in UTF-8, with one byte of it changed where `at` says so. */
export function utf8(text: Plain | undefined, at: Plain | undefined): Uint8Array {
  const bytes = encoder.encode(String(text ?? ''));
  if (typeof at === 'number' && bytes.length > 0) bytes[at % bytes.length] = at >> 8;
  return bytes;
}

/** The parts of an input that is an object. */
export const partsOf = (input: Plain): { [key: string]: Plain } =>
  typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {};
