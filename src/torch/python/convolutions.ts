// Convolutions and pooling as lines of a Python module.

import type { AnyLayer } from '../../layers/base/layer.ts';
import { type Options, optionsOf, weightsOf } from '../modules.ts';
import { channelsFirst, type WriteLayer, writeActivation } from './lines.ts';
import { type PythonSource, tuple } from './source.ts';

/** A list of `rank` numbers; one number stands for all. */
const listOf = (given: unknown, rank: number, otherwise: number): number[] => {
  const list = [given ?? otherwise].flat() as number[];
  return list.length === rank ? list : Array(rank).fill(list[0]);
};

interface Windows {
  readonly taps: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

const windowsOf = (options: Options, taps: readonly number[]): Windows => ({
  taps,
  strides: listOf(options.strides, taps.length, 1),
  dilations: listOf(options.dilationRate, taps.length, 1),
});

/** The argument of a convolution, padded. */
function padded(
  source: PythonSource,
  { padding = 'valid' }: Options,
  { taps, strides, dilations }: Windows,
): (x: string) => string {
  if (padding === 'causal') return (x) => `F.pad(${x}, (${(taps[0]! - 1) * dilations[0]!}, 0))`;
  if (padding !== 'same') return (x) => x;
  source.helper('same');
  return (x) => `pad_same(${x}, ${tuple(taps)}, ${tuple(strides)}, ${tuple(dilations)})`;
}

const windowArguments = ({ taps, strides, dilations }: Windows): string[] => [
  tuple(taps),
  ...(strides.some((n) => n !== 1) ? [`stride=${tuple(strides)}`] : []),
  ...(dilations.some((n) => n !== 1) ? [`dilation=${tuple(dilations)}`] : []),
];

const convolution =
  (rank: number): WriteLayer =>
  (source, layer) => {
    const options = optionsOf(layer);
    const { kernel, bias } = weightsOf(layer);
    const groups = Number(options.groups ?? 1);
    const windows = windowsOf(options, kernel!.shape.slice(0, rank));
    const [inputs, filters] = kernel!.shape.slice(-2) as [number, number];
    const given = [
      ...[inputs * groups, filters, ...windowArguments(windows)],
      ...(groups > 1 ? [`groups=${groups}`] : []),
      ...(bias ? [] : ['bias=False']),
    ];
    const module = source.module(layer, `nn.Conv${rank}d(${given.join(', ')})`);
    const pad = padded(source, options, windows);
    channelsFirst(source, rank + 2, (x) => `${module}(${pad(x)})`);
    writeActivation(source, layer);
  };

const depthwise: WriteLayer = (source, layer) => {
  const options = optionsOf(layer);
  const { kernel, bias } = weightsOf(layer);
  const [rows, cols, inputs, multiplier] = kernel!.shape as [number, number, number, number];
  const windows = windowsOf(options, [rows, cols]);
  const given = [
    inputs,
    inputs * multiplier,
    ...windowArguments(windows),
    `groups=${inputs}`,
    ...(bias ? [] : ['bias=False']),
  ];
  const module = source.module(layer, `nn.Conv2d(${given.join(', ')})`);
  const pad = padded(source, options, windows);
  channelsFirst(source, 4, (x) => `${module}(${pad(x)})`);
  writeActivation(source, layer);
};

const separable =
  (rank: number): WriteLayer =>
  (source, layer) => {
    const options = optionsOf(layer);
    const { depthwiseKernel, pointwiseKernel, bias } = weightsOf(layer);
    const [inputs, multiplier] = depthwiseKernel!.shape.slice(-2) as [number, number];
    const windows = windowsOf(options, depthwiseKernel!.shape.slice(0, rank));
    const middle = inputs * multiplier;
    const first = [inputs, middle, ...windowArguments(windows), `groups=${inputs}`, 'bias=False'];
    const second = [middle, pointwiseKernel!.shape.at(-1), 1, ...(bias ? [] : ['bias=False'])];
    const conv = `nn.Conv${rank}d`;
    const module = source.module(layer, `nn.ModuleDict()`);
    source.init.push(`${module}["depthwise"] = ${conv}(${first.join(', ')})`);
    source.init.push(`${module}["pointwise"] = ${conv}(${second.join(', ')})`);
    const pad = padded(source, options, windows);
    channelsFirst(source, rank + 2, (x) => `${module}["pointwise"](${module}["depthwise"](${pad(x)}))`);
    writeActivation(source, layer);
  };

const pooling =
  (kind: 'max' | 'avg', rank: number): WriteLayer =>
  (source, layer: AnyLayer) => {
    const options = optionsOf(layer);
    const taps = listOf(options.poolSize, rank, 2);
    const strides = options.strides === undefined ? taps : listOf(options.strides, rank, 1);
    const pool = (x: string): string => `F.${kind}_pool${rank}d(${x}, ${tuple(taps)}, ${tuple(strides)})`;
    if (options.padding !== 'same') return channelsFirst(source, rank + 2, pool);
    source.helper('same');
    const pad = (x: string, value: string): string =>
      `pad_same(${x}, ${tuple(taps)}, ${tuple(strides)}, ${tuple(taps.map(() => 1))}${value})`;
    if (kind === 'max') return channelsFirst(source, rank + 2, (x) => pool(pad(x, ', float("-inf")')));
    // The mean is over the steps of the input alone.
    const ones = source.variable('ones');
    source.line(`${ones} = torch.ones_like(x)${rank === 1 ? '.transpose(1, 2)' : '.permute(0, 3, 1, 2)'}`);
    return channelsFirst(source, rank + 2, (x) => `(${pool(pad(x, ''))} / ${pool(pad(ones, ''))})`);
  };

/** The layers with windows by their class names. */
export const convolutions: Readonly<Record<string, WriteLayer>> = {
  AveragePooling1D: pooling('avg', 1),
  AveragePooling2D: pooling('avg', 2),
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  DepthwiseConv2D: depthwise,
  MaxPooling1D: pooling('max', 1),
  MaxPooling2D: pooling('max', 2),
  SeparableConv1D: separable(1),
  SeparableConv2D: separable(2),
};
