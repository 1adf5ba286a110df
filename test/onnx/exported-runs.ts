// Inputs and outputs of exported models.
import { NdArray, RandomStream, setSeed } from '../../src/index.ts';
import type { AnyModel } from '../../src/models/model.ts';
import type { Elements } from '../../src/onnx/export/infer.ts';
import type { ExportedCase } from './exported-models.ts';

export interface GivenInput {
  readonly shape: readonly number[];
  readonly isIds: boolean;
  readonly data: Float32Array | Int32Array;
}

/** Random inputs of a case. */
export function inputsOf({ inputs }: ExportedCase): GivenInput[] {
  const random = new RandomStream(5);
  return inputs.map(([shape, ids]) => {
    const size = shape.reduce((product, n) => product * n, 1);
    const data = ids
      ? Int32Array.from({ length: size }, () => random.nextUint32() % ids)
      : Float32Array.from({ length: size }, () => 4 * random.nextUniform() - 2);
    return { shape, isIds: ids !== undefined, data };
  });
}

/** The model of a case with random weights, and its outputs for the inputs of the case. */
export function builtModel(each: ExportedCase): { model: AnyModel; outputs: Elements[] } {
  setSeed(1);
  const model = each.make();
  const arrays = inputsOf(each).map(({ data, shape }) => new NdArray(data as Float32Array, shape));
  const named = (list: readonly NdArray[]) => Object.fromEntries(each.keys!.map((key, i) => [key, list[i]!]));
  const x = arrays.length === 1 ? arrays[0]! : each.keys ? named(arrays) : arrays;
  const run = () => {
    const y = model.predict(x as never) as unknown;
    model.resetStates();
    return (y instanceof NdArray ? [y] : Object.values(y as object)) as NdArray[];
  };
  if (!model.network.isBuilt) run();
  const random = new RandomStream(7);
  for (const weight of model.weights) {
    const isSpread = weight.name.includes('variance');
    weight.assign(
      Float32Array.from({ length: weight.size }, () => 0.2 + (isSpread ? 1 : 0) + random.nextUniform() - 0.6),
    );
  }
  return { model, outputs: run() };
}
