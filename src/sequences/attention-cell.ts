// A cell that attends to a memory, such as the outputs of an encoder, at every step: Bahdanau's and Luong's decoders.
import type { Parameter } from '../autograd/parameter.ts';
import { expectShape, type Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectCount } from '../checks/argument-error.ts';
import { expectChoice } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { formatShape } from '../checks/shape.ts';
import type { LayerConfig } from '../io/model-file.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import type { StateSpec } from '../layers/base/carried-states.ts';
import type { AnyLayer, Layer, LayerOptions } from '../layers/base/layer.ts';
import { saveLayer } from '../layers/base/saved-layer.ts';
import { dense } from '../layers/dense.ts';
import { type CellBatch, noCell, RecurrentCell } from '../layers/rnn/cells/cell.ts';
import type { Step } from '../layers/rnn/composed-scan.ts';
import { scale } from '../ops/elementwise/elementwise.ts';
import { hideMasked } from '../ops/elementwise/select.ts';
import { concatenate } from '../ops/shapes/joins.ts';
import { inOrder } from '../ops/shapes/layout.ts';
import { attend } from './attend.ts';

const SCORES = ['additive', 'dot', 'general'] as const;
const QUERIES = ['before', 'after'] as const;

export interface AttentionCellOptions extends LayerOptions {
  /** The recurrence: `gruCell(options)`, `lstmCell(options)` or any other cell. */
  cell: RecurrentCell;
  /**
   * `additive`: v·tanh(q·W + k) (Bahdanau et al. 2014). `general`: q·k, where k is a product of the memory with a
   * matrix; `dot`: q·memory (both Luong et al. 2015). Default `additive`.
   */
  score?: (typeof SCORES)[number] | undefined;
  /**
   * Factor of the scores `general` and `dot`. Default 1/√D, D being the width of the query. With 1, as in Luong's
   * paper, they grow with D: large scores give one place all of the weight from the start, and little is learned then.
   */
  scale?: number | undefined;
  /** Number of features of an additive score. Default: width of the cell's output. */
  units?: number | undefined;
  /** Width A of the output a. Default: width of the cell's output. */
  attentionUnits?: number | undefined;
  /**
   * Which state asks. `before`: the first state of the cell before the step, and the step reads the context (Bahdanau).
   * `after`: the output of the cell, and the next step reads a (Luong's input feeding). Default: `before` for additive
   * scores, else `after`.
   */
  query?: (typeof QUERIES)[number] | undefined;
}

const names = { cell: 1, score: 1, scale: 1, units: 1, attentionUnits: 1, query: 1 };

/** A cell whose steps attend to a memory. */
export class AttentionCell extends RecurrentCell {
  readonly className = 'AttentionCell';
  readonly #options: AttentionCellOptions;
  readonly #cell: RecurrentCell;
  readonly #score: (typeof SCORES)[number];
  readonly #scale: number;
  readonly #asksAfter: boolean;
  readonly #units: number;
  readonly #attentionUnits: number;
  readonly #queryWidth: number;
  readonly #keyWidth: number | undefined;
  readonly #keys: Layer | undefined;
  readonly #query: Layer | undefined;
  readonly #attend: Layer;
  #scoreKernel: Parameter | undefined;
  #alignments: Tensor[] = [];

