import { Init, type Kernels, type Ptr, RnnActivation, Unary } from '../engine/abi.ts';
import { type Cell, cellOf } from './cell.ts';
import { lstmLayout } from './layout.ts';

/** An LSTM of tanh or relu, and with the peepholes of `more` if there are any. */
const lstmOf = (act: number, more: Partial<Cell> = {}): Cell =>
  cellOf(lstmLayout, {
    forward({ kernels, rows, units, extra: [p = 0], gates, previous, next, project }) {
      project(0, previous[0]!, gates, 4 * units, Init.Accumulate);
      kernels.lstm_forward(rows, units, act, p, gates, previous[1]!, next[1]!, next[0]!);
    },
    backward({ kernels, rows, units, extra: [p = 0], gates, previous, next, ...step }) {
      kernels.lstm_backward(rows, units, act, p, gates, previous[1]!, next[1]!, step.dHidden, step.dStates[0]!);
      step.projectBack(0, gates, 4 * units, step.dHiddenPrevious, Init.Accumulate);
    },
    ...more,
  });

/**
 * Long short-term memory, gates in Keras's order i f c o:
 *
 * i = σ(xW_i + hU_i + b_i), f = σ(xW_f + hU_f + b_f), g = tanh(xW_c + hU_c + b_c), o = σ(xW_o + hU_o + b_o)
 * c′ = f∘c + i∘g, h′ = o∘tanh c′
 *
 * @see Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000 (forget gate); keras.layers.LSTM
 */
export const lstmCell: Cell = /* @__PURE__ */ lstmOf(Unary.Tanh);

/** The LSTM with relu in place of tanh. */
export const lstmReluCell: Cell = /* @__PURE__ */ lstmOf(Unary.Relu, { name: 'lstmRelu', stream: undefined });

/**
 * LSTM whose gates also read the cell state: i and f read the previous one, o the new one. The peephole weights p are
 * `[3, H]` in the order i f o:
 *
 * i = σ(xW_i + hU_i + b_i + p_i∘c), f = σ(xW_f + hU_f + b_f + p_f∘c), g = tanh(xW_c + hU_c + b_c)
 * c′ = f∘c + i∘g, o = σ(xW_o + hU_o + b_o + p_o∘c′), h′ = o∘tanh c′
 *
 * @see Gers and Schmidhuber 2000, "Recurrent nets that time and count"
 */
export const lstmPeepholeCell: Cell = /* @__PURE__ */ lstmOf(Unary.Tanh, {
  name: 'lstmPeephole',
  stream: undefined,
  extraWeights: [{ name: 'peephole', shape: ({ units }) => [3, units] }],
  addWeightGradients({ kernels, rows, units, gates, previous, next, dExtra }) {
    if (dExtra[0]) kernels.lstm_peephole_weights(rows, units, gates, previous[1]!, next[1]!, dExtra[0]);
  },
});

/** Flushes `count` floats, as kernels of cells do: the linear activation does nothing else. */
const flush = (kernels: Kernels, count: number, x: Ptr): void => kernels.rnn_forward(count, RnnActivation.Linear, x, x);

/**
 * LSTM whose output is projected to P ≤ H features. Only the projected output is fed back: U is `[P, 4H]`, the
 * projection `[H, P]`:
 *
 * i, f, o and c′ are those of the LSTM, h′ = (o∘tanh c′)·projection
 *
 * @see Sak, Senior and Beaufays 2014; torch.nn.LSTM(proj_size)
 */
export const lstmProjectionCell: Cell = /* @__PURE__ */ cellOf(lstmLayout, {
  name: 'lstmProjection',
  stream: undefined,
  projects: true,
  blocks: [
    { gate: 0, gates: 4, input: 'hidden', gradient: 'gates' },
    { extra: 0, input: 'saved', gradient: 'hidden' },
  ],
  extraWeights: [{ name: 'projection', shape: ({ units, hidden }) => [units, hidden] }],
  saved: 1,
  scratch: 1,
  forward({ kernels, rows, units, hidden, gates, previous, next, saved, project }) {
    project(0, previous[0]!, gates, 4 * units, Init.Accumulate);
    kernels.lstm_forward(rows, units, Unary.Tanh, 0, gates, previous[1]!, next[1]!, saved);
    project(1, saved, next[0]!, hidden, Init.Zero);
    flush(kernels, rows * hidden, next[0]!);
  },
  backward(step) {
    const { kernels, rows, units, hidden, gates, previous, next, scratch } = step;
    flush(kernels, rows * hidden, step.dHidden);
    step.projectBack(1, step.dHidden, hidden, scratch, Init.Zero);
    kernels.lstm_backward(rows, units, Unary.Tanh, 0, gates, previous[1]!, next[1]!, scratch, step.dStates[0]!);
    step.projectBack(0, gates, 4 * units, step.dHiddenPrevious, Init.Accumulate);
  },
});
