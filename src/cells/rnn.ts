import { Init, RnnActivation } from '../engine/abi.ts';
import type { Cell } from './cell.ts';
import { type CellLayout, rnnLayouts } from './layout.ts';

/** A simple recurrent cell: h′ = act(xW + hU + b), where act is tanh, relu or linear. */
function rnnCell(layout: CellLayout, activation: number): Cell {
  return {
    ...layout,
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

/**
 * Simple recurrent cells by their activation: h′ = tanh a, max(a, 0) or a, where a = xW + hU + b.
 *
 * @see Elman 1990; keras.layers.SimpleRNN
 */
export const rnnCells = {
  tanh: /* @__PURE__ */ rnnCell(rnnLayouts.tanh, RnnActivation.Tanh),
  relu: /* @__PURE__ */ rnnCell(rnnLayouts.relu, RnnActivation.Relu),
  linear: /* @__PURE__ */ rnnCell(rnnLayouts.linear, RnnActivation.Linear),
};
