import { filled, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Nested } from '../../data/nested.ts';
import { scale } from '../../ops/elementwise/elementwise.ts';
import { select } from '../../ops/elementwise/select.ts';
import { labelled } from '../../ops/hidden-probe.ts';
import { reverse } from '../../ops/shapes/slices.ts';
import type { BatchShape } from '../base/batch-shape.ts';
import { CarriedStates, expectStates, type StateSpec } from '../base/carried-states.ts';
import { type CallOptions, isTraining, Layer, type LayerOptions, type OwnNames } from '../base/layer.ts';

/** Options of every recurrent layer. */
export interface SequenceOptions extends LayerOptions {
  /** Whether to return the output of every step, `[B, T, H]`, instead of the last one, `[B, H]`. Default false. */
  returnSequences?: boolean | undefined;
  /** Whether to return the last states too: `[y, h]`, for an LSTM `[y, h, c]`. Default false. */
  returnState?: boolean | undefined;
  /** Whether to read from the last step to the first. Outputs are in the order of computation. Default false. */
  goBackwards?: boolean | undefined;
  /** Whether a batch starts from the last states of the batch before. Gradients are not carried. Default false. */
  stateful?: boolean | undefined;
  /** Whether the output of a masked step is 0 instead of the output of the step before. Default false. */
  zeroOutputForMask?: boolean | undefined;
}

const sequenceNames: OwnNames<SequenceOptions> = {
  returnSequences: true,
  returnState: true,
  goBackwards: true,
  stateful: true,
  zeroOutputForMask: true,
};

/** How to unroll a batch of sequences. */
export interface UnrollOptions {
  /** `[B, H]` each; undefined for zeros. */
  readonly initialState: readonly Tensor[] | undefined;
  /** `[B, T]`. Where it is 0, the states do not change. */
  readonly mask: Tensor | undefined;
  /** Tensors that the cell of `rnn` reads at every step. */
  readonly constants: readonly Tensor[] | undefined;
  readonly training: boolean;
  /** Whether to go from the last step to the first. Outputs stay at their own time. */
  readonly reverse: boolean;
  readonly returnSequences: boolean;
}

/** The result of unrolling. */
export interface UnrollResult {
  /** Outputs of all steps, `[B, T, O]`; undefined without `returnSequences`. */
  readonly outputs: Tensor | undefined;
  /** Output of the last step, `[B, O]`. */
  readonly last: Tensor;
  readonly states: readonly Tensor[];
}

/** The output of a layer: with `returnState` a list of the output and the states, else one tensor. */
export type WithState<S extends boolean, List extends Tensor[] = Tensor[]> = S extends true ? List : Tensor;

/**
 * Base class of recurrent layers. It handles carried states, masks, and the choice of outputs (`returnSequences`,
 * `returnState`). A subclass unrolls the sequence.
 */
export abstract class Recurrent<Output = Tensor | Tensor[]> extends Layer<Output> {
  readonly sequence: SequenceOptions;
  #carried: CarriedStates | undefined;

  constructor(defaultName: string, options: SequenceOptions, own = {}) {
    super(defaultName, options, { ...sequenceNames, ...own });
    this.sequence = options;
  }

  /** Name and width of each state, h first. */
  abstract get stateSpecs(): readonly StateSpec[];
  /** Makes an equal layer with its own weights. `options` replace the same options of this layer. @internal */
  abstract copy(options: SequenceOptions): Recurrent<Output>;
  /** @internal */
  protected abstract unroll(x: Tensor, options: UnrollOptions): UnrollResult;

  /** Width O of the output. */
  get outputWidth(): number {
    return this.stateSpecs[0]!.width;
  }

  get stateful(): boolean {
    return this.sequence.stateful ?? false;
  }

  /**
   * Copies of the states that a stateful layer carries, `[B, H]` each; undefined before its first batch and after a
   * call of `resetStates`.
   */
  get states(): Float32Array[] | undefined {
    return this.carried?.values;
  }

  /**
   * Sets the states that the next batch starts from.
   *
   * @param states one array for each state, h first, with `batch`·H values, row-major.
   * @param batch number of sequences B.
   * @throws ArgumentError if the layer is not stateful, the number of states differs, an array does not hold `batch`·H
   *   finite numbers, or `batch` differs from the size of the batch before.
   */
  setStates(states: readonly ArrayLike<number>[], batch: number): void {
    if (!this.carried) throw new ArgumentError(`${this.describe()}: setStates expected a layer with stateful: true`);
    this.carried.set(states, batch);
  }

  override get carried(): CarriedStates | undefined {
    if (!this.stateful) return undefined;
    return (this.#carried ??= new CarriedStates(this.stateSpecs, () => this.describe()));
  }

  override get streamedStates(): number {
    return this.stateSpecs.length;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    const [batch = null, time = null] = inputShape;
    return this.sequence.returnSequences ? [batch, time, this.outputWidth] : [batch, this.outputWidth];
  }

  override outputShapes(inputShape: BatchShape): Nested<BatchShape> {
    const y = this.outputShape(inputShape);
    return this.sequence.returnState ? [y, ...this.stateSpecs.map(({ width }) => [y[0]!, width])] : y;
  }

  protected override checkInput(inputShape: BatchShape): void {
    this.expectSequence(inputShape);
  }

  protected override call(x: Tensor, options: CallOptions): Output {
    const { returnSequences = false, returnState = false, goBackwards = false, zeroOutputForMask } = this.sequence;
    const { carried } = this;
    const { mask } = options;
    const batch = x.shape[0]!;
    const carriedStates = carried?.begin(batch);
    const { initialState = carriedStates } = options;
    if (options.initialState) expectStates(this, options.initialState, batch);
    const unroll: UnrollOptions = {
      initialState,
      mask,
      constants: options.constants,
      returnSequences,
      reverse: goBackwards,
      training: isTraining(options),
    };
    const { outputs, last, states } = labelled(this.path, () =>
      x.shape[1] === 0 ? this.#withoutSteps(x, unroll) : this.unroll(x, unroll),
    );
    carried?.keep(states);
    let y = outputs ?? last;
    if (outputs && mask && zeroOutputForMask) y = select(mask, outputs, 0);
    if (outputs && goBackwards && !options.ownTime) {
      y = reverse(y, 1);
      if (mask) y.mask = reverse(mask, 1);
    }
    return (returnState ? [y, ...states] : y) as Output;
  }

  /** The result for sequences without steps: the output is zero, and the states do not change. */
  #withoutSteps({ engine, shape }: Tensor, { initialState, returnSequences }: UnrollOptions): UnrollResult {
    const zeros = (...rest: number[]): Tensor => filled([shape[0]!, ...rest], 0, engine);
    const { outputWidth } = this;
    return {
      outputs: returnSequences ? zeros(0, outputWidth) : undefined,
      last: zeros(outputWidth),
      // Copies, because given and carried states have other lifetimes than the result.
      states: initialState?.map((state) => scale(state, 1)) ?? this.stateSpecs.map(({ width }) => zeros(width)),
    };
  }
}
