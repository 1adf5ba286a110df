import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import type { Names } from '../checks/options.ts';
import type { TrainingPlan } from '../train/callback.ts';
import type { Logs } from '../train/logs.ts';

/** Which value a callback monitors, and when it counts as better. */
export interface MonitorOptions {
  /** Name of the monitored value in the logs. Default `val_loss`. */
  monitor?: string | undefined;
  /** Whether less (`min`) or more (`max`) is better; `auto` decides by the name. Default `auto`. */
  mode?: 'auto' | 'min' | 'max' | undefined;
  /** A change of at most this much does not count as improvement. Default 0. */
  minDelta?: number | undefined;
}

export const monitorNames: Names<MonitorOptions> = { monitor: 1, mode: 1, minDelta: 1 };

/** A value in the logs, and the best of its values so far. */
export class Monitor {
  readonly name: string;
  /** The value to beat; undefined if any value is better. */
  best: number | undefined;
  readonly #what: string;
  readonly #isMin: boolean;
  readonly #minDelta: number;

  /** @throws ArgumentError for an unknown mode, or a name that does not tell the direction. */
  constructor(what: string, { monitor = 'val_loss', mode = 'auto', minDelta = 0 }: MonitorOptions) {
    expectType(`${what}: monitor`, monitor, 'a string');
    expectType(`${what}: minDelta`, minDelta, 'a number');
    this.#what = what;
    this.name = monitor;
    this.#minDelta = Math.abs(minDelta);
    this.#isMin = this.#direction(mode) === 'min';
  }

  /** Starts again from `best`. Throws `ArgumentError` if the value needs a validation and the run has none. */
  begin({ validates }: TrainingPlan, best?: number): void {
    if (this.name.startsWith('val_') && !validates) {
      throw new ArgumentError(`${this.#what}: monitor '${this.name}' expected validation data or a split, got none`);
    }
    this.best = best;
  }

  /**
   * The value; undefined after an epoch without validation. Throws `ArgumentError` if the logs lack a value that they
   * should have.
   */
  read(logs: Logs): number | undefined {
    const value = logs[this.name];
    const names = Object.keys(logs);
    const mayWait = this.name.startsWith('val_') && !names.some((name) => name.startsWith('val_'));
    if (value !== undefined || mayWait) return value;
    throw new ArgumentError(`${this.#what}: monitor expected one of ${names.join(', ')}, got ${shown(this.name)}`);
  }

  /** Whether `value` is better than `reference` by more than `minDelta`. NaN never is. */
  improves(value: number, reference = this.best): boolean {
    if (reference === undefined) return !Number.isNaN(value);
    return this.#isMin ? value + this.#minDelta < reference : value - this.#minDelta > reference;
  }

  #direction(mode: NonNullable<MonitorOptions['mode']>): 'min' | 'max' {
    if (mode === 'min' || mode === 'max') return mode;
    if (mode !== 'auto') {
      throw new ArgumentError(`${this.#what}: mode expected 'auto', 'min' or 'max', got ${shown(mode)}`);
    }
    if (LESS.test(this.name)) return 'min';
    if (MORE.test(this.name)) return 'max';
    throw new ArgumentError(
      `${this.#what}: mode expected 'min' or 'max', for the name '${this.name}' does not tell which is better`,
    );
  }
}

// The expressions match the end of a name, because `val_` and names of outputs come before it.
const LESS =
  /(loss|error|entropy|perplexity|divergence|character|hinge|huber|poisson|cosh|mse|mae|rmse|mape|msle|norm)$/i;
const MORE = /(acc|accuracy|auc|precision|recall|f1|score|similarity|positives|negatives|k|r2)(_\d+)?$/i;
