// The files of Keras, told apart by their content: .keras archives, and HDF5 files of either layout of weights.
import { formatShape } from '../../checks/shape.ts';
import { textOfUtf8 } from '../../host/utf8.ts';
import { refuseForeign } from '../../io/foreign-formats.ts';
import { quote } from '../../io/parsed-json.ts';
import { ModelFileError } from '../../io/safetensors.ts';
import { isZip, readZip } from '../../io/zip.ts';
import { isHdf5, readHdf5 } from '../hdf5/read.ts';
import type { HdfArray, HdfDataset, HdfGroup, HdfNode, HdfValues } from '../hdf5/tree.ts';
import type { KerasArray } from '../weights/keras-array.ts';

export interface OpenedFile {
  /** Groups by layer with `layer_names`, or Keras 3's groups with numbered variables. */
  readonly layout: 'layers' | 'variables';
  /** The group that holds the weights. */
  readonly weights: HdfGroup;
  /** The group that holds the state of the optimizer, if there is one. */
  readonly optimizer: HdfGroup | undefined;
  /** The model's configuration, as JSON; undefined in a file with weights alone. */
  readonly config: unknown;
  /** Loss, metrics and optimizer, as JSON. */
  readonly training: unknown;
  /** The version of Keras, if the file says it. */
  readonly version: string | undefined;
  fail(message: string): never;
}

/** Opens a file of Keras. Throws `ModelFileError` if the bytes are none. */
export function openKerasFile(bytes: Uint8Array, file: string | undefined): OpenedFile {
  const fail = (message: string): never => {
    throw new ModelFileError(message, { file });
  };
  if (isZip(bytes)) return openArchive(readZip(bytes, file), { file, fail });
  if (isHdf5(bytes)) return openHdf5(readHdf5(bytes, file), fail);
  refuseForeign(bytes, file);
  return fail('not a file of Keras: expected an HDF5 file (.h5, .hdf5, .weights.h5) or a .keras archive');
}

interface Context {
  readonly file: string | undefined;
  fail(message: string): never;
}

function openArchive(files: ReadonlyMap<string, Uint8Array>, { file, fail }: Context): OpenedFile {
  const config = files.get('config.json') ?? fail('not a .keras archive: it has no config.json');
  const metadata = files.get('metadata.json');
  const weights =
    files.get('model.weights.h5') ??
    fail(
      files.has('model.weights.npz')
        ? 'a .keras archive with model.weights.npz is not supported: save it with weights_format="h5", the default'
        : 'a .keras archive expected a file model.weights.h5, got none',
    );
  const version = metadata && parse('metadata.json', metadata, fail);
  const json = parse('config.json', config, fail);
  return {
    ...openHdf5(readHdf5(weights, file), fail),
    config: json,
    training: (json as { compile_config?: unknown } | null)?.compile_config,
    version: textIn((version as { keras_version?: unknown } | undefined)?.keras_version),
  };
}

const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function parse(name: string, bytes: Uint8Array, fail: Context['fail']): unknown {
  let text: string;
  try {
    text = textOfUtf8(bytes);
  } catch {
    return fail(`${name} expected to be UTF-8, got bytes that are not`);
  }
  return parseJson(name, text, fail);
}

function parseJson(name: string, text: string, fail: Context['fail']): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(`${name} expected to be JSON, got a fault: ${quote((error as Error).message)}`);
  }
}

function openHdf5(root: HdfGroup, fail: Context['fail']): OpenedFile {
  const json = (name: string): unknown => {
    const text = textAttribute(root, name);
    return text === undefined ? undefined : parseJson(name, text, fail);
  };
  const weights = root.members.get('model_weights');
  const group = weights?.kind === 'group' ? weights : root;
  const isLayers = textsOf(group, 'layer_names') !== undefined;
  const optimizer = root.members.get(isLayers ? 'optimizer_weights' : 'optimizer');
  if (!isLayers && !hasVariables(root)) fail('not a file of Keras: it has neither layer_names nor groups with vars');
  return {
    layout: isLayers ? 'layers' : 'variables',
    weights: group,
    optimizer: optimizer?.kind === 'group' ? optimizer : undefined,
    config: json('model_config'),
    training: json('training_config'),
    version: textAttribute(root, 'keras_version') ?? textAttribute(group, 'keras_version'),
    fail,
  };
}

/** Whether the groups are those of Keras 3. On Windows their names have backslashes. */
const hasVariables = ({ members }: HdfGroup): boolean =>
  [...members.keys()].some((name) => /^(vars|layers|_layer_checkpoint_dependencies)(\\|$)/.test(name));

/** The text of an attribute; undefined without one. */
function textAttribute({ attributes }: HdfNode, name: string): string | undefined {
  const values = attributes.get(name)?.values();
  return Array.isArray(values) ? values[0] : undefined;
}

/** The texts of an attribute, which is cut into `name0`, `name1`… if it is long; undefined without one. */
export function textsOf({ attributes }: HdfNode, name: string): string[] | undefined {
  const whole = attributes.get(name);
  if (whole) return textsIn(whole);
  const parts: string[] = [];
  let i = 0;
  for (; attributes.has(name + i); i++) for (const text of textsIn(attributes.get(name + i)!)) parts.push(text);
  return i > 0 ? parts : undefined;
}

/** An empty list has no type of its own. */
function textsIn(array: HdfArray): string[] {
  const values = array.values();
  return Array.isArray(values) ? values : [];
}

/** The member at a path; undefined without one. */
export function memberAt(group: HdfGroup, path: string): HdfNode | undefined {
  let node: HdfNode | undefined = group;
  for (const name of path.split('/')) {
    if (name === '') continue;
    node = node?.kind === 'group' ? node.members.get(name) : undefined;
  }
  return node;
}

/** The values of a dataset as a weight. */
export function weightOf(name: string, dataset: HdfDataset, fail: OpenedFile['fail']): KerasArray {
  const data: HdfValues = dataset.values();
  if (Array.isArray(data)) return fail(`weight ${quote(name)} expected numbers, got texts`);
  // Its other lengths are only claimed, and loops would run over them.
  if (data.length === 0)
    return fail(`weight ${quote(name)} expected values, got none: shape ${formatShape(dataset.shape)}`);
  return { name, shape: dataset.shape, data: data instanceof Float32Array ? data : Float32Array.from(data) };
}
