import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import type { Callback } from '../models/model.ts';

/** How `csvLogger` writes rows. */
export interface CsvLoggerOptions {
  /** One character between the values of a row. Default `,`. */
  separator?: string | undefined;
  /** Whether the rows follow others, so that no header is written. Default false. */
  append?: boolean | undefined;
}

/**
 * Writes a row after each epoch: its number, then loss and metrics by name in the order of their names. What an epoch
 * did not measure is `NA`.
 *
 * @param write gets one whole line at a time, so that what there is can be read as training goes on; training waits for
 *   it.
 * @throws ArgumentError if the separator is no single character.
 * @see keras.callbacks.CSVLogger
 */
export function csvLogger(write: (line: string) => void | Promise<void>, options: CsvLoggerOptions = {}): Callback {
  expectType('csvLogger: write', write, 'a function');
  const { separator = ',', append = false } = checkOptions('csvLogger', options, { separator: 1, append: true });
  if (typeof separator !== 'string' || separator.length !== 1 || /["\r\n]/.test(separator)) {
    throw new ArgumentError(`csvLogger: separator expected one character, got ${shown(separator)}`);
  }
  const line = (values: readonly (string | number)[]): string =>
    `${values.map((value) => quoted(String(value), separator)).join(separator)}\n`;
  let names: string[] | undefined;
  let validates = false;
  return {
    onTrainBegin(_, plan) {
      names = undefined;
      validates = plan.validates;
    },
    state: () => ({ names }),
    restore(state) {
      ({ names } = state as { names?: string[] });
    },
    async onEpochEnd(epoch, logs) {
      if (!names) {
        names = Object.keys(logs).sort();
        // A validation that comes after a later epoch needs its columns now.
        const waits = validates && !names.some((name) => name.startsWith('val_'));
        if (waits) names.push(...names.filter((name) => name !== 'learningRate').map((name) => `val_${name}`));
        if (!append) await write(line(['epoch', ...names]));
      }
      await write(line([epoch, ...names.map((name) => logs[name] ?? 'NA')]));
    },
  };
}

const quoted = (value: string, separator: string): string =>
  value.includes(separator) || /["\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
