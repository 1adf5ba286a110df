import { ArgumentError } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { utf8Of } from '../../host/utf8.ts';
import { writeZip } from '../../io/zip.ts';
import { type AnyModel, expectModel } from '../../models/model.ts';
import { stateVariables } from '../compile/optimizer-state.ts';
import { writeCompile } from '../compile/write-compile.ts';
import { configOfModel } from '../config/write-model.ts';
import { type HdfDatasetInput, type HdfGroupInput, type HdfInput, writeHdf5 } from '../hdf5/write.ts';
import { ownKerasWeights } from '../weights/read-weights.ts';
import { ownWeights } from '../weights/weight-names.ts';
import { trainableWeights, variableGroups } from './variable-paths.ts';

/** The version of Keras whose rules the files follow. */
const KERAS_VERSION = '3.8.0';

/** Options of `exportKeras` and `exportKerasWeights`. */
export interface ExportKerasOptions {
  /**
   * Whether loss, metrics and optimizer with its state go along, so that training can go on. Default: if the model is
   * compiled.
   */
  includeOptimizer?: boolean | undefined;
}

/** A group while it is put together. */
type Group = { attributes: Record<string, string>; members: Map<string, HdfInput> };

const newGroup = (): Group => ({ attributes: {}, members: new Map() });

/** Throws `ArgumentError` unless a model may be written, with its optimizer if asked. Returns whether it goes along. */
function checked(what: string, model: AnyModel, options: ExportKerasOptions): boolean {
  const { includeOptimizer } = checkOptions(what, options, { includeOptimizer: true } as never) as ExportKerasOptions;
  expectModel(what, model);
  if (!model.network.isBuilt)
    throw new ArgumentError(`${what}: model expected a built model; it has not seen an input yet`);
  if (includeOptimizer && !model.isCompiled) {
    throw new ArgumentError(`${what}: includeOptimizer expected a compiled model`);
  }
  return includeOptimizer ?? model.isCompiled;
}

/**
 * Writes a model as a `.keras` archive, which `keras.saving.load_model` of Keras 3 loads.
 *
 * @param model a built model of layers that Keras has.
 * @param options.includeOptimizer whether loss, metrics and optimizer with its state go along. Default: if the model is
 *   compiled.
 * @returns the archive, which the caller owns. Equal models give equal bytes.
 * @throws ArgumentError if an option is unknown, `model` is not a built model, it has a layer or an option that Keras
 *   does not have, a name with `/`, or a custom function without a name; of a loss or an optimizer that Keras does not
 *   have, unless `includeOptimizer` is false.
 * @see https://github.com/keras-team/keras/blob/master/keras/src/saving/saving_lib.py
 *
 * @example
 * await writeFile('model.keras', exportKeras(model));
 */
export function exportKeras(model: AnyModel, options: ExportKerasOptions = {}): Uint8Array {
  const hasOptimizer = checked('exportKeras', model, options);
  const config = { ...configOfModel(model, 'keras3'), ...(hasOptimizer && { compile_config: writeCompile(model) }) };
  const metadata = { keras_version: KERAS_VERSION, date_saved: '1980-01-01@12:00:00' };
  return writeZip(
    new Map([
      ['metadata.json', utf8Of(JSON.stringify(metadata))],
      ['config.json', utf8Of(withFloats(JSON.stringify(config)))],
      ['model.weights.h5', weightsFile(model, hasOptimizer)],
    ]),
  );
}

/**
 * Writes the weights of a model as a `.weights.h5` file, which `load_weights` of Keras 3 loads into the same model.
 *
 * @param model a built model.
 * @param options.includeOptimizer whether the state of the optimizer goes along. Default: if the model is compiled.
 * @returns the file, which the caller owns.
 * @throws ArgumentError if an option is unknown, or `model` is not a built model.
 * @see keras.Model.save_weights
 *
 * @example
 * await writeFile('model.weights.h5', exportKerasWeights(model));
 */
export function exportKerasWeights(model: AnyModel, options: ExportKerasOptions = {}): Uint8Array {
  return weightsFile(model, checked('exportKerasWeights', model, options));
}

function weightsFile(model: AnyModel, hasOptimizer: boolean): Uint8Array {
  model.network.setScope();
  const root = newGroup();
  const groups = variableGroups(model.network);
  const written = new Set(groups.flatMap(({ part }) => (part ? ownWeights(part.layer) : [])));
  const lost = model.network.weights.find((weight) => !written.has(weight));
  if (lost) throw new ArgumentError(`exportKerasWeights: weight '${lost.name}' has no place in a file of Keras`);
  for (const { path, name, part } of groups) {
    const arrays = part ? ownKerasWeights(part.layer).slice(part.start, part.end) : [];
    putVariables(root, path, name, arrays);
  }
  if (hasOptimizer) {
    const { name } = model.optimizer;
    putVariables(root, 'optimizer', name, stateVariables(model, trainableWeights(model.network)));
  }
  return writeHdf5(root);
}

/** Keras wants a learning rate as a float, which JSON of JavaScript writes as 1 where it is whole. */
const withFloats = (json: string): string => json.replace(/(?<="learning_rate":)\d+(?=[,}])/g, '$&.0');

/** Puts numbered variables into the group `vars` of a path. */
function putVariables(
  root: Group,
  path: string,
  name: string,
  arrays: readonly { shape: readonly number[]; data: HdfDatasetInput['data'] }[],
): void {
  let group = root;
  for (const part of [...path.split('/').filter(Boolean), 'vars']) {
    const next = (group.members.get(part) as Group | undefined) ?? newGroup();
    group.members.set(part, next as HdfGroupInput);
    group = next;
  }
  group.attributes.name = name;
  arrays.forEach(({ shape, data }, i) => group.members.set(String(i), { shape, data }));
}
