// The scan over time, every cell with every option, with the float64 reference.
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import * as ops from '../../../src/ops/index.ts';
import { referenceCells } from '../../reference/cells.ts';
import { runSequence } from '../../reference/sequence.ts';
import { type Case, cells, dataOf, names, reversed, shapesOf } from '../recurrence/scan-cases.ts';
import type { GradientCase } from './case.ts';

const variants: [string, Partial<Case>][] = [
  ['plain', {}],
  ['in reverse', { reverse: true }],
  ['masked', { mask: 'lengths' }],
  ['masked in reverse', { mask: 'holes', reverse: true }],
  ['with input dropout', { inputDropout: true }],
  ['with recurrent dropout', { recurrentDropout: true }],
  ['with checkpoints', { checkpointEvery: 2 }],
  [
    'with all of them',
    { mask: 'holes', inputDropout: true, recurrentDropout: true, checkpointEvery: 3, reverse: true },
  ],
];

function caseOf(what: string, c: Case): GradientCase {
  const { time, batch, inputs: inputSize, units, reverse = false, checkpointEvery } = c;
  const shapes = shapesOf(c);
  const masks = dataOf(c);
  const make = (name: 'mask' | 'inputDropout' | 'recurrentDropout'): Tensor | undefined =>
    masks[name] && tensor(masks[name], { shape: shapes[name] });
  const turn = <A extends Float32Array | Float64Array>(sequence: A): A =>
    reverse ? reversed(sequence, time) : sequence;
  const named = <A>(extra: A[]): Record<string, A> =>
    Object.fromEntries(Object.keys(shapes.extra).map((name, i) => [name, extra[i]!]));
  return {
    of: 'recurrence',
    variant: `${c.name} ${what}`,
    arguments: [shapes.x, shapes.kernel, shapes.recurrentKernel, shapes.bias, ...Object.values(shapes.extra)].map(
      (shape) => ({ shape }),
    ),
    run: (x, kernel, recurrentKernel, bias, ...extra) => {
      const options = {
        mask: make('mask'),
        inputDropout: make('inputDropout'),
        recurrentDropout: make('recurrentDropout'),
      };
      const weights = { kernel, recurrentKernel, bias, extra: named(extra) };
      return ops.recurrence(cells[c.name], x, weights, { reverse, checkpointEvery, ...options }).outputs!;
    },
    reference: (x, kernel, recurrentKernel, bias, ...extra) => {
      const { y } = runSequence(
        referenceCells[c.name],
        { kernel, recurrentKernel, bias, extra: named(extra) },
        { ...masks, x: turn(x), mask: masks.mask && turn(masks.mask) },
        { time, batch, inputSize, units },
      );
      return turn(y);
    },
  };
}

export const recurrenceCases = (): GradientCase[] =>
  names.flatMap((name) =>
    variants.map(([what, variant]) => caseOf(what, { name, time: 4, batch: 2, inputs: 4, units: 3, ...variant })),
  );
