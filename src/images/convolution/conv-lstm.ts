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
import { Binary, Init, type Kernels, type Ptr, Unary } from '../../engine/abi.ts';
import { hideMasked } from '../../ops/elementwise/select.ts';
import { ColumnSums } from '../../ops/products/column-sums.ts';
import type { InputSide } from '../../ops/recurrence/input-side.ts';
import type { RecurrentProducts } from '../../ops/recurrence/recurrent-side.ts';
import { type RecurrenceOptions, type RecurrenceResult, scanWith } from '../../ops/recurrence.ts';
import type { Geometry } from './geometry.ts';
import {
  convolveRows,
  flippedGeometry,
  inputGradient,
  kernelGradient,
  makeStrips,
  packKernel,
  stripFloats,
} from './products.ts';

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
  const sides = { input: inputSide({ ...given, x }), recurrent: recurrentSide(given, batch) };
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
    begin() {
      const packed = packKernel(engine, input, kernel.ptr);
      // Parts have different rows of the batch, so each takes the strip of its first row.
      const strips = makeStrips(engine, input, batch);
      const size = stripFloats(input);
      const [init, offset] = bias ? [Init.Bias, bias.ptr] : [Init.Zero, 0];
      return (kernels, gemmScratch, from, count, y) => {
        const part = { kernels, gemmScratch, from: 0, to: count * input.rows.output };
        const rows = { x: x.ptr + 4 * from * image, packed, y, init, bias: offset };
        convolveRows(part, input, rows, strips.at + 4 * (from % batch) * size, strips.zeros);
      };
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
              inputGradient(engine, of(images), dGates, kernel.ptr, 0, part);
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
      inputGradient(engine, of(time * batch), dGates, kernel.ptr, 0, dx);
      tape.give(x, dx);
    },
  };
}

/** h∗U. With dropout each gate reads its own h∘mask: h becomes four groups of channels. */
function recurrentSide(given: ConvLstmOperands, batch: number): RecurrentProducts {
  const { recurrentKernel: kernel, recurrentDropout: dropout, recurrent } = given;
  const { engine } = kernel;
  const filters = recurrent.inputs;
  const pixels = recurrent.rows.output * recurrent.cols.output;
  const g = dropout ? { ...recurrent, inputs: GATES * filters, groups: GATES } : recurrent;
  const image = pixels * g.inputs;
  const back = flippedGeometry(g);
  const allocateMasked = (): Ptr => (dropout ? engine.allocateScratch(batch * image) : 0);
  /** x ∘ mask for the images [from, to) of a batch. x has four groups of channels. */
  const mask = (kernels: Kernels, from: number, to: number, x: Ptr): void => {
    const floats = (to - from) * image;
    kernels.binary(Binary.Mul, 1, floats, x, floats, 1, dropout!.ptr + 4 * from * image, floats, 1, x);
  };
  /** Four copies of h, masked. */
  const repeat = (kernels: Kernels, from: number, to: number, h: Ptr, x: Ptr): Ptr => {
    for (let gate = 0; gate < GATES; gate++) {
      kernels.copy_2d((to - from) * pixels, filters, h, filters, x + 4 * gate * filters, GATES * filters);
    }
    mask(kernels, from, to, x);
    return x;
  };
  return {
    begin() {
      const packed = packKernel(engine, g, kernel.ptr);
      const strips = makeStrips(engine, g, engine.threads);
      const size = stripFloats(g);
      const masked = allocateMasked();
      return ({ kernels, gemmScratch, index, from, to }) => {
        const part = { kernels, gemmScratch, from: 0, to: (to - from) * g.rows.output };
        return (_, left, y, __, init) => {
          const x = dropout ? repeat(kernels, from, to, left, masked + 4 * from * image) : left;
          convolveRows(part, g, { x, packed, y, init, bias: 0 }, strips.at + 4 * index * size, strips.zeros);
        };
      };
    },
    beginBackward() {
      const packed = packKernel(engine, g, kernel.ptr, true);
      const strips = makeStrips(engine, back, engine.threads);
      const size = stripFloats(back);
      const masked = allocateMasked();
      return ({ kernels, gemmScratch, index, from, to }) => {
        const part = { kernels, gemmScratch, from: 0, to: (to - from) * g.rows.output };
        const strip = strips.at + 4 * index * size;
        return (_, x, __, dh, init) => {
          const y = dropout ? masked + 4 * from * image : dh;
          convolveRows(part, back, { x, packed, y, init: dropout ? Init.Zero : init, bias: 0 }, strip, strips.zeros);
          if (!dropout) return;
          mask(kernels, from, to, y);
          const rows = (to - from) * pixels;
          if (init === Init.Zero) kernels.fill(rows * filters, 0, dh);
          for (let gate = 0; gate < GATES; gate++) {
            const own = y + 4 * gate * filters;
            kernels.binary(Binary.Add, rows, filters, dh, filters, 1, own, GATES * filters, 1, dh);
          }
        };
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
              repeat(engine.kernels, 0, batch, hidden + 4 * t * batch * pixels * filters, x);
              add(batch, x, gates + 4 * t * batch * pixels * recurrent.outputs);
            }
          });
        },
        end() {},
      };
    },
  };
}
