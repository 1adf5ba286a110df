import {
  addOuter,
  addTo,
  identity,
  type Matrix,
  product,
  rowsOf,
  transposedCongruence,
  transposedProduct,
} from '../matrix.ts';
import { at, type FilterStep, type LinearSystem, type Observed, stepAt, type Varying } from './kalman.ts';

/** Sums of gradients, in the layout of the parameters of the system. */
export interface SystemGradient {
  readonly transition: Matrix;
  readonly observation: Matrix;
  readonly stateNoise: Matrix;
  readonly observationNoise: Matrix;
  readonly control: Matrix;
  readonly feedthrough: Matrix;
  readonly initialMean: Matrix;
  readonly initialCovariance: Matrix;
}

export function zeroGradient(system: LinearSystem): SystemGradient {
  const like = ({ data }: Varying): Matrix => new Float64Array(data.length);
  return {
    transition: like(system.transition),
    observation: like(system.observation),
    stateNoise: like(system.stateNoise),
    observationNoise: like(system.observationNoise),
    control: like(system.control),
    feedthrough: like(system.feedthrough),
    initialMean: like(system.initialMean),
    initialCovariance: like(system.initialCovariance),
  };
}

/**
 * Adds the gradient of Σₜ weight[t] · ln p(yₜ | y₁ … yₜ₋₁) to `sums`, by one recursion from the last step to the first.
 *
 * The filtered covariance is the least of Joseph's form over all gains, so its derivative holds the gain fixed:
 * d P⁺ = L dP Lᵀ + K dR Kᵀ − K dC P⁺ − (K dC P⁺)ᵀ, where L = I − K C.
 *
 * @param dy gradient of y, `[T, p]`, overwritten; 0 where y is missing. `du` is that of the inputs, `[T, k]`.
 */
export function kalmanGradient(
  system: LinearSystem,
  given: Observed,
  filtered: readonly FilterStep[],
  weight: (t: number) => number,
  sums: SystemGradient,
  dy?: Matrix,
  du?: Matrix,
): void {
  const { n, p, k } = system;
  const { sequence, u } = given;
  // Of the mean and the covariance of x before the step that comes next.
  let dMean: Matrix = new Float64Array(n);
  let dCovariance: Matrix = new Float64Array(n * n);
  for (let t = filtered.length - 1; t >= 0; t--) {
    const step = stepAt(given, t);
    const place = (name: keyof SystemGradient): Matrix => at({ ...system[name], data: sums[name] }, sequence, step);
    const { observed, mean, covariance, filteredMean, filteredCovariance, c, innovation, precision, gain } =
      filtered[t]!;
    const q = observed.length;
    const input = u.subarray(t * k, (t + 1) * k);
    let [dFiltered, dFilteredCovariance]: [Matrix, Matrix] = [new Float64Array(n), new Float64Array(n * n)];
    if (t + 1 < filtered.length) {
      const a = at(system.transition, sequence, step);
      addOuter(place('transition'), dMean, filteredMean);
      addTo(place('transition'), product(product(dCovariance, a, n, n, n), filteredCovariance, n, n, n), 2);
      addTo(place('stateNoise'), dCovariance);
      if (k > 0) {
        addOuter(place('control'), dMean, input);
        if (du)
          addTo(du.subarray(t * k, (t + 1) * k), transposedProduct(at(system.control, sequence, step), dMean, k, n, 1));
      }
      dFiltered = transposedProduct(a, dMean, n, n, 1);
      dFilteredCovariance = transposedCongruence(a, dCovariance, n);
    }
    const w = product(precision, innovation, q, q, 1);
    const g = weight(t);
    // The covariance of the innovation, from ln p alone.
    const dS = addOuter(
      precision.map((x) => (-g / 2) * x),
      w,
      w,
      g / 2,
    );
    const rest = addTo(identity(n), product(gain, c, n, q, n), -1);
    const dRest = transposedProduct(rest, dFiltered, n, n, 1);
    const dGained = transposedProduct(gain, dFiltered, q, n, 1);
    const dInnovation = dGained.map((x, i) => x - g * w[i]!);
    const projected = transposedProduct(c, w, n, q, 1);

    const dR = addTo(transposedCongruence(gain, dFilteredCovariance, n, q), dS);
    addOuter(dR, dGained, w, -0.5);
    addOuter(dR, w, dGained, -0.5);
    const kept = product(transposedProduct(gain, dFilteredCovariance, q, n, n), filteredCovariance, q, n, n);
    const dC = kept.map((x) => -2 * x);
    addTo(dC, product(product(dS, c, q, q, n), covariance, q, n, n), 2);
    addOuter(dC, w, product(covariance, dRest, n, n, 1));
    addOuter(dC, dGained, product(covariance, projected, n, n, 1), -1);
    addOuter(dC, dInnovation, mean, -1);

    dCovariance = addTo(transposedCongruence(rest, dFilteredCovariance, n), transposedCongruence(c, dS, q, n));
    addOuter(dCovariance, dRest, projected, 0.5);
    addOuter(dCovariance, projected, dRest, 0.5);
    dMean = addTo(
      transposedProduct(c, dInnovation, n, q, 1).map((x) => -x),
      dFiltered,
    );

    const [toC, toR, toD] = [place('observation'), place('observationNoise'), place('feedthrough')];
    observed.forEach((row, i) => {
      for (let j = 0; j < n; j++) toC[row * n + j]! += dC[i * n + j]!;
      observed.forEach((column, j) => (toR[row * p + column]! += dR[i * q + j]!));
      for (let j = 0; j < k; j++) toD[row * k + j]! -= dInnovation[i]! * input[j]!;
      if (dy) dy[t * p + row] = dInnovation[i]!;
    });
    if (du && k > 0) {
      const d = rowsOf(at(system.feedthrough, sequence, step), k, observed);
      addTo(du.subarray(t * k, (t + 1) * k), transposedProduct(d, dInnovation, k, q, 1), -1);
    }
  }
  if (filtered.length === 0) return;
  addTo(at({ ...system.initialMean, data: sums.initialMean }, sequence, 0), dMean);
  addTo(at({ ...system.initialCovariance, data: sums.initialCovariance }, sequence, 0), dCovariance);
}
