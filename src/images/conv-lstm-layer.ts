import type { Parameter } from '../autograd/parameter.ts';
import { expectShape, filled, type Tensor } from '../autograd/tensor.ts';
import { hasFusedGates } from '../cells/layout.ts';
import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { formatShape, type Shape, sizeOf } from '../checks/shape.ts';
import type { Nested } from '../data/nested.ts';
import { recordChange } from '../engine/transaction.ts';
import type { LayerConfig } from '../io/model-file.ts';
import { type ActivationSpec, activation as functionOf } from '../layers/activations/activations.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import type { CarriedStates, StateSpec } from '../layers/base/carried-states.ts';
import type { InitializerSpec } from '../layers/base/initializers.ts';
import type { CallOptions, OwnNames } from '../layers/base/layer.ts';
import type { RegularizerSpec } from '../layers/base/regularizers.ts';
import type { ConstraintSpec } from '../layers/constraints/constraint.ts';
import { composedScan } from '../layers/rnn/composed-scan.ts';
import { zeroBeforeFirstStep } from '../layers/rnn/keras-recurrent.ts';
import { withForgetBias } from '../layers/rnn/lstm.ts';
import { Recurrent, type SequenceOptions, type UnrollOptions, type UnrollResult } from '../layers/rnn/recurrent.ts';
import { unrollWith } from '../layers/rnn/unroll-with.ts';
import { dropout as drop, expectRate } from '../ops/elementwise/dropout.ts';
import { add, mul } from '../ops/elementwise/elementwise.ts';
import { concatenate } from '../ops/shapes/joins.ts';
import { inOrder, reshape, swapTimeBatch, viewAs } from '../ops/shapes/layout.ts';
import { split } from '../ops/shapes/slices.ts';
import { convLstmScan } from './convolution/conv-lstm.ts';
import { conv2d } from './convolution/conv2d.ts';
import {
  axisOf,
  expectChannelsLast,
  type Geometry,
  lengthOf,
  type Pair,
  pairOf,
  type WindowOptions,
  type Windows,
  windowsOf,
} from './convolution/geometry.ts';

interface ConvLstmOptions extends SequenceOptions {
  /** Number F of channels of the state. */
  filters: number;
  /** `valid`: windows lie inside the image. `same`: zeros around it. The state is always padded. Default `valid`. */
  padding?: WindowOptions['padding'];
  /** `channelsLast`, the only layout there is. */
  dataFormat?: 'channelsLast' | undefined;
  /** Default `tanh`. */
  activation?: ActivationSpec | undefined;
  /** Activation of the gates i, f and o. Default `sigmoid`. */
  recurrentActivation?: ActivationSpec | undefined;
  /** Default true. */
  useBias?: boolean | undefined;
  /** Whether the bias of the forget gate starts at 1. Default true. */
  unitForgetBias?: boolean | undefined;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerSpec | undefined;
  /** Default `orthogonal`. */
  recurrentInitializer?: InitializerSpec | undefined;
  /** Default `zeros`. */
  biasInitializer?: InitializerSpec | undefined;
  kernelRegularizer?: RegularizerSpec | undefined;
  kernelConstraint?: ConstraintSpec | undefined;
  recurrentRegularizer?: RegularizerSpec | undefined;
  recurrentConstraint?: ConstraintSpec | undefined;
  biasRegularizer?: RegularizerSpec | undefined;
  biasConstraint?: ConstraintSpec | undefined;
  /**
   * Probability, in [0, 1), that a number of the input is zero while training. A sequence has one mask for each gate,
   * the same at all steps. Default 0.
   */
  dropout?: number | undefined;
  /** The same for h before the recurrent convolution. Default 0. */
  recurrentDropout?: number | undefined;
}

export interface ConvLstm1dOptions extends ConvLstmOptions {
  /** Length K of the kernel. */
  kernelSize: number;
  /** Pixels between the starts of neighbouring windows of the input. Default 1. */
  strides?: number | undefined;
  /** Pixels between neighbouring taps of the kernel of the input. Default 1. */
  dilationRate?: number | undefined;
}

export interface ConvLstm2dOptions extends ConvLstmOptions {
  /** Rows and columns of the kernel: a number for both, or `[height, width]`. */
  kernelSize: Pair;
  /** Pixels between the starts of neighbouring windows of the input. Default 1. */
  strides?: Pair | undefined;
  /** Pixels between neighbouring taps of the kernel of the input. Default 1. */
  dilationRate?: Pair | undefined;
}

