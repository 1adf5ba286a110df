import { ArgumentError, expectType, shown } from '../checks/argument-error.ts';
import type { Names } from '../checks/options.ts';
import type { TrainingPlan } from '../train/callback.ts';
import type { Logs } from '../train/logs.ts';

/** What a callback watches, and what it takes for better. */
export interface MonitorOptions {
  /** Name in the logs of what is watched. Default `val_loss`. */
  monitor?: string | undefined;
  /** Whether less or more of it is better; `auto` tells by its name. Default `auto`. */
  mode?: 'auto' | 'min' | 'max' | undefined;
  /** A change by no more than this counts as none. Default 0. */
  minDelta?: number | undefined;
}

export const monitorNames: Names<MonitorOptions> = { monitor: 1, mode: 1, minDelta: 1 };

/** A number in the logs, and the best that it has been. */
export class Monitor {
  readonly name: string;
  /** What there is to beat; undefined where anything is better. */
  best: number | undefined;
  readonly #what: string;
  readonly #isMin: boolean;
  readonly #minDelta: number;

  /** @throws ArgumentError for an unknown mode, or a name that tells no direction. */
  constructor(what: string, { monitor = 'val_loss', mode = 'auto', minDelta = 0 }: MonitorOptions) {
    expectType(`${what}: monitor`, monitor, 'a string');
    expectType(`${what}: minDelta`, minDelta, 'a number');
    this.#what = what;
    this.name = monitor;
    this.#minDelta = Math.abs(minDelta);
    this.#isMin = this.#direction(mode) === 'min';
  }

  /** Starts anew from `best`. Throws `ArgumentError` where no validation will give what is watched. */
  begin({ validates }: TrainingPlan, best?: number): void {
    if (this.name.startsWith('val_') && !validates) {
      throw new ArgumentError(`${this.#what}: monitor '${this.name}' expected validation data or a split, got none`);
    }
    this.best = best;
  }

  /** Its value; undefined after an epoch without validation. Throws `ArgumentError` where the logs should have it. */
  read(logs: Logs): number | undefined {
    const value = logs[this.name];
    const names = Object.keys(logs);
    const mayWait = this.name.startsWith('val_') && !names.some((name) => name.startsWith('val_'));
    if (value !== undefined || mayWait) return value;
    throw new ArgumentError(`${this.#what}: monitor expected one of ${names.join(', ')}, got ${shown(this.name)}`);
  }

  /** Whether it is better than `reference` by more than `minDelta`; NaN never is. */
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

// By the ends of names: before them stand `val_` and the names of outputs.
const LESS =
  /(loss|error|entropy|perplexity|divergence|character|hinge|huber|poisson|cosh|mse|mae|rmse|mape|msle|norm)$/i;
const MORE = /(acc|accuracy|auc|precision|recall|f1|score|similarity|positives|negatives|k|r2)(_\d+)?$/i;
