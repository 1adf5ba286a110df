import { Init } from '../engine/abi.ts';
import { type Cell, cellOf } from './cell.ts';
import { gruAfterLayout, gruBeforeLayout } from './layout.ts';

/**
 * Gated recurrent unit with the reset gate after the recurrent product, as in Keras's default, cuDNN and PyTorch; gates
 * z r h:
 *
 * z = σ(xW_z + b_z + hU_z + c_z), r = σ(xW_r + b_r + hU_r + c_r)
 * g = tanh(xW_h + b_h + r∘(hU_h + c_h)), h′ = z∘h + (1 − z)∘g
 *
 * It has two biases: b on the input side and c on the recurrent side.
 *
 * @see keras.layers.GRU(reset_after=True); torch.nn.GRU
 */
export const gruAfterCell: Cell = /* @__PURE__ */ cellOf(gruAfterLayout, {
  forward({ kernels, rows, units, gates, previous, next, saved, scratch, project }) {
    project(0, previous[0]!, scratch, 3 * units, Init.Bias);
    kernels.gru_after_forward(rows, units, gates, scratch, saved, previous[0]!, next[0]!);
  },
  backward({ kernels, rows, units, gates, previous, saved, dHidden, dHiddenPrevious, projectBack }) {
    kernels.gru_after_backward(rows, units, gates, saved, previous[0]!, dHidden, dHiddenPrevious);
    projectBack(0, gates, 3 * units, dHiddenPrevious, Init.Accumulate);
    projectBack(1, saved, units, dHiddenPrevious, Init.Accumulate);
  },
});

/**
 * Gated recurrent unit with the reset gate before the recurrent product, as first published, gates z r h and one bias:
 *
 * z = σ(xW_z + b_z + hU_z), r = σ(xW_r + b_r + hU_r), g = tanh(xW_h + b_h + (r∘h)U_h), h′ = z∘h + (1 − z)∘g
 *
 * @see Cho et al. 2014; keras.layers.GRU(reset_after=False)
 */
export const gruBeforeCell: Cell = /* @__PURE__ */ cellOf(gruBeforeLayout, {
  forward({ kernels, rows, units, gates, previous, next, saved, project }) {
    project(0, previous[0]!, gates, 3 * units, Init.Accumulate);
    kernels.gru_before_gates(rows, units, gates, previous[0]!, saved);
    project(1, saved, gates + 4 * 2 * units, 3 * units, Init.Accumulate);
    kernels.gru_before_output(rows, units, gates, previous[0]!, next[0]!);
  },
  backward({ kernels, rows, units, gates, previous, scratch, dHidden, dHiddenPrevious, projectBack }) {
    kernels.gru_before_output_backward(rows, units, gates, previous[0]!, dHidden, dHiddenPrevious);
    projectBack(1, gates + 4 * 2 * units, 3 * units, scratch, Init.Zero);
    kernels.gru_before_gates_backward(rows, units, gates, previous[0]!, scratch, dHiddenPrevious);
    projectBack(0, gates, 3 * units, dHiddenPrevious, Init.Accumulate);
  },
});
