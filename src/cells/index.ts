/**
 * The fused cells by themselves, for `ops.recurrence`: kernels for one step of a recurrence and its gradient. As layers
 * they are `lstm`, `gru` and `simpleRnn`; as cells made of ops, for `rnn`, `lstmCell`, `gruCell` and `simpleRnnCell`.
 *
 * | cell | gates | kernel | recurrentKernel | bias | extra | states |
 * | --- | --- | --- | --- | --- | --- | --- |
 * | `lstm` | i f c o | `[I, 4H]` | `[H, 4H]` | `[4H]` | | h, c `[B, H]` |
 * | `lstmPeephole` | i f c o | `[I, 4H]` | `[H, 4H]` | `[4H]` | peephole `[3, H]` | h, c `[B, H]` |
 * | `lstmProjection` | i f c o | `[I, 4H]` | `[P, 4H]` | `[4H]` | projection `[H, P]` | h `[B, P]`, c `[B, H]` |
 * | `gruAfter` | z r h | `[I, 3H]` | `[H, 3H]` | `[2, 3H]` | | h `[B, H]` |
 * | `gruBefore` | z r h | `[I, 3H]` | `[H, 3H]` | `[3H]` | | h `[B, H]` |
 * | `simpleRnn.tanh`, `.relu`, `.linear` | | `[I, H]` | `[H, H]` | `[H]` | | h `[B, H]` |
 *
 * They hold no memory and no weights, so that one may serve any number of recurrences. Weights are laid out as Keras's
 * are.
 *
 * @module
 */
export { gruAfterCell as gruAfter, gruBeforeCell as gruBefore } from './gru.ts';
export { lstmCell as lstm, lstmPeepholeCell as lstmPeephole, lstmProjectionCell as lstmProjection } from './lstm.ts';
export { rnnCells as simpleRnn } from './rnn.ts';
