/**
 * The reference's hand-written gradients against central finite differences of its own forward pass.
 *
 * Step 1e-5 in float64: the truncation error is about h² = 1e-10 and the rounding error about 1e-16/h = 1e-11, so a
 * relative error under 1e-6 (of the larger of the two gradients, floored at 1e-3 so that a gradient of nearly 0 is
 * judged absolutely) leaves a wide margin and still catches a wrong term.
 */
import { describe, expect, it } from 'vitest';
import { type CellName, type CellWeights, type ReferenceCell, referenceCells } from './cells.ts';
import { type ModelInput, type ModelShape, type Parameters, runModel } from './model.ts';
import { runSequence, type SequenceShape } from './sequence.ts';

const STEP = 1e-5;
const FLOOR = 1e-3;
const TOLERANCE = 1e-6;
const SEED = 1;

const CELLS = Object.keys(referenceCells) as CellName[];
const SHAPES: SequenceShape[] = [
  { time: 4, batch: 2, inputSize: 3, units: 5 },
  { time: 1, batch: 1, inputSize: 1, units: 1 },
  { time: 3, batch: 1, inputSize: 4, units: 2 },
];

describe.each(CELLS)('reference %s backward', (name) => {
  const cell: ReferenceCell = referenceCells[name];

  it.each(SHAPES)('T=$time B=$batch I=$inputSize H=$units, matches finite differences', (shape) => {
    const random = uniform(SEED);
    const { time, batch, inputSize, units } = shape;
    const columns = cell.gates * units;
    const hidden = cell.hidden?.(units) ?? units;
    const weights: CellWeights = {
      kernel: random(inputSize * columns),
      recurrentKernel: random(hidden * columns),
      bias: random(cell.biasRows * columns),
      extra: extraOf(cell, units, random),
    };
    const x = random(time * batch * inputSize);
    const states = () => Array.from({ length: cell.states }, (_, s) => random(batch * (s === 0 ? hidden : units)));
    const initialStates = states();
    const dY = random(time * batch * hidden);
    const dFinalStates = states();

    // The loss whose gradients are dY and dFinalStates by construction.
    const run = () => runSequence(cell, weights, { x, initialStates }, shape);
    const loss = () => {
      const { y, finalStates } = run();
      return finalStates.reduce((sum, state, s) => sum + dot(state, dFinalStates[s]), dot(y, dY));
    };

    const analytic = run().backward(dY, dFinalStates);
    expectGradient('x', analytic.dX, x, loss);
    expectGradient('kernel', analytic.dKernel, weights.kernel, loss);
    expectGradient('recurrentKernel', analytic.dRecurrentKernel, weights.recurrentKernel, loss);
    expectGradient('bias', analytic.dBias, weights.bias, loss);
    for (const [key, weight] of Object.entries(weights.extra!)) expectGradient(key, analytic.dExtra[key], weight, loss);
    for (const [s, state] of initialStates.entries()) {
      expectGradient(`initialStates[${s}]`, analytic.dInitialStates[s], state, loss);
    }
  });

  it('without initial states and final gradients, equals zero ones', () => {
    const random = uniform(SEED);
    const shape = SHAPES[0];
    const columns = cell.gates * shape.units;
    const hidden = cell.hidden?.(shape.units) ?? shape.units;
    const weights: CellWeights = {
      kernel: random(shape.inputSize * columns),
      recurrentKernel: random(hidden * columns),
      bias: random(cell.biasRows * columns),
      extra: extraOf(cell, shape.units, random),
    };
    const x = random(shape.time * shape.batch * shape.inputSize);
    const dY = random(shape.time * shape.batch * hidden);
    const zeros = Array.from(
      { length: cell.states },
      (_, s) => new Float64Array(shape.batch * (s === 0 ? hidden : shape.units)),
    );

    const implicit = runSequence(cell, weights, { x }, shape);
    const explicit = runSequence(cell, weights, { x, initialStates: zeros }, shape);
    expect(implicit.y).toEqual(explicit.y);
    expect(implicit.backward(dY)).toEqual(explicit.backward(dY, zeros));
  });
});

