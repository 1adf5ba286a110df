import type { Parameter } from '../../../autograd/parameter.ts';
import { expectShape, Tensor } from '../../../autograd/tensor.ts';
import { ArgumentError, expectCount, expectType, shown } from '../../../checks/argument-error.ts';
import { checkOptions } from '../../../checks/options.ts';
import type { Shape } from '../../../checks/shape.ts';
import type { LayerConfig } from '../../../io/model-file.ts';
import type { BatchShape } from '../../base/batch-shape.ts';
import type { StateSpec } from '../../base/carried-states.ts';
import type { InitializerSpec } from '../../base/initializers.ts';
import type { RegularizerSpec } from '../../base/regularizers.ts';
import type { ConstraintSpec } from '../../constraints/constraint.ts';
import type { Step } from '../composed-scan.ts';
import { RecurrentCell } from './cell.ts';

/**
 * A weight: its shape, or its shape, initializer, regularizer and constraint. The default initializer is glorotUniform
 * for two axes or more, and zeros for fewer.
 */
export type WeightDeclaration =
  | Shape
  | {
      readonly shape: Shape;
      readonly initializer?: InitializerSpec | undefined;
      readonly regularizer?: RegularizerSpec | undefined;
      readonly constraint?: ConstraintSpec | undefined;
    };

/** A cell as a plain object: its states, its weights, and one step made of ops. */
export interface CellDefinition<W extends string = string> {
  /** Name of the cells. A saved model refers to the definition by this name. Default `cell`. */
  name?: string | undefined;
  /** Width of the state, or of each state. */
  units: number | readonly number[];
  /** Width of the output. Default: width of the first state. */
  outputUnits?: number | undefined;
  /** The weights by name. `inputs` is the number of features of x. */
  weights?(inputs: number): Readonly<Record<W, WeightDeclaration>>;
  /**
   * Computes one step.
   *
   * @param x x_t `[B, I]` f32.
   * @param states `[B, units]` each.
   * @param weights tensors of the weights, by name.
   * @param options.training whether dropout is on.
   * @returns `[output, states]`; or one tensor, if the cell has one state and this is also the output.
   */
  call(
    x: Tensor,
    states: readonly Tensor[],
    weights: Readonly<Record<W, Tensor>>,
    options: { readonly training: boolean },
  ): Tensor | readonly [output: Tensor, states: readonly Tensor[]];
}

/** A cell made of a `CellDefinition`. */
export class DefinedCell extends RecurrentCell {
  readonly className = 'Cell';
  readonly #definition: CellDefinition;
  readonly #widths: readonly number[];
  #weights: Record<string, Tensor> = {};

  /** @param name name of the layer in a loaded model. */
  constructor(definition: CellDefinition, name?: string) {
    checkOptions('rnn: cell', definition, { name: 1, units: 1, outputUnits: 1, weights: 1, call: 1 });
    const { name: kind = 'cell' } = definition;
    expectType('rnn: name of the cell', kind, 'a string');
    super(kind, { name });
    const { units, outputUnits } = definition;
    expectType('rnn: call', definition.call, 'a function');
    if (definition.weights !== undefined) expectType('rnn: weights', definition.weights, 'a function');
    if (typeof units !== 'number' && !Array.isArray(units))
      throw new ArgumentError(`${this.name}: units expected a number or a list of numbers, got ${shown(units)}`);
    this.#widths = typeof units === 'number' ? [units] : (units as readonly number[]);
    if (this.#widths.length === 0) throw new ArgumentError(`${this.name}: units expected one state or more, got none`);
    for (const width of this.#widths) expectCount(`${this.name}: units`, width);
    if (outputUnits !== undefined) expectCount(`${this.name}: outputUnits`, outputUnits);
    this.#definition = definition;
  }

  override get stateSpecs(): readonly StateSpec[] {
    return this.#widths.map((width, i) => ({ name: `state ${i}`, width }));
  }

  override get outputWidth(): number {
    return this.#definition.outputUnits ?? this.#widths[0]!;
  }

  override config(): LayerConfig {
    const { name: definition, units, outputUnits } = this.#definition;
    return { ...this.baseConfig(), definition, units, outputUnits };
  }

  override copy(): RecurrentCell {
    return new DefinedCell(this.#definition);
  }

  override begin({ training }: { training: boolean }): Step {
    const specs = this.stateSpecs;
    return (x, states) => {
      const made = this.#definition.call(x, states, this.#weights, { training });
      const [output, next] = made instanceof Tensor ? [made, [made]] : Array.isArray(made) ? made : [];
      if (!(output instanceof Tensor && Array.isArray(next) && next.every((state) => state instanceof Tensor)))
        throw new ArgumentError(
          `${this.name}: call expected to return a tensor or [output, states], got ${shown(made)}`,
        );
      const batch = x.shape[0]!;
      if (next.length !== specs.length) {
        throw new ArgumentError(`${this.name}: call expected to return ${specs.length} states, got ${next.length}`);
      }
      expectShape(`${this.name}: output of call`, output.shape, [batch, this.outputWidth]);
      next.forEach((state, i) => {
        expectShape(`${this.name}: state ${i} of call`, state.shape, [batch, specs[i]!.width]);
      });
      return { output, states: next };
    };
  }

  protected override makeWeights(inputShape: BatchShape): void {
    const declared: Readonly<Record<string, WeightDeclaration>> =
      this.#definition.weights?.(this.inputWidth(inputShape)) ?? {};
    this.#weights = Object.fromEntries(
      Object.entries(declared).map(([name, declaration]) => [name, this.#make(name, declaration).tensor]),
    );
  }

  #make(name: string, declaration: WeightDeclaration): Parameter {
    expectType(`${this.name}: weight ${name}`, declaration, 'an object');
    const names = { shape: 1, initializer: 1, regularizer: 1, constraint: 1 };
    const { shape, ...how } = 'shape' in declaration ? declaration : { shape: declaration };
    checkOptions(`${this.name}: weight ${name}`, { shape, ...how }, names);
    const initializer = how.initializer ?? (shape.length < 2 ? 'zeros' : 'glorotUniform');
    return this.addWeight(name, shape, initializer, how.regularizer, how.constraint);
  }
}
