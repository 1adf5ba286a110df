// Elementwise ops of two operands with the broadcasting of NumPy: how operands are aligned, and how their gradients get
// the shapes of the operands.
import { tensorOf, type Weight } from '../../autograd/parameter.ts';
import { record } from '../../autograd/tape.ts';
import { empty, expectF32, filled, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, isFloat32 } from '../../checks/argument-error.ts';
import { formatShape, type Shape, sameShape } from '../../checks/shape.ts';
import type { Ptr } from '../../engine/abi.ts';
import { memoryShape } from '../shapes/axis.ts';
import { inOrder } from '../shapes/layout.ts';
import { type Run, runsOf, sumRepeats } from '../shapes/runs.ts';

/** An operand of a binary op. One of the two operands may be a number. */
export type Operand = Weight | number;

/**
 * a and b, in the memory order in which they are aligned with y. The index of each is its operand number in the runs.
 */
export type Aligned = readonly [a: Tensor, b: Tensor, y: Tensor];

/** A run of length 1. It comes before a single run, because kernels need two. */
const ONE: Run = [0, 0, 0, 1];

/** A shape with axes of length 1 added in front. */
const padded = (shape: Shape, rank: number): number[] => [...Array<number>(rank - shape.length).fill(1), ...shape];

/**
 * The shape that given shapes broadcast to. Throws `ArgumentError` unless all lengths of an axis, counted from the
 * last, are equal or 1.
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
  // Axes of length 1 in front change nothing in memory.
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
  /** Throws `ArgumentError` for a data type that the op does not take. Default: refuses all but f32. */
  check?: (what: string, x: Tensor) => void;
  forward(operands: Aligned, runs: readonly Run[]): void;
  /** Writes ∂L/∂operand, in the size of the result, to `out`, given ∂L/∂y. Without it no gradient flows. */
  backward?(operands: Aligned, runs: readonly Run[], dy: Ptr, operand: number, out: Ptr): void;
}

/** The operand that is a tensor; the first if both are. Throws `ArgumentError` if neither is. */
export function tensorAmong(name: string, a: Operand, b: Operand): Tensor {
  const [like, which] = typeof a === 'number' ? [b, 'b'] : [a, 'a'];
  if (typeof like === 'number') throw new ArgumentError(`${name}: a or b expected a tensor, got two numbers`);
  return tensorOf(like, `${name}: ${which}`);
}

/** Runs an op of two operands and records it. */
export function binaryOp(
  { name, check = expectF32, forward, backward }: BinaryOp,
  left: Operand,
  right: Operand,
): Tensor {
  const { engine } = tensorAmong(name, left, right);
  const tensorFor = (x: Operand, what: string): Tensor => {
    if (typeof x === 'number') {
      // A finite number must stay finite as float32.
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
  // Outside a step this frees the memory of a number. Inside a step the tensor lives until the step ends.
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
