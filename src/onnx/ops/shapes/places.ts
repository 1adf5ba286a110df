// Moving elements: by their places in the array that is read.
import { anyArray, type HostData } from '../../format/element-types.ts';
import { sizeOf } from '../../graph/room.ts';
import { Value } from '../../graph/value.ts';
import { picked } from '../mapped.ts';

/** Elements of an array by their places; `otherwise` where a place is −1. */
export function pickHost(
  x: Value,
  places: ArrayLike<number>,
  shape: readonly number[],
  otherwise: number | string = 0,
): Value {
  const from = x.host as ArrayLike<number | string>;
  const data = anyArray(x.type, places.length);
  for (let i = 0; i < places.length; i++) data[i] = places[i]! < 0 ? otherwise : from[places[i]!]!;
  return Value.ofHost(x.type, shape, data as HostData);
}

/** The same of either kind of value. */
export function pick(x: Value, places: Int32Array, shape: readonly number[], otherwise = 0): Value {
  return x.isHost
    ? pickHost(x, places, shape, otherwise)
    : Value.ofTensor(picked(x.tensor, places, shape, otherwise), x.type);
}

/** Places of the elements of `shape` in order, for the given steps along its axes, from `first` on. */
export function placesOf(shape: readonly number[], steps: readonly number[], first = 0): Int32Array {
  const places = new Int32Array(sizeOf(shape));
  let made = 1;
  if (places.length === 0) return places;
  places[0] = first;
  // From the last axis on, what exists is repeated along the next axis.
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    for (let i = 1; i < shape[axis]!; i++) {
      for (let j = 0; j < made; j++) places[i * made + j] = places[j]! + i * steps[axis]!;
    }
    made *= shape[axis]!;
  }
  return places;
}

/** Keeps the places that were computed last: most runs of a node ask for those of the run before. */
export function keptPlaces(): (key: string, make: () => Int32Array) => Int32Array {
  let last = '';
  let places: Int32Array = new Int32Array(0);
  return (key, make) => {
    if (key !== last) [last, places] = [key, make()];
    return places;
  };
}

/** Joins arrays along an axis. */
export function joinHost(values: readonly Value[], at: number): Value {
  const [first] = values as [Value];
  const lengths = values.map(({ shape }) => shape[at]!);
  const shape = first.shape.with(
    at,
    lengths.reduce((sum, n) => sum + n, 0),
  );
  const outer = sizeOf(shape.slice(0, at));
  const inner = sizeOf(shape.slice(at + 1));
  const data = anyArray(first.type, sizeOf(shape));
  let to = 0;
  for (let o = 0; o < outer; o++) {
    values.forEach(({ host }, i) => {
      const count = lengths[i]! * inner;
      for (let j = 0; j < count; j++) data[to++] = host[o * count + j]!;
    });
  }
  return Value.ofHost(first.type, shape, data as HostData);
}

/** Places of the parts `ids` along an axis of `shape`, with all that is before and behind the axis. */
export function axisPlaces(shape: readonly number[], at: number, ids: ArrayLike<number>): Int32Array {
  const [outer, length, inner] = [sizeOf(shape.slice(0, at)), shape[at]!, sizeOf(shape.slice(at + 1))];
  const places = new Int32Array(sizeOf([outer, ids.length, inner]));
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < ids.length; j++) {
      for (let i = 0; i < inner; i++) places[to++] = (o * length + ids[j]!) * inner + i;
    }
  }
  return places;
}
