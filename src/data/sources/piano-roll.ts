import { ArgumentError, expectCount, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { allocated, NdArray } from '../array.ts';
import { openText } from '../text/lines.ts';
import { DataError } from './data-error.ts';
import { type Source, type SourceOptions, sourceNames } from './source.ts';

const splits = ['train', 'valid', 'test'] as const;

/** Pieces as rolls `[T, keys]`: 1 if a key sounds in a step, else 0. */
export type PianoRolls = Record<'train' | 'valid' | 'test', NdArray<Uint8Array>[]>;

export interface PianoRollOptions extends SourceOptions {
  /** Number of keys. Default 88. */
  keys?: number | undefined;
  /** The number of the lowest key in the file. Default 0; it is 21 in files with MIDI numbers. */
  lowestKey?: number | undefined;
}

/**
 * Reads polyphonic music from JSON: `{ "train": […], "valid": […], "test": […] }`. Each part is a list of pieces, a
 * piece is a list of steps, and a step is a list of the keys that sound.
 *
 * @param source a path, a URL or bytes.
 * @param options default: keys 88, lowestKey 0; the rest as `readSource` takes them.
 * @returns for each part its pieces, `[T_i, keys]` u8; the caller owns them. `padSequences` makes one array of them.
 * @throws DataError if the text is not JSON of this form, naming part, piece, step and place of a wrong key, or if the
 *   gzip is corrupt. TextError if the bytes are not UTF-8. SourceError if the source cannot be read. ArgumentError if
 *   `source` or an option is of another kind, out of its range or unknown. The signal's reason if it is aborted.
 * @see Boulanger-Lewandowski, Bengio, Vincent: "Modeling Temporal Dependencies in High-Dimensional Sequences", 2012
 * @example
 * const bytes = new TextEncoder().encode('{"train": [[[60], [60, 64]]], "valid": [], "test": []}');
 * const { train } = await loadPianoRoll(bytes, { lowestKey: 21 });
 * train[0].shape; // [2, 88]
 */
export async function loadPianoRoll(source: Source, options: PianoRollOptions = {}): Promise<PianoRolls> {
  const { keys = 88, lowestKey = 0 } = checkOptions('loadPianoRoll', options, {
    keys: 1,
    lowestKey: 1,
    ...sourceNames,
  });
  expectCount('loadPianoRoll: keys', keys);
  if (!Number.isInteger(lowestKey))
    throw new ArgumentError(`loadPianoRoll: lowestKey expected an integer, got ${shown(lowestKey)}`);
  const { name, text } = await openText(source, options);
  const music = parseJson(text, name) as Partial<Record<string, unknown>> | null;

  const arrayAt = (value: unknown, where: string): unknown[] => {
    if (Array.isArray(value)) return value;
    throw new DataError(name, `${where} expected an array, got ${typeof value}`);
  };
  const rollOf = (piece: unknown, where: string): NdArray<Uint8Array> => {
    const steps = arrayAt(piece, where);
    const data = allocated(Uint8Array, steps.length * keys, 'loadPianoRoll: keys');
    for (const [t, step] of steps.entries()) {
      for (const [i, key] of arrayAt(step, `${where}[${t}]`).entries()) {
        if (!(Number.isInteger(key) && (key as number) >= lowestKey && (key as number) < lowestKey + keys)) {
          const range = `${lowestKey} to ${lowestKey + keys - 1}`;
          throw new DataError(name, `${where}[${t}][${i}] expected a key, ${range}, got ${shown(key)}`);
        }
        data[t * keys + (key as number) - lowestKey] = 1;
      }
    }
    return new NdArray(data, [steps.length, keys]);
  };
  const [train, valid, test] = splits.map((split) =>
    arrayAt(music?.[split], split).map((piece, i) => rollOf(piece, `${split}[${i}]`)),
  );
  return { train: train!, valid: valid!, test: test! };
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    // Some hosts name the position, each in its own words. A cut file has its error in the last line.
    const at = /position (\d+)/.exec(message)?.[1] ?? (/\bend\b/i.test(message) ? text.length : undefined);
    const line = at === undefined ? undefined : text.slice(0, Number(at)).split('\n').length;
    throw new DataError(file, `expected JSON, got a fault: ${message.slice(0, 120)}`, line);
  }
}
