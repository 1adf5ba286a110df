// exp, ln, σ and tanh in float64. V8's Math functions are ports of fdlibm with errors below 1 ulp of a double, 2⁻²⁹ ulp
// of a float32: rounded to float32 they are correctly rounded but where the true value is that close to a midpoint, and
// then one float32 off. σ loses at most two further double ulp.
import { Unary } from '../../../src/engine/abi.ts';

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The transcendental functions of `Unary` by name. */
export const transcendental = {
  exp: { code: Unary.Exp, reference: Math.exp },
  log: { code: Unary.Log, reference: Math.log },
  sigmoid: { code: Unary.Sigmoid, reference: sigmoid },
  tanh: { code: Unary.Tanh, reference: Math.tanh },
};
