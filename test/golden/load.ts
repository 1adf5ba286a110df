/**
 * The golden numbers of this folder: what PyTorch computes, stored in Keras's layouts by generate.py.
 *
 * B batch, T time, I inputSize, H units, V vocabulary, L layers, G gates (4 lstm, 3 gru, 1 rnn). All values are
 * float32, all sequences time-major. The last digits depend on the CPU's BLAS; expect-close.ts
 * holds the tolerances.
 */
import { readFileSync } from 'node:fs';

export interface GoldenTensor {
  shape: number[];
  /** Row-major. */
  values: Float32Array;
}

export interface GoldenIds {
  /** [T, B] */
  shape: number[];
  values: Int32Array;
}

/** [layer][state] is [B, H]; the states of an LSTM are h, c, of every other cell h. */
export type GoldenStates = GoldenTensor[][];

/**
 * In the order a model owns them, under these names (gradients have the same):
 *   embedding [V, I], only in a model of tokens
 *   layer{n}/kernel [I or H, G·H], layer{n}/recurrentKernel [H, G·H],
 *   layer{n}/bias [G·H], or [2, 3H] in gruAfter: row 0 on the input side, row 1 on the recurrent side
 *   dense/kernel [H, V], dense/bias [V], only in a model
 * Gate order: lstm i f c o; gru z r h.
 */
export type GoldenParameters = Record<string, GoldenTensor>;

/** gruAfter has its reset gate after the recurrent product (PyTorch's GRU, Keras's default), gruBefore before it. */
export type GoldenCell = 'lstm' | 'gruAfter' | 'gruBefore' | 'rnnTanh' | 'rnnRelu';

export interface GoldenLayerShape {
  /** Layers of the stack, each reading the one below's whole output. */
  layers: number;
  time: number;
  batch: number;
  /** Of the first layer; those above it read H. */
  inputSize: number;
  units: number;
}

interface GoldenCase {
  cell: GoldenCell;
  /** The shape in words, for a test's name. */
  name: string;
  initialStates: GoldenStates;
  parameters: GoldenParameters;
  /** The last layer's output at every step, [T, B, H]. */
  y: GoldenTensor;
  finalStates: GoldenStates;
  dInitialStates: GoldenStates;
  /** Of every parameter, under its name. */
  gradients: GoldenParameters;
}

/** A stack of recurrent layers alone; the gradients are those of sum(y·dY) + sum(finalStates·dFinalStates). */
export interface GoldenLayerCase extends GoldenCase {
  shape: GoldenLayerShape;
  /** [T, B, I] */
  x: GoldenTensor;
  /** [T, B, H] */
  dY: GoldenTensor;
  dFinalStates: GoldenStates;
  dX: GoldenTensor;
}

/** [embedding →] stack → dense → softmax cross-entropy; the gradients are those of the loss. */
export interface GoldenModelCase extends GoldenCase {
  shape: GoldenLayerShape & { vocabulary: number };
  /** [T, B, I], in a model without embedding. */
  x?: GoldenTensor;
  /** The gradient of x. */
  dX?: GoldenTensor;
  /** In a model with embedding. */
  tokens?: GoldenIds;
  targets: GoldenIds;
  /** [T, B, V] */
  logits: GoldenTensor;
  /** Mean over all T·B positions, in nat. */
  loss: number;
  /**
   * Training on this one batch, from `parameters` and `initialStates` each time, by Keras's Adam:
   * p −= learningRate·sqrt(1 − beta2^t)/(1 − beta1^t) · m/(sqrt(v) + epsilon).
   */
  adam: {
    learningRate: number;
    beta1: number;
    beta2: number;
    epsilon: number;
    steps: number;
    /** The loss before each step; losses[0] is `loss`. */
    losses: number[];
    /** After the last step. */
    parameters: GoldenParameters;
  };
}

export interface Golden {
  /** The version of PyTorch and the seed that made the file. */
  torch: string;
  seed: number;
  layers: GoldenLayerCase[];
  models: GoldenModelCase[];
}

const FILES: Record<GoldenCell, string> = {
  lstm: 'lstm.json',
  gruAfter: 'gru-after.json',
  gruBefore: 'gru-before.json',
  rnnTanh: 'rnn-tanh.json',
  rnnRelu: 'rnn-relu.json',
};

export const GOLDEN_CELLS = Object.keys(FILES) as GoldenCell[];

/** Reads a cell's golden file; every call returns arrays of its own, which the caller may change. */
export function loadGolden(cell: GoldenCell): Golden {
  const golden = JSON.parse(readFileSync(new URL(FILES[cell], import.meta.url), 'utf8'), toTypedArray) as Golden;
  for (const layerCase of golden.layers) layerCase.name = describeShape(layerCase.shape);
  for (const modelCase of golden.models) {
    modelCase.name = `${describeShape(modelCase.shape)} V=${modelCase.shape.vocabulary} ${modelCase.tokens ? 'tokens' : 'x'}`;
  }
  return golden;
}

/** A JSON reviver: `values` of ids become Int32Array, all other `values` Float32Array. */
function toTypedArray(key: string, value: unknown): unknown {
  if (key === 'tokens' || key === 'targets') {
    const ids = value as GoldenTensor;
    return { shape: ids.shape, values: Int32Array.from(ids.values) };
  }
  return key === 'values' ? Float32Array.from(value as number[]) : value;
}

function describeShape({ layers, time, batch, inputSize, units }: GoldenLayerShape): string {
  return `L=${layers} T=${time} B=${batch} I=${inputSize} H=${units}`;
}
