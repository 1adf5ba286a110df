import { Init, StreamKind } from '../engine/abi.ts';
import type { Cell } from './cell.ts';

/**
 * Long short-term memory, gates in Keras's order i f c o:
 *
 * i = σ(xW_i + hU_i + b_i), f = σ(xW_f + hU_f + b_f), g = tanh(xW_c + hU_c + b_c), o = σ(xW_o + hU_o + b_o)
 * c′ = f∘c + i∘g, h′ = o∘tanh c′
 *
 * @see Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000 (forget gate); keras.layers.LSTM
 */
export const lstmCell: Cell = {
  name: 'lstm',
  gates: 4,
  biases: 1,
  states: ['h', 'c'],
  blocks: [{ gate: 0, gates: 4, input: 'hidden', gradient: 'gates' }],
  saved: 0,
  scratch: 0,
  stream: { kind: StreamKind.Lstm },
  forward({ kernels, rows, units, gates, previous, next, project }) {
    project(0, previous[0]!, gates, 4 * units, Init.Accumulate);
    kernels.lstm_forward(rows, units, gates, previous[1]!, next[1]!, next[0]!);
  },
  backward({ kernels, rows, units, gates, previous, next, dHidden, dHiddenPrevious, dStates, projectBack }) {
    kernels.lstm_backward(rows, units, gates, previous[1]!, next[1]!, dHidden, dStates[0]!);
    projectBack(0, gates, 4 * units, dHiddenPrevious, Init.Accumulate);
  },
};
