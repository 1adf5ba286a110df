/*
 * The convolutional LSTM as a scan: the state is an image, and both products of a step are convolutions. It is the scan
 * of src/ops/recurrence.ts with other products. A row of the scan is one image: with H·W pixels and F filters it has
 * H·W·F units, and its gates are `[H, W, 4F]`, gates i f c o of each pixel. To the kernels of the LSTM each pixel is a
 * row of a batch.
 */
import type { Tape } from '../../autograd/tape.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { type Cell, cellOf } from '../../cells/cell.ts';
import { lstmLayout } from '../../cells/layout.ts';
import { Binary, Init, type Ptr, Unary } from '../../engine/abi.ts';
import { hideMasked } from '../../ops/elementwise/select.ts';
import { ColumnSums } from '../../ops/products/column-sums.ts';
import type { InputSide } from '../../ops/recurrence/input-side.ts';
import type { RecurrentProducts } from '../../ops/recurrence/recurrent-side.ts';
import { type RecurrenceOptions, type RecurrenceResult, scanWith } from '../../ops/recurrence.ts';
import type { Geometry } from './geometry.ts';
import { inputGradient, kernelGradient, prepareConvolution } from './products.ts';

const GATES = 4;

const cellFor = (pixels: number, filters: number): Cell =>
  cellOf(lstmLayout, {
    name: 'convLstm',
    stream: undefined,
    forward({ kernels, rows, units, gates, previous, next, project }) {
      project(0, previous[0]!, gates, GATES * units, Init.Accumulate);
      kernels.lstm_forward(rows * pixels, filters, Unary.Tanh, 0, gates, previous[1]!, next[1]!, next[0]!);
    },
    backward({ kernels, rows, units, gates, previous, next, dHidden, dHiddenPrevious, dStates, projectBack }) {
      const [h, c] = [dHidden, dStates[0]!];
      kernels.lstm_backward(rows * pixels, filters, Unary.Tanh, 0, gates, previous[1]!, next[1]!, h, c);
      projectBack(0, gates, GATES * units, dHiddenPrevious, Init.Accumulate);
    },
  });

/** Operands of `convLstmScan`, row-major. */
export interface ConvLstmOperands {
  /** `[T, B, …]`, the images of `input`. */
  readonly x: Tensor;
  readonly kernel: Tensor;
  readonly recurrentKernel: Tensor;
  readonly bias: Tensor | undefined;
  /** The convolution of one image of x. */
  readonly input: Geometry;
  /** The convolution of one h. */
  readonly recurrent: Geometry;
  /** Dropout masks `[B, H·W·4F]` of h: F channels for each gate. */
  readonly recurrentDropout: Tensor | undefined;
}

/**
 * Runs the cell over all steps.
 *
 * @returns `outputs` `[T, B, H·W·F]` and the states h and c, `[B, H·W·F]` each.
 */
export function convLstmScan(given: ConvLstmOperands, options: RecurrenceOptions): RecurrenceResult {
  const { kernel, recurrentKernel, bias, input, recurrent } = given;
  const x = hideMasked(given.x, options.mask);
  const [time, batch] = x.shape as [number, number];
  const filters = recurrent.inputs;
  const pixels = recurrent.rows.output * recurrent.cols.output;
  const units = pixels * filters;
  const inputs = input.rows.input * input.cols.input * input.inputs;
  const sizes = { time, batch, inputs, units, hidden: units, width: GATES * units, pixels };
  const operands = {
    kernel,
    recurrentKernel,
    extra: [],
    bias,
    initialState: options.initialState,
    mask: options.mask,
  };
  const sides = { input: inputSide({ ...given, x }), recurrent: recurrentSide(given, batch, !options.initialState) };
  return scanWith(cellFor(pixels, filters), sizes, operands, sides, options);
}

