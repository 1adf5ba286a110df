// Layers as lines of a Python module.

import type { AnyLayer } from '../../layers/base/layer.ts';
import type { Recurrent } from '../../layers/rnn/recurrent.ts';
import { optionsOf, weightsOf } from '../modules.ts';
import { torchName } from '../places.ts';
import { convolutions } from './convolutions.ts';
import { kerasLayers } from './keras-layers.ts';
import { channelsFirst, type Shape, type WriteLayer, writeActivation } from './lines.ts';
import { float, type PythonSource, tuple } from './source.ts';

const dense: WriteLayer = (source, layer) => {
  const { kernel, bias } = weightsOf(layer);
  const [inputs, units] = kernel!.shape;
  const module = source.module(layer, `nn.Linear(${inputs}, ${units}${bias ? '' : ', bias=False'})`);
  source.line(`x = ${module}(x)`);
  writeActivation(source, layer);
};

const embedding: WriteLayer = (source, layer) => {
  if (optionsOf(layer).maskZero) source.refuse(layer, 'maskZero: true');
  const module = source.module(layer, `nn.Embedding${tuple(weightsOf(layer).embeddings!.shape)}`);
  source.line(`x = ${module}(x)`);
};

const layerNormalization: WriteLayer = (source, layer) => {
  const { gamma, beta } = weightsOf(layer);
  const width = (gamma ?? beta)?.size;
  const epsilon = optionsOf(layer).epsilon ?? 1e-3;
  if (width === undefined) {
    source.line(`x = F.layer_norm(x, x.shape[-1:], eps=${epsilon})`);
    return;
  }
  const module = source.module(layer, `nn.LayerNorm(${width}, eps=${epsilon})`);
  source.freezeFixed(module, gamma, beta);
  source.line(`x = ${module}(x)`);
};

const batchNormalization: WriteLayer = (source, layer, input) => {
  const { gamma, beta, moving_mean: mean } = weightsOf(layer);
  const { axis = -1, momentum = 0.99, epsilon = 1e-3 } = optionsOf(layer);
  const rank = input?.length ?? 0;
  if (axis !== -1 && axis !== rank - 1) source.refuse(layer, `axis ${axis}`);
  if (rank < 2 || rank > 4) source.refuse(layer, `an input of ${rank} axes`);
  const options = `${mean!.size}, eps=${epsilon}, momentum=${float(1 - Number(momentum))}`;
  const module = source.module(layer, `nn.BatchNorm${rank === 4 ? 2 : 1}d(${options})`);
  source.freezeFixed(module, gamma, beta);
  channelsFirst(source, rank, (x) => `${module}(${x})`);
};

const torchClasses: Readonly<Record<string, string>> = { LSTM: 'LSTM', GRU: 'GRU', SimpleRNN: 'RNN' };

/** Refuses what only changes training and no module of PyTorch does, and masks. */
function checkRecurrent(source: PythonSource, layer: Recurrent): void {
  const options = optionsOf(layer);
  for (const option of ['dropout', 'recurrentDropout', 'weightDrop']) {
    if (options[option]) source.refuse(layer, `${option}: ${options[option]}`);
  }
  if (layer.sequence.returnState) source.refuse(layer, 'returnState: true');
}

function recurrentModule(source: PythonSource, layer: AnyLayer, one: Recurrent, isBoth: boolean): string {
  const { kernel, bias, projection } = weightsOf(one);
  const { units, activation } = optionsOf(one);
  const options = [
    ...[`${kernel!.shape[0]}`, `${units}`, 'batch_first=True'],
    ...(isBoth ? ['bidirectional=True'] : []),
    ...(bias ? [] : ['bias=False']),
    ...(projection ? [`proj_size=${projection.shape[1]}`] : []),
    ...(activation === 'relu' ? ['nonlinearity="relu"'] : []),
  ];
  const module = source.module(layer, `nn.${torchClasses[one.className]}(${options.join(', ')})`);
  if (bias?.shape.length === 1) {
    // Two biases would learn at twice the rate of one.
    for (const end of isBoth ? ['', '_reverse'] : ['']) {
      source.init.push(`${module}.bias_hh_l0${end}.requires_grad_(False)`);
    }
  }
  return module;
}

/** The call of a recurrent module, which carries its states if the layer does. */
function callRecurrent(source: PythonSource, name: string, module: string, isStateful: boolean): string {
  const states = source.variable('states');
  if (isStateful) {
    source.usesStates = true;
    source.line(`x, ${states} = ${module}(x, self.states.get("${name}"))`);
    source.line(`self.states["${name}"] = detached(${states})`);
  } else source.line(`x, ${states} = ${module}(x)`);
  return states;
}

const recurrent: WriteLayer = (source, layer) => {
  const { sequence, stateful } = layer as Recurrent;
  checkRecurrent(source, layer as Recurrent);
  const module = recurrentModule(source, layer, layer as Recurrent, false);
  if (sequence.goBackwards) source.line('x = torch.flip(x, [1])');
  callRecurrent(source, torchName(layer.path), module, stateful);
  if (!sequence.returnSequences) source.line('x = x[:, -1]');
};

const merges: Readonly<Record<string, string>> = { sum: 'a + b', mul: 'a * b', ave: '(a + b) / 2' };

