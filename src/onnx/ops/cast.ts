// From one element type to another.
import { type ElementType, hostArray, isFloat, toBfloat16, toFloat16 } from '../format/element-types.ts';
import type { NodeView, Operator } from '../graph/node.ts';
import { Value } from '../graph/value.ts';
import { mapped } from './mapped.ts';

/** Makes values of another type. Integers cut off towards 0 and wrap around; a boolean is whether it is not 0. */
export function castTo(x: Value, type: ElementType): Value {
  if (x.type === type) return x;
  if (type === 'string')
    return Value.ofHost(
      'string',
      x.shape,
      Array.from(x.numbers, (n) => textOfNumber(n, x.type)),
    );
  if (x.type === 'string') {
    const data = hostArray(type, x.size);
    (x.host as string[]).forEach((text, i) => {
      data[i] = Number(text.replace(/^([+-]?)inf(inity)?$/i, '$1Infinity'));
    });
    return Value.ofHost(type, x.shape, data);
  }
  // Floats are computed as float32. Rounding to 16 bits hands the gradient on.
  if (!x.isHost && isFloat(type)) {
    const rounded = type === 'float16' ? toFloat16 : type === 'bfloat16' ? toBfloat16 : undefined;
    return Value.ofTensor(rounded ? mapped(x.tensor, rounded, () => 1) : x.tensor, type);
  }
  const data = hostArray(type, x.size);
  const { numbers } = x;
  const convert = conversionTo(type, x.isFloat);
  for (let i = 0; i < data.length; i++) data[i] = convert(numbers[i]!);
  return Value.ofHost(type, x.shape, data);
}

function conversionTo(type: ElementType, isFromFloat: boolean): (x: number) => number {
  if (type === 'bool') return (x) => (x !== 0 ? 1 : 0);
  if (type === 'float16') return toFloat16;
  if (type === 'bfloat16') return toBfloat16;
  if (type === 'uint4') return (x) => Math.trunc(x) & 15;
  if (type === 'int4') return (x) => (Math.trunc(x) << 28) >> 28;
  return isFromFloat && !isFloat(type) ? Math.trunc : (x) => x;
}

/** A number as C prints it with %g and enough digits. */
function textOfNumber(x: number, type: ElementType): string {
  if (Number.isNaN(x)) return 'NaN';
  if (!Number.isFinite(x)) return x > 0 ? 'INF' : '-INF';
  return isFloat(type) ? String(Number(Math.fround(x).toPrecision(8))) : String(x);
}

/** A cast, to the type of an attribute or of another value. */
const cast = (typeOf: (node: NodeView) => (like: Value | undefined) => ElementType): Operator => ({
  make(node) {
    node.int('saturate', 1);
    node.string('round_mode', '');
    const type = typeOf(node);
    return ([x, like]) => castTo(x!, type(like));
  },
});

export const casts: Readonly<Record<string, Operator>> = {
  Cast: cast((node) => {
    const to = node.type('to', 1);
    return () => to;
  }),
  CastLike: cast(() => (like) => like!.type),
};
