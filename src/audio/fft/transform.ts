import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { expectChoice } from '../../checks/choices.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape } from '../../checks/shape.ts';
import { inOrder } from '../../ops/shapes/layout.ts';
import { pad } from '../../ops/shapes/pad.ts';
import { slice } from '../../ops/shapes/slices.ts';
import { audioKernels } from '../kernels/audio-kernels.ts';
import { expectLength } from '../limits.ts';
import { planOf } from './plan.ts';

/** Which of the two transforms divides by n: the inverse, both by √n, or the forward one. */
export type FftNorm = 'backward' | 'ortho' | 'forward';

export interface FftOptions {
  /** Length n of the real sequences. Default: that of the input; for `irfft` 2·(bins − 1). */
  n?: number | undefined;
  /** Default `backward`. */
  norm?: FftNorm | undefined;
}

const names = { n: 1, norm: 1 };

function expectNorm(what: string, norm: FftNorm): void {
  expectChoice(what, 'norm', norm, ['backward', 'ortho', 'forward']);
}

/** `x` with `length` elements along an axis: the first ones, or zeros behind the last. */
function fitted(x: Tensor, axis: number, length: number): Tensor {
  const own = x.shape[axis]!;
  if (own === length) return x;
  if (own > length) return slice(x, { axis, to: length });
  return pad(
    x,
    x.shape.map((_, at) => [0, at === axis ? length - own : 0]),
  );
}

/**
 * The discrete Fourier transform of real sequences.
 *
 * y[…, k] = Σ_j x[…, j]·e^(−2πi·jk/n), k = 0 … ⌊n/2⌋. The other bins are the conjugates of these.
 *
 * Any length n is computed by its factors: 2, 3 and 5 are fast, a prime factor p costs p operations a sample.
 *
 * @param x `[…, n]` f32, in either memory order.
 * @param options n cuts the sequences, or adds zeros behind them; norm scales y: `backward` 1, `ortho` 1/√n, `forward`
 *   1/n.
 * @returns `[…, ⌊n/2⌋ + 1, 2]` f32, row-major: real and imaginary part along the last axis. A tensor of the open step;
 *   outside a step the caller owns it.
 * @throws ArgumentError if `x` is not an f32 tensor of an axis or more, n is not an integer from 1 to 2²⁴, or an option
 *   is unknown.
 * @see torch.fft.rfft
 *
 * @example
 * rfft(tensor([0, 1, 0, 0])).toArray(); // 1, 0, 0, −1, −1, 0
 */
export function rfft(x: Weight, options: FftOptions = {}): Tensor {
  const { n: given, norm = 'backward' } = checkOptions('rfft', options, names);
  const whole = inOrder(floatsOf(x, 'rfft: x'), false);
  if (whole.shape.length === 0) throw new ArgumentError('rfft: x expected […, n], got []');
  expectNorm('rfft', norm);
  const axis = whole.shape.length - 1;
  const n = expectLength('rfft: n', given ?? whole.shape[axis]!);
  const input = fitted(whole, axis, n);
  const { engine } = input;
  const kernels = audioKernels(engine);
  const scale = { backward: 1, ortho: 1 / Math.sqrt(n), forward: 1 / n }[norm];
  const y = empty([...input.shape.slice(0, -1), Math.floor(n / 2) + 1, 2], { name: 'rfft', engine });
  const rows = input.size / n;
  engine.scratch(() => {
    const work = engine.allocateScratch(4 * n);
    kernels.rfft(rows, n, planOf(engine, n), input.ptr, n, 0, y.ptr, scale, 1, work);
  });
  record(
    [input],
    [y],
    (tape) => {
      const dy = tape.gradientOf(y);
      const { ptr, accumulate } = tape.into(input)!;
      engine.scratch(() => {
        const work = engine.allocateScratch(4 * n);
        kernels.irfft(rows, n, planOf(engine, n), dy, ptr, n, 0, scale / 2, 2, accumulate, work);
      });
    },
    { forgetsOutputs: true },
  );
  return y;
}

/**
 * The real sequences whose discrete Fourier transforms are given, the inverse of `rfft`.
 *
 * x[…, j] = 1/n·Σ_k y[…, k]·e^(2πi·jk/n) over all n bins, where the bins above ⌊n/2⌋ are the conjugates of those below
 *
 * The imaginary parts of bin 0, and of bin n/2 for even n, are not read.
 *
 * @param y `[…, bins, 2]` f32, in either memory order: real and imaginary part along the last axis.
 * @param options n, default 2·(bins − 1), cuts the bins to ⌊n/2⌋ + 1 or adds zeros behind them; norm scales x:
 *   `backward` 1/n, `ortho` 1/√n, `forward` 1.
 * @returns `[…, n]` f32, row-major. A tensor of the open step; outside a step the caller owns it.
 * @throws ArgumentError if `y` is not an f32 tensor of that shape, n is not an integer from 1 to 2²⁴, or an option is
 *   unknown.
 * @see torch.fft.irfft
 *
 * @example
 * irfft(rfft(tensor([1, 2, 3])), { n: 3 }).toArray(); // 1, 2, 3
 */
export function irfft(y: Weight, options: FftOptions = {}): Tensor {
  const { n: given, norm = 'backward' } = checkOptions('irfft', options, names);
  const whole = inOrder(floatsOf(y, 'irfft: y'), false);
  const { shape } = whole;
  if (shape.length < 2 || shape.at(-1) !== 2 || shape.at(-2) === 0)
    throw new ArgumentError(`irfft: y expected […, bins, 2], got ${formatShape(shape)}`);
  expectNorm('irfft', norm);
  const n = expectLength('irfft: n', given ?? 2 * (shape.at(-2)! - 1));
  const bins = Math.floor(n / 2) + 1;
  const input = fitted(whole, shape.length - 2, bins);
  const { engine } = input;
  const kernels = audioKernels(engine);
  const scale = { backward: 1 / n, ortho: 1 / Math.sqrt(n), forward: 1 }[norm];
  const x = empty([...shape.slice(0, -2), n], { name: 'irfft', engine });
  const rows = x.size / n;
  engine.scratch(() => {
    const work = engine.allocateScratch(4 * n);
    kernels.irfft(rows, n, planOf(engine, n), input.ptr, x.ptr, n, 0, scale, 1, 0, work);
  });
  record(
    [input],
    [x],
    (tape) => {
      const dx = tape.gradientOf(x);
      const dy = engine.allocateScratch(input.size);
      engine.scratch(() => {
        const work = engine.allocateScratch(4 * n);
        kernels.rfft(rows, n, planOf(engine, n), dx, n, 0, dy, 2 * scale, 0.5, work);
      });
      tape.give(input, dy);
    },
    { forgetsOutputs: true },
  );
  return x;
}
