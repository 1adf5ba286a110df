import {
  type CellLayout,
  gruAfterLayout,
  gruBeforeLayout,
  hasFusedGates,
  lstmLayout,
  rnnLayouts,
} from '../cells/layout.ts';
import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import type { Shape } from '../checks/shape.ts';
import { type SavedLayer, savedLayer, savedLayers } from '../io/model-file.ts';
import { addStepwise, type StreamProgram, type StreamWeight } from './program.ts';

/** Gets a weight of a file by its full name. The file must have it with that shape. */
export type WeightOf = (name: string, shape: Shape) => StreamWeight;

/** A layer of a file: its options, its path (the names of the enclosing layers and its own name), and its weights. */
export interface FileLayer {
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any origin, each option of which is checked where it is used.
  readonly config: any;
  readonly path: string;
  /** Gets one of its own weights by the name within the layer. */
  weight(name: string, ...shape: number[]): StreamWeight;
  readonly weightOf: WeightOf;
}

export type AddLayer = (program: StreamProgram, layer: FileLayer) => void;

const nothing: AddLayer = () => {};

/** `layoutOf` gives the fused cell of some options, if the `stream` kernel has one for them. */
const recurrent =
  (layoutOf: (config: FileLayer['config']) => CellLayout | undefined): AddLayer =>
  (program, { config, path, weight }) => {
    const cell = config.goBackwards ? undefined : layoutOf(config);
    if (!cell) throw new ArgumentError(`${path}: a recurrent layer of these options cannot run step by step`);
    const units = expectCount(`${path}: units`, config.units);
    const width = cell.gates * units;
    const bias = cell.biases === 2 ? [2, width] : [width];
    program.recurrent(cell, {
      kernel: weight('kernel', program.width, width),
      recurrentKernel: weight('recurrentKernel', units, width),
      bias: (config.useBias ?? true) ? weight('bias', ...bias) : undefined,
    });
  };

/**
 * Does the same as `addToStream` of the layer classes, but from the options in a file, without making layers. Entries
 * that stream more layers add them.
 */
export const streamedLayers: Record<string, AddLayer> = {
  Activation: (program, { config, path }) => program.activation(config.activation, `${path}: `),
  Dense(program, { config, path, weight }) {
    const units = expectCount(`${path}: units`, config.units);
    program.dense({
      kernel: weight('kernel', program.width, units),
      bias: (config.useBias ?? true) ? weight('bias', units) : undefined,
    });
    program.activation(config.activation ?? 'linear', `${path}: `);
  },
  Dropout: nothing,
  Embedding(program, { config: { inputDim, outputDim }, path, weight }) {
    expectCount(`${path}: inputDim`, inputDim);
    expectCount(`${path}: outputDim`, outputDim);
    program.embedding(weight('embeddings', inputDim, outputDim));
  },
  GRU: recurrent((config) => {
    if (!hasFusedGates(config)) return undefined;
    return (config.resetAfter ?? true) ? gruAfterLayout : gruBeforeLayout;
  }),
  LSTM: recurrent((config) => (hasFusedGates(config) && !config.peephole && !config.projSize ? lstmLayout : undefined)),
  Masking: nothing,
  Sequential(program, { config, path, weightOf }) {
    for (const layer of savedLayers(`${path}.layers`, config.layers)) addLayer(program, layer, weightOf, `${path}/`);
  },
  SimpleRNN: recurrent(({ activation = 'tanh' }) =>
    Object.hasOwn(rnnLayouts, activation) ? rnnLayouts[activation as keyof typeof rnnLayouts] : undefined,
  ),
  SpatialDropout1D: nothing,
  TimeDistributed: (program, { config, path, weightOf }) =>
    addStepwise(program, path, () =>
      addLayer(program, savedLayer(`${path}.layer`, config.layer), weightOf, `${path}/`),
    ),
};

/**
 * Adds a layer of a model file to a program.
 *
 * @param scope names of the enclosing layers, the prefix of its weights' names.
 * @throws ArgumentError if it cannot run step by step or an option is invalid. Errors of `weightOf` pass through.
 */
export function addLayer(
  program: StreamProgram,
  { className, config }: SavedLayer,
  weightOf: WeightOf,
  scope = '',
): void {
  const path = scope + config.name;
  if (!Object.hasOwn(streamedLayers, className)) {
    throw new ArgumentError(`${path}: a ${className} layer cannot run step by step`);
  }
  streamedLayers[className]!(program, {
    config,
    path,
    weightOf,
    weight: (name, ...shape) => weightOf(`${path}/${name}`, shape),
  });
}
