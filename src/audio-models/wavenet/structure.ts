// What a WaveNet computes and which weights it has, once for tensors and for streams.
//
//   y = x·rechannel                                         for each array of layers; x of the next one is y of this one
//   z = conv(y) + c·mixin, a = act(z) or act(z₁)·σ(z₂), head += a, y += a·out + b               for each of its layers
//   head = head·headKernel + headBias                       where the head of the next array starts
//
// c is the input of the network. Source: van den Oord et al. 2016, in the form of Neural Amp Modeler
// (https://github.com/sdatkinson/NeuralAmpModelerCore).
import { ArgumentError, expectCount, expectType, shown } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';

/** Layers of one width, which differ in their dilations. */
export interface WaveNetArray {
  /** Number of channels of the residual path. */
  channels: number;
  /** Number of taps of each convolution. */
  kernelSize: number;
  /** The dilation of each layer. */
  dilations: readonly number[];
  /** Features of the head, which the next array's head starts from: its number of channels. */
  headSize: number;
  /** Activation of the convolutions. Default `tanh`. */
  activation?: string | undefined;
  /** Whether each activation is multiplied by a sigmoid gate. Default false. */
  gated?: boolean | undefined;
  /** Whether the head has a bias. Default false. */
  headBias?: boolean | undefined;
}

/** The arrays of layers of a WaveNet, and the factor of its output. */
export interface WaveNetStructure {
  arrays: readonly WaveNetArray[];
  /** Factor of the output. Default 1. */
  headScale?: number | undefined;
}

/** Throws `ArgumentError` unless the sizes are positive integers that go together. */
export function checkWaveNet(what: string, { arrays, headScale = 1 }: WaveNetStructure): void {
  if (!Array.isArray(arrays) || arrays.length === 0) {
    throw new ArgumentError(`${what}: arrays expected a list of one array of layers or more, got ${shown(arrays)}`);
  }
  if (!Number.isFinite(headScale)) {
    throw new ArgumentError(`${what}: headScale expected a finite number, got ${shown(headScale)}`);
  }
  (arrays as readonly WaveNetArray[]).forEach((array, i) => {
    const name = `${what}: arrays[${i}]`;
    expectType(name, array, 'an object');
    const { channels, kernelSize, dilations, headSize } = array;
    for (const [size, value] of Object.entries({ channels, kernelSize, headSize })) {
      expectCount(`${name}.${size}`, value);
    }
    if (!Array.isArray(dilations) || dilations.length === 0) {
      throw new ArgumentError(`${name}.dilations expected a list of one number or more, got ${shown(dilations)}`);
    }
    dilations.forEach((dilation, layer) => void expectCount(`${name}.dilations[${layer}]`, dilation));
    const before = arrays[i - 1]?.headSize ?? channels;
    if (before === channels) return;
    throw new ArgumentError(`${name}.channels expected headSize = ${before} of the array before, got ${channels}`);
  });
}

/** Names and shapes of the weights, in their order in a `.nam` file. `inputs` are the features of the input. */
export function waveNetWeights({ arrays }: WaveNetStructure, inputs: number): { name: string; shape: Shape }[] {
  return arrays.flatMap(({ channels, kernelSize, dilations, headSize, gated, headBias }, i) => {
    const width = gated ? 2 * channels : channels;
    return [
      { name: `${i}/rechannel`, shape: [arrays[i - 1]?.channels ?? inputs, channels] },
      ...dilations.flatMap((_, layer) => [
        { name: `${i}/${layer}/kernel`, shape: [kernelSize, channels, width] },
        { name: `${i}/${layer}/bias`, shape: [width] },
        { name: `${i}/${layer}/mixin`, shape: [inputs, width] },
        { name: `${i}/${layer}/outKernel`, shape: [channels, channels] },
        { name: `${i}/${layer}/outBias`, shape: [channels] },
      ]),
      { name: `${i}/headKernel`, shape: [channels, headSize] },
      ...(headBias ? [{ name: `${i}/headBias`, shape: [headSize] }] : []),
    ];
  });
}

/** The operations on values of one kind: tensors, or parts of a stream. Weights are given by their names. */
export interface WaveNetOps<V> {
  /** x·W + b */
  product(x: V, kernel: string, bias?: string | undefined): V;
  /** The causal convolution of x. */
  convolution(x: V, kernel: string, bias: string, dilation: number): V;
  add(a: V, b: V): V;
  multiply(a: V, b: V): V;
  activation(x: V, name: string): V;
  /** x[:, from … from + count) */
  columns(x: V, from: number, count: number): V;
  scale(x: V, alpha: number): V;
}

/** The output of a WaveNet for the input x. */
export function runWaveNet<V>({ arrays, headScale = 1 }: WaveNetStructure, x: V, ops: WaveNetOps<V>): V {
  let y = x;
  let head: V | undefined;
  arrays.forEach(({ channels, dilations, activation = 'tanh', gated, headBias }, i) => {
    y = ops.product(y, `${i}/rechannel`);
    dilations.forEach((dilation, layer) => {
      const own = (name: string): string => `${i}/${layer}/${name}`;
      const z = ops.add(ops.convolution(y, own('kernel'), own('bias'), dilation), ops.product(x, own('mixin')));
      const a = gated
        ? ops.multiply(
            ops.activation(ops.columns(z, 0, channels), activation),
            ops.activation(ops.columns(z, channels, channels), 'sigmoid'),
          )
        : ops.activation(z, activation);
      head = head === undefined ? a : ops.add(head, a);
      y = ops.add(y, ops.product(a, own('outKernel'), own('outBias')));
    });
    head = ops.product(head!, `${i}/headKernel`, headBias ? `${i}/headBias` : undefined);
  });
  return headScale === 1 ? head! : ops.scale(head!, headScale);
}
