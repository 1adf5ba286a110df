/**
 * Fused cells for `ops.recurrence`: kernels for one step of a recurrence and for its gradient. The layers `lstm`, `gru`
 * and `simpleRnn` use them. The cells `lstmCell`, `gruCell` and `simpleRnnCell`, for the layer `rnn`, are made of ops.
 *
 * | cell | gates | kernel | recurrentKernel | bias | extra | states |
 * | --- | --- | --- | --- | --- | --- | --- |
 * | `lstm`, `lstmRelu` | i f c o | `[I, 4H]` | `[H, 4H]` | `[4H]` | | h, c `[B, H]` |
 * | `lstmPeephole` | i f c o | `[I, 4H]` | `[H, 4H]` | `[4H]` | peephole `[3, H]` | h, c `[B, H]` |
 * | `lstmProjection` | i f c o | `[I, 4H]` | `[P, 4H]` | `[4H]` | projection `[H, P]` | h `[B, P]`, c `[B, H]` |
 * | `gruAfter` | z r h | `[I, 3H]` | `[H, 3H]` | `[2, 3H]` | | h `[B, H]` |
 * | `gruBefore` | z r h | `[I, 3H]` | `[H, 3H]` | `[3H]` | | h `[B, H]` |
 * | `simpleRnn.tanh`, `.relu`, `.linear` | | `[I, H]` | `[H, H]` | `[H]` | | h `[B, H]` |
 *
 * A cell holds no memory and no weights, so one cell may serve any number of recurrences. Weights have the layout of
 * Keras. Sizes: batch B, input size I, units H, projected size P.
 *
 * @module
 */
export { gruAfterCell as gruAfter, gruBeforeCell as gruBefore } from './gru.ts';
export {
  lstmCell as lstm,
  lstmPeepholeCell as lstmPeephole,
  lstmProjectionCell as lstmProjection,
  lstmReluCell as lstmRelu,
} from './lstm.ts';
export { rnnCells as simpleRnn } from './rnn.ts';
