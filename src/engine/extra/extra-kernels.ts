import type { Ptr } from '../abi.ts';
import type { Engine } from '../engine.ts';
import { secondKernels } from '../loading/second-kernels.ts';
import { compileNow } from './kernel-modules.ts';

/**
 * The exports of assembly/extra-index.ts. Arguments are as in `Kernels` of src/engine/abi.ts: byte addresses, counts
 * and strides in elements, scalars. The calling thread alone runs them.
 */
export interface ExtraKernels {
  // one query for each sequence: x `[batch, width]`, rows `[batch, steps, width]`, w, scores `[batch, steps]`
  /** y[b, s] = Σ x[b]·rows[b, s] */
  attention_dots(batch: number, steps: number, width: number, x: Ptr, rows: Ptr, y: Ptr): void;
  /** y[b] (+)= Σ_s w[b, s]·rows[b, s] */
  attention_combine(batch: number, steps: number, width: number, w: Ptr, rows: Ptr, y: Ptr, accumulate: number): void;
  /** rows[b, s] += w[b, s]·x[b] */
  attention_spread(batch: number, steps: number, width: number, w: Ptr, x: Ptr, rows: Ptr): void;
  /** y[b, s] = Σ v·tanh(x[b] + rows[b, s]) */
  attention_additive(batch: number, steps: number, width: number, x: Ptr, rows: Ptr, v: Ptr, y: Ptr): void;
  /** Adds to dx, dRows and dv. */
  attention_additive_backward(
    batch: number,
    steps: number,
    width: number,
    x: Ptr,
    rows: Ptr,
    v: Ptr,
    dy: Ptr,
    dx: Ptr,
    dRows: Ptr,
    dv: Ptr,
  ): void;

  // images: `[batch, height, width, channels]`; windows is i32 [10], see assembly/images/pooling.ts
  /** y = the maximum of each window: the first of equal ones; NaN if the window has a NaN. */
  max_pool(batch: number, channels: number, windows: Ptr, x: Ptr, y: Ptr): void;
  /** dx += dy at the first element of each window that has the bits of its maximum y. */
  max_pool_backward(batch: number, channels: number, windows: Ptr, x: Ptr, y: Ptr, dy: Ptr, dx: Ptr): void;
  /** y = the mean of the elements of each window that are inside the image. */
  average_pool(batch: number, channels: number, windows: Ptr, x: Ptr, y: Ptr): void;
  average_pool_backward(batch: number, channels: number, windows: Ptr, dy: Ptr, dx: Ptr): void;
  /**
   * y[o, j, :] = (1 − weights[j])·x[o, places[j], :] + weights[j]·x[o, places[j] + 1, :] for x `[outer, length,
   * inner]`, y `[outer, count, inner]`; places i32. A weight of 0 does not read the second row.
   */
  resize_axis(
    outer: number,
    length: number,
    count: number,
    inner: number,
    places: Ptr,
    weights: Ptr,
    x: Ptr,
    y: Ptr,
  ): void;
  /** dx += the gradient of x. */
  resize_axis_backward(
    outer: number,
    length: number,
    count: number,
    inner: number,
    places: Ptr,
    weights: Ptr,
    dy: Ptr,
    dx: Ptr,
  ): void;

  // depthwise convolution of one image; steps is i32 [4], see assembly/images/depthwise.ts
  /**
   * y `[rows, columns, channels]` = bias + the convolution of each channel of x, an image with its zeros, with w
   * `[tapRows, tapColumns, channels]`. bias is 0 for none.
   */
  depthwise(
    rows: number,
    columns: number,
    channels: number,
    tapRows: number,
    tapColumns: number,
    steps: Ptr,
    x: Ptr,
    w: Ptr,
    bias: Ptr,
    y: Ptr,
  ): void;
  /** dx += the gradient of x. */
  depthwise_backward_input(
    rows: number,
    columns: number,
    channels: number,
    tapRows: number,
    tapColumns: number,
    steps: Ptr,
    dy: Ptr,
    w: Ptr,
    dx: Ptr,
  ): void;
  /** dw += the gradient of w. */
  depthwise_backward_weights(
    rows: number,
    columns: number,
    channels: number,
    tapRows: number,
    tapColumns: number,
    steps: Ptr,
    x: Ptr,
    dy: Ptr,
    dw: Ptr,
  ): void;

