// Resize and Upsample. @see https://onnx.ai/onnx/operators/onnx__Resize.html

import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import * as ops from '../../ops/index.ts';
import type { NodeView, Operator } from '../graph/node.ts';
import { sizeOf, spend } from '../graph/room.ts';
import { Value } from '../graph/value.ts';
import { axisOf } from './broadcast.ts';

/** Which inputs an output of one axis reads, and with what weights: `count` of each for every output. */
interface Taps {
  readonly places: readonly number[];
  readonly weights: readonly number[];
  readonly count: number;
  /** Outputs that lie outside the region of interest. */
  readonly outside: readonly boolean[];
}

interface Settings {
  readonly mode: string;
  readonly transform: string;
  readonly nearest: string;
  readonly cubic: number;
  readonly excludesOutside: boolean;
  readonly antialias: boolean;
  readonly extrapolation: number;
}

function settingsOf(node: NodeView): Settings {
  const transforms = [
    ...(['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'] as const),
    ...(['half_pixel_symmetric', 'tf_crop_and_resize', 'tf_half_pixel_for_nn'] as const),
  ] as const;
  const isOld = node.version < 11;
  return {
    mode: node.choice('mode', ['nearest', 'linear', 'cubic'], 'nearest'),
    transform: node.choice('coordinate_transformation_mode', transforms, isOld ? 'asymmetric' : 'half_pixel'),
    nearest: node.choice(
      'nearest_mode',
      ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'],
      isOld ? 'floor' : 'round_prefer_floor',
    ),
    cubic: node.float('cubic_coeff_a', -0.75),
    excludesOutside: node.flag('exclude_outside'),
    antialias: node.flag('antialias'),
    extrapolation: node.float('extrapolation_value', 0),
  };
}

