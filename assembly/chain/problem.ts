// Linear chains: sums and maxima over all paths y₁ … y_n of K tags, for conditional random fields and hidden Markov
// models.
//
//   s(y) = start(y₁) + Σₜ eₜ(yₜ) + Σₜ T(yₜ₋₁, yₜ) + end(y_n)
//   log Z = ln Σ over y of e^s(y)        the best path = argmax over y of s(y)
//   ∂log Z/∂eₜ(j) = P(yₜ = j)            ∂log Z/∂T(i, j) = Σₜ P(yₜ₋₁ = i, yₜ = j)
//
// Scores may be −∞, which forbids a tag or a transition. A chain without a path has log Z = −∞ and gradient 0.
//
// Four chains, a tile, are computed together, one in each float64 lane of two vectors. A step is then a product of
// [4, K] and [K, K]:
//
//   αₜ(j) = εₜ(j)·Σᵢ αₜ₋₁(i)·E(i, j) / cₜ      βₜ₋₁(i) = Σⱼ E(i, j)·εₜ(j)·βₜ(j) / dₜ
//
// with E = e^(T − max T) and εₜ = e^(eₜ − max eₜ). c and d make the greatest α and β of each step 1. All numbers but 0
// are at least LEAST, so that no product underflows and no path is lost. A chain for which this does not hold is
// computed again in logarithms, with an exponential for each product. So results are exact for all finite scores.
//
// The arguments that kernels share:
//
//   emissions   [rows, K] f32, e
//   steps       [chains, longest] i32: the row of each step of a chain; past its end any row
//   counts      [chains] i32: number of steps of each chain, at most `longest`. A tile takes as long as its longest.
//   scores      [K + 2, K] f32: T (from row to column), start, end
//   workspace   float64
//
// Below, P is `chains` up to a multiple of 4, and Kp is K up to a multiple of 6. A matrix [K, K] has panels of six
// columns: [Kp/6, Kp, 6]. Buffers do not overlap; those of float64 are aligned to 8 bytes. src/ops/chain.ts calls the
// kernels. Sources: Rabiner 1989, https://doi.org/10.1109/5.18626; Lafferty et al. 2001,
// https://repository.upenn.edu/cis_papers/159.

import { set_constants } from './float64';

/** The least E, ε, α and β but 0. A product of three is a normal number. */
export const LEAST: f64 = 1e-100;
/** ln LEAST, rounded up. */
export const LOG_LEAST: f64 = -230;
/** Above every quotient that counts: 1/(α·E) is at most 1/LEAST². */
export const GREATEST: f64 = 1e250;
/** Bytes of one tag of a tile. */
export const TAG: usize = 32;
/** Columns of a panel, and bytes from one of its rows to the next. */
export const COLUMNS: i32 = 6;
export const PANEL_ROW: usize = 48;

// The problem of the call in progress.
export let chains: i32 = 0;
export let longest: i32 = 0;
export let tags: i32 = 0;
export let emissions: usize = 0;
export let steps: usize = 0;
export let counts: usize = 0;
/** Bytes of Kp float64, and of a step of a tile. */
export let row: usize = 0;
export let step: usize = 0;
/** Bytes of a panel, and of a matrix. */
export let panel: usize = 0;
export let square: usize = 0;

/** Sets the problem, and returns P. */
export function begin(
  chainCount: i32,
  longestChain: i32,
  tagCount: i32,
  emissionsAt: usize,
  stepsAt: usize,
  countsAt: usize,
): i32 {
  set_constants();
  chains = chainCount;
  longest = longestChain;
  tags = tagCount;
  emissions = emissionsAt;
  steps = stepsAt;
  counts = countsAt;
  row = wide(pad_tags(tags));
  step = 4 * row;
  panel = COLUMNS * row;
  square = row * pad_tags(tags);
  return padded(chains);
}

// @ts-ignore: decorator
@inline
export function padded(count: i32): i32 {
  return (count + 3) & ~3;
}

/** Bytes of float64. */
// @ts-ignore: decorator
@inline
export function wide(count: i32): usize {
  return (<usize>count) << 3;
}

// @ts-ignore: decorator
@inline
function pad_tags(count: i32): i32 {
  return (count + COLUMNS - 1) / COLUMNS * COLUMNS;
}

/** Place of a column in the first row of a matrix. */
// @ts-ignore: decorator
@inline
export function column(j: i32): usize {
  return panel * (j / COLUMNS) + wide(j % COLUMNS);
}

// @ts-ignore: decorator
@inline
export function bytes(count: i32): usize {
  return (<usize>count) << 2;
}

/** Address of the first α of a chain. The α of a tile are 32 bytes apart. */
// @ts-ignore: decorator
@inline
export function alpha_of(alphas: usize, chain: i32): usize {
  return alphas + wide(2 * padded(chains)) + step * longest * (chain >> 2) + wide(chain & 3);
}
