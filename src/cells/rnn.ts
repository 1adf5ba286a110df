import { Init, RnnActivation, StreamKind } from '../engine/abi.ts';
import type { Cell } from './cell.ts';

/**
 * Simple recurrent cell: h′ = act(xW + hU + b), act tanh, relu or linear.
 *
 * @see Elman 1990; keras.layers.SimpleRNN
 */
function rnnCell(activation: number): Cell {
  return {
    name: 'simpleRnn',
    gates: 1,
    biases: 1,
    states: ['h'],
    blocks: [{ gate: 0, gates: 1, input: 'hidden', gradient: 'gates' }],
    saved: 0,
    scratch: 0,
    stream: { kind: StreamKind.Rnn, activation },
    forward({ kernels, rows, units, gates, previous, next, project }) {
      project(0, previous[0]!, gates, units, Init.Accumulate);
      kernels.rnn_forward(rows * units, activation, gates, next[0]!);
    },
    backward({ kernels, rows, units, gates, next, dHidden, dHiddenPrevious, projectBack }) {
      kernels.rnn_backward(rows * units, activation, next[0]!, dHidden, gates);
      projectBack(0, gates, units, dHiddenPrevious, Init.Accumulate);
    },
  };
}

export const rnnCells = {
  tanh: /* @__PURE__ */ rnnCell(RnnActivation.Tanh),
  relu: /* @__PURE__ */ rnnCell(RnnActivation.Relu),
  linear: /* @__PURE__ */ rnnCell(RnnActivation.Linear),
};