const own: Omit<OwnNames<ConvLstm2dOptions>, keyof SequenceOptions> = {
  filters: 1,
  kernelSize: 1,
  strides: 1,
  padding: 1,
  dataFormat: 1,
  dilationRate: 1,
  activation: 1,
  recurrentActivation: 1,
  useBias: true,
  unitForgetBias: true,
  kernelInitializer: 1,
  recurrentInitializer: 1,
  biasInitializer: 1,
  kernelRegularizer: 1,
  kernelConstraint: 1,
  recurrentRegularizer: 1,
  recurrentConstraint: 1,
  biasRegularizer: 1,
  biasConstraint: 1,
  dropout: 1,
  recurrentDropout: 1,
};

const GATES = 4;

/** Number of spatial axes. With one of them, images have one row. */
type Rank = 1 | 2;

type Make<Output> = (options: SequenceOptions) => Recurrent<Output>;

/** The layer of `convLstm1d` and `convLstm2d`. */
export class ConvLstm<Output> extends Recurrent<Output> {
  readonly className: string;
  readonly #rank: Rank;
  readonly #options: ConvLstm2dOptions;
  readonly #windows: Windows;
  readonly #taps: readonly [number, number];
  readonly #make: Make<Output>;
  #kernel: Parameter | undefined;
  #recurrentKernel: Parameter | undefined;
  #bias: Parameter | undefined;
  /** Rows and columns of the state, as far as they are known. */
  #image: readonly [number, number] | undefined;

  constructor(rank: Rank, options: ConvLstm2dOptions, make: Make<Output>) {
    const what = `convLstm${rank}d`;
    super(`conv_lstm${rank}d`, options, own);
    const { filters, kernelSize, strides = 1, dilationRate = 1, padding, dropout = 0, recurrentDropout = 0 } = options;
    expectCount(`${what}: filters`, filters);
    const both = (name: string, given: Pair): readonly [number, number] =>
      rank === 1 ? [1, expectCount(`${what}: ${name}`, given as number)] : pairOf(`${what}: ${name}`, given);
    this.#taps = both('kernelSize', kernelSize);
    const windows = { strides: both('strides', strides), dilationRate: both('dilationRate', dilationRate), padding };
    this.#windows = windowsOf(what, windows);
    expectChannelsLast(what, options.dataFormat);
    expectRate(`${what}: dropout`, dropout);
    expectRate(`${what}: recurrentDropout`, recurrentDropout);
    functionOf(options.activation ?? 'tanh', `${what}: activation`);
    functionOf(options.recurrentActivation ?? 'sigmoid', `${what}: recurrentActivation`);
    this.className = `ConvLSTM${rank}D`;
    this.#rank = rank;
    this.#options = options;
    this.#make = make;
  }

  override describe(): string {
    return `${this.name}(filters=${this.#options.filters})`;
  }

  override config(): LayerConfig {
    return this.baseConfig();
  }

  override copy(options: SequenceOptions): Recurrent<Output> {
    return this.#make({ ...this.sequence, trainable: this.trainable, ...options });
  }

