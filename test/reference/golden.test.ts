/** The float64 reference against PyTorch's numbers: one oracle checks the other. */
import { describe, expect, it } from 'vitest';
import { expectGradient, expectOutput } from '../golden/expect-close.ts';
import {
  GOLDEN_CELLS,
  type GoldenLayerCase,
  type GoldenModelCase,
  type GoldenParameters,
  type GoldenStates,
  type GoldenTensor,
  loadGolden,
} from '../golden/load.ts';
import { referenceCells } from './cells.ts';
import { adam, type ModelInput, type ModelShape, type Parameters, runModel } from './model.ts';
import { runSequence } from './sequence.ts';

describe.each(GOLDEN_CELLS)('reference %s', (cell) => {
  const golden = loadGolden(cell);

  it.each(golden.layers)('layers $name, match PyTorch', (layerCase) => {
    const actual = runStack(layerCase);
    expectOutput('y', actual.y, layerCase.y);
    expectStates('finalStates', actual.finalStates, layerCase.finalStates, expectOutput);
    expectGradient('dX', actual.dX, layerCase.dX);
    expectStates('dInitialStates', actual.dInitialStates, layerCase.dInitialStates, expectGradient);
    expectParameters('gradients', actual.gradients, layerCase.gradients);
  });

  it.each(golden.models)('model $name, matches PyTorch', (modelCase) => {
    const { shape, parameters, input } = referenceModel(modelCase);
    const actual = runModel(shape, parameters, input);
    expectOutput('y', actual.y, modelCase.y);
    expectOutput('logits', actual.logits, modelCase.logits);
    expectOutput('loss', [actual.loss], { shape: [], values: [modelCase.loss] });
    expectStates('finalStates', actual.finalStates, modelCase.finalStates, expectOutput);

    const { gradients, dX, dInitialStates } = actual.backward();
    if (modelCase.dX) expectGradient('dX', dX, modelCase.dX);
    expectStates('dInitialStates', dInitialStates, modelCase.dInitialStates, expectGradient);
    expectParameters('gradients', gradients, modelCase.gradients);
  });

  it.each(golden.models)('model $name, ten Adam steps match PyTorch', (modelCase) => {
    const { shape, parameters, input } = referenceModel(modelCase);
    const { steps, losses, ...options } = modelCase.adam;
    const update = adam(options, parameters);
    const actualLosses: number[] = [];
    for (let step = 0; step < steps; step++) {
      const run = runModel(shape, parameters, input);
      actualLosses.push(run.loss);
      update(run.backward().gradients);
    }
    expectOutput('losses', actualLosses, { shape: [steps], values: losses });
    expectParameters('parameters', parameters, modelCase.adam.parameters);
  });
});

/** The bare stack of a layer case, forward and backward. */
function runStack({ cell, shape, ...golden }: GoldenLayerCase) {
  const parameters = toFloat64(golden.parameters);
  const runs: ReturnType<typeof runSequence>[] = [];
  for (let n = 0; n < shape.layers; n++) {
    runs[n] = runSequence(
      referenceCells[cell],
      {
        kernel: parameters[`layer${n}/kernel`],
        recurrentKernel: parameters[`layer${n}/recurrentKernel`],
        bias: parameters[`layer${n}/bias`],
      },
      {
        x: n === 0 ? Float64Array.from(golden.x.values) : runs[n - 1].y,
        initialStates: golden.initialStates[n].map(float64),
      },
      { ...shape, inputSize: n === 0 ? shape.inputSize : shape.units },
    );
  }
  const gradients: Parameters = {};
  const dInitialStates: Float64Array[][] = [];
  let dBelow = float64(golden.dY);
  for (let n = shape.layers - 1; n >= 0; n--) {
    const layer = runs[n].backward(dBelow, golden.dFinalStates[n].map(float64));
    gradients[`layer${n}/kernel`] = layer.dKernel;
    gradients[`layer${n}/recurrentKernel`] = layer.dRecurrentKernel;
    gradients[`layer${n}/bias`] = layer.dBias;
    dInitialStates[n] = layer.dInitialStates;
    dBelow = layer.dX;
  }
  return {
    y: runs[shape.layers - 1].y,
    finalStates: runs.map((run) => run.finalStates),
    dX: dBelow,
    dInitialStates,
    gradients,
  };
}

function referenceModel(modelCase: GoldenModelCase): { shape: ModelShape; parameters: Parameters; input: ModelInput } {
  const { cell, shape, x, tokens, targets, initialStates } = modelCase;
  return {
    shape: { cell, ...shape },
    parameters: toFloat64(modelCase.parameters),
    input: {
      input: tokens ? { tokens: tokens.values } : { x: x!.values },
      targets: targets.values,
      initialStates: initialStates.map((states) => states.map(float64)),
    },
  };
}

function expectStates(
  what: string,
  actual: Float64Array[][],
  golden: GoldenStates,
  expectTensor: typeof expectOutput,
): void {
  expect(actual.length, `${what}: number of layers`).toBe(golden.length);
  for (const [n, states] of golden.entries()) {
    for (const [s, state] of states.entries()) expectTensor(`${what}[${n}][${s}]`, actual[n][s], state);
  }
}

function expectParameters(what: string, actual: Parameters, golden: GoldenParameters): void {
  expect(Object.keys(actual).sort(), `${what}: names`).toEqual(Object.keys(golden).sort());
  for (const [name, tensor] of Object.entries(golden)) {
    expectGradient(`${what} ${name}`, actual[name], tensor);
  }
}

function float64(tensor: GoldenTensor): Float64Array {
  return Float64Array.from(tensor.values);
}

function toFloat64(parameters: GoldenParameters): Parameters {
  return Object.fromEntries(Object.entries(parameters).map(([name, tensor]) => [name, float64(tensor)]));
}
