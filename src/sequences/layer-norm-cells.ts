// LSTM and GRU cells with layer normalization, computed by ops.
import type { Tensor } from '../autograd/tensor.ts';
import type { LayerConfig } from '../io/model-file.ts';
import { type Activation, type ActivationSpec, activation as functionOf } from '../layers/activations/activations.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import type { StateSpec } from '../layers/base/carried-states.ts';
import type { InitializerSpec } from '../layers/base/initializers.ts';
import type { Layer, OwnNames } from '../layers/base/layer.ts';
import { layerNormalization } from '../layers/layer-normalization.ts';
import { type CellBatch, RecurrentCell } from '../layers/rnn/cells/cell.ts';
import type { Step } from '../layers/rnn/composed-scan.ts';
import { GateProducts } from '../layers/rnn/composed-step.ts';
import { withForgetBias } from '../layers/rnn/lstm.ts';
import {
  type CellOptions,
  cellNames,
  checkCellOptions,
  drawMasks,
  makeWeights,
  type RecurrenceSpec,
  type Weights,
} from '../layers/rnn/recurrence-spec.ts';
import { add, mul, sub } from '../ops/elementwise/elementwise.ts';
import { expectEpsilon } from '../ops/epsilon.ts';
import { layerNorm } from '../ops/normalization.ts';
import { split } from '../ops/shapes/slices.ts';

interface NormOptions extends CellOptions {
  /** Activation of the gates. Default `sigmoid`. */
  recurrentActivation?: ActivationSpec | undefined;
  /** Initial γ of the normalizations. Default `ones`. */
  normGammaInitializer?: InitializerSpec | undefined;
  /** Initial β of the normalizations. Default `zeros`. */
  normBetaInitializer?: InitializerSpec | undefined;
  /** Added to the variance. Default 1e-3. */
  normEpsilon?: number | undefined;
}

export interface LayerNormLstmCellOptions extends NormOptions {
  /** Whether the bias of the forget gate starts at 1. Default true. */
  unitForgetBias?: boolean | undefined;
}

export interface LayerNormGruCellOptions extends NormOptions {}

const norms: OwnNames<NormOptions, CellOptions> = {
  recurrentActivation: 1,
  normGammaInitializer: 1,
  normBetaInitializer: 1,
  normEpsilon: 1,
};
export const layerNormLstmNames: OwnNames<LayerNormLstmCellOptions> = { ...cellNames, ...norms, unitForgetBias: true };
export const layerNormGruNames: OwnNames<LayerNormGruCellOptions> = { ...cellNames, ...norms };

/** Normalized products of x and of h, `[B, G·H]`, and the normalization of a state. */
interface Parts {
  readonly x: (x: Tensor) => Tensor;
  readonly h: (h: Tensor) => Tensor;
  readonly state: (c: Tensor) => Tensor;
  readonly activation: Activation;
  readonly gate: Activation;
}

/** A cell whose products with x and with h are normalized before they are added. */
abstract class LayerNormCell extends RecurrentCell {
  readonly #spec: RecurrenceSpec;
  readonly #options: NormOptions;
  readonly #norms: readonly Layer[];
  #weights: Weights = {};

