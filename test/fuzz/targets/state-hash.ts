import type { AnyModel, Tensor } from '../../../src/index.ts';

/**
 * All that a call can change in a model, as one text: weights, optimizer state, carried states, random streams, what it
 * is built for. Read once before the calls that are compared, since what is first read then is made then.
 */
export function stateHash(model: AnyModel): string {
  const { network, weights } = model;
  let hash = 0x811c9dc5;
  const add = (values: Float32Array): void => {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (const word of bits) hash = Math.imul(hash ^ word, 0x01000193);
  };
  const addTensor = ({ engine, ptr, size }: Tensor): void => add(engine.f32(ptr, size));
  for (const { tensor } of weights) addTensor(tensor);
  for (const { carried } of model.trainer.statefulLayers) for (const state of carried.values ?? []) add(state);
  const parts: unknown[] = [
    network.isBuilt,
    network.batchInputShape,
    weights.map(({ name, shape }) => [name, shape]),
    network.tree().map(({ random }) => random.state),
    model.trainer.statefulLayers.map(({ carried }) => carried.batch),
  ];
  if (model.isCompiled) {
    const { optimizer } = model;
    parts.push(optimizer.steps, optimizer.config(), model.trainer.random.state);
    if (optimizer.steps > 0) for (const slot of optimizer.state(weights).values()) addTensor(slot);
  }
  return `${hash} ${JSON.stringify(parts)}`;
}
