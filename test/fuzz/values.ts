// Values that JSON cannot express, written in JSON: `made` turns an object whose only key is `$` into the value.
import type { Random } from './random.ts';
import type { Plain } from './target.ts';

const typedArrays = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
} as const;

function detached(): Float32Array {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

function cyclic(): unknown[] {
  const list: unknown[] = [1];
  list.push(list);
  return list;
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

const specials: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  '-Infinity': () => Number.NEGATIVE_INFINITY,
  '-0': () => -0,
  bigint: () => 3n,
  function: () => () => 1,
  date: () => new Date(0),
  map: () => new Map([[1, 2]]),
  set: () => new Set([1, 2]),
  promise: () => Promise.resolve(1),
  detached,
  cyclic,
  cyclicObject: () => {
    const object: Record<string, unknown> = { a: 1 };
    object.self = object;
    return object;
  },
  deep: () => deep(20_000),
  holes: () => new Array(3),
  BigInt64Array: () => BigInt64Array.of(1n, 2n),
  BigUint64Array: () => BigUint64Array.of(1n, 2n),
  buffer: () => new ArrayBuffer(8),
  view: () => new DataView(new ArrayBuffer(8)),
  arguments: () => ({ length: 2, 0: 1, 1: 2 }),
  lengthOnly: () => ({ length: 2 ** 32 }),
  error: () => new Error('odd'),
  boxed: () => Object(5),
};

/** Odd values as JSON. */
const odd: readonly Plain[] = [
  ...Object.keys(specials).map((name) => ({ $: name })),
  ...Object.keys(typedArrays).flatMap((name) => [{ $: `${name} 1 2 3` }, { $: name }]),
  ...[0, 1, 2, 3, 5, -1, -3, 0.5, 1e-40, 1e-7, 1e39, 1e300, 2 ** 53, 1000],
  ...[
    '',
    ' ',
    '3',
    'abc',
    'NaN',
    '__proto__',
    'constructor',
    'toString',
    'relu',
    'same',
    '\u{1f600}',
    '\ud800',
    'a'.repeat(300),
  ],
  ...[
    null,
    true,
    false,
    [],
    [[]],
    {},
    [0],
    [1, 2, 3],
    [[1, 2], [3]],
    [
      [1, 2],
      [3, 4],
    ],
    [null],
    ['a'],
    [1, 'a'],
    [[1], 2],
    [-1],
    [1.5],
  ],
  ...[{ a: 1 }, { length: 3 }, { name: 'x' }, { x: [1], y: [2] }, { data: [1], shape: [1] }],
];

export const oddValue = (random: Random): Plain => random.pick(odd);

/**
 * Where memory is asked for, numbers of which no host has as much, too; elsewhere they are a wish that takes long to
 * come true.
 */
export const oddOrHuge = (random: Random): Plain =>
  random.chance(0.05) ? random.pick([65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32]) : oddValue(random);

/** What a file of JSON may hold. */
const oddJson: readonly Plain[] = [
  ...odd.filter((value) => !JSON.stringify(value).includes('"$"')),
  ...[{ toString: null }, { valueOf: 5 }, { __proto__: null }, [[[[[[[[1]]]]]]]]],
];

export const oddJsonValue = (random: Random): Plain => random.pick(oddJson);

const isTag = (value: object): value is { $: string } => typeof (value as { $?: unknown }).$ === 'string';

/**
 * What the JSON stands for, made anew each time.
 *
 * @param make what other tags stand for: the word behind `$`, and the object that it stands in.
 */
export function made(value: Plain, make?: (tag: string, whole: { [key: string]: Plain }) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((part) => made(part, make));
  if (isTag(value)) {
    const special = Object.hasOwn(specials, value.$) ? specials[value.$] : undefined;
    if (special) return special();
    const [kind, ...numbers] = value.$.split(' ');
    if (Object.hasOwn(typedArrays, kind!))
      return new typedArrays[kind as keyof typeof typedArrays](numbers.map(Number));
    return make?.(value.$, value);
  }
  const object: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) {
    // As JSON.parse does it: a key of this name is a key.
    Object.defineProperty(object, key, {
      value: made(part, make),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return object;
}

/**
 * `value` with an odd value, which `make` gives, in the place of one of its parts, at any depth, or for a key that it
 * lacks, or without one of its parts.
 */
export function spoilt(value: Plain, random: Random, make = oddValue): Plain {
  if (typeof value !== 'object' || value === null || isTag(value)) return make(random);
  const keys = Object.keys(value);
  if (Array.isArray(value)) {
    const at = random.below(value.length + 1);
    if (at === value.length) return [...value, make(random)];
    if (random.chance(0.1)) return value.toSpliced(at, 1);
    return value.with(at, random.chance(0.3) ? make(random) : spoilt(value[at]!, random, make));
  }
  const key = keys[random.below(keys.length + 1)];
  if (key === undefined) return { ...value, [random.pick(['extra', 'unitz', '__proto_', 'x'])]: make(random) };
  const { [key]: part, ...rest } = value;
  if (random.chance(0.1)) return rest;
  return { ...value, [key]: random.chance(0.3) ? make(random) : spoilt(part!, random, make) };
}
