import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape } from '../checks/shape.ts';
import { utf8Of } from '../host/utf8.ts';
import type { Json } from '../io/model-file.ts';
import { writeTraining } from '../keras/compile/write-compile.ts';
import type { KerasJson } from '../keras/config/write-layer.ts';
import { configOfModel } from '../keras/config/write-model.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import { type AnyModel, expectModel, type Model } from '../models/model.ts';
import { layersInTfjsOrder } from './layer-order.ts';
import { type WrittenWeight, writeGroup } from './manifest.ts';
import { expectSameMasks } from './masks.ts';
import { writeOptimizerState } from './optimizer-state.ts';
import { withUniqueNames } from './unique-names.ts';
import { tfjsNames } from './weight-names.ts';

/** Options of `exportTfjs`. */
export interface ExportTfjsOptions {
  /**
   * Whether to write loss, metrics and optimizer with its state, so that training goes on in TF.js. Default false, as
   * in TF.js.
   */
  includeOptimizer?: boolean | undefined;
}

const TFJS_VERSION = '4.22.0';

/**
 * Writes a model as a layers model of TF.js.
 *
 * @param model a built model of layers that TF.js has. A model made by a function must call layers alone.
 * @param options.includeOptimizer whether to write loss, metrics and optimizer too; the model must be compiled. Metrics
 *   that TF.js does not have are left out.
 * @returns the bytes of `model.json` and of the weight files, `group1-shard1of1.bin` and so on, by name, owned by the
 *   caller.
 * @throws ArgumentError if an option is unknown, the model is not built, TF.js does not have a layer, an option, a loss
 *   or an optimizer of the model or does not allow a name of it, or a custom function has no name.
 * @see https://js.tensorflow.org/api/latest/#loadLayersModel
 *
 * @example
 * for (const [name, bytes] of Object.entries(exportTfjs(model))) writeFileSync(name, bytes);
 */
export function exportTfjs(model: AnyModel, options: ExportTfjsOptions = {}): Record<string, Uint8Array<ArrayBuffer>> {
  const { includeOptimizer = false } = checkOptions('exportTfjs', options, { includeOptimizer: true });
  expectModel('exportTfjs', model);
  if (includeOptimizer && !model.isCompiled)
    throw new ArgumentError('exportTfjs: includeOptimizer expected a compiled model');
  const { topology, training, written } = withUniqueNames(model.network as AnyLayer, () =>
    partsOf(model, includeOptimizer),
  );
  const { manifest, files } = writeGroup(written);
  const json: Json = {
    modelTopology: { ...topology, keras_version: `tfjs-layers ${TFJS_VERSION}`, backend: 'tensor_flow.js' },
    format: 'layers-model',
    generatedBy: 'tapeloop',
    convertedBy: null,
    ...(training && { trainingConfig: training }),
    weightsManifest: manifest,
  };
  return { 'model.json': utf8Of(JSON.stringify(json)) as Uint8Array<ArrayBuffer>, ...files };
}

interface Parts {
  readonly topology: KerasJson;
  readonly training: KerasJson | undefined;
  readonly written: readonly WrittenWeight[];
}

function partsOf(model: AnyModel, includeOptimizer: boolean): Parts {
  const topology = configOfModel(model, 'tfjs');
  expectSameMasks(model.network as AnyLayer);
  for (const layer of model.network.tree()) {
    const shapes = layer.className === 'Dot' ? (layer.builtShape as readonly BatchShape[]) : [];
    if (shapes.every((shape) => shape.length <= 3)) continue;
    throw new ArgumentError(
      `layer '${layer.name}' (Dot): TF.js has products of at most 3 axes, got ${shapes.map(formatShape).join(' and ')}`,
    );
  }
  const order = layersInTfjsOrder(model.network as AnyLayer);
  const names = tfjsNames(model.network as AnyLayer);
  const leaves = [...new Set(order.flatMap((layer) => layer.tree()))];
  const listed = leaves.flatMap((leaf) =>
    (names.get(leaf) ?? []).map(({ name, trainable }, i) => ({ name, trainable, weight: leaf.weights[i]! })),
  );
  const sorted = [...listed.filter(({ trainable }) => trainable), ...listed.filter(({ trainable }) => !trainable)];
  const training = includeOptimizer ? writeTraining(model, 'tfjs') : undefined;
  const written = sorted.map(
    ({ name, weight }): WrittenWeight => ({ name, shape: weight.shape, data: weight.toArray(), isOptimizer: false }),
  );
  if (training) written.push(...writeOptimizerState(model as Model, training, order));
  return { topology, training, written };
}
