import type { Shape } from '../../../src/checks/shape.ts';
import type { AnyLayer, CallOptions } from '../../../src/layers/base/layer.ts';
import type { Mat, Seq, Vec } from '../../reference/layers.ts';

/** An input of a layer: numbers in [−1, 1), or ids below a limit. */
export interface CaseInput {
  shape: Shape;
  idsBelow?: number;
  /** `[B][T]` */
  mask?: Mat;
  /** Values at which a layer would do something else: these are put in before it is called. */
  edit?(values: Float32Array): void;
}

export interface LayerCase {
  /** Keras's class name. */
  of: string;
  /** What sets this case apart from the others of its class. */
  variant: string;
  make(): AnyLayer;
  /** One for a layer of one tensor, else its list. */
  inputs: CaseInput | readonly CaseInput[];
  call?: Omit<CallOptions, 'initialState'>;
  /** Shapes of the states to start from, whose values follow the inputs'. */
  initialState?: readonly Shape[];
  /** Values of a weight that a layer cannot work with are replaced here, such as a negative variance. */
  editWeight?(name: string, values: Float32Array): void;
  /** Every output in float64, nested, in the order in which the layer gives them. */
  reference(inputs: Nested[], weights: Record<string, Nested>): Nested[];
  /** The output's mask, if it has one. */
  outputMask?: Mat;
}

// biome-ignore lint/suspicious/noExplicitAny: nested to whatever depth a layer reads.
export type Nested = any;

/** Applies a function of one sample `[T][F]` to each of a batch. */
export const each =
  (f: (x: Mat, sample: number) => Nested) =>
  ([x]: Nested[]): Nested[] => [(x as Seq).map((sample, b) => f(sample, b))];

/** Applies a function of one vector to every step of a batch. */
export const eachStep = (f: (x: Vec) => Vec): ((inputs: Nested[]) => Nested[]) => each((sample) => sample.map(f));
