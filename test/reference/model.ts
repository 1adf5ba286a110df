/**
 * The reference model, in float64: [embedding →] L recurrent layers → dense head → softmax cross-entropy, and Adam.
 *
 * Parameters are a flat record, so that optimizers and tests walk them without knowing the model:
 *   embedding                       [V, I]         only in a model of tokens
 *   layer{n}/kernel                 [I or H, G·H]  n = 0 … L − 1
 *   layer{n}/recurrentKernel        [H, G·H]
 *   layer{n}/bias                   [G·H] or [2, G·H]
 *   dense/kernel                    [H, V]
 *   dense/bias                      [V]
 */
import { type CellName, referenceCells } from './cells.ts';
import { runSequence, type SequenceRun } from './sequence.ts';
import { project, projectBackward } from './vector.ts';

export type Parameters = Record<string, Float64Array>;

export interface ModelShape {
  cell: CellName;
  layers: number;
  time: number;
  batch: number;
  inputSize: number;
  units: number;
  /** Columns of the dense head, and rows of the embedding where there is one. */
  vocabulary: number;
}

export interface ModelInput {
  /** [T, B, I] numbers, or [T, B] token ids to be looked up in `embedding`. */
  input: { x: ArrayLike<number> } | { tokens: ArrayLike<number> };
  /** [T, B] class ids. */
  targets: ArrayLike<number>;
  /** initialStates[layer][state] is [B, H]; none means zero. */
  initialStates?: Float64Array[][] | undefined;
}

export interface ModelRun {
  /** The last layer's output, [T, B, H]. */
  y: Float64Array;
  /** [T, B, V] */
  logits: Float64Array;
  /** Mean cross-entropy over all T·B positions, in nat. */
  loss: number;
  /** finalStates[layer][state] is [B, H]. */
  finalStates: Float64Array[][];
  /** The loss's gradients: of every parameter, of the first layer's input [T, B, I], of every initial state. */
  backward(): { gradients: Parameters; dX: Float64Array; dInitialStates: Float64Array[][] };
}

export function runModel(
  shape: ModelShape,
  parameters: Parameters,
  { input, targets, initialStates }: ModelInput,
): ModelRun {
  const { layers, time, batch, inputSize, units } = shape;
  const tokens = 'tokens' in input ? input.tokens : undefined;
  const x = 'tokens' in input ? lookUp(parameters.embedding, input.tokens, inputSize) : Float64Array.from(input.x);

  const runs: SequenceRun[] = [];
  for (let n = 0; n < layers; n++) {
    runs[n] = runSequence(
      referenceCells[shape.cell],
      {
        kernel: parameters[`layer${n}/kernel`],
        recurrentKernel: parameters[`layer${n}/recurrentKernel`],
        bias: parameters[`layer${n}/bias`],
      },
      { x: n === 0 ? x : runs[n - 1].y, initialStates: initialStates?.[n] },
      { time, batch, inputSize: n === 0 ? inputSize : units, units },
    );
  }
  const y = runs[layers - 1].y;
  const logits = dense(y, parameters['dense/kernel'], parameters['dense/bias'], units);
  const { loss, dLogits } = crossEntropy(logits, targets);

  return {
    y,
    logits,
    loss,
    finalStates: runs.map((run) => run.finalStates),
    backward() {
      const gradients = zerosLike(parameters);
      const dInitialStates: Float64Array[][] = [];
      let dBelow = denseBackward(y, parameters['dense/kernel'], dLogits, gradients);
      for (let n = layers - 1; n >= 0; n--) {
        const layer = runs[n].backward(dBelow);
        gradients[`layer${n}/kernel`] = layer.dKernel;
        gradients[`layer${n}/recurrentKernel`] = layer.dRecurrentKernel;
        gradients[`layer${n}/bias`] = layer.dBias;
        dInitialStates[n] = layer.dInitialStates;
        dBelow = layer.dX;
      }
      if (tokens) lookUpBackward(dBelow, tokens, gradients.embedding, inputSize);
      return { gradients, dX: dBelow, dInitialStates };
    },
  };
}

