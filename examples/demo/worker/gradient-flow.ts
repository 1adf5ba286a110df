// How far back the error of one character reaches: the gradient of the last step's loss at every step before it.
import { cells, type Layer, ops, type Tensor, tensor, valueAndGrad } from 'tapeloop';

interface FlowModel {
  embedding: Layer;
  /** LSTM or SimpleRNN. */
  recurrent: Layer;
  dense: Layer;
}

export interface Flow {
  /** Mean over the batch of ‖∂L/∂h_t‖, first step first. */
  hidden: number[];
  /** The same for ∂L/∂c_t; empty for a cell without a cell state. */
  cellState: number[];
}

/**
 * Norms of ∂L/∂h_t, and of ∂L/∂c_t where there is a cell state, where L is the cross-entropy of only the last step.
 *
 * A zero is added to each state. The gradient of that zero is the gradient of the state. So the sequence is computed
 * step by step.
 *
 * @param ids `[B, T]`, row-major; each row with the id to predict in `targets` `[B]`.
 */
export function gradientFlow(model: FlowModel, ids: Int32Array, targets: Int32Array): Flow {
  const { embedding, recurrent, dense } = model;
  const [kernel, recurrentKernel, bias] = recurrent.weights;
  const cell = recurrent.className === 'LSTM' ? cells.lstm : cells.simpleRnn.tanh;
  const units = recurrentKernel!.shape[0]!;
  const batch = targets.length;
  const time = ids.length / batch;
  const { engine } = kernel!.tensor;
  return engine.step(() => {
    const zeros = () => tensor(new Float32Array(batch * units), { shape: [batch, units], engine });
    const steps = Array.from({ length: time }, () => cell.states.map(zeros));
    const f = (): Tensor => {
      let states = cell.states.map(zeros);
      steps.forEach((added, t) => {
        const column = Int32Array.from({ length: batch }, (_, b) => ids[b * time + t]!);
        const x = embedding(tensor(column, { shape: [1, batch], dtype: 'i32', engine }));
        const weights = { kernel: kernel!, recurrentKernel: recurrentKernel!, bias };
        const after = ops.recurrence(cell, x, weights, { initialState: states }).states;
        states = after.map((state, i) => ops.add(state, added[i]!));
      });
      const y = tensor(targets, { shape: [batch], dtype: 'i32', engine });
      return ops.softmaxCrossEntropy(dense(states[0]!), y);
    };
    const { grads } = valueAndGrad(f, steps.flat());
    const norms = (state: number): number[] =>
      steps.map((_, t) => meanNorm(grads[t * cell.states.length + state]!.toArray() as Float32Array, batch));
    return { hidden: norms(0), cellState: cell.states.length > 1 ? norms(1) : [] };
  });
}

/** Mean of the norms of the rows. The loss already divides each row by the batch size, so this is their sum. */
function meanNorm(gradient: Float32Array, batch: number): number {
  const units = gradient.length / batch;
  let sum = 0;
  for (let b = 0; b < batch; b++) {
    let squares = 0;
    for (let u = 0; u < units; u++) squares += gradient[b * units + u]! ** 2;
    sum += Math.sqrt(squares);
  }
  return sum;
}
