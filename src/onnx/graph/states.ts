// States that a graph takes and gives, with the sequences of a batch as their first axis.
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { sizeOf } from '../../checks/shape.ts';
import { reshape } from '../../ops/shapes/layout.ts';
import { swapAxes } from '../batch-axis.ts';
import { isFloat } from '../format/element-types.ts';
import type { OnnxValue } from './signature.ts';
import { Value } from './value.ts';

/** One state. */
export class GraphState {
  readonly name: string;
  /** The output that is its next value. */
  readonly next: string;
  /** Numbers of one sequence. */
  readonly width: number;
  readonly #axis: number;
  readonly #dims: readonly (number | string)[];

  /**
   * @param batch the length of the axis of the batch in an input: a number, or a name that varies.
   * @throws ArgumentError if its elements are no floats, or an axis other than that of the batch varies.
   */
  constructor({ name, type, dims = [] }: OnnxValue, next: string, batch: number | string | undefined, axis?: number) {
    this.name = name;
    this.next = next;
    if (!isFloat(type)) throw new ArgumentError(`state '${name}' expected floats, got ${type}`);
    const varying = dims.findIndex((n) => typeof n === 'string');
    const found = batch === undefined ? -1 : dims.indexOf(batch);
    // A state of an LSTM is [directions, batch, units].
    this.#axis = axis ?? (varying >= 0 ? (found >= 0 ? found : varying) : dims.length === 3 ? 1 : Math.max(found, 0));
    this.#dims = dims;
    const rest = dims.toSpliced(this.#axis, 1);
    const open = rest.find((n) => typeof n === 'string');
    if (open !== undefined || dims.length === 0)
      throw new ArgumentError(`state '${name}' expected known lengths, got [${dims.join(', ')}]`);
    this.width = sizeOf(rest as number[]);
  }

  /** The input of the graph from `[B, width]`. */
  given(rows: Tensor): Value {
    const batch = rows.shape[0]!;
    const own = this.#dims[this.#axis]!;
    if (typeof own === 'number' && own !== batch)
      throw new ArgumentError(`state '${this.name}' expected a batch of ${own}, got ${batch}`);
    const shape = this.#dims.with(this.#axis, batch) as number[];
    [shape[0], shape[this.#axis]] = [shape[this.#axis]!, shape[0]!];
    return Value.ofTensor(swapAxes(reshape(rows, shape), this.#axis));
  }

  /** `[B, width]` from an output of the graph. */
  rows(value: Value): Tensor {
    const turned = swapAxes(value.tensor, this.#axis);
    return reshape(turned, [turned.shape[0]!, this.width]);
  }
}
