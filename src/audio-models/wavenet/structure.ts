// What a WaveNet computes and which weights it has, once for tensors and for streams.
//
//   y = x·rechannel                                         for each array of layers; x of the next one is y of this one
//   z = conv(y) + c·mixin, a = act(z) or act(z₁)·gate(z₂), head += a, y += a·out + b           for each of its layers
//   head = conv(head) + headBias                            where the head of the next array starts
//
// c is the input of the network. A modulation multiplies a value by c·W + b, and may add another. Source: van den Oord et
// al. 2016, in the form of Neural Amp Modeler (https://github.com/sdatkinson/NeuralAmpModelerCore, NAM/wavenet).
import { ArgumentError, expectCount, expectType, isFloat32, shown } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';

/** An activation by its name, or a leaky rectifier with a slope in (0, 1) of its own. */
export type WaveNetActivation = string | { readonly name: 'leakyRelu'; readonly negativeSlope: number };

/** What a layer modulates by the input of the network. */
export type WaveNetModulated =
  | 'convPre'
  | 'convPost'
  | 'mixinPre'
  | 'mixinPost'
  | 'activationPre'
  | 'activationPost'
  | 'headPost';

/** Layers of one width, which differ in their dilations. */
export interface WaveNetArray {
  /** Number of channels of the residual path. */
  channels: number;
  /** Number of taps of each convolution, or of the convolution of each layer. */
  kernelSize: number | readonly number[];
  /** The dilation of each layer. */
  dilations: readonly number[];
  /** Features of the head, which the next array's head starts from: its number of channels. */
  headSize: number;
  /** Activation of the convolutions, or of each layer. Default `tanh`. */
  activation?: WaveNetActivation | readonly WaveNetActivation[] | undefined;
  /**
   * Whether half of the features are a gate for the others: true multiplies the activations by it, `blended` mixes them
   * with the values before. Default false.
   */
  gated?: boolean | 'blended' | undefined;
  /** Activation of the gate. Default `sigmoid`. */
  gateActivation?: WaveNetActivation | undefined;
  /** Whether the head has a bias. Default false. */
  headBias?: boolean | undefined;
  /** Number of taps of the head's convolution. Default 1. */
  headKernelSize?: number | undefined;
  /** Features of the activations. Default `channels`. */
  bottleneck?: number | undefined;
  /** Whether a layer adds a product of its activations to the residual path. Default true. */
  residual?: boolean | undefined;
  /** Features of a product of the activations that goes to the head in their place. Default: none. */
  headChannels?: number | undefined;
  /** What the input of the network modulates: `scale` multiplies, `shift` multiplies and adds. Default: nothing. */
  film?: Readonly<Partial<Record<WaveNetModulated, 'scale' | 'shift'>>> | undefined;
}

/** The arrays of layers of a WaveNet, and the factor of its output. */
export interface WaveNetStructure {
  arrays: readonly WaveNetArray[];
  /** Factor of the output. Default 1. */
  headScale?: number | undefined;
}

const modulated: readonly WaveNetModulated[] = [
  ...(['convPre', 'convPost', 'mixinPre', 'mixinPost', 'activationPre', 'activationPost', 'headPost'] as const),
];

/** The sizes that an array's options stand for. */
const sizesOf = ({ channels, bottleneck = channels, gated = false, headChannels }: WaveNetArray) => ({
  features: bottleneck,
  width: gated ? 2 * bottleneck : bottleneck,
  headWidth: headChannels ?? bottleneck,
});

/** The value of one layer, of an option that has one for all or a list. */
const ofLayer = <T>(value: T | readonly T[], layer: number): T =>
  Array.isArray(value) ? (value as readonly T[])[layer]! : (value as T);

/** The features of each part that is modulated. `inputs` are those of the network. */
function modulatedWidths(array: WaveNetArray, inputs: number): Readonly<Record<WaveNetModulated, number>> {
  const { features, width, headWidth } = sizesOf(array);
  return {
    ...{ convPre: array.channels, convPost: width, mixinPre: inputs, mixinPost: width, activationPre: width },
    ...{ activationPost: features, headPost: headWidth },
  };
}

