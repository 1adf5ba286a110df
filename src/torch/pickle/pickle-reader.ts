// Pickles of Python, protocols 0 to 5 (https://github.com/python/cpython/blob/main/Lib/pickletools.py tells each
// opcode). A pickle is a program for a stack machine. This machine makes values and runs nothing: what a name of Python
// stands for is decided by `Builders`.

import { textOfUtf8 } from '../../host/utf8.ts';
import { quote } from '../../io/parsed-json.ts';
import { PickledObject, type PickledValue } from './values.ts';

/** What names, calls and persistent ids of a pickle become. */
export interface Builders {
  /** The value of a name. Throws for one that is refused. */
  name(module: string, name: string): PickledValue;
  /** What `callable(*args)` gives. `spend` is to be called with the number of elements that are copied. */
  call(callable: PickledValue, args: readonly PickledValue[], spend: (count: number) => void): PickledValue;
  /** Gives attributes to an object. */
  build(object: PickledValue, state: PickledValue, spend: (count: number) => void): void;
  /** The value of a persistent id; without it they are refused. */
  persistent?(id: PickledValue): PickledValue;
}

/** A message for the caller, who knows the name of the file. */
export class PickleError extends Error {}

/** Why the bytes are not a pickle, or not one that is read. */
export const refuse = (message: string): never => {
  throw new PickleError(message);
};

const STOP = 46;

// Bounds that no file of a model comes near.
const MAX_STEPS = 16_000_000;
const MAX_NAME = 512;
const MAX_INTEGER_BYTES = 256;

/**
 * Runs one pickle.
 *
 * Steps and copies are counted, so that neither time nor memory grows faster than the file.
 *
 * @param bytes begin with the pickle.
 * @param from where it begins.
 * @returns its value, and where it ends.
 * @throws PickleError if it is not a pickle, or needs what is refused.
 */
export function readPickle(bytes: Uint8Array, from: number, builders: Builders): { value: PickledValue; end: number } {
  return new Machine(bytes, from, builders).run();
}

