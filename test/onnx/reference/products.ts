// Products, softmax and scaled integers in float64.
import { type Array64, build, element, type Operator64, sum, together } from './arrays.ts';

const turned = (x: Array64): Array64 => build([x.dims[1]!, x.dims[0]!], ([i, j]) => element(x, [j!, i!]));

function product(a: Array64, b: Array64): Array64 {
  const left = a.dims.length === 1 ? { ...a, dims: [1, ...a.dims] } : a;
  const right = b.dims.length === 1 ? { ...b, dims: [...b.dims, 1] } : b;
  const leading = together(left.dims.slice(0, -2), right.dims.slice(0, -2));
  const [m, k, n] = [left.dims.at(-2)!, left.dims.at(-1)!, right.dims.at(-1)!];
  const y = build([...leading, m, n], (index) => {
    const [batch, i, j] = [index.slice(0, -2), index.at(-2)!, index.at(-1)!];
    return sum([k], ([p]) => element(left, [...batch, i, p!]) * element(right, [...batch, p!, j]));
  });
  const dims = [...leading, ...(a.dims.length === 1 ? [] : [m]), ...(b.dims.length === 1 ? [] : [n])];
  return { ...y, dims };
}

const gemm: Operator64 = ([a, b, c], { number }) => {
  const y = product(number('transA', 0) ? turned(a!) : a!, number('transB', 0) ? turned(b!) : b!);
  const [alpha, beta] = [number('alpha', 1), number('beta', 1)];
  return [build(y.dims, (index) => alpha * element(y, index) + (c ? beta * element(c, index) : 0))];
};

/** Sums over every letter that the result has not, one after the other. Knows no ellipsis. */
const einsum: Operator64 = (inputs, { text }) => {
  const [from, to] = text('equation', '').replaceAll(' ', '').split('->') as [string, string];
  const terms = from.split(',');
  const lengths = new Map<string, number>();
  terms.forEach((term, i) => {
    [...term].forEach((letter, axis) => {
      lengths.set(letter, inputs[i]!.dims[axis]!);
    });
  });
  const gone = [...lengths.keys()].filter((letter) => !to.includes(letter));
  const dimsOf = (letters: readonly string[]): number[] => letters.map((letter) => lengths.get(letter)!);
  return [
    build(dimsOf([...to]), (kept) =>
      sum(dimsOf(gone), (summed) => {
        const at = (letter: string): number =>
          to.includes(letter) ? kept[to.indexOf(letter)]! : summed[gone.indexOf(letter)]!;
        return terms.reduce((whole, term, i) => whole * element(inputs[i]!, [...term].map(at)), 1);
      }),
    ),
  ];
};

const softmax =
  (isLog: boolean): Operator64 =>
  ([x], { version, number }) => {
    const isOld = version < 13;
    const axis = (number('axis', isOld ? 1 : -1) + x!.dims.length) % x!.dims.length;
    // Before version 13 the axes from one on are one.
    const along = x!.dims.map((n, i) => ((isOld ? i >= axis : i === axis) ? n : 1));
    const moved = (index: readonly number[], by: readonly number[]): number[] =>
      index.map((i, at) => ((isOld ? at >= axis : at === axis) ? by[at]! : i));
    return [
      build(x!.dims, (index) => {
        const total = sum(along, (by) => Math.exp(element(x!, moved(index, by))));
        const value = element(x!, index);
        return isLog ? value - Math.log(total) : Math.exp(value) / total;
      }),
    ];
  };

const dequantize: Operator64 = ([q, scale, zero], { number }) => [
  build(q!.dims, (index) => {
    const of = ({ data }: Array64): number => data[data.length === 1 ? 0 : index[number('axis', 1)]!]!;
    return (element(q!, index) - (zero ? of(zero) : 0)) * of(scale!);
  }),
];

export const products: Readonly<Record<string, Operator64>> = {
  DequantizeLinear: dequantize,
  MatMul: ([a, b]) => [product(a!, b!)],
  Gemm: gemm,
  Einsum: einsum,
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
};