  constructor(options: AttentionCellOptions) {
    super('attention_cell', options, names);
    const { cell, score = 'additive' } = options;
    if (!(cell instanceof RecurrentCell)) throw noCell('attentionCell', cell);
    expectChoice('attentionCell', 'score', score, SCORES);
    const { units = cell.outputWidth, attentionUnits = cell.outputWidth } = options;
    const { query = score === 'additive' ? 'before' : 'after' } = options;
    expectChoice('attentionCell', 'query', query, QUERIES);
    expectCount('attentionCell: units', units);
    expectCount('attentionCell: attentionUnits', attentionUnits);
    this.#options = options;
    this.#cell = cell;
    this.#score = score;
    this.#asksAfter = query === 'after';
    this.#units = units;
    this.#attentionUnits = attentionUnits;
    this.#queryWidth = this.#asksAfter ? cell.outputWidth : cell.stateSpecs[0]!.width;
    const isAdditive = score === 'additive';
    const { scale = isAdditive ? 1 : this.#queryWidth ** -0.5 } = options;
    expectNumber('attentionCell: scale', scale, '> 0');
    if (isAdditive && options.scale !== undefined) {
      throw new ArgumentError(`attentionCell: scale expected no value with score 'additive', got ${scale}`);
    }
    this.#scale = scale;
    if (score !== 'dot') {
      this.#keyWidth = isAdditive ? units : this.#queryWidth;
      this.#keys = dense({ units: this.#keyWidth, useBias: false, name: 'keys' });
    }
    if (isAdditive) this.#query = dense({ units, name: 'query' });
    this.#attend = dense({ units: attentionUnits, activation: 'tanh', name: 'attend' });
    this.setScope('');
  }

  override get sublayers(): readonly AnyLayer[] {
    return [this.#cell, ...[this.#keys, this.#query].filter((layer) => layer !== undefined), this.#attend];
  }

  override get stateSpecs(): readonly StateSpec[] {
    const { stateSpecs } = this.#cell;
    return this.#asksAfter ? [...stateSpecs, { name: 'a', width: this.#attentionUnits }] : stateSpecs;
  }

  override get outputWidth(): number {
    return this.#attentionUnits;
  }

  /**
   * The attention weights of the last call, `[B, S]` for each step in the order in which steps were made. They are
   * tensors of the step in which the call was made. A step that the mask of x hides in every sequence has none.
   */
  get alignments(): readonly Tensor[] {
    return this.#alignments;
  }

  /**
   * The keys of a memory, `[B, S, units]`: what each call computes from the memory, once for all steps. A decoder that
   * makes one step a call gives them as the second constant.
   */
  keysOf(memory: Tensor): Tensor {
    const keys = this.#keys ? this.#keys(memory) : memory;
    const scaled = this.#scale === 1 ? keys : scale(keys, this.#scale);
    if (scaled !== memory) scaled.mask = memory.mask;
    return scaled;
  }

  override config(): LayerConfig {
    return { ...this.baseConfig(), cell: saveLayer(this.#cell) };
  }

  override copy(): RecurrentCell {
    return new AttentionCell({ ...this.#options, cell: this.#cell.copy() });
  }

  override begin({ batch, inputs, training, constants }: CellBatch): Step {
    const [given, givenKeys] = constants ?? [];
    const what = `${this.describe()}: constants`;
    if (!given)
      throw new ArgumentError(`${what} expected [memory] or [memory, keys] in the options of the call, got none`);
    if (given.shape.length !== 3 || given.shape[0] !== batch) {
      throw new ArgumentError(`${what}[0], the memory, expected [${batch}, S, M], got ${formatShape(given.shape)}`);
    }
    const { mask } = given;
    const width = given.shape[2]!;
    const memory = inOrder(hideMasked(given, mask), false);
    const keys = inOrder(givenKeys ?? this.keysOf(memory), false);
    if (this.#score === 'dot' && width !== this.#queryWidth) {
      throw new ArgumentError(
        `${what}[0], the memory, expected width ${this.#queryWidth} for the score dot, got ${width}`,
      );
    }
    expectShape(`${what}[1], the keys`, keys.shape, [batch, given.shape[1]!, this.#keyWidth ?? width]);
    const asksAfter = this.#asksAfter;
    const cellInputs = inputs + (asksAfter ? this.#attentionUnits : width);
    this.#cell.build([batch, cellInputs]);
    const step = this.#cell.begin({ batch, inputs: cellInputs, training, constants });
    const attended = { keys, memory, mask, scale: this.#scoreKernel };
    this.#alignments = [];
    const contextOf = (query: Tensor): Tensor => {
      const { context, weights } = attend(this.#query ? this.#query(query) : query, attended);
      this.#alignments.push(weights);
      return context;
    };
    if (!asksAfter) {
      return (x, states) => {
        const context = contextOf(states[0]!);
        const next = step(concatenate([x, context]), states);
        return { output: this.#attend(concatenate([context, next.output])), states: next.states };
      };
    }
    return (x, states) => {
      const next = step(concatenate([x, states.at(-1)!]), states.slice(0, -1));
      const output = this.#attend(concatenate([contextOf(next.output), next.output]));
      return { output, states: [...next.states, output] };
    };
  }

  protected override makeWeights(_inputShape: BatchShape): void {
    if (this.#score === 'additive') this.#scoreKernel = this.addWeight('scoreKernel', [this.#units], 'glorotUniform');
  }
}

/**
 * A recurrent cell that attends to a memory, such as the outputs of an encoder, at every step: the decoders of Bahdanau
 * and of Luong.
 *
 * a_t = tanh([c_t, y_t]·A + b), c_t = Σ_s α_s·memory_s, α = softmax(score(q, keys))
 *
 * With `query: 'before'` q is the first state of `cell` before the step, and [y_t, states] = cell([x_t, c_t], states).
 * With `query: 'after'` [y_t, states] = cell([x_t, a_{t−1}], states) and q = y_t. The score is v·tanh(q·Q + d + key_s)
 * with keys = memory·K (`additive`), q·key_s with keys = scale·memory·K (`general`), or scale·q·memory_s (`dot`); scale
 * is 1/√D for a query of width D.
 *
 * The call of `rnn` gives the memory: `decode(x, { initialState, constants: [memory] })`, memory `[B, S, M]` f32;
 * places where its mask is 0 get the weight 0. `keysOf(memory)` makes the keys `[B, S, units]` for calls of one step
 * each, as `constants: [memory, keys]`. Input x `[B, T, I]`, output a `[B, T, A]`. States: those of `cell`, and with
 * `after` a `[B, A]`. `alignments` has α `[B, S]` of each step of the last call. Weights: those of `cell`, whose input
 * is `[B, I + M]` or `[B, I + A]`; keys/kernel K; query/kernel Q, query/bias d and scoreKernel v of additive scores;
 * attend/kernel A and attend/bias b.
 *
 * @param options `cell` is required.
 * @returns a cell with its own weights, for `rnn`, alone or in a list of cells.
 * @throws ArgumentError if an option is unknown, `cell` is not a cell, `score` or `query` is not one of its values,
 *   `scale` is not a positive number or is given for additive scores, or `units` or `attentionUnits` is not a positive
 *   integer; when called, if `constants` are missing or do not fit.
 * @see Bahdanau, Cho and Bengio 2014, https://arxiv.org/abs/1409.0473; Luong, Pham and Manning 2015,
 *   https://arxiv.org/abs/1508.04025
 *
 * @example
 * const decode = rnn(attentionCell({ cell: gruCell({ units: 4 }) }), { returnSequences: true });
 * const memory = ops.ones([1, 3, 2]); // [B, S, M]
 * decode(tensor([[[1], [2]]]), { constants: [memory] }).shape; // [1, 2, 4]
 */
export const attentionCell = (options: AttentionCellOptions): AttentionCell => new AttentionCell(options);
