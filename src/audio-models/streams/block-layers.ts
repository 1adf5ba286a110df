// How layers add themselves to a `BlockProgram` that need the values of earlier steps or of several layers, from their
// saved options.
import { ArgumentError, expectCount } from '../../checks/argument-error.ts';
import { savedLayer } from '../../io/model-file.ts';
import { expectEpsilon } from '../../ops/epsilon.ts';
import { type AddLayer, addLayer, streamedLayers } from '../../streaming/layers.ts';
import { type StreamProgram, type StreamWeight, setProgramOf } from '../../streaming/program.ts';
import { addWaveNet } from '../wavenet/stream.ts';
import { BlockProgram } from './block-program.ts';

const blockOf = (program: StreamProgram): BlockProgram => program as unknown as BlockProgram;

const blockLayers: Readonly<Record<string, AddLayer>> = {
  BatchNormalization(program, { config, path, weight }) {
    const { axis = -1, epsilon = 1e-3, scale = true, center = true } = config;
    if (axis !== -1 && axis !== 2)
      throw new ArgumentError(`${path}: batchNormalization along axis ${axis} cannot run step by step`);
    expectEpsilon(`${path}: epsilon`, epsilon);
    const of = (name: string): StreamWeight => weight(name, program.width);
    blockOf(program).batchNormalization(
      {
        gamma: scale ? of('gamma') : undefined,
        beta: center ? of('beta') : undefined,
        mean: of('moving_mean'),
        variance: of('moving_variance'),
      },
      epsilon,
    );
  },
  Conv1D(program, { config, path, weight }) {
    const { kernelSize, filters, strides = 1, padding = 'valid', dilationRate = 1, groups = 1 } = config;
    for (const [name, value] of Object.entries({ kernelSize, filters, strides, dilationRate, groups })) {
      expectCount(`${path}: ${name}`, value);
    }
    if (padding !== 'causal' && kernelSize > 1) {
      throw new ArgumentError(`${path}: conv1d with padding '${padding}' cannot run step by step; 'causal' can`);
    }
    if (strides > 1) throw new ArgumentError(`${path}: conv1d with strides ${strides} cannot run step by step`);
    const kernel = weight('kernel', kernelSize, program.width / groups, filters);
    const bias = (config.useBias ?? true) ? weight('bias', filters) : undefined;
    blockOf(program).convolution({ kernel, bias }, { dilation: dilationRate, groups });
    program.activation(config.activation ?? 'linear', `${path}: `);
  },
  LearnedState(program, { config, path, weight, weightOf }) {
    const before = program.states.length;
    addLayer(program, savedLayer(`${path}.layer`, config.layer), weightOf, `${path}/`);
    const states = Array.from({ length: program.states.length - before }, (_, i) =>
      weight(`initial${i}`, program.width),
    );
    blockOf(program).startFrom(states);
  },
  PReLU(program, { config, path, weight }) {
    const { sharedAxes } = config;
    if (sharedAxes && !sharedAxes.includes(1))
      throw new ArgumentError(`${path}: PReLU with slopes of its own for each step cannot run step by step`);
    blockOf(program).prelu(weight('alpha', ...(sharedAxes ? [1] : []), program.width));
  },
  WaveNet: (program, layer) => addWaveNet(blockOf(program), layer),
};

/** The layers of models that add themselves so, because their classes do not know how. */
const othersOfModels: Record<string, AddLayer> = { ...blockLayers };

/** Lets streams of models run more layers. */
export function addBlockLayers(more: Readonly<Record<string, AddLayer>>): void {
  Object.assign(othersOfModels, more);
}

/** Makes all streams from now on run block by block, and these layers in them. */
export function streamInBlocks(): void {
  Object.assign(streamedLayers, blockLayers);
  setProgramOf((engine, size) => new BlockProgram(engine, size, othersOfModels) as unknown as StreamProgram);
}
