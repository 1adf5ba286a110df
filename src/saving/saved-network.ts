// What a model file says of layers, written and read.
import { ArgumentError } from '../checks/argument-error.ts';
import { leavesOf, mapNested, type Nested } from '../data/nested.ts';
import { type LayerConfig, type ModelFile, NO_INPUT_SHAPE, networkOf, type SavedLayer } from '../io/model-file.ts';
import { describe, isObject, type Parsed } from '../io/parsed-json.ts';
import { type BatchShape, isShape } from '../layers/base/batch-shape.ts';
import { expectInputShape, type InputSpec, isInputSpec } from '../layers/base/input-spec.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import { withSharedLayers } from '../layers/base/saved-layer.ts';
import { layerClasses, layerFromConfig, sequentialFromConfig, wantedFor } from '../layers/layer-classes.ts';
import { type CustomObjects, expectCustomObjects, nameOfCustom, type Wanted } from '../registry/custom-objects.ts';

/**
 * The layers as JSON, with the shape that they were built for where the first does not say it.
 *
 * @throws ArgumentError for an option that is no finite number, or a layer of the caller's own that is called as one of
 *   ours.
 */
export function encodeNetwork(network: AnyLayer): string {
  for (const layer of network.tree()) expectOwnName(layer);
  const config = withSharedLayers(() => network.config());
  const [first] = (config.layers ?? []) as unknown as readonly SavedLayer[];
  const isSaid = first?.config.batchInputShape || !network.builtShape;
  const builtShape = isSaid
    ? undefined
    : mapNested<BatchShape, BatchShape>(network.builtShape, isShape, ([, ...rest]) => [null, ...rest]);
  return JSON.stringify({ ...config, builtShape }, (key, value) => {
    if (typeof value !== 'number' || Number.isFinite(value)) return value;
    throw new ArgumentError(`${network.name}: ${key} expected a finite number, got ${value}`);
  });
}

/** A layer of the caller's own that is called as one of ours would be taken for it. */
function expectOwnName(layer: AnyLayer): void {
  const { className, sublayers } = layer;
  if (sublayers.length > 0 || !layerClasses.includes(className)) return;
  let made: AnyLayer | undefined;
  const config = layer.config();
  try {
    made = layerFromConfig(className, config);
  } catch {}
  // What an option has by name cannot be made now, which says nothing of the layer.
  if (made ? made.constructor === layer.constructor : Object.values(config).some(nameOfCustom)) return;
  throw new ArgumentError(
    `${layer.path}: className expected a name of its own to be saved by, got '${className}', which is taken`,
  );
}

/**
 * The layers of a file, built.
 *
 * @param given what the file may need beside itself.
 * @throws ModelFileError for what cannot be used, or ArgumentError, which its caller makes one of.
 */
export function decodeNetwork(
  opened: ModelFile,
  given: { inputShape?: BatchShape | undefined; customObjects: CustomObjects },
): AnyLayer {
  const { name, layers, builtShape } = networkOf(opened);
  const { parse } = opened;
  expectCustomObjects(given.customObjects, [...namedIn(parse('network')), ...namedIn(parse('training'))]);
  return withSharedLayers(() => {
    const network = layers ? sequentialFromConfig({ name, layers }) : layerFromConfig('Functional', { name });
    build(network, builtShape, given.inputShape);
    if (!network.isBuilt) opened.fail(NO_INPUT_SHAPE);
    return network;
  });
}

/** For the shape that its inputs declare, or else that of a sample which the caller gives, or that of the file. */
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
  // A network of the caller's own makes its weights as it runs.
  if (!network.isBuilt) network.outputShapes(shapes);
}

/**
 * What a part of a file names and does not hold: layers by class, models and cells by name, all else by a marked name.
 */
function* namedIn(value: unknown, key = '', outer = ''): Generator<Wanted> {
  const own = nameOfCustom(value);
  if (own !== undefined) yield [key === 'name' ? outer : key, own];
  if (typeof value !== 'object' || value === null) return;
  const { className: saved, config, isCustom, name } = value as Parsed;
  if (isCustom === true) yield ['model', String(name)];
  if (typeof saved === 'string' && isObject(config)) {
    const wanted = wantedFor(saved, config as LayerConfig);
    if (wanted) yield wanted;
  }
  for (const [inner, each] of Object.entries(value)) yield* namedIn(each, inner, key);
}
