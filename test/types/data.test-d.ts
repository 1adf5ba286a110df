// Types of arrays, weights and ops. `npm run typecheck` checks them.
import {
  dense,
  lstm,
  model,
  type NdArray,
  type NestedNumbers,
  ndarray,
  ops,
  sequential,
  type Tensor,
} from '../../src/index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const network = sequential([dense({ units: 2, inputShape: [1] })]);

// Predictions are taken apart as they come.
export const [[next, afterNext]] = network.predict([[10]]).toNested();
export const text = next.toFixed(2);
export const sum: number = next + afterNext;
export const rows: number[][] = network.predict([[10]]).toNested();
for (const [value] of network.predict([[10]]).toNested()) Math.round(value);
// The first four of a row are there, so that `noUncheckedIndexedAccess` asks nothing of them.
const nested = network.predict([[10]]).toNested();
export const four: readonly [unknown, unknown, unknown, unknown, ...unknown[]] = nested;
const known = network.predict([[10]]).toNested<number[][]>();
same<typeof known, number[][]>(true);
const asked = network.predict([[10]]).toNested<NestedNumbers>();
same<typeof asked, NestedNumbers>(true);
export const refusedNumber =
  // @ts-expect-error: nested numbers may be an array.
  asked + 1;

// Arrays keep the kind of their numbers.
const array = ndarray(new Int32Array(6), [2, 3]);
same<ReturnType<typeof array.row>, NdArray<Int32Array<ArrayBuffer>>>(true);
export const part: NdArray<Int32Array> = array.slice([0, 1], null, -1);
export const place: number = array.argMax();
export const places: NdArray<Int32Array> = array.argMax(-1);
// @ts-expect-error: a range has a start and an end.
array.slice([0, 1, 2]);

// Weights go out of one model and into another, nested or flat.
const weights: NdArray<Float32Array>[] = network.getWeights();
network.setWeights(weights);
network.layers[0]!.setWeights([[[1, 2]], new Float32Array(2)]);

// States of a layer inside a model are a tuple.
export const encoder = model({ layers: { read: lstm({ units: 2, returnState: true }) } }, (x: Tensor, { read }) => {
  const [y, h, c] = read(x);
  return ops.add(ops.mul(2, y), ops.sub(h, c));
});

// Parts are as many as the call says.
declare const tensor: Tensor;
const halves = ops.split(tensor, 2);
same<typeof halves, [Tensor, Tensor]>(true);
const unequal = ops.split(tensor, [1, 2, 3], 0);
same<typeof unequal, [Tensor, Tensor, Tensor]>(true);
declare const count: number;
const some = ops.split(tensor, count);
same<typeof some, Tensor[]>(true);
const lengths = [1, 2];
const listed = ops.split(tensor, lengths);
same<typeof listed, Tensor[]>(true);
const many = ops.split(tensor, 1000);
same<typeof many, Tensor[]>(true);

// Numbers are no text, and text is no numbers.
network.predict([new Float32Array(1), [2]]);
export const refusedText = [
  // @ts-expect-error: a word.
  () => network.predict('hello'),
  // @ts-expect-error: words in a list.
  () => network.predict([['a', 'b']]),
  // @ts-expect-error: a word among numbers.
  () => network.fit([[1]], ['a']),
];

// @ts-expect-error: one of the two is a tensor, and neither is a word.
ops.add('1', 2);