/** x∗W + b of images. */
function inputSide({ x, kernel, bias, input }: ConvLstmOperands): InputSide {
  const { engine } = x;
  const [time, batch] = x.shape as [number, number];
  const image = x.size / Math.max(time * batch, 1);
  const pixels = input.rows.output * input.cols.output;
  const of = (images: number): Geometry => ({ ...input, batch: images });
  return {
    tensors: [x, kernel, ...(bias ? [bias] : [])],
    begin(_most, kept) {
      const run = prepareConvolution(input, kernel, { kept });
      const [init, offset] = bias ? [Init.Bias, bias.ptr] : [Init.Zero, 0];
      return (_, __, from, count, y) => run(count, { x: x.ptr + 4 * from * image, y, init, bias: offset });
    },
    beginBackward(tape, dBias, defersX) {
      const dKernel = tape.into(kernel);
      const dX = defersX ? undefined : tape.intoZeroed(x);
      return () => {
        const sums = dBias && new ColumnSums(engine, dBias, 0, input.outputs);
        let accumulate = dKernel?.accumulate ?? 0;
        return {
          add(low, steps, dGates) {
            const images = steps * batch;
            const at = 4 * low * batch * image;
            sums?.add(images * pixels, input.outputs, dGates, input.outputs, 0, false);
            if (dKernel) kernelGradient(engine, of(images), x.ptr + at, dGates, { ptr: dKernel.ptr, accumulate });
            accumulate = 1;
            if (dX === undefined) return;
            engine.scratch(() => {
              const part = engine.allocateScratch(images * image);
              inputGradient(of(images), dGates, kernel, 0, part);
              engine.kernels.axpy(images * image, 1, part, dX + at);
            });
          },
          end: () => sums?.end(),
        };
      };
    },
    defer(tape: Tape, dGates: Ptr) {
      if (!tape.tracks(x)) return;
      const dx = engine.allocateScratch(x.size);
      inputGradient(of(time * batch), dGates, kernel, 0, dx);
      tape.give(x, dx);
    },
  };
}

/**
 * h∗U. With dropout each gate reads its own h∘mask: h becomes four groups of channels. The scan does not split the
 * batch, so threads share the parts of each convolution.
 */
function recurrentSide(given: ConvLstmOperands, batch: number, startsAtZero: boolean): RecurrentProducts {
  const { recurrentKernel: kernel, recurrentDropout: dropout, recurrent } = given;
  const { engine } = kernel;
  const { kernels } = engine;
  const filters = recurrent.inputs;
  const pixels = recurrent.rows.output * recurrent.cols.output;
  const rows = batch * pixels;
  const g = dropout ? { ...recurrent, inputs: GATES * filters, groups: GATES } : recurrent;
  const floats = rows * g.inputs;
  const allocateMasked = (): Ptr => (dropout ? engine.allocateScratch(floats) : 0);
  /** x ∘ mask. x has four groups of channels. */
  const mask = (x: Ptr): void => kernels.binary(Binary.Mul, 1, floats, x, floats, 1, dropout!.ptr, floats, 1, x);
  /** Four copies of h, masked. */
  const repeat = (h: Ptr, x: Ptr): Ptr => {
    for (let gate = 0; gate < GATES; gate++) {
      kernels.copy_2d(rows, filters, h, filters, x + 4 * gate * filters, GATES * filters);
    }
    mask(x);
    return x;
  };
  return {
    begin(kept) {
      const run = prepareConvolution(g, kernel, { kept });
      const masked = allocateMasked();
      let isZero = startsAtZero;
      return () => (_, h, y, __, init) => {
        // Before the first step h is 0.
        if (!isZero) run(batch, { x: dropout ? repeat(h, masked) : h, y, init, bias: 0 });
        isZero = false;
      };
    },
    beginBackward() {
      const run = prepareConvolution(g, kernel, { flipped: true, kept: false });
      const masked = allocateMasked();
      return () => (_, x, __, dh, init) => {
        if (!dropout) {
          run(batch, { x, y: dh, init, bias: 0 });
          return;
        }
        run(batch, { x, y: masked, init: Init.Zero, bias: 0 });
        mask(masked);
        for (let gate = 0; gate < GATES; gate++) {
          const own = masked + 4 * gate * filters;
          kernels.binary(Binary.Add, rows, filters, dh, filters, 1, own, GATES * filters, 1, dh);
        }
      };
    },
    gradients({ kernel: to }) {
      let accumulate = to?.accumulate ?? 0;
      const add = (images: number, x: Ptr, dGates: Ptr): void => {
        kernelGradient(engine, { ...g, batch: images }, x, dGates, { ptr: to!.ptr, accumulate });
        accumulate = 1;
      };
      return {
        add({ steps, hidden, gates }) {
          if (!to || hidden === 0) return;
          if (!dropout || steps === 0) {
            add(steps * batch, hidden, gates);
            return;
          }
          engine.scratch(() => {
            const x = allocateMasked();
            for (let t = 0; t < steps; t++) {
              repeat(hidden + 4 * t * rows * filters, x);
              add(batch, x, gates + 4 * t * rows * recurrent.outputs);
            }
          });
        },
        end() {},
      };
    },
  };
}