/** Throws `ArgumentError` unless it is a leaky rectifier with a slope in (0, 1) or a name, which is checked elsewhere. */
function expectActivation(what: string, given: WaveNetActivation): void {
  if (typeof given === 'string') return;
  expectType(what, given, 'an object');
  const { name, negativeSlope } = given;
  if (name === 'leakyRelu' && isFloat32(negativeSlope) && negativeSlope > 0 && negativeSlope < 1) return;
  throw new ArgumentError(`${what} expected a name, or leakyRelu with a negativeSlope in (0, 1), got ${shown(given)}`);
}

function checkArray(name: string, array: WaveNetArray): void {
  expectType(name, array, 'an object');
  const { channels, dilations, headSize, kernelSize, activation = 'tanh', gated = false } = array;
  const { headKernelSize = 1, bottleneck = channels, headChannels = 1, residual = true, headBias = false } = array;
  for (const [size, value] of Object.entries({ channels, headSize, headKernelSize, bottleneck, headChannels })) {
    expectCount(`${name}.${size}`, value);
  }
  for (const [option, value] of Object.entries({ residual, headBias })) {
    if (typeof value !== 'boolean')
      throw new ArgumentError(`${name}.${option} expected true or false, got ${shown(value)}`);
  }
  if (!Array.isArray(dilations) || dilations.length === 0) {
    throw new ArgumentError(`${name}.dilations expected a list of one number or more, got ${shown(dilations)}`);
  }
  dilations.forEach((dilation, layer) => void expectCount(`${name}.dilations[${layer}]`, dilation));
  for (const [option, list] of Object.entries({ kernelSize, activation })) {
    if (!Array.isArray(list) || list.length === dilations.length) continue;
    throw new ArgumentError(`${name}.${option} expected one value or ${dilations.length}, got ${list.length}`);
  }
  [kernelSize].flat().forEach((taps) => void expectCount(`${name}.kernelSize`, taps));
  for (const each of [activation].flat() as WaveNetActivation[]) expectActivation(`${name}.activation`, each);
  expectActivation(`${name}.gateActivation`, array.gateActivation ?? 'sigmoid');
  if (typeof gated !== 'boolean' && gated !== 'blended')
    throw new ArgumentError(`${name}.gated expected true, false or 'blended', got ${shown(gated)}`);
  if (!residual && bottleneck !== channels)
    throw new ArgumentError(`${name}.bottleneck expected ${channels} channels without residual, got ${bottleneck}`);
  for (const [place, how] of Object.entries(array.film ?? {})) {
    if (!(modulated as readonly string[]).includes(place))
      throw new ArgumentError(`${name}.film expected ${modulated.join(', ')}, got '${place}'`);
    if (how !== undefined && how !== 'scale' && how !== 'shift')
      throw new ArgumentError(`${name}.film.${place} expected 'scale' or 'shift', got ${shown(how)}`);
  }
  if (array.film?.headPost && array.headChannels === undefined)
    throw new ArgumentError(`${name}.film.headPost expected headChannels, got none`);
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
    checkArray(name, array);
    const before = arrays[i - 1]?.headSize as number | undefined;
    if (before === undefined) return;
    const { headWidth } = sizesOf(array);
    for (const [size, value] of Object.entries({ channels: array.channels, 'head features': headWidth })) {
      if (value === before) continue;
      throw new ArgumentError(`${name}.${size} expected headSize = ${before} of the array before, got ${value}`);
    }
  });
}

/** Names and shapes of the weights, in their order in a `.nam` file. `inputs` are the features of the input. */
export function waveNetWeights({ arrays }: WaveNetStructure, inputs: number): { name: string; shape: Shape }[] {
  return arrays.flatMap((array, i) => {
    const { channels, kernelSize, dilations, headSize, headKernelSize = 1, headBias, headChannels, film = {} } = array;
    const { features, width, headWidth } = sizesOf(array);
    const widths = modulatedWidths(array, inputs);
    return [
      { name: `${i}/rechannel`, shape: [arrays[i - 1]?.channels ?? inputs, channels] },
      ...dilations.flatMap((_, layer) => [
        { name: `${i}/${layer}/kernel`, shape: [ofLayer(kernelSize, layer), channels, width] },
        { name: `${i}/${layer}/bias`, shape: [width] },
        { name: `${i}/${layer}/mixin`, shape: [inputs, width] },
        ...((array.residual ?? true)
          ? [
              { name: `${i}/${layer}/outKernel`, shape: [features, channels] },
              { name: `${i}/${layer}/outBias`, shape: [channels] },
            ]
          : []),
        ...(headChannels === undefined
          ? []
          : [
              { name: `${i}/${layer}/toHeadKernel`, shape: [features, headChannels] },
              { name: `${i}/${layer}/toHeadBias`, shape: [headChannels] },
            ]),
        ...modulated.flatMap((place) => {
          if (!film[place]) return [];
          const size = (film[place] === 'shift' ? 2 : 1) * widths[place];
          return [
            { name: `${i}/${layer}/${place}Kernel`, shape: [inputs, size] },
            { name: `${i}/${layer}/${place}Bias`, shape: [size] },
          ];
        }),
      ]),
      { name: `${i}/headKernel`, shape: [...(headKernelSize > 1 ? [headKernelSize] : []), headWidth, headSize] },
      ...(headBias ? [{ name: `${i}/headBias`, shape: [headSize] }] : []),
    ];
  });
}