  // convolutions of 3×3 taps by tiles of 6×6 places; planes `[tiles, channels]` are `plane` floats apart, rows of
  // pixels `pitch` floats; channels and count are multiples of 4; scratch has 144 floats; see
  // assembly/images/winograd.ts
  /** v = the places of tiles `[rows, columns]` of 6×6 pixels, 4 pixels apart. */
  winograd_pixels(
    rows: number,
    columns: number,
    channels: number,
    x: Ptr,
    pitch: number,
    v: Ptr,
    plane: number,
    scratch: Ptr,
  ): void;
  /** v = the places of tiles `[rows, columns]` of 4×4 gradients. */
  winograd_gradients(
    rows: number,
    columns: number,
    channels: number,
    dy: Ptr,
    pitch: number,
    v: Ptr,
    plane: number,
    scratch: Ptr,
  ): void;
  /** u `[6, 6, count]` = the places of w `[3, 3, count]`. */
  winograd_taps(count: number, w: Ptr, u: Ptr, scratch: Ptr): void;
  /**
   * The first `height` rows and `width` columns of y `[…, width, channels]` = bias + the outputs of places m; bias is 0
   * for none. With accumulate = 1 they are added to y.
   */
  winograd_outputs(
    rows: number,
    columns: number,
    channels: number,
    m: Ptr,
    plane: number,
    bias: Ptr,
    y: Ptr,
    height: number,
    width: number,
    accumulate: number,
    scratch: Ptr,
  ): void;
  /** dw `[3, 3, count]` = the gradients of taps of places m `[6, 6, count]`. */
  winograd_tap_gradients(count: number, m: Ptr, dw: Ptr, scratch: Ptr): void;

  // batch normalization of `[rows, cols]`; mask `[rows]` or 0; sums `[2, cols]` float64 ------------------------------
  /** sums += (Σ x, Σ x²) over the rows whose mask is not 0, in ascending order. */
  batch_norm_sums(rows: number, cols: number, x: Ptr, mask: Ptr, sums: Ptr): void;
  /** y = (x − mean)·factor + beta by columns; in place allowed. */
  batch_norm(rows: number, cols: number, x: Ptr, mean: Ptr, factor: Ptr, beta: Ptr, y: Ptr): void;
  /** sums += (Σ dy, Σ dy·(x − mean)·inverse) over all rows. */
  batch_norm_gradient_sums(rows: number, cols: number, x: Ptr, mean: Ptr, inverse: Ptr, dy: Ptr, sums: Ptr): void;
  /** dx (+)= factor·dy, and + shift + slope·(x − mean) in the rows whose mask is not 0. */
  batch_norm_backward(
    rows: number,
    cols: number,
    x: Ptr,
    mask: Ptr,
    mean: Ptr,
    factor: Ptr,
    shift: Ptr,
    slope: Ptr,
    dy: Ptr,
    dx: Ptr,
    accumulate: number,
  ): void;

  // linear chains -----------------------------------------------------------------------------------------------------
  // steps [chains, longest] i32 are rows of emissions [rows, tags] f32; chain i uses the first counts[i] of its row.
  // scores [tags + 2, tags] f32 are transitions, start and end. P and Kp are `chains` and `tags` up to a multiple of 4.
  /**
   * The logarithm of the sum of e^score over all paths of each chain. alphas, f64, gets it in [P], then what
   * `chain_backward` needs in P·(longest·Kp + 1). workspace: (tags + 3)·Kp f64.
   */
  chain_forward(
    chains: number,
    longest: number,
    tags: number,
    emissions: Ptr,
    steps: Ptr,
    counts: Ptr,
    scores: Ptr,
    workspace: Ptr,
    alphas: Ptr,
  ): void;
  /**
   * Gradients of Σ weights·(what `chain_forward` gave), which was called with the same arguments and alphas. weights:
   * f64 [P]; with 0 a chain has no gradient. It changes alphas, and writes dEmissions in the rows that chains use and
   * all of dScores [tags + 2, tags]. workspace: (tags + 7 + 4·longest + Kp)·Kp f64.
   */
  chain_backward(
    chains: number,
    longest: number,
    tags: number,
    emissions: Ptr,
    steps: Ptr,
    counts: Ptr,
    scores: Ptr,
    workspace: Ptr,
    alphas: Ptr,
    weights: Ptr,
    dEmissions: Ptr,
    dScores: Ptr,
  ): void;
  /**
   * The path of greatest score of each chain, i32 [chains, longest] within the counts, and its score, f32 [chains].
   * workspace: (tags + 2 + 4·longest)·Kp f64.
   */
  chain_best(
    chains: number,
    longest: number,
    tags: number,
    emissions: Ptr,
    steps: Ptr,
    counts: Ptr,
    scores: Ptr,
    workspace: Ptr,
    paths: Ptr,
    best: Ptr,
  ): void;
}

/**
 * The extra kernels on the memory of an engine. They are compiled at the first call.
 *
 * @throws HostError if the host does not let the program compile them.
 */
export const extraKernels: (engine: Engine) => ExtraKernels = /* @__PURE__ */ secondKernels<ExtraKernels>(compileNow);
