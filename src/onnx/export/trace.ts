// What a network does with its inputs: the layers that have an operator of ONNX, and the ops between and inside the
// others, in the order in which they run.
import { openTape, valueAndGrad } from '../../autograd/tape.ts';
import { filled, Tensor } from '../../autograd/tensor.ts';
import { leavesOf, type Nested } from '../../data/nested.ts';
import type { AnyLayer, CallOptions } from '../../layers/base/layer.ts';

/** A layer that has run. */
export interface LayerCall {
  readonly layer: AnyLayer;
  readonly x: Nested<Tensor>;
  readonly options: CallOptions;
  readonly y: Nested<Tensor>;
}

/** An op that has run. An operand that is a number is undefined. */
export interface OpCall {
  readonly op: string;
  /** The innermost layer that has run it. */
  readonly layer: AnyLayer | undefined;
  readonly x: readonly (Tensor | undefined)[];
  readonly y: readonly Tensor[];
  /** Options of the call, of ops that tell them. */
  readonly options: Readonly<Record<string, unknown>>;
}

type Options = OpCall['options'];

export type Call = LayerCall | OpCall;

interface Hooked {
  call?(x: Nested<Tensor>, options: CallOptions): Nested<Tensor>;
}

/**
 * Runs `body` and returns what it has called. Of layers that are `whole` it returns the calls, not the ops inside. To be
 * called in a step, which owns the tensors.
 */
export function trace<T>(
  layers: readonly AnyLayer[],
  isWhole: (layer: AnyLayer) => boolean,
  body: () => T,
): { calls: readonly Call[]; result: T } {
  const calls: Call[] = [];
  /** The layers that run now, outermost first. */
  const running: AnyLayer[] = [];
  let isInside = false;
  let result: T;
  for (const layer of layers) {
    const hooked = layer as unknown as Hooked;
    const call = hooked.call!;
    const suppresses = isWhole(layer);
    hooked.call = (x, options) => {
      const wasInside = isInside;
      isInside ||= suppresses;
      running.push(layer);
      let y: Nested<Tensor>;
      try {
        y = call.call(hooked, x, options);
      } finally {
        running.pop();
        isInside = wasInside;
      }
      if (suppresses && !isInside) calls.push({ layer, x, options, y });
      return y;
    };
  }
  try {
    valueAndGrad(() => {
      const tape = openTape()!;
      // Every tensor counts as tracked, so that every op tells its inputs and outputs.
      tape.tracks = () => true;
      tape.append = ({ inputs: x, outputs: y, options = {} }) => {
        if (!isInside) calls.push({ op: y[0]!.name, layer: running.at(-1), x, y, options: options as Options });
      };
      result = body();
      tape.tracks = () => false;
      return filled([], 0);
    }, []);
  } finally {
    // The method of the class is found again.
    for (const layer of layers) delete (layer as unknown as Hooked).call;
  }
  return { calls: withoutPenalties(calls, leavesOf<Tensor>(result! as Nested<Tensor>, isTensor)), result: result! };
}

export const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/** The calls without ops whose only result is a number that nothing reads: penalties of outputs, which are for losses. */
function withoutPenalties(calls: readonly Call[], results: readonly Tensor[]): readonly Call[] {
  const places = (call: Call): number[] =>
    ('op' in call ? call.x : leavesOf<Tensor>(call.x, isTensor)).flatMap((x) => (x ? [x.ptr] : []));
  const read = new Map<number, number>();
  const count = (ptr: number, by: number): void => void read.set(ptr, (read.get(ptr) ?? 0) + by);
  for (const { ptr } of results) count(ptr, 1);
  for (const call of calls) for (const ptr of places(call)) count(ptr, 1);
  // From the end on, so that what computes a number that is left out is left out too.
  const unread = new Set<Call>();
  for (const call of calls.toReversed()) {
    const isUnread = 'op' in call && call.y.every(({ ptr }) => !read.get(ptr));
    const isPenalty = isUnread && (call.y[0]!.shape.length === 0 || call.y.some(({ ptr }) => read.get(ptr) === 0));
    if (!isPenalty) continue;
    unread.add(call);
    for (const ptr of places(call)) count(ptr, -1);
  }
  return calls.filter((call) => !unread.has(call));
}
