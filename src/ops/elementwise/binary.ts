// Ops of two operands, element by element, with NumPy's broadcasting: how the operands line up, and how gradients come
// back to their shapes.
import { tensorOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, expectF32, filled, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, isFloat32 } from '../../checks/argument-error.ts';
import { formatShape, type Shape, sameShape } from '../../checks/shape.ts';
import type { Ptr } from '../../engine/abi.ts';
import { memoryShape } from '../shapes/axis.ts';
import { inOrder } from '../shapes/layout.ts';
import { type Run, runsOf, sumRepeats } from '../shapes/runs.ts';

/** What a binary op takes: one of the two may be a number. */
export type Operand = Weight | number;

/** a and b, in the order of memory in which they line up with y; each has this place in the runs. */
export type Aligned = readonly [a: Tensor, b: Tensor, y: Tensor];

/** A run of nothing, in front of an only one. */
const ONE: Run = [0, 0, 0, 1];

/** With axes of length 1 in front. */
const padded = (shape: Shape, rank: number): number[] => [...Array<number>(rank - shape.length).fill(1), ...shape];

/**
 * What shapes repeat to together. Throws `ArgumentError` unless each axis, counted from the last, has one length
 * wherever it is not 1.
 */
export function commonShape(name: string, shapes: readonly Shape[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const full = shapes.map((shape) => padded(shape, rank));
  const common = full.reduce((whole, shape) => whole.map((n, axis) => (n === 1 ? shape[axis]! : n)));
  if (full.some((shape) => shape.some((n, axis) => n !== 1 && n !== common[axis]))) {
    const got = shapes.map(formatShape).join(' and ');
    throw new ArgumentError(`${name}: shapes expected to be equal from the last axis on, or 1, got ${got}`);
  }
  return common;
}

function align(name: string, left: Tensor, right: Tensor): [Aligned, runs: Run[]] {
  const like = right.size > left.size ? right : left;
  const { engine } = like;
  if (sameShape(left.shape, right.shape)) {
    const { shape, timeMajor, size } = left;
    const y = empty(shape, { name, timeMajor, engine });
    return [
      [left, inOrder(right, timeMajor), y],
      [ONE, [1, 1, 1, size]],
    ];
  }
  const rank = Math.max(left.shape.length, right.shape.length);
  const timeMajor = like.timeMajor && like.shape.length === rank;
  const shape = commonShape(name, [left.shape, right.shape]);
  const [shapeA, shapeB] = [padded(left.shape, rank), padded(right.shape, rank)];
  // An axis of length 1 in front changes nothing in memory, wherever it stands.
  const ordered = (x: Tensor): Tensor => inOrder(x, timeMajor && x.shape.length === rank);
  const inMemory = (each: number[]): number[] => (timeMajor ? memoryShape({ shape: each, timeMajor }) : each);
  return [
    [ordered(left), ordered(right), empty(shape, { name, timeMajor, engine })],
    runsOf(inMemory(shapeA), inMemory(shapeB), inMemory(shape)),
  ];
}

/** An op of two operands. */
interface BinaryOp {
  name: string;
  /** Throws `ArgumentError` for a data type that it cannot do with. Default: what is not f32. */
  check?: (what: string, x: Tensor) => void;
  forward(operands: Aligned, runs: readonly Run[]): void;
  /** ∂L/∂operand at the size of the result, into `out`, from ∂L/∂y. Without it no gradient flows. */
  backward?(operands: Aligned, runs: readonly Run[], dy: Ptr, operand: number, out: Ptr): void;
}

/** The one of two operands that is a tensor, the first if both are. Throws `ArgumentError` if neither is. */
export function tensorAmong(name: string, a: Operand, b: Operand): Tensor {
  const [like, which] = typeof a === 'number' ? [b, 'b'] : [a, 'a'];
  if (typeof like === 'number') throw new ArgumentError(`${name}: a or b expected a tensor, got two numbers`);
  return tensorOf(like, `${name}: ${which}`);
}

/** Runs an op. */
export function binaryOp(
  { name, check = expectF32, forward, backward }: BinaryOp,
  left: Operand,
  right: Operand,
): Tensor {
  const { engine } = tensorAmong(name, left, right);
  const tensorFor = (x: Operand, what: string): Tensor => {
    if (typeof x === 'number') {
      // Not one that float32 would make infinite.
      if (Number.isFinite(x) && !isFloat32(x)) throw new ArgumentError(`${name}: ${what} expected float32, got ${x}`);
      return filled([], x, engine);
    }
    const operand = tensorOf(x, `${name}: ${what}`);
    check(`${name}: ${what}`, operand);
    return operand;
  };
  const [operands, runs] = align(name, tensorFor(left, 'a'), tensorFor(right, 'b'));
  const y = operands[2];
  forward(operands, runs);
  // Within a step, as a backward pass is, a number lives as long as the step.
  if (typeof left === 'number') operands[0].dispose();
  if (typeof right === 'number') operands[1].dispose();
  if (!backward) return y;
  record(operands.slice(0, 2), [y], (tape) => {
    const dy = tape.gradientOf(y);
    for (const operand of [0, 1]) {
      const x = operands[operand]!;
      if (!tape.tracks(x)) continue;
      if (x.size === y.size) {
        const full = engine.allocateScratch(y.size);
        backward(operands, runs, dy, operand, full);
        tape.give(x, full);
      } else {
        const { ptr, accumulate } = tape.into(x)!;
        engine.scratch(() => {
          const full = engine.allocateScratch(y.size);
          backward(operands, runs, dy, operand, full);
          sumRepeats(engine, runs, operand, full, ptr, accumulate);
        });
      }
    }
  });
  return y;
}
