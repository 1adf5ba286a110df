import type { DType } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { formatShape } from '../../checks/shape.ts';
import type { BatchShape } from './batch-shape.ts';

/** An input of a layer or a model. A batch of another rank, size or data type is refused. */
export interface InputSpec {
  /** `i32` for token ids. Default `f32`. */
  readonly dtype?: DType | undefined;
  /** Shape of one sample, null for a length that varies. */
  readonly shape?: BatchShape | undefined;
  /** For ids: the largest id plus 1. */
  readonly limit?: number | undefined;
}

export const isInputSpec = (x: unknown): x is InputSpec =>
  typeof x === 'object' && x !== null && !Array.isArray(x) && Object.values(x).every(isSpecValue);
const isSpecValue = (value: unknown): boolean =>
  value === undefined || typeof value === 'string' || typeof value === 'number' || Array.isArray(value);

/** Whether a batch fits the expected shape, as far as both are known. */
export const fitsShape = (expected: BatchShape, got: BatchShape): boolean =>
  got.length === expected.length && expected.every((n, i) => n === null || got[i] === null || n === got[i]);

/** Throws `ArgumentError` unless a batch of this shape fits the declared input. */
export function expectInputShape(what: string, { shape }: InputSpec, got: BatchShape | undefined): void {
  const expected = shape && [null, ...shape];
  if (got && (!expected || fitsShape(expected, got))) return;
  throw new ArgumentError(
    `${what} expected ${expected ? formatShape(expected) : 'data'}, got ${got ? formatShape(got) : 'none'}`,
  );
}
