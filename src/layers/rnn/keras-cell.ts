import type { LayerConfig } from '../../io/model-file.ts';
import type { BatchShape } from '../base/batch-shape.ts';
import type { StateSpec } from '../base/carried-states.ts';
import { type CellBatch, RecurrentCell } from './cells/cell.ts';
import type { Step } from './composed-scan.ts';
import { type ComposedStep, stepOf } from './composed-step.ts';
import { type CellOptions, drawMasks, makeWeights, type RecurrenceSpec, type Weights } from './recurrence-spec.ts';

/** A Keras cell (LSTM, GRU or simple RNN), computed by ops. */
export class KerasCell extends RecurrentCell {
  readonly className: string;
  readonly #spec: RecurrenceSpec;
  readonly #makeStep: ComposedStep;
  readonly #make: () => RecurrentCell;
  #weights: Weights = {};

  constructor(
    names: { className: string; defaultName: string; own: object },
    specOf: (options: CellOptions) => RecurrenceSpec,
    makeStep: ComposedStep,
    options: CellOptions,
    make: () => RecurrentCell,
  ) {
    super(names.defaultName, options, names.own);
    this.className = names.className;
    this.#spec = specOf(options);
    this.#makeStep = makeStep;
    this.#make = make;
  }

  override get stateSpecs(): readonly StateSpec[] {
    return this.#spec.states;
  }

  override describe(): string {
    return `${this.name}(units=${this.#spec.options.units})`;
  }

  override config(): LayerConfig {
    return this.baseConfig();
  }

  override copy(): RecurrentCell {
    return this.#make();
  }

  override begin(sizes: CellBatch): Step {
    const masks = drawMasks(this.#spec, sizes, this.random, this.#weights);
    return stepOf(this.#spec, this.#makeStep, this.#weights, masks);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    this.#weights = makeWeights(this.#spec, this.inputWidth(inputShape), this.addWeight.bind(this));
  }
}
