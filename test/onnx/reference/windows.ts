// Convolutions and pooling of any rank in float64.
import { type Array64, type Attributes, build, each, element, type Operator64, sizeOf, sum } from './arrays.ts';

interface Axis {
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  readonly outputs: number;
}

function axesOf({ number, list, text }: Attributes, kernel: readonly number[], lengths: readonly number[]): Axis[] {
  const mode = text('auto_pad', 'NOTSET');
  return kernel.map((taps, i) => {
    const [stride, dilation] = [list('strides')?.[i] ?? 1, list('dilations')?.[i] ?? 1];
    const span = (taps - 1) * dilation + 1;
    let [before, after] = [list('pads')?.[i] ?? 0, list('pads')?.[i + kernel.length] ?? 0];
    if (mode.startsWith('SAME')) {
      const zeros = Math.max((Math.ceil(lengths[i]! / stride) - 1) * stride + span - lengths[i]!, 0);
      const [less, more] = [Math.floor(zeros / 2), Math.ceil(zeros / 2)];
      [before, after] = mode === 'SAME_UPPER' ? [less, more] : [more, less];
    }
    const steps = (lengths[i]! + before + after - span) / stride;
    let outputs = (number('ceil_mode', 0) ? Math.ceil(steps) : Math.floor(steps)) + 1;
    if ((outputs - 1) * stride >= lengths[i]! + before) outputs--;
    return { taps, stride, dilation, before, after, outputs };
  });
}

/** Where tap `tap` of window `window` reads. */
const placeOf = (axes: readonly Axis[], window: readonly number[], tap: readonly number[]): number[] =>
  axes.map(({ stride, dilation, before }, i) => window[i]! * stride + tap[i]! * dilation - before);
const isIn = (place: readonly number[], lengths: readonly number[]): boolean =>
  place.every((n, i) => n >= 0 && n < lengths[i]!);

const conv: Operator64 = ([x, w, b], attributes) => {
  const [batch, , ...lengths] = x!.dims as [number, number, ...number[]];
  const [outputs, depth, ...kernel] = w!.dims as [number, number, ...number[]];
  const axes = axesOf(attributes, kernel, lengths);
  const perGroup = outputs / attributes.number('group', 1);
  return [
    build([batch, outputs, ...axes.map((axis) => axis.outputs)], ([n, o, ...window]) => {
      const first = Math.floor(o! / perGroup) * depth;
      const total = sum([depth, ...kernel], ([c, ...tap]) => {
        const place = placeOf(axes, window, tap);
        return isIn(place, lengths) ? element(x!, [n!, first + c!, ...place]) * element(w!, [o!, c!, ...tap]) : 0;
      });
      return total + (b?.data[o!] ?? 0);
    }),
  ];
};

/** Adds what each input gives to the places that it reaches. Knows pads, not auto_pad. */
const convTranspose: Operator64 = ([x, w, b], { number, list }) => {
  const [batch, channels, ...lengths] = x!.dims as [number, number, ...number[]];
  const [, perGroup, ...kernel] = w!.dims as [number, number, ...number[]];
  const groups = number('group', 1);
  const axes = kernel.map((taps, i) => {
    const [stride, dilation] = [list('strides')?.[i] ?? 1, list('dilations')?.[i] ?? 1];
    const [before, after] = [list('pads')?.[i] ?? 0, list('pads')?.[i + kernel.length] ?? 0];
    const full = (lengths[i]! - 1) * stride + (taps - 1) * dilation + 1 + (list('output_padding')?.[i] ?? 0);
    return { stride, dilation, before, outputs: full - before - after };
  });
  const shape = axes.map(({ outputs }) => outputs);
  const y = build([batch, perGroup * groups, ...shape], ([, o]) => b?.data[o!] ?? 0);
  const area = sizeOf(shape);
  each([...x!.dims, perGroup, ...kernel], (index) => {
    const [n, c, ...rest] = index as [number, number, ...number[]];
    const [from, [o, ...tap]] = [rest.slice(0, lengths.length), rest.slice(lengths.length) as [number, ...number[]]];
    const to = axes.map(({ stride, dilation, before }, i) => from[i]! * stride + tap[i]! * dilation - before);
    if (!isIn(to, shape)) return;
    const plane = n * perGroup * groups + Math.floor(c / (channels / groups)) * perGroup + o;
    const place = to.reduce((at, i, axis) => at * shape[axis]! + i, 0);
    y.data[plane * area + place]! += element(x!, [n, c, ...from]) * element(w!, [c, o, ...tap]);
  });
  return [y];
};

const pool =
  (isMax: boolean): Operator64 =>
  ([x], attributes) => {
    const [batch, channels, ...lengths] = x!.dims as [number, number, ...number[]];
    const kernel = attributes.list('kernel_shape')!;
    const axes = axesOf(attributes, kernel, lengths);
    const counts = attributes.number('count_include_pad', 0) !== 0;
    return [
      build([batch, channels, ...axes.map(({ outputs }) => outputs)], ([n, c, ...window]) => {
        let [total, count, most] = [0, 0, Number.NEGATIVE_INFINITY];
        each(kernel, (tap) => {
          const place = placeOf(axes, window, tap);
          if (place.every((at, i) => at < lengths[i]! + axes[i]!.after) && counts) count++;
          if (!isIn(place, lengths)) return;
          const value = element(x!, [n!, c!, ...place]);
          if (!counts) count++;
          total += value;
          most = Math.max(most, value);
        });
        return isMax ? most : total / count;
      }),
    ];
  };

const globalPool =
  (of: (all: Float64Array) => number): Operator64 =>
  ([x]) => {
    const area = sizeOf(x!.dims.slice(2));
    const dims = x!.dims.map((n, axis) => (axis < 2 ? n : 1));
    const plane = (i: number): Array64['data'] => x!.data.subarray(i * area, (i + 1) * area);
    return [build(dims, ([n, c]) => of(plane(n! * x!.dims[1]! + c!)))];
  };

export const windows: Readonly<Record<string, Operator64>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool(true),
  AveragePool: pool(false),
  GlobalAveragePool: globalPool((all) => all.reduce((total, value) => total + value, 0) / all.length),
  GlobalMaxPool: globalPool((all) => Math.max(...all)),
};
