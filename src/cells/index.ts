// The fused cells by themselves, for `ops.recurrence`.
export { gruAfterCell as gruAfter, gruBeforeCell as gruBefore } from './gru.ts';
export { lstmCell as lstm, lstmPeepholeCell as lstmPeephole, lstmProjectionCell as lstmProjection } from './lstm.ts';
export { rnnCells as simpleRnn } from './rnn.ts';
