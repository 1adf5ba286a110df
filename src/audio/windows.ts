import { ArgumentError, shown } from '../checks/argument-error.ts';
import { checkOptions, unknownName } from '../checks/options.ts';
import { cosPi } from '../engine/float64.ts';
import { classOf } from '../host/class-of.ts';
import { expectLength } from './limits.ts';

/** A window with a formula. */
export type WindowName = 'hann' | 'hamming' | 'blackman' | 'kaiser' | 'rectangular';

/** A window by its name, periodic and with the defaults of `audioWindow`, or its values. */
export type AudioWindow = WindowName | ArrayLike<number>;

export interface AudioWindowOptions {
  /**
   * Whether the window is one period of length n, for overlapping frames. A symmetric window, for filters, has equal
   * ends. Default true.
   */
  periodic?: boolean | undefined;
  /** The shape β of `kaiser`, from 0 to 500. Default 12. */
  beta?: number | undefined;
}

/** The modified Bessel function I₀, by its series. For x ≤ 500 it is below 1e216. */
export function besselI0(x: number): number {
  const square = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= square / (k * k);
    sum += term;
  }
  return sum;
}

const formulas: Readonly<Record<WindowName, (turns: number, beta: number) => number>> = {
  hann: (turns) => 0.5 - 0.5 * cosPi(turns),
  hamming: (turns) => 0.54 - 0.46 * cosPi(turns),
  blackman: (turns) => 0.42 - 0.5 * cosPi(turns) + 0.08 * cosPi(2 * turns),
  kaiser(turns, beta) {
    const place = turns - 1;
    return besselI0(beta * Math.sqrt(Math.max(1 - place * place, 0))) / besselI0(beta);
  },
  rectangular: () => 1,
};

function values(what: string, name: WindowName, length: number, periodic: boolean, beta: number): Float32Array {
  if (typeof name !== 'string' || !Object.hasOwn(formulas, name)) throw unknownName(what, Object.keys(formulas), name);
  const period = periodic ? length : length - 1;
  const formula = formulas[name];
  return Float32Array.from({ length }, (_, k) => (length === 1 ? 1 : formula((2 * k) / period, beta)));
}

/**
 * The values of a window.
 *
 * With N = n, or n − 1 for a symmetric window, and k = 0 … n − 1: `hann` ½ − ½·cos(2πk/N); `hamming` 0.54 −
 * 0.46·cos(2πk/N); `blackman` 0.42 − 0.5·cos(2πk/N) + 0.08·cos(4πk/N); `kaiser` I₀(β·√(1 − (2k/N − 1)²))/I₀(β);
 * `rectangular` 1. A window of length 1 is 1.
 *
 * @param name one of the windows.
 * @param length n.
 * @param options periodic and beta, as PyTorch has them.
 * @returns `[n]`, computed in float64; the caller owns it.
 * @throws ArgumentError if there is no such window, `length` is not an integer from 1 to 2²⁴, or an option is unknown
 *   or out of range.
 * @see torch.hann_window, torch.hamming_window, torch.blackman_window, torch.kaiser_window
 *
 * @example
 * audioWindow('hann', 4); // 0, 0.5, 1, 0.5
 */
export function audioWindow(name: WindowName, length: number, options: AudioWindowOptions = {}): Float32Array {
  const { periodic = true, beta = 12 } = checkOptions('audioWindow', options, { periodic: true, beta: 1 });
  expectLength('audioWindow: length', length);
  if (typeof beta !== 'number' || !(beta >= 0 && beta <= 500))
    throw new ArgumentError(`audioWindow: beta expected a number from 0 to 500, got ${shown(beta)}`);
  return values('audioWindow: name', name, length, periodic, beta);
}

/** The `length` values of a window that is given as an option. */
export function windowOf(what: string, window: AudioWindow, length: number): Float32Array {
  if (typeof window === 'string') return values(what, window, length, true, 12);
  const isArray = Array.isArray(window) || (ArrayBuffer.isView(window) && classOf(window) !== 'DataView');
  if (!isArray) throw new ArgumentError(`${what} expected a name or ${length} numbers, got ${shown(window)}`);
  if (window.length !== length)
    throw new ArgumentError(`${what} expected ${length} numbers, the length of the window, got ${window.length}`);
  const at = Array.from(window).findIndex((value) => typeof value !== 'number' || !Number.isFinite(Math.fround(value)));
  if (at >= 0) throw new ArgumentError(`${what} expected finite numbers, got ${shown(window[at])} at ${at}`);
  return Float32Array.from(window);
}
