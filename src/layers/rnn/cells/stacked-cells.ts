import { ArgumentError } from '../../../checks/argument-error.ts';
import type { LayerConfig } from '../../../io/model-file.ts';
import type { BatchShape } from '../../base/batch-shape.ts';
import type { StateSpec } from '../../base/carried-states.ts';
import type { AnyLayer, LayerOptions } from '../../base/layer.ts';
import { saveLayer } from '../../base/saved-layer.ts';
import type { Step } from '../composed-scan.ts';
import { type CellBatch, RecurrentCell } from './cell.ts';

/** A stack of cells as one cell: each reads the output of the cell below. Its states are those of all cells. */
export class StackedCells extends RecurrentCell {
  readonly className = 'StackedRNNCells';
  readonly cells: readonly RecurrentCell[];

  constructor(cells: readonly RecurrentCell[], options: LayerOptions = {}) {
    super('stacked_rnn_cells', options, {});
    if (cells.length === 0) throw new ArgumentError('rnn: cell expected one cell or more, got none');
    this.cells = cells;
    this.setScope('');
  }

  override get sublayers(): readonly AnyLayer[] {
    return this.cells;
  }

  override get stateSpecs(): readonly StateSpec[] {
    return this.cells.flatMap((cell) =>
      cell.stateSpecs.map(({ name, width }) => ({ name: `${cell.name} ${name}`, width })),
    );
  }

  override get outputWidth(): number {
    return this.cells.at(-1)!.outputWidth;
  }

  override config(): LayerConfig {
    return {
      ...this.baseConfig(),
      cells: this.cells.map(saveLayer),
    };
  }

  override copy(): RecurrentCell {
    return new StackedCells(this.cells.map((cell) => cell.copy()));
  }

  override build(inputShape: BatchShape): void {
    super.build(inputShape);
    this.cells[0]!.build(inputShape);
  }

  override begin({ inputs, ...given }: CellBatch): Step {
    const widths = [inputs, ...this.cells.map((cell) => cell.outputWidth)];
    const steps = this.cells.map((cell, i) => cell.begin({ ...given, inputs: widths[i]! }));
    const counts = this.cells.map((cell) => cell.stateSpecs.length);
    return (x, states) => {
      let output = x;
      let from = 0;
      const next = steps.flatMap((step, i) => {
        const own = states.slice(from, (from += counts[i]!));
        const made = step(output, own);
        output = made.output;
        return made.states;
      });
      return { output, states: next };
    };
  }

  protected override makeWeights(inputShape: BatchShape): void {
    let shape = inputShape;
    for (const cell of this.cells) {
      cell.build(shape);
      shape = cell.outputShape(shape);
    }
  }
}
