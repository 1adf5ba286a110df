// The layer calls of a functional model, as plain data that a model file can hold.
import type { SavedLayer } from '../../io/model-file.ts';
import type { BatchShape } from '../../layers/base/batch-shape.ts';

/**
 * A tensor of a graph: output `[1]` of source `[0]`. The sources are the inputs, then the calls, in the order in which
 * they run.
 */
export type Value = readonly [source: number, output: number];

/** How inputs or outputs are nested: one tensor, a list, or by the names that are listed. */
export type Nest = 'one' | 'list' | readonly string[];

export interface GraphInput {
  readonly name: string;
  readonly shape: BatchShape;
}

/** One call of a layer. */
export interface LayerCall {
  /** Index of the layer. */
  readonly layer: number;
  readonly x: readonly Value[];
  /** Whether the layer gets a list, even of one tensor. */
  readonly isList: boolean;
  readonly initialState?: readonly Value[];
  readonly mask?: Value;
  /** Whether dropout is on in every call. */
  readonly training?: boolean;
}

export interface Graph {
  readonly inputs: readonly GraphInput[];
  readonly inputNest: Nest;
  readonly calls: readonly LayerCall[];
  readonly outputs: readonly Value[];
  readonly outputNest: Nest;
}

/** A graph with the layers that it calls. */
export interface SavedGraph extends Graph {
  readonly name: string;
  readonly layers: readonly SavedLayer[];
}

/** The tensors that a call reads. */
export const readsOf = ({ x, initialState = [], mask }: LayerCall): Value[] => [
  ...x,
  ...initialState,
  ...(mask ? [mask] : []),
];
