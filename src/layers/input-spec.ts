import type { DType } from '../autograd/tensor.ts';
import type { BatchShape } from './layer.ts';

/** What a layer or a model takes for an input. */
export interface InputSpec {
  /** `i32` for token ids. Default `f32`. */
  readonly dtype?: DType | undefined;
  /** Shape of one sample, null for a length that varies. */
  readonly shape?: BatchShape | undefined;
  /** Where it is ids: one more than the largest. */
  readonly limit?: number | undefined;
}

export const isInputSpec = (x: unknown): x is InputSpec =>
  typeof x === 'object' && x !== null && !Array.isArray(x) && Object.values(x).every(isSpecValue);
const isSpecValue = (value: unknown): boolean =>
  value === undefined || typeof value === 'string' || typeof value === 'number' || Array.isArray(value);
