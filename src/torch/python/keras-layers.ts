// Layers that files of Keras and TF.js bring, as lines of a Python module.

import { type Options, optionsOf, weightsOf } from '../modules.ts';
import { channelsFirst, type WriteLayer } from './lines.ts';

type Expression = (options: Options) => string;

const relu: Expression = ({ negativeSlope: slope = 0, maxValue, threshold = 0 }) => {
  const rectified = slope === 0 ? 'F.relu(x)' : `F.leaky_relu(x, ${slope})`;
  const y = threshold === 0 ? rectified : `torch.where(x > ${threshold}, x, ${slope} * (x - ${threshold}))`;
  return maxValue === undefined ? y : `torch.clamp(${y}, max=${maxValue})`;
};

/** Those without weights. Noise is there while the module trains. */
const expressions: Readonly<Record<string, Expression>> = {
  ELU: ({ alpha = 1 }) => `F.elu(x, ${alpha})`,
  GaussianDropout: ({ rate }) =>
    `x * (1 + ${Math.sqrt(Number(rate) / (1 - Number(rate)))} * torch.randn_like(x)) if self.training else x`,
  GaussianNoise: ({ stddev }) => `x + ${stddev} * torch.randn_like(x) if self.training else x`,
  LeakyReLU: ({ negativeSlope = 0.3 }) => `F.leaky_relu(x, ${negativeSlope})`,
  ReLU: relu,
  Softmax: ({ axis = -1 }) => `F.softmax(x, ${axis})`,
};

const written =
  (of: Expression): WriteLayer =>
  (source, layer) =>
    source.line(`x = ${of(optionsOf(layer))}`);

const alphaDropout: WriteLayer = (source, layer) => {
  const { rate, noiseShape } = optionsOf(layer);
  if (noiseShape) source.refuse(layer, 'a noiseShape');
  source.line(`x = F.alpha_dropout(x, ${rate}, self.training)`);
};

const unitNormalization: WriteLayer = (source, layer) => {
  const axes = [optionsOf(layer).axis ?? -1].flat();
  if (axes.length > 1) source.refuse(layer, 'several axes');
  source.line(`x = F.normalize(x, dim=${axes[0]}, eps=1e-6)`);
};

const groupNormalization: WriteLayer = (source, layer, input) => {
  const { gamma, beta } = weightsOf(layer);
  const { groups = 32, epsilon = 1e-3 } = optionsOf(layer);
  const width = input?.at(-1);
  const count = groups === -1 ? width : groups;
  if (!gamma && !beta) {
    channelsFirst(source, input?.length ?? 0, (x) => `F.group_norm(${x}, ${count}, eps=${epsilon})`);
    return;
  }
  const module = source.module(layer, `nn.GroupNorm(${count}, ${width}, eps=${epsilon})`);
  source.freezeFixed(module, gamma, beta);
  channelsFirst(source, input?.length ?? 0, (x) => `${module}(${x})`);
};

const prelu: WriteLayer = (source, layer, input) => {
  const { alpha } = weightsOf(layer);
  if (alpha!.size !== input?.at(-1)) source.refuse(layer, 'slopes of single steps');
  const module = source.module(layer, `nn.PReLU(${alpha!.size})`);
  channelsFirst(source, input!.length, (x) => `${module}(${x})`);
};

/** These layers by their class names. */
export const kerasLayers: Readonly<Record<string, WriteLayer>> = {
  ...Object.fromEntries(Object.entries(expressions).map(([name, of]) => [name, written(of)])),
  // A penalty is part of the loop of training.
  ActivityRegularization() {},
  AlphaDropout: alphaDropout,
  GroupNormalization: groupNormalization,
  PReLU: prelu,
  UnitNormalization: unitNormalization,
};
