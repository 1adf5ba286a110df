// Writes and reads the layers of a model file.
import { ArgumentError } from '../checks/argument-error.ts';
import { leavesOf, mapNested, type Nested } from '../data/nested.ts';
import { type LayerConfig, type ModelFile, NO_INPUT_SHAPE, networkOf, type SavedLayer } from '../io/model-file.ts';
import { describe, isObject, type Parsed } from '../io/parsed-json.ts';
import { type BatchShape, isShape } from '../layers/base/batch-shape.ts';
import { expectInputShape, type InputSpec, isInputSpec } from '../layers/base/input-spec.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import { withSharedLayers } from '../layers/base/saved-layer.ts';
import { layerClasses, layerFromConfig, requestFor } from '../layers/layer-classes.ts';
import {
  type CustomObjectRequest,
  type CustomObjects,
  expectCustomObjects,
  nameOfCustom,
} from '../registry/custom-objects.ts';

/**
 * Returns the layers as JSON, with the shape that they were built for if the first layer does not declare it.
 *
 * @throws ArgumentError for a number that is not finite, or a custom layer with the class name of a built-in layer.
 */
export function encodeNetwork(network: AnyLayer): string {
  for (const layer of network.tree()) expectUnusedClassName(layer);
  const config = withSharedLayers(() => network.config());
  const [first] = (config.layers ?? []) as unknown as readonly SavedLayer[];
  const isDeclared = first?.config.batchInputShape || !network.builtShape;
  const builtShape = isDeclared
    ? undefined
    : mapNested<BatchShape, BatchShape>(network.builtShape, isShape, ([, ...rest]) => [null, ...rest]);
  return JSON.stringify({ ...config, builtShape }, (key, value) => {
    if (typeof value !== 'number' || Number.isFinite(value)) return value;
    throw new ArgumentError(`${network.name}: ${key} expected a finite number, got ${value}`);
  });
}

/**
 * Throws `ArgumentError` for a custom layer with the class name of a built-in layer, because it would be loaded as the
 * built-in layer.
 */
function expectUnusedClassName(layer: AnyLayer): void {
  const { className, sublayers } = layer;
  if (sublayers.length > 0 || !layerClasses().includes(className)) return;
  let made: AnyLayer | undefined;
  const config = layer.config();
  try {
    made = layerFromConfig(className, config);
  } catch {}
  // A layer with a custom object in its options cannot be made here. This does not mean that its class name is taken.
  if (made ? made.constructor === layer.constructor : Object.values(config).some(nameOfCustom)) return;
  throw new ArgumentError(
    `${layer.path}: className expected a name of its own to be saved by, got '${className}', which is taken`,
  );
}

/**
 * Makes and builds the layers of a file.
 *
 * @param given the shape and the objects that the file may need.
 * @throws ModelFileError for a file that cannot be used, or ArgumentError, which the caller turns into ModelFileError.
 */
export function decodeNetwork(
  opened: ModelFile,
  given: { inputShape?: BatchShape | undefined; customObjects: CustomObjects },
): AnyLayer {
  const { className = 'Sequential', builtShape, ...config } = networkOf(opened);
  const { parse } = opened;
  expectCustomObjects(given.customObjects, [...namedIn(parse('network')), ...namedIn(parse('training'))]);
  return withSharedLayers(() => {
    const network: AnyLayer = config.layers
      ? layerFromConfig(className, config as never)
      : layerFromConfig('Functional', { name: config.name });
    build(network, builtShape, given.inputShape);
    if (!network.isBuilt) opened.fail(NO_INPUT_SHAPE);
    return network;
  });
}

/**
 * Builds the network for the shape that its inputs declare, else for the sample shape that the caller gives, else for
 * the shape in the file.
 */
function build(network: AnyLayer, builtShape: unknown, inputShape: BatchShape | undefined): void {
  const { inputs } = network;
  if (inputShape) {
    if (!isInputSpec(inputs)) throw new ArgumentError('inputShape expected a model of one input');
    expectInputShape('inputShape', inputs, [null, ...inputShape]);
  }
  const declares = leavesOf<InputSpec>(inputs, isInputSpec).every((spec) => spec.shape);
  const shapes = (
    declares
      ? mapNested<InputSpec, BatchShape>(inputs, isInputSpec, (spec) => [null, ...spec.shape!])
      : inputShape
        ? [null, ...inputShape]
        : builtShape
  ) as Nested<BatchShape> | undefined;
  if (shapes === undefined) return;
  if (typeof shapes !== 'object' || !leavesOf<BatchShape>(shapes, isShape).every(isShape)) {
    throw new ArgumentError(`network.builtShape expected a shape, got ${describe(shapes)}`);
  }
  network.build(shapes);
  // A custom network makes its weights when it runs.
  if (!network.isBuilt) network.outputShapes(shapes);
}

/**
 * Yields the custom objects that a part of a file refers to: layers by class, models and cells by name, all others by a
 * marked name.
 */
function* namedIn(value: unknown, key = '', outer = ''): Generator<CustomObjectRequest> {
  const own = nameOfCustom(value);
  if (own !== undefined) yield [key === 'name' ? outer : key, own];
  if (typeof value !== 'object' || value === null) return;
  const { className: saved, config, isCustom, name } = value as Parsed;
  if (isCustom === true) yield ['model', String(name)];
  if (typeof saved === 'string' && isObject(config)) {
    const request = requestFor(saved, config as LayerConfig);
    if (request) yield request;
  }
  for (const [inner, each] of Object.entries(value)) yield* namedIn(each, inner, key);
}
