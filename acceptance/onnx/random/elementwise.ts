// Draws nodes that work element by element, and those that compare and convert.
import { type Drawing, type Drawn, sizeOf } from './drawing.ts';

export type Draw = (drawing: Drawing) => boolean;

export const isFloat = (value: Drawn): boolean => value.type === 'float32';
export const sized = (value: Drawn): boolean => isFloat(value) && sizeOf(value.dims) > 0;
export const largest = ({ low, high }: Drawn): number => Math.max(Math.abs(low), Math.abs(high));

type Range = readonly [low: number, high: number];

interface Unary {
  readonly since?: number;
  readonly fits?: (x: Drawn) => boolean;
  readonly attributes?: (drawing: Drawing) => Record<string, number>;
  readonly range: (low: number, high: number) => Range;
  readonly keepsBits?: true;
}

const monotone =
  (f: (x: number) => number) =>
  (low: number, high: number): Range => [f(low), f(high)];
const within = (low: number, high: number) => (): Range => [low, high];
const same = (low: number, high: number): Range => [low, high];
/** A factor of at most 2 on either side. */
const wide = (low: number, high: number): Range => [Math.min(2 * low, -2), Math.max(2 * high, 2)];
const isSmall = (x: Drawn): boolean => largest(x) <= 3;
const isPositive = ({ low }: Drawn): boolean => low >= 0.05;

const unary: Readonly<Record<string, Unary>> = {
  Neg: { range: (low, high) => [-high, -low], keepsBits: true },
  Abs: { range: (low, high) => [low > 0 ? low : 0, Math.max(-low, high)], keepsBits: true },
  Identity: { range: same, keepsBits: true },
  Relu: { range: (low, high) => [Math.max(low, 0), Math.max(high, 0)], keepsBits: true },
  Sigmoid: { range: within(0, 1) },
  Tanh: { range: within(-1, 1) },
  Softplus: { range: (_, high) => [0, Math.max(high, 0) + 1] },
  Softsign: { range: within(-1, 1) },
  Elu: { range: wide, attributes: (d) => ({ alpha: d.uniform(0.5, 1.5) }) },
  LeakyRelu: { range: wide, attributes: (d) => ({ alpha: d.uniform(-0.5, 0.5) }) },
  Selu: { range: wide },
  Celu: { since: 12, range: wide, attributes: (d) => ({ alpha: d.uniform(0.5, 1.5) }) },
  ThresholdedRelu: {
    since: 10,
    range: wide,
    fits: (x) => x.isExact,
    attributes: (d) => ({ alpha: d.uniform(0.2, 1) }),
  },
  HardSigmoid: { range: within(0, 1), attributes: (d) => ({ alpha: d.uniform(0.1, 0.5), beta: d.uniform(0.2, 0.7) }) },
  HardSwish: { since: 14, range: wide },
  Mish: { since: 18, range: wide },
  Gelu: { since: 20, range: wide },
  Shrink: {
    since: 9,
    range: wide,
    fits: (x) => x.isExact,
    attributes: (d) => ({ lambd: d.uniform(0.1, 0.8), bias: d.uniform(-0.5, 0.5) }),
  },
  Sin: { range: within(-1, 1) },
  Cos: { range: within(-1, 1) },
  Atan: { range: within(-1.6, 1.6) },
  Erf: { since: 9, range: within(-1, 1) },
  Asinh: { since: 9, range: monotone(Math.asinh) },
  Sinh: { since: 9, range: monotone(Math.sinh), fits: (x) => largest(x) <= 2 },
  Cosh: { since: 9, range: (low, high) => [1, Math.cosh(Math.max(-low, high))], fits: (x) => largest(x) <= 2 },
  Exp: { range: monotone(Math.exp), fits: isSmall },
  Log: { range: monotone(Math.log), fits: isPositive },
  Sqrt: { range: monotone(Math.sqrt), fits: isPositive },
  Reciprocal: { range: (low, high) => [1 / high, 1 / low], fits: ({ low }) => low >= 0.2 },
  Floor: { range: monotone(Math.floor), fits: (x) => x.isExact, keepsBits: true },
  Ceil: { range: monotone(Math.ceil), fits: (x) => x.isExact, keepsBits: true },
  Round: { since: 11, range: monotone(Math.round), fits: (x) => x.isExact, keepsBits: true },
  Sign: { since: 9, range: within(-1, 1), fits: (x) => x.isExact, keepsBits: true },
};

