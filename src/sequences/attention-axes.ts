import type { Tensor } from '../autograd/tensor.ts';
import { sizeOf } from '../checks/shape.ts';
import { broadcastTo } from '../ops/shapes/broadcast.ts';
import { reshape, transpose } from '../ops/shapes/layout.ts';

/**
 * Attention over any axes as attention over one. The axes of attention, A, are joined to one. The other axes, O, join
 * the batch: attention is by itself at each of their places.
 */
export class AttentionAxes {
  /** The axes of attention. */
  readonly over: readonly number[];
  /** The axes between batch and features along which places do not see each other. */
  readonly others: readonly number[];
  readonly #order: readonly number[];

  /** @param over default: all axes but the first and the last of `rank`. */
  constructor(rank: number, over?: readonly number[]) {
    const inner = Array.from({ length: Math.max(rank - 2, 1) }, (_, i) => i + 1);
    this.over = over ?? inner;
    this.others = inner.filter((axis) => !this.over.includes(axis));
    this.#order = [0, ...this.others, ...this.over];
  }

  /** The numbers of axes of an attention mask: `[B, …A, …A]` for all heads and places, or `[B, …O, N, …A, …A]`. */
  get maskRanks(): readonly [number, number] {
    const { length } = this.over;
    return [1 + 2 * length, 2 + this.others.length + 2 * length];
  }

  /** Lengths of the axes of attention. */
  lengthsOf = ({ shape }: Tensor): number[] => this.over.map((axis) => shape[axis]!);
  /** Lengths of batch and other axes. */
  placesOf = ({ shape }: Tensor): number[] => [shape[0]!, ...this.others.map((axis) => shape[axis]!)];

  /** `[B·O, A, …]` of x `[B, …, …]`. */
  fold = (x: Tensor): Tensor => {
    if (this.#order.length === 2) return x;
    const rest = x.shape.slice(this.#order.length);
    const order = [...this.#order, ...rest.map((_, i) => this.#order.length + i)];
    return reshape(transpose(x, order), [sizeOf(this.placesOf(x)), sizeOf(this.lengthsOf(x)), ...rest]);
  };

  /** `[B·O, A]` of the mask of x, which may have the leading axes only. */
  foldMask(mask: Tensor | undefined, x: Tensor): Tensor | undefined {
    const shape = x.shape.slice(0, -1);
    return (
      mask &&
      this.fold(
        broadcastTo(
          reshape(
            mask,
            shape.map((_, axis) => mask.shape[axis] ?? 1),
          ),
          shape,
        ),
      )
    );
  }

  /** `[B·O, N, Aq, Av]` of an attention mask, in which an axis may have length 1. */
  foldAttention(mask: Tensor, heads: number, query: Tensor, key: Tensor): Tensor {
    const [places, queries, keys] = [this.placesOf(query), this.lengthsOf(query), this.lengthsOf(key)];
    const [fewer, all] = this.maskRanks;
    const shape =
      mask.shape.length === all ? mask.shape : mask.shape.toSpliced(1, 0, ...new Array(all - fewer).fill(1));
    const each = broadcastTo(reshape(mask, shape), [...places, heads, ...queries, ...keys]);
    return reshape(each, [sizeOf(places), heads, sizeOf(queries), sizeOf(keys)]);
  }

  /** The opposite of `fold` for y `[B·O, Aq, …]` of a query: `[B, …, …]`. */
  unfold(y: Tensor, query: Tensor): Tensor {
    const rest = y.shape.slice(2);
    const apart = reshape(y, [...this.placesOf(query), ...this.lengthsOf(query), ...rest]);
    const back = apart.shape.map((_, axis) => (axis < this.#order.length ? this.#order.indexOf(axis) : axis));
    return transpose(apart, back);
  }
}
