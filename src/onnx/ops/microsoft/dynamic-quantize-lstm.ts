// An LSTM with weights of 8 bits, whose inputs and states are quantized while it runs: x over all its steps, h anew at
// each step, over all its rows. https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
import type { Tensor } from '../../../autograd/tensor.ts';
import { ArgumentError } from '../../../checks/argument-error.ts';
import * as ops from '../../../ops/index.ts';
import { roundToEven } from '../../format/element-types.ts';
import type { Operator } from '../../graph/node.ts';
import { Value } from '../../graph/value.ts';
import { directionOf, kinds, lstmStep, ordered, settingsOf } from '../recurrent.ts';
import { floats, rangeOf } from './quantized.ts';

const { fround } = Math;

/** The weights of one direction `[K, N]`, less their zero points, with the scale of each column. */
interface Int8Weights {
  readonly rows: number;
  readonly columns: number;
  readonly data: Int16Array;
  readonly scales: Float32Array;
}

function int8Weights(w: Value, scale: Value, zero: Value | undefined, d: number): Int8Weights {
  const [directions, rows, columns] = w.shape as [number, number, number];
  const size = rows * columns;
  const own = (x: Value, column: number): number => x.numbers[x.size === directions ? d : d * columns + column]!;
  const data = new Int16Array(size);
  for (let i = 0; i < size; i++) data[i] = w.numbers[d * size + i]! - (zero ? own(zero, i % columns) : 0);
  return { rows, columns, data, scales: Float32Array.from({ length: columns }, (_, j) => own(scale, j)) };
}

/** x·W of `rows` rows, quantized together. */
function product(x: ArrayLike<number>, rows: number, w: Int8Weights): Value {
  const { scale, zero } = rangeOf(x);
  const q = new Int16Array(x.length);
  for (let i = 0; i < q.length; i++) {
    q[i] = Math.min(Math.max(roundToEven(fround(x[i]! / scale)) + zero, 0), 255) - zero;
  }
  const sums = new Int32Array(rows * w.columns);
  for (let row = 0; row < rows; row++) {
    const to = row * w.columns;
    for (let k = 0; k < w.rows; k++) {
      const factor = q[row * w.rows + k]!;
      if (factor === 0) continue;
      const from = k * w.columns;
      for (let j = 0; j < w.columns; j++) sums[to + j]! += factor * w.data[from + j]!;
    }
  }
  const scales = w.scales.map((each) => scale * each);
  return floats([rows, w.columns], (i) => sums[i]! * scales[i % w.columns]!);
}

export const dynamicQuantizeLstm: Operator = {
  make(node) {
    const kind = kinds.LSTM;
    const settings = settingsOf(node, kind);
    const wantsSequence = (node.outputs[0] ?? '') !== '';
    if ((node.inputs[4] ?? '') !== '') node.refuse('sequence_lens');
    const kept = new Map<Value, readonly Int8Weights[]>();
    /** The weights of all directions, made once. */
    const weightsOf = (w: Value, scale: Value, zero: Value | undefined): readonly Int8Weights[] => {
      const made = kept.get(w) ?? settings.map((_, d) => int8Weights(w, scale, zero, d));
      if (kept.size < 2) kept.set(w, made);
      return made;
    };
    return ([x, w, r, b, , h0, c0, p, scaleW, zeroW, scaleR, zeroR]) => {
      const [time, batch, inputs] = x!.shape as [number, number, number];
      const units = r!.shape[1]!;
      if (w!.shape[1] !== inputs)
        throw new ArgumentError(`W expected [directions, ${inputs}, 4·units], got [${w!.shape}]`);
      const [kernels, recurrents] = [weightsOf(w!, scaleW!, zeroW), weightsOf(r!, scaleR!, zeroR)];
      const gateOrder = (t: Tensor): Tensor => ops.transpose(ordered(ops.transpose(t), kind));
      const runs = settings.map((own, d) => {
        const flat = product(x!.numbers, time * batch, kernels[d]!).tensor;
        const projected = ops.split(flat, time, 0);
        const [inputBias, recurrentBias] = b ? ops.split(directionOf(b.tensor, d), 2, 0) : [];
        const bias = inputBias && ordered(ops.add(inputBias, recurrentBias!), kind);
        // ONNX has the peepholes i o f.
        const [i, o, f] = p ? ops.split(ops.reshape(directionOf(p.tensor, d), [3, units]), 3, 0) : [];
        const peepholes = i && [i, f!, o!];
        let [h, c] = [h0, c0].map((state) => (state ? directionOf(state.tensor, d) : ops.zeros([batch, units]))) as [
          Tensor,
          Tensor,
        ];
        const outputs: Tensor[] = [];
        for (let step = 0; step < time; step++) {
          const t = own.direction === 'reverse' ? time - 1 - step : step;
          const both = gateOrder(ops.add(projected[t]!, product(h.toArray(), batch, recurrents[d]!).tensor));
          [h, c] = lstmStep(own, bias ? ops.add(both, bias) : both, c, peepholes);
          outputs[t] = h;
        }
        return { outputs, h, c };
      });
      const stacked = (parts: readonly Tensor[], axis: number): Value => Value.ofTensor(ops.stack(parts, axis));
      return [
        wantsSequence
          ? stacked(
              runs.map(({ outputs }) => ops.stack(outputs, 0)),
              1,
            )
          : undefined,
        stacked(
          runs.map(({ h }) => h),
          0,
        ),
        stacked(
          runs.map(({ c }) => c),
          0,
        ),
      ];
    };
  },
};