/** table [V, I], tokens [n] → [n, I]. */
function lookUp(table: Float64Array, tokens: ArrayLike<number>, inputSize: number): Float64Array {
  const rows = new Float64Array(tokens.length * inputSize);
  for (let n = 0; n < tokens.length; n++) {
    rows.set(table.subarray(tokens[n] * inputSize, (tokens[n] + 1) * inputSize), n * inputSize);
  }
  return rows;
}

/** A token that occurs twice gets both rows' gradients. */
function lookUpBackward(dRows: Float64Array, tokens: ArrayLike<number>, dTable: Float64Array, inputSize: number): void {
  for (let n = 0; n < tokens.length; n++) {
    for (let i = 0; i < inputSize; i++) dTable[tokens[n] * inputSize + i] += dRows[n * inputSize + i];
  }
}

/** y [n, H] · kernel [H, V] + bias [V] → [n, V]. */
function dense(y: Float64Array, kernel: Float64Array, bias: Float64Array, units: number): Float64Array {
  const rows = y.length / units;
  const logits = new Float64Array(rows * bias.length);
  for (let n = 0; n < rows; n++) {
    const product = project(y.subarray(n * units, (n + 1) * units), kernel, 0, bias.length);
    for (let v = 0; v < bias.length; v++) logits[n * bias.length + v] = product[v] + bias[v];
  }
  return logits;
}

/** Adds to gradients['dense/kernel'] and ['dense/bias']; returns dY [n, H]. */
function denseBackward(
  y: Float64Array,
  kernel: Float64Array,
  dLogits: Float64Array,
  gradients: Parameters,
): Float64Array {
  const dBias = gradients['dense/bias'];
  const classes = dBias.length;
  const units = kernel.length / classes;
  const dY = new Float64Array(y.length);
  for (let n = 0; n < y.length / units; n++) {
    const dRow = dLogits.subarray(n * classes, (n + 1) * classes);
    projectBackward(dRow, 0, {
      x: y.subarray(n * units, (n + 1) * units),
      matrix: kernel,
      dx: dY.subarray(n * units, (n + 1) * units),
      dMatrix: gradients['dense/kernel'],
    });
    for (let v = 0; v < classes; v++) dBias[v] += dRow[v];
  }
  return dY;
}

/** loss = −mean over rows of log softmax(logits)[target]; dLogits = (softmax(logits) − onehot(target)) / rows. */
function crossEntropy(logits: Float64Array, targets: ArrayLike<number>): { loss: number; dLogits: Float64Array } {
  const rows = targets.length;
  const classes = logits.length / rows;
  const dLogits = new Float64Array(logits.length);
  let loss = 0;
  for (let n = 0; n < rows; n++) {
    const row = logits.subarray(n * classes, (n + 1) * classes);
    const max = Math.max(...row);
    const logSum = max + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - max), 0));
    loss += (logSum - row[targets[n]]) / rows;
    for (let v = 0; v < classes; v++) {
      dLogits[n * classes + v] = (Math.exp(row[v] - logSum) - (v === targets[n] ? 1 : 0)) / rows;
    }
  }
  return { loss, dLogits };
}

export interface AdamOptions {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
}

/**
 * Adam as Keras computes it (ε outside the bias correction, "epsilon hat" of Kingma & Ba 2014, section 2):
 *   m ← β1·m + (1 − β1)·g      v ← β2·v + (1 − β2)·g²
 *   p ← p − lr·sqrt(1 − β2^t)/(1 − β1^t) · m/(sqrt(v) + ε)
 * Returns the function that applies one step to the parameters in place.
 */
export function adam({ learningRate, beta1, beta2, epsilon }: AdamOptions, parameters: Parameters) {
  const m = zerosLike(parameters);
  const v = zerosLike(parameters);
  let step = 0;
  return (gradients: Parameters): void => {
    step++;
    const alpha = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
    for (const [name, p] of Object.entries(parameters)) {
      const g = gradients[name];
      for (let j = 0; j < p.length; j++) {
        m[name][j] = beta1 * m[name][j] + (1 - beta1) * g[j];
        v[name][j] = beta2 * v[name][j] + (1 - beta2) * g[j] ** 2;
        p[j] -= (alpha * m[name][j]) / (Math.sqrt(v[name][j]) + epsilon);
      }
    }
  };
}

function zerosLike(parameters: Parameters): Parameters {
  return Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, new Float64Array(p.length)]));
}
