import { Parameter, type Weight } from '../../autograd/parameter.ts';
import { isRecording } from '../../autograd/tape.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import type { NodeView } from './node.ts';
import { Source, type Value } from './value.ts';

/**
 * Weights in the layout of the kernels, made from values in the layout of the file. While gradients are recorded they
 * are made by ops. Otherwise they are kept until the values change, and so are their packed copies.
 */
export class DerivedWeights {
  #from: readonly (readonly [value: Value, version: number])[] = [];
  #kept: readonly Parameter[] = [];

  /** The node frees them. */
  constructor(node: NodeView) {
    node.owned.push(this);
  }

  /** @param make computes the weights from the tensors of `values`. */
  of(values: readonly Value[], make: (tensors: readonly Tensor[]) => readonly Tensor[]): readonly Weight[] {
    const tensors = values.map(({ tensor }) => tensor);
    if (isRecording(tensors) || values.some(({ source }) => source === Source.Input)) return make(tensors);
    const from = values.map((value) => [value, value.parameter?.version ?? 0] as const);
    const isSame =
      from.length === this.#from.length &&
      from.every(([value, version], i) => this.#from[i]![0] === value && this.#from[i]![1] === version);
    if (isSame) return this.#kept;
    return this.#keep(make(tensors), from);
  }

  dispose(): void {
    for (const parameter of this.#kept) parameter.dispose();
    this.#kept = [];
    this.#from = [];
  }

  #keep(made: readonly Tensor[], from: readonly (readonly [Value, number])[]): readonly Weight[] {
    const arrays = made.map((tensor) => tensor.toArray());
    // A parameter holds finite numbers only.
    if (!arrays.every((array) => array.every(Number.isFinite))) return made;
    this.dispose();
    this.#kept = made.map(({ shape, name }, i) => new Parameter(name, shape, arrays[i]!));
    this.#from = from;
    return this.#kept;
  }
}
