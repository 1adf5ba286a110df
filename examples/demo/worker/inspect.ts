// Computes the activated gates and the states of a recurrent layer at every step of a sequence, from the weights of the
// layer.
import { type Layer, type Model, ops, type Tensor, tensor } from 'tapeloop';
import type { CellName } from '../protocol.ts';

/** Each quantity of a cell, `[T, H]`, row-major. */
export type Quantities = Record<string, Float32Array<ArrayBuffer>>;

const cells: Record<string, CellName> = { LSTM: 'lstm', GRU: 'gru', SimpleRNN: 'rnn' };

export const cellOf = (layer: { className: string }): CellName | undefined => cells[layer.className];

export const recurrentLayersOf = (model: Model): Layer[] => model.layers.filter((layer) => cellOf(layer)) as Layer[];

/**
 * Gates and states of one recurrent layer of a character model while it reads a text from zero states.
 *
 * h comes from the layer itself. The rest follows without a scan: a gate at step t depends on x_t and h_{t−1}, and both
 * are known.
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
  const [kernel, recurrentKernel, bias] = layer.weights;
  const h = plain(y);
  const earlier = new Float32Array(h.length);
  earlier.set(h.subarray(0, h.length - units), units);
  const before = tensor(earlier, { shape: [time, units], engine: y.engine });
  const read = ops.reshape(x, [time, x.shape[2]!]);

  if (cellOf(layer) === 'lstm') {
    const sums = ops.add(ops.linear(read, kernel!, bias), ops.matmul(before, recurrentKernel!));
    const [atI, atF, atG, atO] = ops.split(sums, 4) as [Tensor, Tensor, Tensor, Tensor];
    const [i, f, o] = [plain(ops.sigmoid(atI)), plain(ops.sigmoid(atF)), plain(ops.sigmoid(atO))];
    const g = plain(ops.tanh(atG));
    const c = new Float32Array(h.length);
    for (let at = 0; at < c.length; at++) c[at] = f[at]! * (c[at - units] ?? 0) + i[at]! * g[at]!;
    return { i, f, o, g, c, h };
  }
  // A GRU with one bias is of the older kind and has another candidate. This page makes no such GRU.
  if (cellOf(layer) === 'gru' && bias?.shape[0] === 2) {
    const [ofInput, ofState] = ops.split(bias.tensor, 2, 0).map((row) => ops.squeeze(row, 0)) as [Tensor, Tensor];
    const input = ops.split(ops.linear(read, kernel!, ofInput), 3);
    const state = ops.split(ops.linear(before, recurrentKernel!, ofState), 3);
    const z = ops.sigmoid(ops.add(input[0]!, state[0]!));
    const r = ops.sigmoid(ops.add(input[1]!, state[1]!));
    const g = ops.tanh(ops.add(input[2]!, ops.mul(r, state[2]!)));
    return { z: plain(z), r: plain(r), g: plain(g), h };
  }
  return { h };
}

const plain = (x: Tensor): Float32Array<ArrayBuffer> => x.toArray() as Float32Array<ArrayBuffer>;
