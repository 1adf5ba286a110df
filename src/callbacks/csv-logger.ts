import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import type { Callback } from '../models/model.ts';

/** How `csvLogger` writes rows. */
export interface CsvLoggerOptions {
  /** One character between the values of a row. Default `,`. */
  separator?: string | undefined;
  /** Whether the rows continue existing rows, so that no header is written. Default false. */
  append?: boolean | undefined;
}

/**
 * Writes one row of CSV after each epoch: the epoch's number from 0, then loss and metrics in the order of their names.
 * A value that an epoch did not measure is `NA`.
 *
 * @param write gets one whole line at a time. Training waits for the promise that it returns.
 * @param options separator and append.
 * @returns a callback for `fit`; it serves one run at a time.
 * @throws ArgumentError if `write` is not a function, the separator is not a single character or is a quote or a line
 *   end, or an option is unknown.
 * @see keras.callbacks.CSVLogger
 * @example
 * const lines = [];
 * await model.fit(x, y, { epochs: 2, callbacks: [csvLogger((line) => lines.push(line))] });
 * lines[0]; // 'epoch,loss\n'
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
        // A validation in a later epoch needs its columns in the header now.
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