const bidirectional: WriteLayer = (source, layer) => {
  const [forward, backward] = layer.sublayers as readonly [Recurrent, Recurrent];
  const { mergeMode = 'concat' } = optionsOf(layer);
  if (mergeMode === 'none' || mergeMode === null) source.refuse(layer, "mergeMode: 'none'");
  if (forward.stateful !== backward.stateful) source.refuse(layer, 'one stateful layer');
  for (const each of [forward, backward]) checkRecurrent(source, each);
  const module = recurrentModule(source, layer, forward, true);
  const states = callRecurrent(source, torchName(layer.path), module, forward.stateful);
  const last = forward.className === 'LSTM' ? `${states}[0]` : states;
  const { returnSequences } = forward.sequence;
  if (mergeMode === 'concat') {
    if (!returnSequences) source.line(`x = torch.cat((${last}[0], ${last}[1]), -1)`);
    return;
  }
  source.line(returnSequences ? 'a, b = x.chunk(2, -1)' : `a, b = ${last}[0], ${last}[1]`);
  source.line(`x = ${merges[String(mergeMode)]}`);
};

const dropout =
  (kind: string, rank: number): WriteLayer =>
  (source, layer) => {
    const { rate, noiseShape } = optionsOf(layer);
    if (noiseShape) source.refuse(layer, 'noiseShape');
    const name = source.module(layer, `nn.${kind}(${rate})`);
    channelsFirst(source, rank, (x) => `${name}(${x})`);
  };

/** Layers that are one expression of `x`. */
const expression =
  (of: (options: Readonly<Record<string, unknown>>, source: PythonSource, layer: AnyLayer) => string): WriteLayer =>
  (source, layer) =>
    source.line(`x = ${of(optionsOf(layer), source, layer)}`);

/** Lengths at both ends of each axis. */
function ends(given: unknown, otherwise: number, rank: number): [number, number][] {
  if (Array.isArray(given) && rank === 1) return [given as unknown as [number, number]];
  const list = Array.isArray(given) ? given : Array(rank).fill(given ?? otherwise);
  return list.map((each: number | [number, number]) => (Array.isArray(each) ? each : [each, each]));
}

const padding = (rank: number): WriteLayer =>
  expression(({ padding: given }) => `F.pad(x, (0, 0, ${ends(given, 1, rank).reverse().flat().join(', ')}))`);

const cropping = (rank: number): WriteLayer =>
  expression(({ cropping: given }) => {
    const slices = ends(given, rank === 1 ? 1 : 0, rank).map(([a, b], i) => `${a}:x.shape[${i + 1}] - ${b}`);
    return `x[:, ${slices.join(', ')}]`;
  });

const upSampling = (rank: number): WriteLayer =>
  expression(({ size = 2, interpolation = 'nearest' }, source, layer) => {
    if (interpolation !== 'nearest') source.refuse(layer, `interpolation: '${interpolation}'`);
    const sizes = [size].flat() as number[];
    return `x${Array.from({ length: rank }, (_, i) => `.repeat_interleave(${sizes[i] ?? sizes[0]}, ${i + 1})`).join('')}`;
  });

const axes = (rank: number): string => (rank === 1 ? '1' : '(1, 2)');
const mean = (rank: number): WriteLayer =>
  expression(({ keepdims }) => `x.mean(${axes(rank)}${keepdims ? ', keepdim=True' : ''})`);
const largest = (rank: number): WriteLayer =>
  expression(({ keepdims }) => `x.amax(${axes(rank)}${keepdims ? ', keepdim=True' : ''})`);

const timeDistributed: WriteLayer = (source, layer, input) => {
  const [inner] = layer.sublayers as [AnyLayer];
  const [batch, time] = [source.variable('batch'), source.variable('time')];
  source.line(`${batch}, ${time} = x.shape[:2]`);
  source.line('x = x.flatten(0, 1)');
  writeLayer(source, inner, input && [null, ...input.slice(2)]);
  source.line(`x = x.unflatten(0, (${batch}, ${time}))`);
};

const sequential: WriteLayer = (source, layer, input) => {
  let shape = input;
  for (const each of layer.sublayers) {
    writeLayer(source, each, shape);
    shape = shape && (each.outputShape(shape as never) as Shape);
  }
};

const writers: Readonly<Record<string, WriteLayer>> = {
  ...convolutions,
  ...kerasLayers,
  Activation: writeActivation,
  BatchNormalization: batchNormalization,
  Bidirectional: bidirectional,
  Cropping1D: cropping(1),
  Cropping2D: cropping(2),
  Dense: dense,
  Dropout: dropout('Dropout', 2),
  Embedding: embedding,
  Flatten: expression(() => 'x.flatten(1)'),
  GRU: recurrent,
  GlobalAveragePooling1D: mean(1),
  GlobalAveragePooling2D: mean(2),
  GlobalMaxPooling1D: largest(1),
  GlobalMaxPooling2D: largest(2),
  LSTM: recurrent,
  LayerNormalization: layerNormalization,
  Permute: expression(({ dims }) => `x.permute(0, ${(dims as number[]).join(', ')})`),
  RepeatVector: expression(({ n }) => `x.unsqueeze(1).repeat(1, ${n}, 1)`),
  Rescaling: expression(({ scale = 1, offset = 0 }) => `x * ${scale} + ${offset}`),
  Reshape: expression(
    ({ targetShape }) => `x.reshape(x.shape[0], ${(targetShape as (number | null)[]).map((n) => n ?? -1).join(', ')})`,
  ),
  Sequential: sequential,
  SimpleRNN: recurrent,
  SpatialDropout1D: dropout('Dropout1d', 3),
  SpatialDropout2D: dropout('Dropout2d', 4),
  TimeDistributed: timeDistributed,
  UpSampling1D: upSampling(1),
  UpSampling2D: upSampling(2),
  ZeroPadding1D: padding(1),
  ZeroPadding2D: padding(2),
};

/** Writes a layer. Throws `ArgumentError` for one that has no equal in PyTorch. */
export function writeLayer(source: PythonSource, layer: AnyLayer, input: Shape): void {
  const write = Object.hasOwn(writers, layer.className) ? writers[layer.className] : undefined;
  if (write) write(source, layer, input);
  else source.refuse(layer, 'a computation');
}
