import { floatsOf, type Weight } from '../../autograd/parameter.ts';
import { isRecording, record } from '../../autograd/tape.ts';
import { empty, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../../checks/shape.ts';
import type { Matrix } from '../matrix.ts';
import { contribute, type StepOptions, stepNames, visibleSteps } from '../steps.ts';
import { kalmanFilter, type LinearSystem, type Observed, SingularInnovation, type Varying } from './kalman.ts';
import { kalmanGradient, type SystemGradient, zeroGradient } from './kalman-gradient.ts';
import { covarianceOf, factorGradient } from './learned.ts';

/**
 * The matrices of {@link kalmanLogLikelihood}, f32. Each but the initial ones is one for all, or has an axis of steps
 * in front, `[T, …]`, or of sequences and steps, `[B, T, …]`. The initial ones are for all, or of each sequence,
 * `[B, …]`.
 *
 * A factor is a lower triangle L that stands for the covariance L Lᵀ, so that no update makes it negative. What is
 * above its diagonal does not count.
 */
export interface KalmanParameters {
  /** A, `[n, n]`. */
  transitionMatrix: Weight;
  /** C, `[p, n]`. */
  observationMatrix: Weight;
  /** The factor of Q, `[n, n]`. */
  transitionFactor: Weight;
  /** The factor of R, `[p, p]`. */
  observationFactor: Weight;
  /** m, `[n]`. */
  initialMean: Weight;
  /** The factor of P, `[n, n]`. */
  initialFactor: Weight;
  /** B, `[n, k]`. Default 0. */
  controlMatrix?: Weight | undefined;
  /** D, `[p, k]`. Default 0. */
  feedthroughMatrix?: Weight | undefined;
}

/** Options of {@link kalmanLogLikelihood}. */
export interface KalmanLogLikelihoodOptions extends StepOptions {
  /** Inputs, `[B, T, k]`, for `controlMatrix` and `feedthroughMatrix`. */
  inputs?: Weight | undefined;
}

/** The name in a system of each operand, and whether it is a factor. */
const OPERANDS: Readonly<Record<keyof KalmanParameters, { key: keyof SystemGradient; isFactor?: true }>> = {
  transitionMatrix: { key: 'transition' },
  observationMatrix: { key: 'observation' },
  transitionFactor: { key: 'stateNoise', isFactor: true },
  observationFactor: { key: 'observationNoise', isFactor: true },
  initialMean: { key: 'initialMean' },
  initialFactor: { key: 'initialCovariance', isFactor: true },
  controlMatrix: { key: 'control' },
  feedthroughMatrix: { key: 'feedthrough' },
};

/**
 * Log-likelihood of a linear Gaussian state-space model, differentiable in everything that it is given.
 *
 * y = ln p(observations), where observation = C x + D u + v, v ~ N(0, R); the next x = A x + B u + w, w ~ N(0, Q); the
 * first x ~ N(m, P)
 *
 * The recursion and its gradient are float64.
 *
 * @param observations `[B, T, p]` f32. NaN is a missing one, with gradient 0.
 * @param parameters matrices and factors; a network may give them for each step.
 * @param options.inputs u, `[B, T, k]` f32.
 * @param options.lengths number of steps of each sequence, `[B]`; default T.
 * @param options.mask `[B, T]` f32, 0 for steps that the sequence does not have; default the mask of `observations`.
 * @returns `[B]` f32 in nats; 0 for a sequence without steps.
 * @throws ArgumentError if an operand is missing or not f32, shapes do not fit, the covariance of a forecast is
 *   singular, a length is not an integer in [0, T], both `lengths` and `mask` are given, or an option is unknown.
 * @see Durbin and Koopman 2012, "Time series analysis by state space methods", chapters 4 and 7
 *
 * @example
 * const one = tensor([[1]]);
 * const level = { transitionMatrix: one, observationMatrix: one, transitionFactor: one, observationFactor: one };
 * const start = { initialMean: tensor([0]), initialFactor: one };
 * kalmanLogLikelihood(tensor([[[0.5], [NaN], [1]]]), { ...level, ...start }).shape; // [1]
 */
export function kalmanLogLikelihood(
  observations: Weight,
  parameters: KalmanParameters,
  options: KalmanLogLikelihoodOptions = {},
): Tensor {
  const what = 'kalmanLogLikelihood';
  const { inputs, ...steps } = checkOptions(what, options, { ...stepNames, inputs: 1 });
  checkOptions(`${what}: parameters`, parameters, OPERANDS);
  const y = floatsOf(observations, `${what}: observations`);
  if (y.shape.length !== 3) {
    throw new ArgumentError(`${what}: observations expected [B, T, p], got ${formatShape(y.shape)}`);
  }
  const [batch, time, p] = y.shape as [number, number, number];
  const given = Object.entries(OPERANDS).flatMap(([name, how]) => {
    const weight = parameters[name as keyof KalmanParameters];
    if (weight === undefined && /control|feedthrough/.test(name)) return [];
    return [{ name, ...how, x: floatsOf(weight!, `${what}: ${name}`) }];
  });
  const find = (name: string): Tensor | undefined => given.find((each) => each.name === name)?.x;
  const n = find('transitionMatrix')!.shape.at(-1) ?? 0;
  const u = inputs === undefined ? undefined : floatsOf(inputs, `${what}: inputs`);
  const takes = find('controlMatrix') ?? find('feedthroughMatrix');
  if ((u === undefined) !== (takes === undefined)) {
    const expected = takes ? '[B, T, k]' : 'none without a controlMatrix or a feedthroughMatrix';
    throw new ArgumentError(`${what}: inputs expected ${expected}, got ${u ? formatShape(u.shape) : 'none'}`);
  }
  const k = u?.shape[2] ?? 0;
  if (u && !sameShape(u.shape, [batch, time, k])) {
    throw new ArgumentError(
      `${what}: inputs expected ${formatShape([batch, time, null])}, got ${formatShape(u.shape)}`,
    );
  }
  const shapes: Record<keyof SystemGradient, Shape> = {
    ...{ transition: [n, n], observation: [p, n], stateNoise: [n, n], observationNoise: [p, p] },
    ...{ initialMean: [n], initialCovariance: [n, n], control: [n, k], feedthrough: [p, k] },
  };
  const visible = visibleSteps(what, steps, y, batch, time);

  const parts = given.map(({ name, key, isFactor, x }) => {
    const place = placeOf(`${what}: ${name}`, x.shape, shapes[key], batch, time);
    const values = Float64Array.from(x.toArray());
    const size = isFactor ? shapes[key][0]! : 0;
    const factors = isFactor ? eachOf(values, size, (factor) => lower(factor, size)) : undefined;
    const data = factors ? eachOf(factors, size, (factor) => covarianceOf(factor, size)) : values;
    return { key, x, size, factors, part: { ...place, data } };
  });
  const none = (shape: Shape): Varying => ({
    data: new Float64Array(sizeOf(shape)),
    size: sizeOf(shape),
    perSequence: 0,
    perStep: 0,
  });
  const system = {
    ...{ n, p, k, control: none(shapes.control), feedthrough: none(shapes.feedthrough) },
    ...Object.fromEntries(parts.map(({ key, part }) => [key, part])),
  } as unknown as LinearSystem;

  const [ys, us] = [y.toArray(), u?.toArray()];
  const sequences = visible.map((stepOf, sequence): Observed => {
    const rows = (from: ArrayLike<number>, width: number): Matrix =>
      Float64Array.from({ length: stepOf.length * width }, (_, i) => {
        return from[(sequence * time + stepOf[Math.floor(i / width)]!) * width + (i % width)]!;
      });
    return { steps: stepOf.length, y: rows(ys, p), u: us ? rows(us, k) : new Float64Array(0), sequence, stepOf };
  });
  const filtered = sequences.map((sequence, i) => {
    try {
      return kalmanFilter(system, sequence);
    } catch (error) {
      if (!(error instanceof SingularInnovation)) throw error;
      const where = `sequence ${i}, step ${sequence.stepOf![error.step]}`;
      throw new ArgumentError(
        `${what}: observationFactor expected noise where the state is known, got a singular forecast (${where})`,
      );
    }
  });
  const { engine } = y;
  const result = empty([batch], { name: what, engine });
  result.set(filtered.map((each) => each.reduce((sum, { logLikelihood }) => sum + logLikelihood, 0)));
  const operands = [y, ...(u ? [u] : []), ...given.map(({ x }) => x)];
  if (!isRecording(operands)) return result;
  record(operands, [result], (tape) => {
    const seeds = Float64Array.from(engine.f32(tape.gradientOf(result), batch));
    const sums = zeroGradient(system);
    const dy = new Float64Array(y.size);
    const du = new Float64Array(u?.size ?? 0);
    sequences.forEach((sequence, i) => {
      const own = { y: new Float64Array(sequence.y.length), u: new Float64Array(sequence.u.length) };
      kalmanGradient(system, sequence, filtered[i]!, () => seeds[i]!, sums, own.y, own.u);
      sequence.stepOf!.forEach((step, t) => {
        dy.set(own.y.subarray(t * p, (t + 1) * p), (i * time + step) * p);
        du.set(own.u.subarray(t * k, (t + 1) * k), (i * time + step) * k);
      });
    });
    contribute(tape, y, dy);
    if (u) contribute(tape, u, du);
    for (const { key, x, size, factors } of parts) {
      const gradient = sums[key];
      contribute(
        tape,
        x,
        factors
          ? eachOf(gradient, size, (part, at) => factorGradient(part, factors.subarray(at, at + size * size), size))
          : gradient,
      );
    }
  });
  return result;
}

/** The results for each `[size, size]` matrix of several. */
function eachOf(values: Matrix, size: number, make: (matrix: Matrix, at: number) => Matrix): Matrix {
  const y = new Float64Array(values.length);
  const step = size * size;
  for (let at = 0; at < values.length; at += step) y.set(make(values.subarray(at, at + step), at), at);
  return y;
}

const lower = (factor: Matrix, n: number): Matrix => factor.map((value, i) => (i % n <= Math.floor(i / n) ? value : 0));

/** Where the matrix of each sequence and step is. Throws `ArgumentError` for a shape that does not fit. */
function placeOf(what: string, got: Shape, shape: Shape, batch: number, time: number): Omit<Varying, 'data'> {
  const size = sizeOf(shape);
  const isInitial = what.includes('initial');
  const fronts = isInitial ? [[], [batch]] : [[], [time], [batch, time]];
  const front = fronts.find((axes) => sameShape(got, [...axes, ...shape]));
  if (!front) {
    const expected = fronts.map((axes) => formatShape([...axes, ...shape])).join(' or ');
    throw new ArgumentError(`${what} expected ${expected}, got ${formatShape(got)}`);
  }
  const perStep = isInitial || front.length === 0 ? 0 : size;
  const perSequence = isInitial ? size * front.length : front.length === 2 ? time * size : 0;
  return { size, perSequence, perStep };
}