  /** @param spec number of gates and names of the states; with two states, the second is normalized too. */
  constructor(
    defaultName: string,
    options: NormOptions,
    own: object,
    spec: { gates: number; states: readonly string[]; biasInitializer: RecurrenceSpec['biasInitializer'] },
  ) {
    super(defaultName, options, own);
    checkCellOptions(defaultName, options);
    const { units, normGammaInitializer, normBetaInitializer, normEpsilon } = options;
    if (normEpsilon !== undefined) expectEpsilon(`${defaultName}: normEpsilon`, normEpsilon);
    const states = spec.states.map((name) => ({ name, width: units }));
    this.#spec = { ...spec, states, name: defaultName, biases: 1, options, extra: [] };
    this.#options = options;
    const names = ['kernel_norm', 'recurrent_norm', 'state_norm'].slice(0, states.length + 1);
    this.#norms = names.map((name) =>
      layerNormalization({
        name,
        ...(normGammaInitializer !== undefined && { gammaInitializer: normGammaInitializer }),
        ...(normBetaInitializer !== undefined && { betaInitializer: normBetaInitializer }),
        ...(normEpsilon !== undefined && { epsilon: normEpsilon }),
        trainable: options.trainable,
      }),
    );
    this.setScope('');
  }

  override get stateSpecs(): readonly StateSpec[] {
    return this.#spec.states;
  }

  override get sublayers(): readonly Layer[] {
    return this.#norms;
  }

  override describe(): string {
    return `${this.name}(units=${this.#options.units})`;
  }

  override config(): LayerConfig {
    return this.baseConfig();
  }

  override begin(sizes: CellBatch): Step {
    const { activation = 'tanh', recurrentActivation = 'sigmoid', normEpsilon: epsilon = 1e-3, units } = this.#options;
    const { gates } = this.#spec;
    // As in TensorFlow Addons, the gates share one mask.
    const masks = drawMasks({ ...this.#spec, gates: 1 }, sizes, this.random, this.#weights);
    const { kernel, recurrentKernel, bias } = this.#weights;
    const products = (weight: Tensor, mask: Tensor | undefined): GateProducts =>
      new GateProducts({ weight, bias: undefined, row: undefined, gates, units }, mask);
    const ofX = products(kernel!.tensor, masks.input);
    const ofH = products(masks.recurrentKernel ?? recurrentKernel!.tensor, masks.hidden);
    const normed = (x: Tensor, i: number): Tensor => {
      const [gamma, beta] = this.#norms[i]!.weights;
      return layerNorm(x, gamma, beta, { epsilon });
    };
    return this.step({
      x: (x) => (bias ? add(normed(ofX.of(x), 0), bias) : normed(ofX.of(x), 0)),
      h: (h) => normed(ofH.of(h), 1),
      state: (c) => normed(c, 2),
      activation: functionOf(activation),
      gate: functionOf(recurrentActivation),
    });
  }

  protected abstract step(parts: Parts): Step;

  protected override makeWeights(inputShape: BatchShape): void {
    const { units } = this.#options;
    this.#weights = makeWeights(this.#spec, this.inputWidth(inputShape), this.addWeight.bind(this));
    const widths = [this.#spec.gates * units, this.#spec.gates * units, units];
    this.#norms.forEach((norm, i) => norm.build([null, widths[i]!]));
  }
}

class LayerNormLstmCell extends LayerNormCell {
  readonly className = 'LayerNormLSTMCell';
  readonly #made: LayerNormLstmCellOptions;

  constructor(options: LayerNormLstmCellOptions) {
    const { unitForgetBias = true, biasInitializer = 'zeros' } = options ?? {};
    super('layer_norm_lstm_cell', options, layerNormLstmNames, {
      gates: 4,
      states: ['h', 'c'],
      biasInitializer: unitForgetBias ? withForgetBias(biasInitializer) : biasInitializer,
    });
    this.#made = options;
  }

  override copy(): RecurrentCell {
    return new LayerNormLstmCell(this.#made);
  }

  protected override step({ x: ofX, h: ofH, state, activation, gate }: Parts): Step {
    return (x, [h, c]) => {
      const [i, f, g, o] = split(add(ofX(x), ofH(h!)), 4) as [Tensor, Tensor, Tensor, Tensor];
      const next = state(add(mul(gate(f), c!), mul(gate(i), activation(g))));
      const output = mul(gate(o), activation(next));
      return { output, states: [output, next] };
    };
  }
}

class LayerNormGruCell extends LayerNormCell {
  readonly className = 'LayerNormGRUCell';
  readonly #made: LayerNormGruCellOptions;

  constructor(options: LayerNormGruCellOptions) {
    const spec = { gates: 3, states: ['h'], biasInitializer: options?.biasInitializer ?? 'zeros' };
    super('layer_norm_gru_cell', options, layerNormGruNames, spec);
    this.#made = options;
  }

  override copy(): RecurrentCell {
    return new LayerNormGruCell(this.#made);
  }

  protected override step({ x: ofX, h: ofH, activation, gate }: Parts): Step {
    return (x, [h]) => {
      const [z, r, g] = split(ofX(x), 3) as [Tensor, Tensor, Tensor];
      const [zh, rh, gh] = split(ofH(h!), 3) as [Tensor, Tensor, Tensor];
      const candidate = activation(add(g, mul(gate(add(r, rh)), gh)));
      const output = add(candidate, mul(gate(add(z, zh)), sub(h!, candidate)));
      return { output, states: [output] };
    };
  }
}

/**
 * One step of an LSTM with layer normalization, as a cell for `rnn`.
 *
 * i, f, o = recurrentActivation(LN(x·W) + LN(h·U) + b), g = activation(…), c′ = LN(f∘c + i∘g), h′ = o∘activation(c′)
 *
 * Input x `[B, I]` f32, `initialState` `[h, c]`, each `[B, H]` with H = `units`, zeros by default; output `[y, h′, c′]`
 * with y = h′. Weights: kernel W `[I, 4H]`, recurrentKernel U `[H, 4H]`, bias b `[4H]`, gates in the order i f c o;
 * then γ and β of the normalizations of x·W `[4H]`, of h·U `[4H]` and of the cell state `[H]`. It is computed by ops.
 *
 * @param options `units` is required. `dropout` and `recurrentDropout` draw one mask for all gates.
 * @returns a cell with its own weights, for `rnn` or for a call that makes one step. Its outputs live until the open
 *   step ends; outside a step the caller owns them.
 * @throws ArgumentError if an option is unknown or out of range; when called, if the input is not a tensor `[B, I]` or
 *   a state does not fit.
 * @see tfa.rnn.LayerNormLSTMCell; Ba, Kiros and Hinton 2016
 *
 * @example
 * const layer = rnn(layerNormLstmCell({ units: 4 }), { returnSequences: true });
 */
export const layerNormLstmCell = (options: LayerNormLstmCellOptions): RecurrentCell => new LayerNormLstmCell(options);

/**
 * One step of a GRU with layer normalization, as a cell for `rnn`.
 *
 * z, r = recurrentActivation(s + u), g = activation(s + r∘u), h′ = z∘h + (1 − z)∘g, s = LN(x·W) + b, u = LN(h·U)
 *
 * Each gate takes its third of s and u. Input x `[B, I]` f32, `initialState` `[h]` `[B, H]` with H = `units`, zeros by
 * default; output `[y, h′]` with y = h′. Weights: kernel W `[I, 3H]`, recurrentKernel U `[H, 3H]`, bias b `[3H]`, gates
 * in the order z r h; then γ and β of the normalizations of x·W and of h·U, `[3H]` each. It is computed by ops.
 *
 * @param options `units` is required. `dropout` and `recurrentDropout` draw one mask for all gates.
 * @returns a cell with its own weights, for `rnn` or for a call that makes one step. Its outputs live until the open
 *   step ends; outside a step the caller owns them.
 * @throws ArgumentError if an option is unknown or out of range; when called, if the input is not a tensor `[B, I]` or
 *   a state does not fit.
 * @see Ba, Kiros and Hinton 2016; torch.nn.GRU (the reset gate after the product)
 *
 * @example
 * const layer = rnn(layerNormGruCell({ units: 4 }), { returnSequences: true });
 */
export const layerNormGruCell = (options: LayerNormGruCellOptions): RecurrentCell => new LayerNormGruCell(options);
