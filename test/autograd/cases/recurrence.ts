import type { Cell } from '../../../src/cells/cell.ts';
import { gruAfterCell, gruBeforeCell } from '../../../src/cells/gru.ts';
import { lstmCell } from '../../../src/cells/lstm.ts';
import { rnnCells } from '../../../src/cells/rnn.ts';
import * as ops from '../../../src/ops/index.ts';
import { type CellName, referenceCells } from '../../reference/cells.ts';
import { runSequence } from '../../reference/sequence.ts';
import type { GradientCase } from './case.ts';

const scanned: Record<CellName, Cell> = {
  lstm: lstmCell,
  gruAfter: gruAfterCell,
  gruBefore: gruBeforeCell,
  rnnTanh: rnnCells.tanh,
  rnnRelu: rnnCells.relu,
  rnnLinear: rnnCells.linear,
};

export function recurrenceCases(): GradientCase[] {
  const [time, batch, inputs, units] = [3, 2, 4, 3];
  return Object.entries(scanned).map(([name, cell]) => {
    const width = cell.gates * units;
    const biasShape = cell.biases === 2 ? [2, width] : [width];
    return {
      of: 'recurrence',
      variant: name,
      arguments: [[time, batch, inputs], [inputs, width], [units, width], biasShape].map((shape) => ({ shape })),
      run: (x, kernel, recurrentKernel, bias) => ops.recurrence(cell, x, { kernel, recurrentKernel, bias }).outputs!,
      reference: (x, kernel, recurrentKernel, bias) =>
        runSequence(
          referenceCells[name as CellName],
          { kernel, recurrentKernel, bias },
          { x },
          { time, batch, inputSize: inputs, units },
        ).y,
    };
  });
}
