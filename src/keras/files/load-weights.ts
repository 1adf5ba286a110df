import type { Parameter } from '../../autograd/parameter.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { bytesOf, type FileBytes } from '../../io/model-file.ts';
import { quote } from '../../io/parsed-json.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import { type AnyModel, expectModel } from '../../models/model.ts';
import { eraOf } from '../config/era.ts';
import { asFileError } from '../config/read-model.ts';
import type { KerasArray } from '../weights/keras-array.ts';
import { kerasValues, splitAmongLeaves } from '../weights/read-weights.ts';
import { leafLayers, ownWeights } from '../weights/weight-names.ts';
import { restoreOptimizer } from './import.ts';
import { expectAsMany, layerGroups, layersWithWeights, listed } from './layer-groups.ts';
import { type OpenedFile, openKerasFile } from './opened-file.ts';
import { trainableWeights, variableGroups } from './variable-paths.ts';
import { variablesOf } from './variables.ts';

/** Options of `loadKerasWeights`. */
export interface LoadKerasWeightsOptions {
  /** The file's name, for errors. */
  file?: string | undefined;
  /**
   * Whether layers get the weights of the layer with their name, and all others keep theirs. Default false: the layers
   * that have weights get them in the order of the file, which must have as many. Not for `.keras` and `.weights.h5`,
   * which have no names of layers.
   */
  byName?: boolean | undefined;
  /** Whether layers whose weights do not fit keep theirs, in place of an error. Default false. */
  skipMismatch?: boolean | undefined;
}

/** What `loadKerasWeights` did. */
export interface KerasWeightsReport {
  /** The layers that got weights. */
  readonly loaded: readonly string[];
  /** The layers that kept theirs, each with the reason. */
  readonly skipped: readonly { readonly layer: string; readonly reason: string }[];
  /** The layers of the file that no layer of the model took. */
  readonly unused: readonly string[];
  /**
   * What became of the optimizer's state, which files of Keras 3 may have: loaded; none, in the file or to load it
   * into, as in a model that is not compiled; or the reason why it does not fit. The optimizer is then as before.
   */
  readonly optimizer: 'loaded' | 'none' | { readonly reason: string };
}

/** Weights of the file for one layer. */
interface Offer {
  readonly layer: AnyLayer;
  /** Divides them among the layer and those inside it. Throws `ArgumentError` if they are not as many. */
  readonly parts: () => ReadonlyMap<AnyLayer, readonly KerasArray[]>;
}

/**
 * Loads the weights of a Keras file into a model that was made in code, by the rules of Keras's `load_weights`.
 *
 * Weights of Keras 1, which has an array for each gate, and of CuDNN's layers get the layout that they have here.
 *
 * @param model a built model, whose layers are those of the file.
 * @param bytes an `.h5`, `.hdf5`, `.weights.h5` or `.keras` file. It is not kept.
 * @param options which layers take part: `byName`, `skipMismatch`.
 * @returns which layers got weights, which did not, and whether the optimizer of a compiled model got its state, as
 *   Keras gives it from `.keras` and `.weights.h5`.
 * @throws ModelFileError if the bytes are not a file of Keras, or, without `skipMismatch`, a layer has another number
 *   of weights or a weight another shape. ArgumentError if an option is unknown, `model` is not a built model, or a
 *   call that returns a promise runs on it. After an error the model is as before.
 * @see keras.Model.load_weights
 *
 * @example
 * const { loaded } = loadKerasWeights(model, await readFile('model.weights.h5'));
 */
export function loadKerasWeights(
  model: AnyModel,
  bytes: FileBytes,
  options: LoadKerasWeightsOptions = {},
): KerasWeightsReport {
  const names = { file: 1, byName: true, skipMismatch: true };
  const { file, byName = false, skipMismatch = false } = checkOptions('loadKerasWeights', options, names as never);
  expectModel('loadKerasWeights', model);
  if (!model.network.isBuilt) {
    throw new ArgumentError(`loadKerasWeights: ${model.name} expected a built model: give its first layer inputShape`);
  }
  const opened = openKerasFile(bytesOf('loadKerasWeights', bytes), file);
  model.network.setScope();
  model.trainer.runs.expectNone('loadKerasWeights');
  return asFileError('loadKerasWeights', file, () => {
    const era = opened.layout === 'variables' ? 'keras3' : eraOf({}, opened.version ?? '1.');
    const { offers, unused } = offersOf(opened, model.network, { byName, skipMismatch, era });
    const skipped: { layer: string; reason: string }[] = [];
    const values = offers.flatMap(({ layer, parts }): (readonly [Parameter, Float32Array])[] => {
      try {
        return kerasValues(parts());
      } catch (error) {
        if (!skipMismatch) throw error;
        skipped.push({ layer: layer.path, reason: (error as Error).message });
        return [];
      }
    });
    // Weights are set once all of them fit.
    for (const [weight, data] of values) weight.assign(data);
    const isSkipped = ({ layer }: Offer): boolean => skipped.some((each) => each.layer === layer.path);
    const loaded = offers.filter((offer) => !isSkipped(offer)).map(({ layer }) => layer.path);
    return { loaded, skipped, unused, optimizer: loadOptimizer(model, opened) };
  });
}

function loadOptimizer(model: AnyModel, opened: OpenedFile): KerasWeightsReport['optimizer'] {
  if (opened.layout !== 'variables' || !model.isCompiled) return 'none';
  try {
    return restoreOptimizer(model, trainableWeights(model.network as AnyLayer), opened) ? 'loaded' : 'none';
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    return { reason: error.message };
  }
}

interface Rules {
  readonly byName: boolean;
  readonly skipMismatch: boolean;
  readonly era: ReturnType<typeof eraOf>;
}

function offersOf(
  opened: OpenedFile,
  network: AnyLayer,
  { byName, skipMismatch, era }: Rules,
): { offers: Offer[]; unused: string[] } {
  if (opened.layout === 'variables') {
    if (byName)
      opened.fail('byName expected a file with the names of layers, which .keras and .weights.h5 do not have');
    const { found, unused } = variablesOf(opened, variableGroups(network));
    const leaves = leafLayers(network).filter((layer) => ownWeights(layer).length > 0);
    const missing = leaves.filter((layer) => (found.get(layer) ?? []).length === 0).map(({ path }) => path);
    if (unused.length > 0 && !skipMismatch) {
      const without =
        missing.length === 0 ? 'no layer takes' : `no layer takes, while it has none for ${listed(missing)}`;
      opened.fail(`the file has weights at ${listed(unused)}, which ${without}; skipMismatch: true leaves them out`);
    }
    return {
      offers: leaves.map((layer) => ({ layer, parts: () => new Map([[layer, found.get(layer) ?? []]]) })),
      unused,
    };
  }
  const groups = layerGroups(opened);
  const layers = layersWithWeights(network, era);
  const offerOf = (layer: AnyLayer, arrays: readonly KerasArray[]): Offer => ({
    layer,
    parts: () => splitAmongLeaves(layer, arrays, era),
  });
  if (!byName) {
    expectAsMany(groups, layers, opened.fail);
    return { offers: layers.map((layer, i) => offerOf(layer, groups[i]!.arrays)), unused: [] };
  }
  const offers = groups.flatMap(({ name, arrays }) =>
    layers.filter((layer) => layer.name === name).map((layer) => offerOf(layer, arrays)),
  );
  const unused = groups.filter(({ name }) => !layers.some((layer) => layer.name === name)).map(({ name }) => name);
  if (offers.length === 0) opened.fail(`no layer of the model has a name of the file: ${unused.map(quote).join(', ')}`);
  return { offers, unused };
}
