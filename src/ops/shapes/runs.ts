// Broadcasting as in NumPy: the strides of operands that repeat, and the sums of their gradients.
import { type Shape, sizeOf } from '../../checks/shape.ts';
import { Binary, type Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { sumAxis } from './axis.ts';

/**
 * Neighbouring axes in memory along which each operand either advances or repeats: the stride of each operand, 0 if it
 * repeats, and then the length. The last operand is the result, which advances along all axes.
 */
export type Run = readonly number[];

/** The runs of operands of one rank, at least two runs, from the lengths of their axes in memory order. */
export function runsOf(...shapes: readonly Shape[]): Run[] {
  const runs: number[][] = [];
  const whole = shapes.at(-1)!;
  const next = shapes.map(() => 1);
  let before = 0;
  for (let axis = whole.length; axis-- > 0; ) {
    const length = whole[axis]!;
    if (length === 1) continue;
    const run: number[] = [];
    // One bit for each operand that advances.
    let moves = 0;
    for (let i = 0; i < shapes.length; i++) {
      const goesOn = shapes[i]![axis] === length;
      run[i] = goesOn ? next[i]! : 0;
      if (!goesOn) continue;
      moves += 1 << i;
      next[i]! *= length;
    }
    run.push(length);
    if (moves === before) runs[0]![shapes.length]! *= length;
    else runs.unshift(run);
    before = moves;
  }
  while (runs.length < 2) runs.unshift([...next.fill(0), 1]);
  return runs;
}

const START = [0, 0, 0];

/** Calls `body` for each index of all runs but the last two, with the offset of each operand. */
export function eachBlock(runs: readonly Run[], body: (at: readonly number[]) => void, at = START, depth = 0): void {
  if (depth === runs.length - 2) body(at);
  else {
    const run = runs[depth]!;
    for (let i = 0; i < run.at(-1)!; i++) {
      eachBlock(
        runs,
        body,
        at.map((from, operand) => from + i * run[operand]!),
        depth + 1,
      );
    }
  }
}

/** The address of an operand, and its operand number in the runs. */
export type Placed = readonly [at: Ptr, operand: number];

/** y = f(a, b), where f is one of `Binary`. y advances along all runs. */
export function combine(engine: Engine, f: number, runs: readonly Run[], [a, i]: Placed, [b, j]: Placed, y: Ptr): void {
  const outer = runs.at(-2)!;
  const inner = runs.at(-1)!;
  const result = outer.length - 2;
  eachBlock(runs, (at) => {
    const [placeA, placeB, placeY] = [a + 4 * at[i]!, b + 4 * at[j]!, y + 4 * at[result]!];
    const [rows, columns] = [outer[result + 1]!, inner[result + 1]!];
    engine.kernels.binary(f, rows, columns, placeA, outer[i]!, inner[i]!, placeB, outer[j]!, inner[j]!, placeY);
  });
}

/** Calls `body` for each element of the result, with the indices in a, b and y. */
export function eachPair(runs: readonly Run[], body: (a: number, b: number, y: number) => void): void {
  const [outer, inner] = runs.slice(-2) as [Run, Run];
  const [rows, columns] = [outer[3]!, inner[3]!];
  eachBlock(runs, ([a, b, y]) => {
    for (let i = 0; i < rows; i++) {
      const [rowA, rowB, rowY] = [a! + i * outer[0]!, b! + i * outer[1]!, y! + i * outer[2]!];
      for (let j = 0; j < columns; j++) body(rowA + j * inner[0]!, rowB + j * inner[1]!, rowY + j);
    }
  });
}

/**
 * Repeats an array of memory shape `from` along its axes of length 1. y has memory shape `to`. The kernel takes the
 * maximum of x and x, which keeps every number, −0 too.
 */
export function spread(engine: Engine, x: Ptr, from: Shape, to: Shape, y: Ptr): void {
  combine(engine, Binary.Max, runsOf(from, to), [x, 0], [x, 0], y);
}

/** y = Σ x, or y += Σ x, over the runs along which an operand repeats. Sums in float64. Takes scratch. */
export function sumRepeats(
  engine: Engine,
  runs: readonly Run[],
  operand: number,
  x: Ptr,
  y: Ptr,
  accumulate: number,
): void {
  const at = runs.findIndex((run) => run[operand] === 0 && run.at(-1) !== 1);
  const lengths = runs.map((run) => run.at(-1)!);
  // If nothing repeats, the result only has more axes of length 1. Each sum is one number.
  if (at < 0) {
    sumAxis(engine, { outer: sizeOf(lengths), length: 1, inner: 1 }, x, y, accumulate);
    return;
  }
  const rest = runs.with(at, [...runs[at]!.slice(0, -1), 1]);
  const isLast = !rest.some((run) => run[operand] === 0 && run.at(-1) !== 1);
  const [outer, inner] = [sizeOf(lengths.slice(0, at)), sizeOf(lengths.slice(at + 1))];
  const block = { outer, length: lengths[at]!, inner };
  if (isLast) sumAxis(engine, block, x, y, accumulate);
  else {
    const sums = engine.allocateScratch(outer * inner);
    sumAxis(engine, block, x, sums, 0);
    sumRepeats(engine, rest, operand, sums, y, accumulate);
  }
}
