import { ArgumentError, shown } from '../checks/argument-error.ts';
import { formatShape, sizeOf } from '../checks/shape.ts';
import { argmax, NdArray, type NumberArray, type SliceRange } from './array.ts';

/** See `NdArray.slice`. */
function slice<D extends NumberArray>(this: NdArray<D>, ...ranges: readonly SliceRange[]): NdArray<D> {
  const { data, shape } = this;
  if (ranges.length > shape.length) {
    throw new ArgumentError(`slice: expected ${shape.length} ranges at most, got ${ranges.length}`);
  }
  let places = [0];
  const kept = ranges.flatMap((range, axis): number[] => {
    const length = shape[axis]!;
    const isIndex = typeof range === 'number';
    if (!isIndex && range !== null && !Array.isArray(range)) {
      throw new ArgumentError(`slice: axis ${axis} expected [from, to], an index or null, got ${shown(range)}`);
    }
    const [from = 0, to = length] = isIndex ? [range, range + 1 || length] : (range ?? []);
    const [first, end] = [from, to].map((index) => (index < 0 ? index + length : index)) as [number, number];
    if (!(Number.isInteger(first) && Number.isInteger(end) && first >= 0 && end >= first + +isIndex && end <= length)) {
      const got = isIndex ? range : formatShape(range as readonly number[]);
      throw new ArgumentError(
        `slice: axis ${axis} of ${formatShape(shape)} expected a range or an index within it, got ${got}`,
      );
    }
    places = places.flatMap((place) => Array.from({ length: end - first }, (_, i) => place * length + first + i));
    return isIndex ? [] : [end - first];
  });
  const rest = shape.slice(ranges.length);
  const inner = sizeOf(rest);
  const Kind = (ArrayBuffer.isView(data) ? data.constructor : Array) as new (length: number) => Float32Array;
  const copy = new Kind(places.length * inner);
  places.forEach((place, i) => {
    for (let k = 0; k < inner; k++) copy[i * inner + k] = data[place * inner + k]!;
  });
  return new NdArray(copy as NumberArray as D, [...kept, ...rest]);
}

/** See `NdArray.argMax`. */
function argMax(this: NdArray, axis?: number): number | NdArray<Int32Array> {
  const { data, shape } = this;
  const at = axis === undefined || axis >= 0 ? axis : axis + shape.length;
  if (at !== undefined && !(at in shape)) {
    throw new ArgumentError(`argMax: expected an axis of ${formatShape(shape)}, got ${shown(axis)}`);
  }
  const length = at === undefined ? data.length : shape[at]!;
  if (length === 0) throw new ArgumentError(`argMax: expected a number or more, got ${formatShape(shape)}`);
  if (at === undefined) return argmax(data, 0, length);
  const inner = sizeOf(shape.slice(at + 1));
  const places = new Int32Array(data.length / length);
  return new NdArray(
    places.map((_, i) => argmax(data, i + Math.floor(i / inner) * inner * (length - 1), length, inner)),
    shape.toSpliced(at, 1),
  );
}

function row<D extends NumberArray>(this: NdArray<D>, i: number): NdArray<D> {
  if (typeof i !== 'number') throw new ArgumentError(`row: i expected a number, got ${shown(i)}`);
  return this.slice(i);
}

/** Adds methods to a class, not enumerable, so that apps that do not need them do not carry them. */
export function addTo(type: { prototype: object }, methods: object): void {
  const descriptors = Object.getOwnPropertyDescriptors(methods);
  for (const each of Object.values(descriptors)) each.enumerable = false;
  Object.defineProperties(type.prototype, descriptors);
}

/**
 * Adds `row`, `slice` and `argMax` to arrays. They are not part of the class, so that an app of `tapeloop/lean` does
 * not carry them.
 */
export function addArrayMethods(): void {
  addTo(NdArray, { row, slice, argMax });
}