// A model of the reference is a stack of cells with the three weights that all have.
const PLAIN_CELLS = CELLS.filter((name) => !('extra' in referenceCells[name]));

describe.each(PLAIN_CELLS)('reference %s backward', (name) => {
  it.each([
    { layers: 1, source: 'x' },
    { layers: 2, source: 'x' },
    { layers: 2, source: 'tokens' },
  ])('in a model of $layers layers on $source, matches finite differences', ({ layers, source }) => {
    const random = uniform(SEED);
    const shape: ModelShape = { cell: name, layers, time: 3, batch: 2, inputSize: 3, units: 4, vocabulary: 5 };
    const parameters = randomParameters(shape, source === 'tokens', random);
    const x = random(shape.time * shape.batch * shape.inputSize);
    const modelInput: ModelInput = {
      // Token 2 twice in one batch row, so that an embedding row collects several gradients.
      input: source === 'tokens' ? { tokens: [2, 0, 2, 4, 1, 2] } : { x },
      targets: [0, 1, 2, 3, 4, 0],
      initialStates: Array.from({ length: layers }, () =>
        Array.from({ length: referenceCells[name].states }, () => random(shape.batch * shape.units)),
      ),
    };
    const loss = () => runModel(shape, parameters, modelInput).loss;

    const { gradients, dX, dInitialStates } = runModel(shape, parameters, modelInput).backward();
    expect(Object.keys(gradients)).toEqual(Object.keys(parameters));
    for (const [key, p] of Object.entries(parameters)) expectGradient(key, gradients[key], p, loss);
    if (source === 'x') expectGradient('x', dX, x, loss);
    for (const [n, layer] of modelInput.initialStates!.entries()) {
      for (const [s, state] of layer.entries()) {
        expectGradient(`initialStates[${n}][${s}]`, dInitialStates[n][s], state, loss);
      }
    }
  });
});

const extraOf = (cell: ReferenceCell, units: number, random: (length: number) => Float64Array) =>
  Object.fromEntries(Object.entries(cell.extra?.(units) ?? {}).map(([name, length]) => [name, random(length)]));

/** Moves every element of `values` both ways and compares the slope of the loss with the gradient. */
function expectGradient(what: string, gradient: Float64Array, values: Float64Array, loss: () => number): void {
  expect(gradient.length, `${what}: number of gradients`).toBe(values.length);
  for (let j = 0; j < values.length; j++) {
    const value = values[j];
    values[j] = value + STEP;
    const above = loss();
    values[j] = value - STEP;
    const below = loss();
    values[j] = value;
    const numeric = (above - below) / (2 * STEP);
    const error = Math.abs(gradient[j] - numeric) / Math.max(Math.abs(gradient[j]), Math.abs(numeric), FLOOR);
    if (!(error < TOLERANCE)) {
      expect.fail(`${what}[${j}]: gradient ${gradient[j]}, finite difference ${numeric} (seed ${SEED})`);
    }
  }
}

function randomParameters(
  shape: ModelShape,
  hasEmbedding: boolean,
  random: (length: number) => Float64Array,
): Parameters {
  const { cell, layers, inputSize, units, vocabulary } = shape;
  const { gates, biasRows } = referenceCells[cell];
  const parameters: Parameters = {};
  if (hasEmbedding) parameters.embedding = random(vocabulary * inputSize);
  for (let n = 0; n < layers; n++) {
    parameters[`layer${n}/kernel`] = random((n === 0 ? inputSize : units) * gates * units);
    parameters[`layer${n}/recurrentKernel`] = random(units * gates * units);
    parameters[`layer${n}/bias`] = random(biasRows * gates * units);
  }
  parameters['dense/kernel'] = random(units * vocabulary);
  parameters['dense/bias'] = random(vocabulary);
  return parameters;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, j) => sum + value * b[j], 0);
}

/** Numbers in [−1, 1) from mulberry32, a 32-bit generator short enough to read. */
function uniform(seed: number): (length: number) => Float64Array {
  let state = seed >>> 0;
  return (length) =>
    Float64Array.from({ length }, () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
    });
}