const isMap = (value: unknown): value is Map<PickledValue, PickledValue> => value instanceof Map;

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #builders: Builders;
  #at: number;
  #stack: PickledValue[] = [];
  #marks: number[] = [];
  readonly #memo = new Map<number, PickledValue>();
  #budget: number;

  constructor(bytes: Uint8Array, from: number, builders: Builders) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = from;
    this.#builders = builders;
    this.#budget = 1000 + 4 * (bytes.length - from);
  }

  run(): { value: PickledValue; end: number } {
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const code = this.#u8();
      if (code === STOP) return { value: this.#pop(), end: this.#at };
      const step = this.#steps[code] ?? refuse(`pickle: opcode ${code} is not supported`);
      step();
    }
    return refuse(`pickle: more than ${MAX_STEPS} steps`);
  }

  readonly #spend = (count: number): void => {
    this.#budget -= count;
    if (this.#budget < 0) refuse('pickle: it copies its values more often than a model does');
  };

  /** Moves on by `count` bytes, and returns where they begin. */
  #take(count: number): number {
    const at = this.#at;
    if (!(count <= this.#bytes.length - at)) refuse('pickle: it ends too early');
    this.#at = at + count;
    return at;
  }

  #u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #u64(): number {
    const size = this.#view.getBigUint64(this.#take(8), true);
    // A larger one reaches beyond any file.
    return Number(size);
  }

  #slice(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.slice(at, at + count);
  }

  #text(count: number): string {
    const at = this.#take(count);
    try {
      return textOfUtf8(this.#bytes.subarray(at, at + count));
    } catch {
      return refuse('pickle: text expected in UTF-8');
    }
  }

  /** Bytes as text, one character each: what Python 2 called a string. */
  #latin1(count: number): string {
    const at = this.#take(count);
    return latin1(this.#bytes.subarray(at, at + count));
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) refuse('pickle: it ends too early');
    const text = this.#latin1(end - this.#at);
    this.#at++;
    return text;
  }

  #push(value: PickledValue): void {
    this.#stack.push(value);
  }

  #pop(): PickledValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) refuse('pickle: its stack is empty');
    return this.#stack.pop()!;
  }

  #top(): PickledValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) refuse('pickle: its stack is empty');
    return this.#stack.at(-1)!;
  }

  /** Everything above the last mark, which is removed. */
  #popMark(): PickledValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) return refuse('pickle: a mark is missing');
    return this.#stack.splice(mark);
  }

  #popList(): readonly PickledValue[] {
    const args = this.#pop();
    return Array.isArray(args) ? args : refuse('pickle: arguments expected in a tuple');
  }

  #tuple(count: number): void {
    const items = Array.from({ length: count }, () => this.#pop());
    this.#push(items.reverse());
  }

  #append(items: readonly PickledValue[]): void {
    const list = this.#top();
    const to = Array.isArray(list) ? list : list instanceof PickledObject ? list.items : undefined;
    if (to) for (const item of items) to.push(item);
    else if (list instanceof Set) for (const item of items) list.add(item);
    else refuse('pickle: items expected for a list');
  }

  #put(items: readonly PickledValue[]): void {
    const map = this.#top();
    const isObject = map instanceof PickledObject;
    if (!(isObject || isMap(map)) || items.length % 2 !== 0) refuse('pickle: keys and values expected for a dict');
    const to = isObject ? map.entries : (map as Map<PickledValue, PickledValue>);
    for (let i = 0; i < items.length; i += 2) to.set(items[i]!, items[i + 1]!);
  }

  #remember(index: number): void {
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) refuse(`pickle: there is no value ${index} in its memo`);
    this.#push(value!);
  }

  #index(): number {
    const index = Number(this.#line());
    return Number.isSafeInteger(index) && index >= 0 ? index : refuse('pickle: a memo expected a whole number');
  }

  #name(module: PickledValue, name: PickledValue): PickledValue {
    if (typeof module !== 'string' || typeof name !== 'string') return refuse('pickle: a name expected to be text');
    if (module.length + name.length > MAX_NAME) refuse(`pickle: a name has more than ${MAX_NAME} characters`);
    return this.#builders.name(module, name);
  }

  #call(callable: PickledValue, args: readonly PickledValue[]): void {
    this.#push(this.#builders.call(callable, args, this.#spend));
  }

  #persistent(id: PickledValue): void {
    const { persistent } = this.#builders;
    this.#push(persistent ? persistent(id) : refuse('pickle: it refers to data outside of it'));
  }

  /** An integer of `count` bytes, little-endian, signed. */
  #long(count: number): void {
    if (count > MAX_INTEGER_BYTES) refuse(`pickle: an integer of ${count} bytes`);
    const at = this.#take(count);
    let value = 0n;
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i]!);
    this.#push(shortest(BigInt.asIntN(8 * count, value)));
  }

  #integerOf(line: string): PickledValue {
    const digits = line.trim().replace(/L$/, '');
    if (digits.length > 3 * MAX_INTEGER_BYTES || !/^[+-]?\d+$/.test(digits)) {
      return refuse(`pickle: expected an integer, got ${quote(digits)}`);
    }
    return shortest(BigInt(digits));
  }

  #integerLine(): void {
    const line = this.#line();
    this.#push(line === '00' ? false : line === '01' ? true : this.#integerOf(line));
  }

  /** A callable and the tuple of its arguments, on top of the stack. */
  #apply(): void {
    const args = this.#popList();
    this.#call(this.#pop(), args);
  }

  #inst(): void {
    const callable = this.#nameOfLines();
    this.#call(callable, this.#popMark());
  }

  #obj(): void {
    const [callable, ...args] = this.#popMark();
    this.#call(callable ?? refuse('pickle: a class is missing'), args);
  }

  #nameOfLines(): PickledValue {
    const module = this.#line();
    return this.#name(module, this.#line());
  }

  #nameOfStack(): PickledValue {
    const name = this.#pop();
    return this.#name(this.#pop(), name);
  }

  #setItem(): void {
    const value = this.#pop();
    this.#put([this.#pop(), value]);
  }

  #dict(): void {
    const items = this.#popMark();
    this.#push(new Map());
    this.#put(items);
  }

  #build(): void {
    const state = this.#pop();
    this.#builders.build(this.#top(), state, this.#spend);
  }

  #drop(): void {
    // A mark on top goes, as in Python.
    if (this.#stack.length === this.#marks.at(-1)) this.#marks.pop();
    else this.#pop();
  }

  #protocol(): void {
    const protocol = this.#u8();
    if (protocol > 5) refuse(`pickle: protocol ${protocol} is not known`);
  }

  // The opcodes by their numbers. Python's names stand behind them.
  readonly #steps: Readonly<Record<number, () => void>> = {
    128: () => this.#protocol(), // PROTO
    149: () => void this.#take(8), // FRAME
    40: () => void this.#marks.push(this.#stack.length), // MARK
    48: () => this.#drop(), // POP
    49: () => void this.#popMark(), // POP_MARK
    50: () => this.#push(this.#top()), // DUP
    78: () => this.#push(null), // NONE
    136: () => this.#push(true), // NEWTRUE
    137: () => this.#push(false), // NEWFALSE
    73: () => this.#integerLine(), // INT
    76: () => this.#push(this.#integerOf(this.#line())), // LONG
    74: () => this.#push(this.#view.getInt32(this.#take(4), true)), // BININT
    75: () => this.#push(this.#u8()), // BININT1
    77: () => this.#push(this.#view.getUint16(this.#take(2), true)), // BININT2
    138: () => this.#long(this.#u8()), // LONG1
    139: () => this.#long(this.#u32()), // LONG4
    70: () => this.#push(floatOf(this.#line())), // FLOAT
    71: () => this.#push(this.#view.getFloat64(this.#take(8))), // BINFLOAT, big-endian
    83: () => this.#push(quoted(this.#line())), // STRING
    84: () => this.#push(this.#latin1(this.#u32())), // BINSTRING
    85: () => this.#push(this.#latin1(this.#u8())), // SHORT_BINSTRING
    86: () => this.#push(unescaped(this.#line())), // UNICODE
    88: () => this.#push(this.#text(this.#u32())), // BINUNICODE
    140: () => this.#push(this.#text(this.#u8())), // SHORT_BINUNICODE
    141: () => this.#push(this.#text(this.#u64())), // BINUNICODE8
    66: () => this.#push(this.#slice(this.#u32())), // BINBYTES
    67: () => this.#push(this.#slice(this.#u8())), // SHORT_BINBYTES
    142: () => this.#push(this.#slice(this.#u64())), // BINBYTES8
    150: () => this.#push(this.#slice(this.#u64())), // BYTEARRAY8
    41: () => this.#push([]), // EMPTY_TUPLE
    93: () => this.#push([]), // EMPTY_LIST
    125: () => this.#push(new Map()), // EMPTY_DICT
    143: () => this.#push(new Set()), // EMPTY_SET
    133: () => this.#tuple(1), // TUPLE1
    134: () => this.#tuple(2), // TUPLE2
    135: () => this.#tuple(3), // TUPLE3
    116: () => this.#push(this.#popMark()), // TUPLE
    108: () => this.#push(this.#popMark()), // LIST
    100: () => this.#dict(), // DICT
    145: () => this.#push(new Set(this.#popMark())), // FROZENSET
    97: () => this.#append([this.#pop()]), // APPEND
    101: () => this.#append(this.#popMark()), // APPENDS
    144: () => this.#append(this.#popMark()), // ADDITEMS
    115: () => this.#setItem(), // SETITEM
    117: () => this.#put(this.#popMark()), // SETITEMS
    99: () => this.#push(this.#nameOfLines()), // GLOBAL
    147: () => this.#push(this.#nameOfStack()), // STACK_GLOBAL
    82: () => this.#apply(), // REDUCE
    129: () => this.#apply(), // NEWOBJ
    146: () => {
      this.#pop();
      this.#apply();
    }, // NEWOBJ_EX
    105: () => this.#inst(), // INST
    111: () => this.#obj(), // OBJ
    98: () => this.#build(), // BUILD
    80: () => this.#persistent(this.#line()), // PERSID
    81: () => this.#persistent(this.#pop()), // BINPERSID
    112: () => this.#remember(this.#index()), // PUT
    113: () => this.#remember(this.#u8()), // BINPUT
    114: () => this.#remember(this.#u32()), // LONG_BINPUT
    148: () => this.#remember(this.#memo.size), // MEMOIZE
    103: () => this.#recall(this.#index()), // GET
    104: () => this.#recall(this.#u8()), // BINGET
    106: () => this.#recall(this.#u32()), // LONG_BINGET
  };
}

const shortest = (value: bigint): number | bigint =>
  BigInt.asIntN(54, value) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;

function floatOf(line: string): number {
  const text = line.trim();
  const special = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY }[text];
  const value = special ?? (text === '' ? undefined : Number(text));
  if (value === undefined || (special === undefined && Number.isNaN(value))) {
    return refuse(`pickle: expected a number, got ${quote(text)}`);
  }
  return value;
}

/** Bytes as text, one character each. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  // Few enough arguments for one call.
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

/** A string between quotes, as `repr` of Python writes it. */
function quoted(line: string): string {
  const text = line.trim();
  const [first] = text;
  if (text.length < 2 || (first !== "'" && first !== '"') || text.at(-1) !== first) {
    return refuse(`pickle: expected text in quotes, got ${quote(text)}`);
  }
  const plain: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
  return text
    .slice(1, -1)
    .replace(/\\(x([0-9a-f]{2})|(.))/gi, (_, _all, hex, one) =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (plain[one] ?? one),
    );
}

/** Text with \u escapes. */
const unescaped = (line: string): string =>
  line.replace(/\\u([0-9a-f]{4})|\\U([0-9a-f]{8})/gi, (all, short, long) => {
    const code = Number.parseInt(short ?? long, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