/** The place in the input that output i stands for. */
function sourceOf(
  i: number,
  input: number,
  output: number,
  scale: number,
  how: string,
  roi: readonly [number, number],
): number {
  switch (how) {
    case 'half_pixel':
      return (i + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return output > 1 ? (i + 0.5) / scale - 0.5 : 0;
    case 'align_corners':
      return output > 1 ? (i * (input - 1)) / (scale * input - 1) : 0;
    case 'asymmetric':
      return i / scale;
    case 'tf_half_pixel_for_nn':
      return (i + 0.5) / scale;
    case 'half_pixel_symmetric': {
      const adjustment = output / (scale * input);
      return (input / 2) * (1 - adjustment) + (i + 0.5) / scale - 0.5;
    }
    default:
      return output > 1
        ? roi[0] * (input - 1) + (i * (roi[1] - roi[0]) * (input - 1)) / (output - 1)
        : 0.5 * (roi[0] + roi[1]) * (input - 1);
  }
}

function nearestOf(x: number, how: string): number {
  if (how === 'floor') return Math.floor(x);
  if (how === 'ceil') return Math.ceil(x);
  const isHalf = x - Math.floor(x) === 0.5;
  if (isHalf) return how === 'round_prefer_floor' ? Math.floor(x) : Math.ceil(x);
  return Math.round(x);
}

/** The weight of an input at a distance, for linear and cubic interpolation. */
function kernelOf({ mode, cubic: a }: Settings): (distance: number) => number {
  if (mode === 'linear') return (d) => Math.max(1 - Math.abs(d), 0);
  return (d) => {
    const t = Math.abs(d);
    if (t <= 1) return (a + 2) * t ** 3 - (a + 3) * t ** 2 + 1;
    return t < 2 ? a * t ** 3 - 5 * a * t ** 2 + 8 * a * t - 4 * a : 0;
  };
}

/** What a tap costs, in elements that a kernel computes. */
const WORK_OF_TAP = 64;

function tapsOf(
  settings: Settings,
  input: number,
  output: number,
  scale: number,
  roi: readonly [number, number],
): Taps {
  const { mode, transform, nearest, excludesOutside, antialias } = settings;
  spend(WORK_OF_TAP * output + sizeOf([output, input]));
  const sources = Array.from({ length: output }, (_, i) => sourceOf(i, input, output, scale, transform, roi));
  const outside = sources.map((x) => transform === 'tf_crop_and_resize' && (x < 0 || x > input - 1));
  const clamped = (place: number): number => Math.min(Math.max(place, 0), input - 1);
  if (mode === 'nearest') {
    return {
      places: sources.map((x) => clamped(nearestOf(x, nearest))),
      weights: sources.map(() => 1),
      count: 1,
      outside,
    };
  }
  const kernel = kernelOf(settings);
  const stretch = antialias && scale < 1 ? scale : 1;
  const reach = Math.ceil((mode === 'linear' ? 1 : 2) / stretch);
  const count = 2 * reach;
  spend(WORK_OF_TAP * sizeOf([output, count]));
  const [places, weights]: [number[], number[]] = [[], []];
  for (const x of sources) {
    const first = Math.floor(x) - reach + 1;
    const own = Array.from({ length: count }, (_, j) => kernel((first + j - x) * stretch));
    const isInside = (j: number): boolean => first + j >= 0 && first + j < input;
    const kept = own.map((weight, j) => (excludesOutside && !isInside(j) ? 0 : weight));
    const total = kept.reduce((sum, weight) => sum + weight, 0);
    const isScaled = excludesOutside || antialias;
    kept.forEach((weight, j) => {
      places.push(clamped(first + j));
      weights.push(isScaled ? weight / total : weight);
    });
  }
  return { places, weights, count, outside };
}

/** The matrix `[input, output]` of one axis. */
function matrixOf({ places, weights, count }: Taps, input: number, output: number): Tensor {
  const matrix = ops.zeros([input, output]);
  const view = matrix.dataView();
  places.forEach((place, i) => {
    view[place * output + Math.floor(i / count)]! += weights[i]!;
  });
  return matrix;
}

/** x along one axis, as a product with a matrix. */
function along(x: Tensor, axis: number, taps: Taps, output: number): Tensor {
  const axes = [...x.shape.keys()];
  const last = axes.length - 1;
  const order = axis === last ? axes : [...axes.filter((each) => each !== axis), axis];
  const turned = axis === last ? x : ops.transpose(x, order);
  const input = x.shape[axis]!;
  const rows = ops.reshape(turned, [x.size / input, input]);
  const y = ops.reshape(ops.linear(rows, matrixOf(taps, input, output)), [...turned.shape.slice(0, -1), output]);
  return axis === last
    ? y
    : ops.transpose(
        y,
        axes.map((each) => order.indexOf(each)),
      );
}

function resized(
  x: Value,
  settings: Settings,
  lengths: readonly number[],
  scales: readonly number[],
  roi: readonly (readonly [number, number])[],
): Value {
  const all = x.shape.map((input, axis) => tapsOf(settings, input, lengths[axis]!, scales[axis]!, roi[axis]!));
  let y = x.tensor;
  x.shape.forEach((input, axis) => {
    const isSame =
      lengths[axis] === input && all[axis]!.places.every((place, i) => place === i) && all[axis]!.count === 1;
    const isKept = lengths[axis] === input && scales[axis] === 1 && settings.transform !== 'tf_crop_and_resize';
    if (!isSame && !isKept) y = along(y, axis, all[axis]!, lengths[axis]!);
  });
  if (all.some(({ outside }) => outside.includes(true))) {
    const mask = all.reduce<Tensor | undefined>((sum, { outside }, axis) => {
      const own = ops.zeros(x.shape.map((_, each) => (each === axis ? outside.length : 1)));
      own.dataView().set(outside.map(Number));
      return sum ? ops.maximum(sum, own) : own;
    }, undefined)!;
    const whole = ops.broadcastTo(mask, lengths);
    y = ops.where(whole, settings.extrapolation, y);
  }
  return Value.ofTensor(y, x.type);
}

const resize: Operator = {
  shapeFrom: [1, 2, 3],
  make(node) {
    const settings = settingsOf(node);
    const axesGiven = node.ints('axes');
    const policy = node.choice('keep_aspect_ratio_policy', ['stretch', 'not_larger', 'not_smaller'], 'stretch');
    return (inputs) => {
      const [x] = inputs as [Value];
      const [roi, scales, sizes] = node.version < 11 ? [undefined, inputs[1], undefined] : inputs.slice(1);
      const { shape } = x;
      const axes = (axesGiven ?? [...shape.keys()]).map((axis) => axisOf(axis, shape.length));
      const given = (list: Value | undefined): number[] | undefined =>
        list && list.size > 0 ? [...list.numbers] : undefined;
      const [wanted, factors, region] = [given(sizes), given(scales), given(roi)];
      if (!wanted && !factors) throw new ArgumentError('scales or sizes expected');
      let ratios = wanted?.map((n, i) => n / shape[axes[i]!]!);
      if (ratios && policy !== 'stretch') {
        const one = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
        ratios = ratios.map(() => one);
      }
      const scaleOf = shape.map((_, axis) => {
        const i = axes.indexOf(axis);
        return i < 0 ? 1 : (factors ?? ratios)![i]!;
      });
      const lengths = shape.map((n, axis) => {
        const i = axes.indexOf(axis);
        if (i < 0) return n;
        if (!wanted) return Math.floor(n * factors![i]!);
        return policy === 'stretch' ? wanted[i]! : Math.round(n * ratios![i]!);
      });
      const regions = shape.map((_, axis): readonly [number, number] => {
        const i = axes.indexOf(axis);
        return region && i >= 0 ? [region[i]!, region[i + axes.length]!] : [0, 1];
      });
      return resized(x, settings, lengths, scaleOf, regions);
    };
  },
};

const upsample: Operator = {
  shapeFrom: [1],
  make(node) {
    const mode = node.choice('mode', ['nearest', 'linear', 'bilinear'], 'nearest');
    const fixed = node.floats('scales');
    const settings: Settings = {
      mode: mode === 'bilinear' ? 'linear' : mode,
      ...{ transform: 'asymmetric', nearest: 'floor', cubic: -0.75 },
      ...{ excludesOutside: false, antialias: false, extrapolation: 0 },
    };
    return ([x, scales]) => {
      const factors = fixed ?? [...scales!.numbers];
      const lengths = x!.shape.map((n, axis) => Math.floor(n * factors[axis]!));
      return resized(
        x!,
        settings,
        lengths,
        factors,
        x!.shape.map(() => [0, 1] as const),
      );
    };
  },
};

export const resizes: Readonly<Record<string, Operator>> = { Resize: resize, Upsample: upsample };
