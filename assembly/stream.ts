/*
 * A stack of layers, run step by step in one call.
 *
 *   dense: y = x·W + b      recurrent: gates = x·W + b, then gates += h·U, then the fused step of the cell
 *
 * `stream` interprets a program: one record a layer, written by src/streaming/program.ts. A record has WORDS i32 words.
 * Most of them are byte addresses of the operands of the layer:
 *
 *   word   0 kind             1 rows B             2 inputs I                 3 units H
 *          4 x [B, I]         5 y [B, H]           6 W packed                 7, 8 U packed, by slice
 *          9 bias            10 recurrent bias    11 gates [B, G·H]          12 c (LSTM), q or r·h (GRU) [B, H]
 *         13 scratch [B, G·H]                     14 activation              15 scratch of gemm
 *
 * The caller gives the x of the first record; every other x is the y of the record before. A bias of 0 means none. The
 * y of a recurrent layer is also its state h. The activation is a number of `Unary`, or of `RnnActivation` for a
 * SimpleRNN. W and U are packed for `gemv` if B is 1 or 2, else for `gemm`. A kind plus INT8 has W and U packed for
 * `gemm_int8`. The buffers of one record do not overlap.
 *
 * The kernels and the order of sums are those of the scan over time, so the bits are the same. int8 weights give other
 * bits. Called by src/streaming.
 */
import { gru_after_forward, gru_before_gates, gru_before_output } from './cell/gru';
import { lstm_forward } from './cell/lstm';
import { rnn_forward } from './cell/rnn';
import { Unary, unary } from './elementwise';
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

/** y = x·W + bias, or y += x·W if accumulate is true. W is packed with `columns` columns; y has row stride `stride`. */
function multiply(
  record: usize,
  k: i32,
  columns: i32,
  x: i32,
  packed: i32,
  y: usize,
  stride: i32,
  bias: i32,
  accumulate: bool,
): void {
  const init = accumulate ? Init.Accumulate : bias ? Init.Bias : Init.Zero;
  const rows = word(record, Word.Rows);
  const scratch = word(record, Word.GemmScratch);
  if (word(record, Word.Kind) & INT8) gemm_int8(rows, columns, k, x, k, packed, y, stride, init, bias, scratch);
  else if (rows < MIN_MR) gemv(rows, columns, k, x, k, packed, y, stride, init, bias);
  else gemm(rows, columns, k, x, k, 1, packed, y, stride, init, bias, scratch);
}

/** One step of one layer. */
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
    lstm_forward(rows, units, Unary.Tanh, 0, gates, kept, kept, y);
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
 * Runs all records `steps` times. Step s reads its x at input + s·inputBytes and copies the y of the last record to
 * output + s·outputBytes. input and output do not overlap.
 */
export function stream(
  program: usize,
  records: i32,
  steps: i32,
  input: usize,
  inputBytes: i32,
  output: usize,
  outputBytes: i32,
): void {
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
