import { record, type Tape } from '../../autograd/tape.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import type { Ptr } from '../../engine/abi.ts';

/** What makes the gradients of a convolution from dy. */
export interface ConvolutionGradients {
  /** Writes the gradient of the kernel. */
  kernel(dy: Ptr, into: NonNullable<ReturnType<Tape['into']>>): void;
  /** Writes the gradient of x, `dx` in its shape. */
  input(dy: Ptr, dx: Ptr): void;
}

/** Records y = convolution of x with a kernel + bias, where the bias has the last axis of y, by `options` of the op. */
export function recordConvolution(
  x: Tensor,
  kernel: Tensor,
  bias: Tensor | undefined,
  y: Tensor,
  gradients: ConvolutionGradients,
  options: object,
): void {
  const { engine } = x;
  record(
    [x, kernel, bias],
    [y],
    (tape) => {
      const dy = tape.gradientOf(y);
      const dBias = bias && tape.into(bias);
      const outputs = y.shape.at(-1)!;
      if (dBias) engine.kernels.col_sum(y.size / outputs, outputs, dy, outputs, dBias.ptr, dBias.accumulate);
      const dKernel = tape.into(kernel);
      if (dKernel) gradients.kernel(dy, dKernel);
      if (!tape.tracks(x)) return;
      const dx = engine.allocateScratch(x.size);
      gradients.input(dy, dx);
      tape.give(x, dx);
    },
    { forgetsOutputs: true, options },
  );
}
