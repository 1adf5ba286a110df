/*
 * A stack of layers, step by step, in one call: an interpreter of records that src/streaming/program.ts writes. Every
 * record is WORDS i32 long and names one layer's operands by address; layers pass their output on in memory, and
 * recurrent ones keep their state there. The kernels and the order of sums are those of the scan over time, hence the
 * same bits.
 *
 *   word  0 kind   1 rows B   2 inputs I   3 units H   4 x   5 y   6 W packed   7, 8 U packed, by slice   9 bias   10 recurrent bias
 *        11 gates [B, G·H]   12 c, or what the step needs to keep beside   13 scratch   14 function   15 gemm scratch
 *
 * x of the first record is the caller's. A bias of 0 is none. y of a recurrent layer is its state h. W and U are packed
 * for gemv where B is 1 or 2, else for gemm. A kind with INT8 added has them packed for gemm_int8, which gives other
 * bits than the scan.
 */
import { gru_after_forward, gru_before_gates, gru_before_output } from './cell/gru';
import { lstm_forward } from './cell/lstm';
import { rnn_forward } from './cell/rnn';
import { unary } from './elementwise';
import { gather } from './embedding';
import { gemm, gemv } from './gemm/gemm';
import { gemm_int8 } from './gemm/int8';
import { MIN_MR } from './gemm/microkernel';
import { softmax } from './softmax';

const WORDS: usize = 16;

const enum Word {
  Kind,
  Rows,
  Inputs,
  Units,
  X,
  Y,
  Kernel,
  Recurrent,
  RecurrentNext,
  Bias,
  RecurrentBias,
  Gates,
  Kept,
  Scratch,
  Function,
  GemmScratch,
}

/** The numbers are those of `StreamKind` in src/engine/abi.ts. */
const enum Kind {
  Embedding,
  Dense,
  Unary,
  Softmax,
  Lstm,
  GruAfter,
  GruBefore,
  Rnn,
}

/** Added to a kind. The number is that of `STREAM_INT8` in src/engine/abi.ts. */
const INT8: i32 = 256;

const enum Init {
  Zero,
  Accumulate,
  Bias,
}

// @ts-ignore: decorator
@inline
function word(record: usize, index: i32): i32 {
  return load<i32>(record + 4 * <usize>index);
}

/** y ← (x·W + bias) or y += x·W, for W packed with `columns` columns; y has row stride `stride`. */
function multiply(record: usize, k: i32, columns: i32, x: i32, packed: i32, y: usize, stride: i32, bias: i32, accumulate: bool): void {
  const init = accumulate ? Init.Accumulate : bias ? Init.Bias : Init.Zero;
  const rows = word(record, Word.Rows);
  const scratch = word(record, Word.GemmScratch);
  if (word(record, Word.Kind) & INT8) gemm_int8(rows, columns, k, x, k, packed, y, stride, init, bias, scratch);
  else if (rows < MIN_MR) gemv(rows, columns, k, x, k, packed, y, stride, init, bias);
  else gemm(rows, columns, k, x, k, 1, packed, y, stride, init, bias, scratch);
}

function run(record: usize, x: i32): void {
  const kind = word(record, Word.Kind) & ~INT8;
  const rows = word(record, Word.Rows);
  const inputs = word(record, Word.Inputs);
  const units = word(record, Word.Units);
  const y = word(record, Word.Y);
  const kernel = word(record, Word.Kernel);
  const bias = word(record, Word.Bias);
  if (kind == Kind.Embedding) return gather(rows, units, kernel, x, y, 0);
  if (kind == Kind.Dense) return multiply(record, inputs, units, x, kernel, y, units, bias, false);
  if (kind == Kind.Unary) return unary(rows * units, word(record, Word.Function), x, y);
  if (kind == Kind.Softmax) return softmax(rows, units, x, y);

  const gates = word(record, Word.Gates);
  const recurrent = word(record, Word.Recurrent);
  const kept = word(record, Word.Kept);
  const width = kind == Kind.Lstm ? 4 * units : kind == Kind.Rnn ? units : 3 * units;
  multiply(record, inputs, width, x, kernel, gates, width, bias, false);
  if (kind == Kind.Lstm) {
    multiply(record, units, width, y, recurrent, gates, width, 0, true);
    lstm_forward(rows, units, gates, kept, kept, y);
  } else if (kind == Kind.Rnn) {
    multiply(record, units, width, y, recurrent, gates, width, 0, true);
    rnn_forward(rows * units, word(record, Word.Function), gates, y);
  } else {
    if (kind == Kind.GruAfter) {
      const scratch = word(record, Word.Scratch);
      multiply(record, units, width, y, recurrent, scratch, width, word(record, Word.RecurrentBias), false);
      gru_after_forward(rows, units, gates, scratch, kept, y, y);
    } else {
      multiply(record, units, 2 * units, y, recurrent, gates, width, 0, true);
      gru_before_gates(rows, units, gates, y, kept);
      multiply(record, units, units, kept, word(record, Word.RecurrentNext), gates + 8 * units, width, 0, true);
      gru_before_output(rows, units, gates, y, y);
    }
  }
}

/**
 * `steps` times through all records; step s reads input + s·inputBytes and leaves the last record's y at output +
 * s·outputBytes.
 */
export function stream(program: usize, records: i32, steps: i32, input: usize, inputBytes: i32, output: usize, outputBytes: i32): void {
  if (records <= 0) return;
  const last = program + <usize>(records - 1) * 4 * WORDS;
  for (; steps > 0; steps--) {
    run(program, input);
    for (let record = program + 4 * WORDS; record <= last; record += 4 * WORDS) run(record, word(record, Word.X));
    memory.copy(output, word(last, Word.Y), outputBytes);
    input += inputBytes;
    output += outputBytes;
  }
}