const drawUnary: Draw = (d) => {
  const [op, { since = 0, fits = () => true, attributes, range, keepsBits }] = d.pick(Object.entries(unary));
  const x = d.find((each) => isFloat(each) && fits(each));
  if (d.opset < since || !x) return false;
  const [low, high] = range(x.low, x.high);
  const isExact = x.isExact && keepsBits === true;
  const chosen = attributes && d.chance(0.7) ? attributes(d) : {};
  if (op === 'LeakyRelu' && (chosen.alpha ?? 0.01) < 0 && low > -2) chosen.alpha = 0.1;
  d.node(op, [x.name], chosen, [{ ...x, low, high, isExact }]);
  return true;
};

/** Dimensions that broadcast with `dims`. */
function fitting(d: Drawing, dims: readonly number[]): number[] {
  const kept = dims.slice(d.between(0, dims.length));
  return kept.map((n) => (d.chance(0.3) ? 1 : n));
}

export function broadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const dims = Array.from({ length: rank }, (_, i) => {
    const [m, n] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    return m === 1 ? n : n === 1 || n === m ? m : -1;
  });
  return dims.includes(-1) || sizeOf(dims) > 3000 ? undefined : dims;
}

/** A second operand: another value, or a constant. */
export function partner(
  d: Drawing,
  x: Drawn,
  low: number,
  high: number,
  fits: (y: Drawn) => boolean = () => true,
): Drawn {
  const found = d.chance(0.5)
    ? d.find((y) => y.type === x.type && broadcast(x.dims, y.dims) !== undefined && fits(y))
    : undefined;
  if (found) return found;
  const dims = fitting(d, x.dims);
  return { name: d.held(d.floats(dims, low, high)), dims, type: 'float32', low, high, isExact: true };
}

type Interval = (a: Drawn, b: Drawn) => Range;
const corners =
  (f: (x: number, y: number) => number): Interval =>
  (a, b) => {
    const all = [f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)];
    return [Math.min(...all), Math.max(...all)];
  };

const binary: Readonly<Record<string, Interval>> = {
  Add: corners((x, y) => x + y),
  Sub: corners((x, y) => x - y),
  Mul: corners((x, y) => x * y),
  Div: corners((x, y) => x / y),
  Pow: corners((x, y) => x ** y),
};

const drawBinary: Draw = (d) => {
  const [op, range] = d.pick(Object.entries(binary));
  const x = d.find((each) => isFloat(each) && (op !== 'Pow' || each.low >= 0.3));
  if (!x) return false;
  const isDivisor = op === 'Div';
  const y = partner(d, x, isDivisor ? 0.5 : -1.5, 2, (each) => !isDivisor || each.low >= 0.3);
  const [low, high] = range(x, y);
  const dims = broadcast(x.dims, y.dims)!;
  const isTurned = d.chance(0.5) && op !== 'Div' && op !== 'Pow';
  const names = isTurned ? [y.name, x.name] : [x.name, y.name];
  const turned: Range = isTurned && op === 'Sub' ? [-high, -low] : [low, high];
  d.node(op, names, {}, [
    { ...x, dims, low: turned[0], high: turned[1], isExact: x.isExact && y.isExact && op !== 'Pow' },
  ]);
  return true;
};

const drawVariadic: Draw = (d) => {
  const op = d.pick(['Max', 'Min', 'Sum', 'Mean']);
  const x = d.find(isFloat);
  if (!x || (d.opset < 8 && op !== 'Sum')) return false;
  const others = Array.from({ length: d.between(0, 2) }, () => partner(d, x, -1, 1));
  let dims: readonly number[] | undefined = x.dims;
  for (const other of others) dims = dims && broadcast(dims, other.dims);
  if (!dims || (d.opset < 8 && others.some((other) => other.dims.join() !== x.dims.join()))) return false;
  const all = [x, ...others];
  const bound = all.reduce((sum, each) => sum + largest(each), 0);
  const isExact = all.every((each) => each.isExact) && (op === 'Max' || op === 'Min');
  d.node(
    op,
    all.map(({ name }) => name),
    {},
    [{ ...x, dims, low: -bound, high: bound, isExact }],
  );
  return true;
};

const drawClip: Draw = (d) => {
  const x = d.find(isFloat);
  if (!x) return false;
  const [min, max] = [d.uniform(-1, 0), d.uniform(0.1, 1)];
  const [hasMin, hasMax] = [d.chance(0.8), d.chance(0.8)];
  const made = { ...x, low: hasMin ? min : x.low, high: hasMax ? max : x.high };
  const range = { ...made, low: Math.min(made.low, made.high), high: Math.max(made.low, made.high) };
  if (d.opset < 11) d.node('Clip', [x.name], { min: hasMin ? min : undefined, max: hasMax ? max : undefined }, [range]);
  else {
    const scalar = (value: number): string => d.held({ dims: [], data: Float32Array.of(value) });
    d.node('Clip', [x.name, hasMin ? scalar(min) : '', ...(hasMax ? [scalar(max)] : [])], {}, [range]);
  }
  return true;
};

