import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { isRecording, record, type Tape } from '../../autograd/tape.ts';
import { empty, expectShape, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { formatShape, sizeOf } from '../../checks/shape.ts';
import { Init } from '../../engine/abi.ts';
import { asRows, inOrder } from '../shapes/layout.ts';
import { ColumnSums } from './column-sums.ts';
import { packColumns } from './packed-columns.ts';
import { kernelBackward, leftGradient, PRODUCT_GRAIN, product, type RowProduct } from './product.ts';

/**
 * Multiplies rows by a weight matrix and adds a bias: y = x·W + b
 *
 * @param input x `[…, I]` f32, in either memory order; all leading axes are rows.
 * @param weight W `[I, U]` f32.
 * @param bias b `[U]` f32, optional.
 * @returns `[…, U]`, in the memory order of `x`.
 * @throws ArgumentError if an argument is not an f32 tensor, `x` has no axis, or the shape of W or b does not fit.
 * @see torch.nn.functional.linear, with W transposed
 */
export function linear(input: Weight, weight: Weight, bias?: Weight): Tensor {
  input = floatsOf(input, 'linear: x');
  const x = asRows(input);
  const kernel = inOrder(floatsOf(weight, 'linear: weight'), false);
  const offset = bias && floatsOf(bias, 'linear: bias');
  const { engine } = x;
  const inputs = x.shape.at(-1);
  if (inputs === undefined || kernel.shape.length !== 2 || kernel.shape[0] !== inputs) {
    throw new ArgumentError(
      `linear: weight expected [${inputs ?? '?'}, units] for x ${formatShape(x.shape)}, got ${formatShape(kernel.shape)}`,
    );
  }
  const units = kernel.shape[1]!;
  if (offset) expectShape('linear: bias', offset.shape, [units]);
  const rows = sizeOf(x.shape.slice(0, -1));
  const y = empty([...x.shape.slice(0, -1), units], { name: 'linear', timeMajor: x.timeMajor, engine });
  const [init, at] = offset ? [Init.Bias, offset.ptr] : [Init.Zero, 0];
  // To pack a weight takes as long as to multiply a few rows with it.
  if (kernel.parameter && rows * units * inputs < PRODUCT_GRAIN && !isRecording([x, kernel, offset])) {
    const times = packColumns(kernel, 0, units, rows, true);
    times(engine.kernels, engine.gemmScratch, rows, x.ptr, y.ptr, units, init, at);
    return y;
  }
  product(engine, {
    m: rows,
    n: units,
    k: inputs,
    a: x.ptr,
    rsA: inputs,
    csA: 1,
    b: kernel.ptr,
    rsB: units,
    csB: 1,
    c: y.ptr,
    rsC: units,
    init,
    bias: at,
  });
  const backward = (tape: Tape): void => {
    const dy = tape.gradientOf(y);
    const dBias = offset && tape.into(offset);
    if (dBias) {
      engine.scratch(() => {
        const sums = new ColumnSums(engine, dBias, 0, units);
        sums.add(rows, units, dy, units, 0, false);
        sums.end();
      });
    }
    const operands: RowProduct = { engine, left: x, kernel, rows, inputs, width: units };
    kernelBackward(tape, operands, dy);
    tape.defer(x, leftGradient(operands, dy));
  };
  record([x, kernel, offset], [y], backward, { forgetsOutputs: true });
  return y;
}
