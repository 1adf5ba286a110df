// Resizing, and blocks of pixels as channels, in float64.
import { type Array64, build, each, element, type Operator64 } from './arrays.ts';

/** What each output of one axis reads, with weights. */
type Reads = readonly (readonly [place: number, weight: number])[][];

interface Axis {
  readonly input: number;
  readonly output: number;
  readonly scale: number;
  readonly mode: string;
  readonly transform: string;
}

const sourceOf = (i: number, { transform, scale, input, output }: Axis): number => {
  if (transform === 'asymmetric') return i / scale;
  if (transform === 'align_corners') return (i * (input - 1)) / Math.max(output - 1, 1);
  return (i + 0.5) / scale - 0.5;
};

const cubic = (distance: number, a = -0.75): number => {
  const d = Math.abs(distance);
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * (d ** 3 - 5 * d ** 2 + 8 * d - 4) : 0;
};

function readsOf(axis: Axis): Reads {
  const { mode, input, output, transform } = axis;
  const inside = (place: number): number => Math.min(Math.max(place, 0), input - 1);
  return Array.from({ length: output }, (_, i) => {
    const x = sourceOf(i, axis);
    if (mode === 'nearest') {
      const nearest = transform === 'asymmetric' ? Math.floor(x) : Math.ceil(x - 0.5);
      return [[inside(nearest), 1] as const];
    }
    const reach = mode === 'linear' ? 1 : 2;
    const weight = mode === 'linear' ? (d: number) => Math.max(1 - Math.abs(d), 0) : cubic;
    return Array.from({ length: 2 * reach }, (_, j) => {
      const place = Math.floor(x) - reach + 1 + j;
      return [inside(place), weight(place - x)] as const;
    });
  });
}

function resized(x: Array64, axes: readonly Axis[]): Array64 {
  const reads = axes.map(readsOf);
  return build(
    axes.map(({ output }) => output),
    (index) => {
      const own = index.map((i, axis) => reads[axis]![i]!);
      let total = 0;
      each(
        own.map(({ length }) => length),
        (which) => {
          const taps = which.map((j, axis) => own[axis]![j]!);
          total +=
            taps.reduce((product, [, weight]) => product * weight, 1) *
            element(
              x,
              taps.map(([place]) => place),
            );
        },
      );
      return total;
    },
  );
}

/** Of half pixels unless told otherwise; `nearest` prefers the lower one. */
const resize: Operator64 = ([x, , scales, sizes], { text }) => [
  resized(
    x!,
    x!.dims.map((input, i) => {
      const output = sizes ? sizes.data[i]! : Math.floor(input * scales!.data[i]!);
      const scale = sizes ? output / input : scales!.data[i]!;
      const transform = text('coordinate_transformation_mode', 'half_pixel');
      return { input, output, scale, transform, mode: text('mode', 'nearest') };
    }),
  ),
];

const upsample: Operator64 = ([x, scales], { text, list }) => [
  resized(
    x!,
    x!.dims.map((input, i) => {
      const scale = (list('scales') ?? scales!.data)[i]!;
      return {
        input,
        output: Math.floor(input * scale),
        scale,
        transform: 'asymmetric',
        mode: text('mode', 'nearest'),
      };
    }),
  ),
];

const depthToSpace: Operator64 = ([x], { number, text }) => {
  const [b, isColumns] = [number('blocksize', 1), text('mode', 'DCR') === 'DCR'];
  const [n, c, h, w] = x!.dims as [number, number, number, number];
  const depth = c / b ** 2;
  return [
    build([n, depth, h * b, w * b], ([i, d, y, z]) => {
      const block = (y! % b) * b + (z! % b);
      const channel = isColumns ? block * depth + d! : d! * b ** 2 + block;
      return element(x!, [i!, channel, Math.floor(y! / b), Math.floor(z! / b)]);
    }),
  ];
};

const spaceToDepth: Operator64 = ([x], { number }) => {
  const b = number('blocksize', 1);
  const [n, c, h, w] = x!.dims as [number, number, number, number];
  return [
    build([n, c * b ** 2, h / b, w / b], ([i, d, y, z]) => {
      const block = Math.floor(d! / c);
      return element(x!, [i!, d! % c, y! * b + Math.floor(block / b), z! * b + (block % b)]);
    }),
  ];
};

export const images: Readonly<Record<string, Operator64>> = {
  Resize: resize,
  Upsample: upsample,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
