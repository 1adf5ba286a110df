// Every layer, as a configuration of Keras 3 and back, with its weights in Keras's order: the same layer.
import { describe, expect, test } from 'vitest';
import '../../src/images.ts';
import '../../src/sequences.ts';
import { model as functional, type Model, NdArray, RandomStream, setSeed, type Tensor } from '../../src/index.ts';
import { modelOfConfig } from '../../src/keras/config/read-model.ts';
import { configOfModel } from '../../src/keras/config/write-model.ts';
import { registerKerasLayers } from '../../src/keras/register.ts';
import { kerasWeightsOf, setKerasWeights, splitAmongLeaves } from '../../src/keras/weights/read-weights.ts';
import type { CaseInput, LayerCase } from '../layers/cases/case.ts';
import { convolutionCases } from '../layers/cases/convolutions.ts';
import { imageCases } from '../layers/cases/images.ts';
import { kerasCases } from '../layers/cases/keras.ts';
import { recurrentCases } from '../layers/cases/recurrent.ts';
import { simpleCases } from '../layers/cases/simple.ts';

registerKerasLayers();

const listOf = (inputs: LayerCase['inputs']): readonly CaseInput[] => [inputs].flat() as CaseInput[];
/** A cell is no layer of a model, and functions of the caller's own are in no file. */
const cases = [...convolutionCases, ...imageCases, ...kerasCases, ...recurrentCases, ...simpleCases].filter(
  ({ of, call, initialState }) => !/Cell$/.test(of) && !call && !initialState,
);

function dataOf(inputs: readonly CaseInput[]): NdArray[] {
  const random = new RandomStream(3);
  return inputs.map(({ shape, idsBelow }) => {
    const size = shape.reduce((product, n) => product * n, 1);
    if (idsBelow)
      return new NdArray(Int32Array.from({ length: size }, () => random.nextUint32() % idsBelow) as never, shape);
    return new NdArray(
      Float32Array.from({ length: size }, () => 2 * random.nextUniform() - 1),
      shape,
    );
  });
}

function modelOf({ make, inputs }: LayerCase): Model {
  setSeed(1);
  const layer = make();
  const specs = listOf(inputs).map(({ shape, idsBelow }) => ({
    shape: shape.slice(1),
    ...(idsBelow && { dtype: 'i32' as const, limit: idsBelow }),
  }));
  const isList = Array.isArray(inputs);
  return functional({ layers: { layer }, inputs: isList ? specs : specs[0]! }, (x: Tensor, at) => at.layer(x)) as never;
}

const names = cases.map((each, i) => [`${each.of} ${each.variant} (${i})`, each] as const);
// What tapeloop has beyond Keras, by the sentence with which it is refused.
const beyond = /Keras 3 has no (such layer|option (peephole|projSize|weightDrop))|Keras 3 has no activation/;

describe.each(names)('%s', (_, each) => {
  test('comes back from a configuration of Keras 3 as it was, or is refused by name', () => {
    const made = modelOf(each);
    const given = dataOf(listOf(each.inputs));
    const x = (Array.isArray(each.inputs) ? given : given[0]) as never;
    let config: object;
    try {
      config = configOfModel(made as never, 'keras3');
    } catch (error) {
      expect((error as Error).message).toMatch(beyond);
      return;
    }
    const [layer] = made.layers;
    const arrays = kerasWeightsOf(layer!);
    const back = modelOfConfig(JSON.parse(JSON.stringify(config)), {
      weights: (network) => {
        const split = splitAmongLeaves(network.sublayers[0]!, arrays);
        return (leaf) => split.get(leaf)!;
      },
    });
    expect(back.weights.map((weight) => weight.toArray())).toEqual(made.weights.map((weight) => weight.toArray()));
    expect(back.predict(x)).toEqual(made.predict(x));
    setKerasWeights(back.layers[0]!, arrays);
    expect(back.predict(x)).toEqual(made.predict(x));
  });
});
