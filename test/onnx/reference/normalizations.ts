// Normalizations in float64.
import { type Array64, build, element, type Operator64 } from './arrays.ts';

/** For each element, the mean and the variance of those that share its group. */
function statistics(x: Array64, groupOf: (index: readonly number[]) => string | number) {
  const groups = new Map<string | number, number[]>();
  build(x.dims, (index) => {
    const key = groupOf(index);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key)!.push(element(x, index));
    return 0;
  });
  const found = new Map(
    [...groups].map(([key, values]) => {
      const mean = values.reduce((total, value) => total + value, 0) / values.length;
      const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
      const square = values.reduce((total, value) => total + value ** 2, 0);
      const absolute = values.reduce((total, value) => total + Math.abs(value), 0);
      return [key, { mean, variance, square, absolute, count: values.length }] as const;
    }),
  );
  return (index: readonly number[]) => found.get(groupOf(index))!;
}

const axisOf = (axis: number, { dims }: Array64): number => (axis + dims.length) % dims.length;

const batchNormalization: Operator64 = ([x, scale, bias, mean, variance], { number }) => [
  build(x!.dims, (index) => {
    const c = index[1]!;
    const deviation = Math.sqrt(variance!.data[c]! + number('epsilon', 1e-5));
    return ((element(x!, index) - mean!.data[c]!) / deviation) * scale!.data[c]! + bias!.data[c]!;
  }),
];

const layerNormalization: Operator64 = ([x, scale, bias], { number }) => {
  const axis = axisOf(number('axis', -1), x!);
  const of = statistics(x!, (index) => index.slice(0, axis).join());
  const epsilon = number('epsilon', 1e-5);
  const stats = x!.dims.map((n, i) => (i < axis ? n : 1));
  return [
    build(x!.dims, (index) => {
      const { mean, variance } = of(index);
      const y = (element(x!, index) - mean) / Math.sqrt(variance + epsilon);
      return y * element(scale!, index) + (bias ? element(bias, index) : 0);
    }),
    build(stats, (index) => of(index).mean),
    build(stats, (index) => 1 / Math.sqrt(of(index).variance + epsilon)),
  ];
};

/** Groups of channels; the scale has one number a channel, or one a group before version 21. */
const groupNormalization =
  (isInstance: boolean): Operator64 =>
  ([x, scale, bias], { number, version }) => {
    const channels = x!.dims[1]!;
    const groups = isInstance ? channels : number('num_groups', 1);
    const groupOf = (index: readonly number[]): number => Math.floor(index[1]! / (channels / groups));
    const of = statistics(x!, (index) => `${index[0]}/${groupOf(index)}`);
    return [
      build(x!.dims, (index) => {
        const { mean, variance } = of(index);
        const c = !isInstance && version < 21 ? groupOf(index) : index[1]!;
        const y = (element(x!, index) - mean) / Math.sqrt(variance + number('epsilon', 1e-5));
        return y * scale!.data[c]! + bias!.data[c]!;
      }),
    ];
  };

const rmsNormalization: Operator64 = ([x, scale], { number }) => {
  const axis = axisOf(number('axis', -1), x!);
  const of = statistics(x!, (index) => index.slice(0, axis).join());
  return [
    build(x!.dims, (index) => {
      const { square, count } = of(index);
      return (element(x!, index) / Math.sqrt(square / count + number('epsilon', 1e-5))) * element(scale!, index);
    }),
  ];
};

const lpNormalization: Operator64 = ([x], { number }) => {
  const axis = axisOf(number('axis', -1), x!);
  const of = statistics(x!, (index) => index.toSpliced(axis, 1).join());
  return [
    build(x!.dims, (index) => {
      const { square, absolute } = of(index);
      return element(x!, index) / (number('p', 2) === 1 ? absolute : Math.sqrt(square));
    }),
  ];
};

const meanVariance: Operator64 = ([x], { list }) => {
  const axes = list('axes') ?? [0, 2, 3];
  const of = statistics(x!, (index) => index.filter((_, axis) => !axes.includes(axis)).join());
  return [
    build(x!.dims, (index) => {
      const { mean, variance } = of(index);
      return (element(x!, index) - mean) / (Math.sqrt(variance) + 1e-9);
    }),
  ];
};

export const normalizations: Readonly<Record<string, Operator64>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: groupNormalization(true),
  GroupNormalization: groupNormalization(false),
  RMSNormalization: rmsNormalization,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVariance,
};