const drawPRelu: Draw = (d) => {
  const x = d.find(isFloat);
  if (!x) return false;
  const dims = fitting(d, x.dims);
  d.node('PRelu', [x.name, d.held(d.floats(dims, -0.5, 0.5))], {}, [
    { ...x, low: Math.min(x.low, -largest(x)), high: Math.max(x.high, largest(x)), isExact: false },
  ]);
  return true;
};

const drawFmod: Draw = (d) => {
  const x = d.find((each) => isFloat(each) && each.isExact);
  if (!x || d.opset < 10) return false;
  const dims = fitting(d, x.dims);
  d.node('Mod', [x.name, d.held(d.floats(dims, 0.5, 2))], { fmod: 1 }, [{ ...x, low: -2, high: 2, isExact: false }]);
  return true;
};

const drawComparison: Draw = (d) => {
  const op = d.pick(['Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual', 'Equal']);
  const since = { Greater: 9, Less: 9, Equal: 11 }[op] ?? 12;
  const x = d.find((each) => isFloat(each) && each.isExact);
  if (!x || d.opset < since) return false;
  const y = partner(d, x, -1, 1, (each) => each.isExact);
  const dims = broadcast(x.dims, y.dims)!;
  d.node(op, [x.name, y.name], {}, [{ dims, type: 'bool', low: 0, high: 1, isExact: true }]);
  return true;
};

const drawLogic: Draw = (d) => {
  const x = d.find(({ type }) => type === 'bool');
  if (!x) return false;
  if (d.chance(0.3)) {
    d.node('Not', [x.name], {}, [x]);
    return true;
  }
  const y = d.find(({ type, dims }) => type === 'bool' && broadcast(x.dims, dims) !== undefined)!;
  d.node(d.pick(['And', 'Or', 'Xor']), [x.name, y.name], {}, [{ ...x, dims: broadcast(x.dims, y.dims)! }]);
  return true;
};

const drawWhere: Draw = (d) => {
  const mask = d.find(({ type }) => type === 'bool');
  const x = mask && d.find((each) => isFloat(each) && broadcast(each.dims, mask.dims) !== undefined);
  if (!x || d.opset < 9) return false;
  const y = partner(d, x, -1, 1);
  const dims = broadcast(broadcast(x.dims, y.dims)!, mask.dims);
  if (!dims) return false;
  const range = { low: Math.min(x.low, y.low), high: Math.max(x.high, y.high), isExact: x.isExact && y.isExact };
  d.node('Where', [mask.name, x.name, y.name], {}, [{ ...x, dims, ...range }]);
  return true;
};

const codes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 } as const;

const drawCast: Draw = (d) => {
  const to = d.pick(['float32', 'float32', 'int32', 'int64', 'bool', 'uint8'] as const);
  const x = d.find(
    (each) => (to === 'float32' ? each.type !== 'float32' : each.isExact) && (to !== 'uint8' || each.low >= 0),
  );
  if (!x || d.opset < 9) return false;
  const range = to === 'bool' ? { low: 0, high: 1 } : { low: Math.floor(x.low), high: Math.ceil(x.high) };
  if (to === 'uint8' && x.high > 255) return false;
  d.node('Cast', [x.name], { to: codes[to] }, [{ ...x, ...range, type: to }]);
  return true;
};

const drawIntegers: Draw = (d) => {
  const op = d.pick(['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Neg', 'Abs']);
  const x = d.find(({ type }) => type === 'int64' || type === 'int32');
  if (!x || largest(x) > 1000 || (op === 'Mod' && d.opset < 10)) return false;
  const bound = 8 * largest(x) + 8;
  const made = { ...x, low: op === 'Abs' ? 0 : -bound, high: bound };
  if (op === 'Neg' || op === 'Abs') d.node(op, [x.name], {}, [made]);
  else {
    const list = Array.from({ length: x.dims.at(-1) ?? 1 }, () => d.between(1, 7) * d.pick([1, -1]));
    const dims = x.dims.length > 0 ? [list.length] : [];
    const data = x.type === 'int64' ? BigInt64Array.from(list, BigInt) : Int32Array.from(list);
    d.node(op, [x.name, d.held({ dims, data })], {}, [made]);
  }
  return true;
};

export const elementwiseDraws: readonly (readonly [weight: number, Draw])[] = [
  [5, drawUnary],
  [4, drawBinary],
  [1, drawVariadic],
  [1, drawClip],
  [0.5, drawPRelu],
  [0.3, drawFmod],
  [1, drawComparison],
  [0.7, drawLogic],
  [1, drawWhere],
  [1, drawCast],
  [0.7, drawIntegers],
];
