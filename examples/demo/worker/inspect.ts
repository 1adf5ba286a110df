// What a recurrent layer does at every step of a sequence: its activated gates and its states, from its own weights.
import { type Layer, type Model, ops, type Tensor, tensor } from 'tapeloop';
import type { CellName } from '../protocol.ts';

/** For each quantity of a cell `[T, H]`, row-major. */
export type Quantities = Record<string, Float32Array<ArrayBuffer>>;

const cells: Record<string, CellName> = { LSTM: 'lstm', GRU: 'gru', SimpleRNN: 'rnn' };

export const cellOf = (layer: { className: string }): CellName | undefined => cells[layer.className];

export const recurrentLayersOf = (model: Model): Layer[] => model.layers.filter((layer) => cellOf(layer)) as Layer[];

/**
 * Gates and states of one recurrent layer of a character model as it reads a text from zero states.
 *
 * h comes from the layer itself. All the rest follows from it without a scan, for what a gate saw at step t is x_t and
 * h_{t−1}, and both are known by then.
 *
 * @param ids `[T]`
 * @param index which recurrent layer, counted from 0.
 * @returns LSTM i f o g c h, GRU z r g h, RNN h; the caller's own.
 */
export function inspectText(model: Model, ids: ArrayLike<number>, index: number): Quantities {
  return model.engine.step(() =>
    model.withFreshStates(() => {
      const [first, ...others] = model.layers as Layer[];
      let x = first!(tensor(ids, { shape: [1, ids.length], dtype: 'i32', engine: model.engine }));
      let recurrent = 0;
      for (const layer of others) {
        const y = layer(x);
        if (cellOf(layer) && recurrent++ === index) return inspectLayer(layer, x, y);
        x = y;
      }
      throw new RangeError(`inspectText: index expected below ${recurrent}, got ${index}`);
    }),
  );
}

/** @param x `[1, T, I]`, what the layer read; @param y `[1, T, H]`, the h that it gave. */
function inspectLayer(layer: Layer, x: Tensor, y: Tensor): Quantities {
  const [, time, units] = y.shape as [number, number, number];
  const h = y.toArray() as Float32Array<ArrayBuffer>;
  const [kernel, recurrentKernel, bias] = layer.weights;
  const width = kernel!.shape[1]!;
  const { engine } = y;

  const earlier = new Float32Array(h.length);
  earlier.set(h.subarray(0, h.length - units), units);
  const before = tensor(earlier, { shape: [time, units], engine });
  const rows = ops.reshape(x, [time, x.shape[2]!]);
  /** `[T, H]` of one gate from all gates' `[T, G·H]`. */
  const gate = (of: Tensor, index: number): Tensor => {
    const all = of.toArray();
    const values = new Float32Array(time * units);
    for (let t = 0; t < time; t++) {
      const at = t * width + index * units;
      values.set(all.subarray(at, at + units), t * units);
    }
    return tensor(values, { shape: [time, units], engine });
  };
  const plain = (of: Tensor): Float32Array<ArrayBuffer> => of.toArray() as Float32Array<ArrayBuffer>;

  if (cellOf(layer) === 'lstm') {
    const sums = ops.add(ops.linear(rows, kernel!, bias), ops.matmul(before, recurrentKernel!));
    const sigmoid = (index: number) => plain(ops.sigmoid(gate(sums, index)));
    const [i, f, o] = [sigmoid(0), sigmoid(1), sigmoid(3)];
    const g = plain(ops.tanh(gate(sums, 2)));
    const c = new Float32Array(h.length);
    for (let at = 0; at < c.length; at++) c[at] = f[at]! * (c[at - units] ?? 0) + i[at]! * g[at]!;
    return { i, f, o, g, c, h };
  }
  // A GRU with one bias is of the older kind, whose candidate is another; this page makes none.
  if (cellOf(layer) === 'gru' && bias?.shape[0] === 2) {
    const values = bias.toArray();
    const biasRow = (row: number) => tensor(values.slice(row * width, (row + 1) * width), { shape: [width], engine });
    const input = ops.linear(rows, kernel!, biasRow(0));
    const recurrent = ops.linear(before, recurrentKernel!, biasRow(1));
    const sigmoid = (index: number) => ops.sigmoid(ops.add(gate(input, index), gate(recurrent, index)));
    const [z, r] = [sigmoid(0), sigmoid(1)];
    const g = ops.tanh(ops.add(gate(input, 2), ops.mul(r, gate(recurrent, 2))));
    return { z: plain(z), r: plain(r), g: plain(g), h };
  }
  return { h };
}