  /** h and c. The width of a state is its number of pixels times filters. */
  override get stateSpecs(): readonly StateSpec[] {
    const shape = [...(this.#image ?? [0, 0]).slice(-this.#rank), this.#options.filters];
    return ['h', 'c'].map((name) => ({ name, width: sizeOf(shape), shape }));
  }

  override get carried(): CarriedStates | undefined {
    return this.#image && super.carried;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch = null, time = null] = inputShape;
    const image = this.#imageShape(inputShape);
    return this.sequence.returnSequences ? [batch, time, ...image] : [batch, ...image];
  }

  override outputShapes(inputShape: BatchShape): Nested<BatchShape> {
    const y = this.outputShape(inputShape);
    if (!this.sequence.returnState) return y;
    const state = [y[0]!, ...this.#imageShape(inputShape)];
    return [y, state, state];
  }

  protected override checkInput(inputShape: BatchShape): void {
    if (inputShape.length !== 3 + this.#rank) {
      const axes = this.#rank === 1 ? 'width' : 'height, width';
      throw new ArgumentError(
        `${this.describe()}: input expected [batch, time, ${axes}, channels], got ${formatShape(inputShape)}`,
      );
    }
    const image = this.#imageShape(inputShape);
    const [known, given] = [this.#image, this.#sized(image)];
    if (!this.stateful || !known || given.every((n, i) => n === null || n === known[i])) {
      if (given.some((n) => n === null)) return;
      recordChange(() => {
        this.#image = known;
      });
      this.#image = given as [number, number];
      return;
    }
    const expected = formatShape([...known, this.#options.filters].slice(-1 - this.#rank));
    throw new ArgumentError(`${this.describe()}: stateful, so states expected ${expected}, got ${formatShape(image)}`);
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const { filters, useBias = true, unitForgetBias = true, biasInitializer = 'zeros' } = this.#options;
    const { kernelInitializer = 'glorotUniform', recurrentInitializer = 'orthogonal' } = this.#options;
    const { kernelRegularizer, recurrentRegularizer, biasRegularizer } = this.#options;
    const taps = this.#taps.slice(-this.#rank);
    const width = GATES * filters;
    const shape = [...taps, this.inputWidth(inputShape), width];
    const recurrentShape = [...taps, filters, width];
    this.#kernel = this.addWeight('kernel', shape, kernelInitializer, kernelRegularizer);
    this.#recurrentKernel = this.addWeight(
      'recurrentKernel',
      recurrentShape,
      recurrentInitializer,
      recurrentRegularizer,
    );
    const how = unitForgetBias ? withForgetBias(biasInitializer) : biasInitializer;
    if (useBias) this.#bias = this.addWeight('bias', [width], how, biasRegularizer);
  }

  protected override call(x: Tensor, options: CallOptions): Output {
    const [batch, time] = x.shape as [number, number];
    const { mask } = options;
    if (mask) expectShape(`${this.describe()}: mask`, mask.shape, [batch, time]);
    const image = this.#imageShape(x.shape) as Shape;
    // The base class reads sequences `[B, T, width]`.
    const rows = viewAs(x, [batch, time, sizeOf(x.shape.slice(2))], x.timeMajor);
    this.#shape = x.shape.slice(-1 - this.#rank);
    const made = super.call(rows, options);
    const shaped = (y: Tensor, i = 0): Tensor => {
      const isSequence = i === 0 && this.sequence.returnSequences;
      const source = isSequence ? y : inOrder(y, false);
      const view = viewAs(source, [...y.shape.slice(0, isSequence ? 2 : 1), ...image], source.timeMajor);
      return Object.assign(view, { mask: y.mask });
    };
    return (Array.isArray(made) ? made.map((y, i) => shaped(y, i)) : shaped(made as Tensor)) as Output;
  }

  /** Shape of an image of the input that `unroll` reads. */
  #shape: Shape = [];

  protected override unroll(x: Tensor, options: UnrollOptions): UnrollResult {
    const { dropout = 0, recurrentDropout = 0 } = this.#options;
    const [batch] = x.shape as [number];
    const [height, width] = this.#sized(this.#shape) as [number, number];
    const channels = this.#shape.at(-1)!;
    const draw = (rate: number, count: number): Tensor | undefined =>
      rate > 0 && options.training ? drop(filled([batch, count], 1, x.engine), rate, this.random.nextKey()) : undefined;
    const inputMask = draw(dropout, height * width * channels * GATES);
    const recurrentMask = draw(recurrentDropout, this.outputWidth * GATES);
    const initialState = options.initialState?.map((state) => reshape(state, [batch, -1]));
    const from = { ...options, initialState };
    return unrollWith((part, each) => this.#scan(part, each, inputMask, recurrentMask), x, from);
  }

  #scan(x: Tensor, options: UnrollOptions, inputMask?: Tensor, recurrentMask?: Tensor): UnrollResult {
    const { filters } = this.#options;
    const [batch, time] = x.shape as [number, number];
    const [height, width] = this.#sized(this.#shape) as [number, number];
    const channels = this.#shape.at(-1)!;
    const images = viewAs(inOrder(swapTimeBatch(x), false), [time, batch, height * width, channels], false);
    const groups = inputMask ? GATES : 1;
    const seen = inputMask
      ? mul(concatenate([images, images, images, images]), reshape(inputMask, [batch, height * width, -1]))
      : images;
    const geometry = (
      windows: Windows,
      [rows, cols]: readonly [number, number],
      channels: Pick<Geometry, 'inputs' | 'groups'>,
    ): Geometry => ({
      batch,
      rows: axisOf(this.describe(), windows, 0, rows, this.#taps[0]),
      cols: axisOf(this.describe(), windows, 1, cols, this.#taps[1]),
      outputs: GATES * filters,
      ...channels,
    });
    if (!hasFusedGates(this.#options)) return this.#composed(seen, [height, width], groups, recurrentMask, options);
    const same = windowsOf('', { padding: 'same' });
    const { outputs, states } = convLstmScan(
      {
        x: seen,
        kernel: this.#kernel!.tensor,
        recurrentKernel: this.#recurrentKernel!.tensor,
        bias: this.#bias?.tensor,
        input: geometry(this.#windows, [height, width], { inputs: channels * groups, groups }),
        recurrent: geometry(same, this.#image!, { inputs: filters, groups: 1 }),
        recurrentDropout: recurrentMask,
      },
      {
        initialState: options.initialState?.map((state) => inOrder(state, false)),
        reverse: options.reverse,
        returnSequences: options.returnSequences,
        mask: options.mask && inOrder(swapTimeBatch(options.mask), false),
      },
    );
    return this.#finish({ outputs: outputs && swapTimeBatch(outputs), last: states[0]!, states }, options);
  }

  /** The same from ops, for any activations. `x` is `[T, B, H·W, I]`. */
  #composed(
    x: Tensor,
    size: readonly [number, number],
    groups: number,
    mask: Tensor | undefined,
    options: UnrollOptions,
  ): UnrollResult {
    const { filters, activation = 'tanh', recurrentActivation = 'sigmoid' } = this.#options;
    const [time, batch] = x.shape as [number, number];
    const [act, gate] = [functionOf(activation), functionOf(recurrentActivation)];
    const { strides, dilations: dilationRate, padding } = this.#windows;
    const weight = ({ tensor }: Parameter): Tensor => reshape(tensor, [...this.#taps, ...tensor.shape.slice(-2)]);
    const [kernel, recurrentKernel] = [weight(this.#kernel!), weight(this.#recurrentKernel!)];
    const images = reshape(x, [time * batch, ...size, -1]);
    const made = conv2d(images, kernel, this.#bias, { strides, dilationRate, padding, groups });
    const step = (z: Tensor, [h, c]: readonly Tensor[]) => {
      const shape = [batch, ...this.#image!];
      const before = reshape(h!, [...shape, filters]);
      const four = mask && mul(concatenate([before, before, before, before]), reshape(mask, [...shape, -1]));
      const product = conv2d(four ?? before, recurrentKernel, undefined, { padding: 'same', groups: four ? GATES : 1 });
      const [i, f, g, o] = split(add(reshape(z, product.shape), product), GATES) as [Tensor, Tensor, Tensor, Tensor];
      const next = add(mul(gate(f), reshape(c!, before.shape)), mul(gate(i), act(g)));
      const [output, kept] = [mul(gate(o), act(next)), next].map((y) => reshape(y, h!.shape)) as [Tensor, Tensor];
      return { output, states: [output, kept] };
    };
    const widths = { states: this.stateSpecs, output: this.outputWidth };
    return composedScan(swapTimeBatch(reshape(made, [time, batch, -1])), step, widths, options);
  }

  #finish(result: UnrollResult, { mask, initialState, reverse }: UnrollOptions): UnrollResult {
    return mask && initialState ? zeroBeforeFirstStep(result, mask, reverse) : result;
  }

  /** `[height, width, filters]` of the state; without a height for one spatial axis. */
  #imageShape(inputShape: BatchShape): BatchShape {
    const sizes = inputShape.slice(2, -1);
    const first = 2 - this.#rank;
    const lengths = sizes.map((n, i) => {
      const axis = (first + i) as 0 | 1;
      return lengthOf(this.describe(), this.#windows, axis, n, this.#taps[axis]);
    });
    return [...lengths, this.#options.filters];
  }

  /** Rows and columns of an image shape; one row for one spatial axis. */
  #sized(image: BatchShape): readonly [number | null, number | null] {
    return this.#rank === 1 ? [1, image[0]!] : [image[0]!, image[1]!];
  }
}
