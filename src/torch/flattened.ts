// Dense layers behind a flattened image or sequence of channels. Layers hold channels last, PyTorch holds them first,
// so that the same numbers come in another order.

import type { Parameter } from '../autograd/parameter.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { sizeOf } from '../checks/shape.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import { transposed, weightsOf } from './modules.ts';

/** Kernels whose rows are in another order in PyTorch, with what puts values into the order of the layer. */
export type Flattened = ReadonlyMap<Parameter, (values: Float32Array) => Float32Array>;

/** Layers that PyTorch computes with channels first. */
const channels =
  /^((Depthwise|Separable)?Conv[12]D(Transpose)?|(Max|Average)Pooling[12]D|(Zero|Cropp|UpSampl|SpatialDrop).*)$/;
/** Layers that keep the place of each number. */
const elementwise = /^(Activation|Dropout|BatchNormalization|LayerNormalization|Rescaling)$/;

/** The dense kernels behind `flatten` behind a convolution, in stacks of layers. */
export function flattenedOf(network: AnyLayer): Flattened {
  const found = new Map<Parameter, (values: Float32Array) => Float32Array>();
  for (const layer of network.tree()) if (layer.className === 'Sequential') findIn(layer, found);
  return found;
}

function findIn(stack: AnyLayer, found: Map<Parameter, (values: Float32Array) => Float32Array>): void {
  let isChannels = false;
  let shape: readonly number[] | undefined;
  const outputs = stack.sublayerShapes();
  stack.sublayers.forEach((layer, i) => {
    const before = i === 0 ? undefined : (outputs[i - 1] as readonly (number | null)[] | undefined);
    if (channels.test(layer.className)) isChannels = true;
    else if (layer.className === 'Flatten' && isChannels && before && before.length > 2) {
      const rest = before.slice(1);
      shape = rest.every((n) => n !== null) ? (rest as number[]) : undefined;
      isChannels = false;
    } else if (layer.className === 'Dense' && shape) {
      const kernel = weightsOf(layer).kernel!;
      const sizes = shape;
      shape = undefined;
      if (sizeOf(sizes.slice(0, -1)) > 1) found.set(kernel, (values) => channelsLast(values, sizes));
    } else if (!elementwise.test(layer.className)) {
      isChannels = false;
      shape = undefined;
    }
  });
}

/** Rows `C × …` of a kernel in the order `… × C`. */
function channelsLast(values: Float32Array, shape: readonly number[]): Float32Array {
  const units = values.length / sizeOf(shape);
  const first = [shape.at(-1)!, ...shape.slice(0, -1), units];
  const axes = [...shape.slice(1).map((_, i) => i + 1), 0, shape.length];
  return transposed(values, first, axes);
}

/** Throws `ArgumentError` unless `flatten` says the order where it matters. */
export function checkFlattened(what: string, flattened: Flattened, flatten: string | undefined): void {
  if (flatten !== undefined && flatten !== 'channelsFirst' && flatten !== 'channelsLast') {
    throw new ArgumentError(`${what}: flatten expected 'channelsFirst' or 'channelsLast', got '${flatten}'`);
  }
  const [kernel] = flattened.keys();
  if (!kernel || flatten !== undefined) return;
  throw new ArgumentError(
    `${what}: flatten expected for '${kernel.name}', behind a flattened convolution: 'channelsFirst', as PyTorch flattens [B, C, T], or 'channelsLast' if its code has moved the channels`,
  );
}
