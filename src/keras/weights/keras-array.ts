import type { Shape } from '../../checks/shape.ts';

/** A weight as a file has it: its values row-major. */
export interface KerasArray {
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array;
}
