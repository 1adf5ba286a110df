import type { Parameter } from '../../autograd/parameter.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { bytesOf, type FileBytes } from '../../io/model-file.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import type { AnyModel, Model } from '../../models/model.ts';
import type { CustomObjects } from '../../registry/custom-objects.ts';
import { restoreState } from '../compile/optimizer-state.ts';
import { compileAsSaved, warnUncompiled } from '../compile/read-compile.ts';
import { eraOf } from '../config/era.ts';
import { asFileError, configIn, modelOfConfig } from '../config/read-model.ts';
import { outputNamesOf } from '../graph/output-names.ts';
import { registerKerasLayers } from '../register.ts';
import type { LayerWeights } from '../weights/read-weights.ts';
import { arraysOf, groupedWeights, layerGroups, listed } from './layer-groups.ts';
import { type OpenedFile, openKerasFile } from './opened-file.ts';
import { asListed, trainableWeights, variableGroups } from './variable-paths.ts';
import { numberedArrays, variablesOf } from './variables.ts';

/** Options of `importKeras`. */
export interface ImportKerasOptions {
  /** The file's name, for errors. */
  file?: string | undefined;
  /**
   * The model's configuration, for a file with weights alone: what `model.to_json()` returned, as text or parsed.
   */
  config?: unknown;
  /**
   * Whether to compile the model as the file says, with the state of its optimizer, so that training can go on. Default
   * true. A model whose loss or optimizer tapeloop does not have is left for the caller to compile.
   */
  compile?: boolean | undefined;
  /** The shape of one sample, `[T, F]`, for a file that does not have it. */
  inputShape?: BatchShape | undefined;
  /** Layers, activations and constraints of the caller's own by name; functions of Lambda layers by the layer's name. */
  customObjects?: CustomObjects | undefined;
}

const optionNames = { file: 1, config: 1, compile: true, inputShape: 1, customObjects: 1 };

/**
 * Makes a model of a file of Keras: `.keras`, or `.h5` and `.hdf5` of Keras 0.3 to TF 2 and Keras 3.
 *
 * Nothing in the file is run. Weights of Keras 1, which has an array for each gate, and of CuDNN's layers get the layout
 * that they have here.
 *
 * @param bytes the whole file. It is not kept.
 * @param options.config what `model.to_json()` returned, for a file with weights alone.
 * @param options.compile whether to compile the model as the file says, with the state of its optimizer. Default true.
 * @param options.inputShape the shape of one sample, for a file that does not have it.
 * @param options.customObjects layers, activations and constraints of the caller's own, and functions of Lambda layers.
 * @returns a built model, compiled if the file has a loss and an optimizer that tapeloop has, and the optimizer's state
 *   fits. The caller owns it and frees its memory with `dispose`.
 * @throws ModelFileError if the bytes are not a file of Keras, it is damaged, or it uses a layer or an option that
 *   tapeloop does not have. ArgumentError if an option is unknown or `bytes` is not bytes.
 * @see keras.saving.load_model
 *
 * @example
 * const model = importKeras(await readFile('model.keras'));
 * model.predict(x);
 */
export function importKeras(bytes: FileBytes, options: ImportKerasOptions = {}): Model {
  const {
    file,
    config,
    compile = true,
    inputShape,
    customObjects,
  } = checkOptions('importKeras', options, optionNames as never) as ImportKerasOptions;
  const opened = openKerasFile(bytesOf('importKeras', bytes), file);
  registerKerasLayers();
  return asFileError('importKeras', file, () => {
    const given = config === undefined ? undefined : configIn(config);
    const json = given?.config ?? opened.config;
    if (json === undefined || json === null) {
      return opened.fail(
        'has weights alone: give `config`, what model.to_json() returned, or make the model and call loadKerasWeights',
      );
    }
    const version = given?.version ?? opened.version;
    const era = eraOf(json as never, version);
    const model = modelOfConfig(json, {
      era,
      version,
      inputShape,
      customObjects,
      weights: (network) => weightsFor(opened, network, era),
    });
    if (compile) goOn(model, opened, { training: given?.training ?? opened.training, era, customObjects });
    return model;
  });
}

/** The weights of a model that is made from its file. */
function weightsFor(opened: OpenedFile, network: AnyLayer, era: ReturnType<typeof eraOf>): LayerWeights {
  if (opened.layout === 'variables') {
    const { found, unused } = variablesOf(opened, variableGroups(network, asListed));
    if (unused.length > 0)
      opened.fail(`it has weights at ${listed(unused)}, which no layer of its configuration takes`);
    return (leaf) => found.get(leaf) ?? [];
  }
  return groupedWeights(layerGroups(opened), network, era, opened.fail);
}

interface Training {
  readonly training: unknown;
  readonly era: ReturnType<typeof eraOf>;
  readonly customObjects: CustomObjects | undefined;
}

/** Compiles a model as its file says, and restores the optimizer. The model is not compiled if its state does not fit. */
function goOn(model: Model, opened: OpenedFile, { training, era, customObjects }: Training): void {
  const network = model.network as AnyLayer;
  const outputs = outputNamesOf(network);
  if (!compileAsSaved('importKeras', model, training, era, { outputs, ...(customObjects && { customObjects }) }))
    return;
  try {
    restoreOptimizer(model, trainableWeights(network, asListed), opened);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    model.optimizer.dispose();
    model.trainer.compiled = undefined;
    warnUncompiled('importKeras', error.message);
  }
}

/**
 * Gives the optimizer of a compiled model the state in a file. Returns false if the file has none.
 *
 * @param parameters the trainable weights in the order of the file.
 * @throws ArgumentError if the state does not fit. Nothing is set then.
 */
export function restoreOptimizer(model: AnyModel, parameters: readonly Parameter[], opened: OpenedFile): boolean {
  const { optimizer, layout, version, fail } = opened;
  if (!optimizer) return false;
  const vars = optimizer.members.get('vars');
  const arrays =
    layout === 'layers'
      ? arraysOf(optimizer, 'optimizer', fail)
      : vars?.kind === 'group'
        ? numberedArrays(vars, 'optimizer', fail)
        : [];
  if (arrays.length === 0) return false;
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  const isOld = layout === 'layers' && (major < 2 || (major === 2 && minor < 11));
  restoreState(model, parameters, { arrays, isOld });
  return true;
}