/** The operations on values of one kind: tensors, or parts of a stream. Weights are given by their names. */
export interface WaveNetOps<V> {
  /** x·W + b */
  product(x: V, kernel: string, bias?: string | undefined): V;
  /** The causal convolution of x. */
  convolution(x: V, kernel: string, bias: string | undefined, dilation: number): V;
  add(a: V, b: V): V;
  subtract(a: V, b: V): V;
  multiply(a: V, b: V): V;
  /** The greater of each pair of elements. */
  maximum(a: V, b: V): V;
  activation(x: V, name: string): V;
  /** x[:, from … from + count) */
  columns(x: V, from: number, count: number): V;
  scale(x: V, alpha: number): V;
}

/** The output of a WaveNet for the input x. */
export function runWaveNet<V>(
  { arrays, headScale = 1 }: WaveNetStructure,
  x: V,
  ops: WaveNetOps<V>,
  inputs: number,
): V {
  const activate = (value: V, how: WaveNetActivation): V =>
    typeof how === 'string' ? ops.activation(value, how) : ops.maximum(value, ops.scale(value, how.negativeSlope));
  let y = x;
  let head: V | undefined;
  arrays.forEach((array, i) => {
    const { dilations, activation = 'tanh', gated, gateActivation = 'sigmoid', headKernelSize = 1, film = {} } = array;
    const { features } = sizesOf(array);
    const widths = modulatedWidths(array, inputs);
    y = ops.product(y, `${i}/rechannel`);
    dilations.forEach((dilation, layer) => {
      const own = (name: string): string => `${i}/${layer}/${name}`;
      const modulate = (place: WaveNetModulated, value: V): V => {
        if (!film[place]) return value;
        const by = ops.product(x, own(`${place}Kernel`), own(`${place}Bias`));
        if (film[place] === 'scale') return ops.multiply(value, by);
        const count = widths[place];
        return ops.add(ops.multiply(value, ops.columns(by, 0, count)), ops.columns(by, count, count));
      };
      const act = ofLayer(activation, layer);
      const convolved = ops.convolution(modulate('convPre', y), own('kernel'), own('bias'), dilation);
      const mixed = modulate('mixinPost', ops.product(modulate('mixinPre', x), own('mixin')));
      const z = modulate('activationPre', ops.add(modulate('convPost', convolved), mixed));
      const before = gated ? ops.columns(z, 0, features) : z;
      let a = activate(before, act);
      if (gated) {
        const gate = activate(ops.columns(z, features, features), gateActivation);
        // A blend is gate·a + (1 − gate)·before.
        a = gated === 'blended' ? ops.add(before, ops.multiply(gate, ops.subtract(a, before))) : ops.multiply(a, gate);
      }
      a = modulate('activationPost', a);
      const hasHead = array.headChannels !== undefined;
      const toHead = hasHead ? modulate('headPost', ops.product(a, own('toHeadKernel'), own('toHeadBias'))) : a;
      head = head === undefined ? toHead : ops.add(head, toHead);
      if (array.residual ?? true) y = ops.add(y, ops.product(a, own('outKernel'), own('outBias')));
    });
    const [kernel, bias] = [`${i}/headKernel`, array.headBias ? `${i}/headBias` : undefined];
    head = headKernelSize > 1 ? ops.convolution(head!, kernel, bias, 1) : ops.product(head!, kernel, bias);
  });
  return headScale === 1 ? head! : ops.scale(head!, headScale);
}
