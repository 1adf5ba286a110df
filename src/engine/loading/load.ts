import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { TapeloopError } from '../../checks/tapeloop-error.ts';

/**
 * The two builds of the same kernels: plain SIMD, whose results the Wasm standard defines to the last bit, and relaxed
 * SIMD, with fused multiply-add.
 */
export type Build = 'simd' | 'relaxed';

/** `fast` uses fused multiply-add where the host has it; `reproducible` gives the same bits on every host. */
export type NumericMode = 'fast' | 'reproducible';

// Modules with a function () -> v128 that applies an operation to zeros. Such a module is valid only if the host
// supports the operation.
const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
const zeros = [0x41, 0, 0xfd, 0x0f];
const plainSimd = [...header, 0x0a, 8, 1, 6, 0, ...zeros, 0x0b];
const relaxedMadd = [...header, 0x0a, 0x13, 1, 0x11, 0, ...zeros, ...zeros, ...zeros, 0xfd, 0x85, 2, 0x0b];

/** The host cannot run the kernels or does not allow it. The message says what is missing. */
export class HostError extends TapeloopError {
  override readonly name = 'HostError';
}

/** Throws `HostError` unless this host has WebAssembly with SIMD. */
function expectHost(): void {
  if (typeof WebAssembly === 'undefined') {
    throw new HostError('tapeloop needs WebAssembly, which this host does not have or has switched off');
  }
  if (!hostHasSimd()) {
    throw new HostError('tapeloop needs WebAssembly with 128-bit SIMD, which this host does not have');
  }
}

/**
 * Turns a `CompileError` into a `HostError`. The bytes are valid, so the host has a rule against compiling them. Other
 * errors are returned as they are.
 */
export function compileRefused(cause: unknown): unknown {
  if ((cause as Partial<Error> | null)?.name !== 'CompileError') return cause;
  return new HostError(
    "tapeloop may not compile WebAssembly here: a page needs 'wasm-unsafe-eval' in its Content-Security-Policy's script-src, " +
      "an edge worker a bundle made with the condition 'workerd' or 'edge-light'",
    { cause },
  );
}

/** Whether this host runs 128-bit SIMD at all, which every build needs. */
export const hostHasSimd = (): boolean => WebAssembly.validate(new Uint8Array(plainSimd));

/** Whether this host runs relaxed SIMD, which the fused build needs. */
export const hostHasRelaxedSimd = (): boolean => WebAssembly.validate(new Uint8Array(relaxedMadd));

/** Throws `ArgumentError` unless `mode` is a numeric mode. `what` is the called function, for the message. */
export function checkMode(what: string, mode: NumericMode): void {
  if (mode !== 'fast' && mode !== 'reproducible') {
    throw new ArgumentError(`${what}: mode expected 'fast' or 'reproducible', got ${shown(mode)}`);
  }
}

/**
 * The build for a mode on this host. `canFuse` says whether there is a fused build. Throws `HostError` if the host has
 * no WebAssembly with SIMD.
 */
export function buildFor(mode: NumericMode, canFuse: boolean): Build {
  expectHost();
  return mode === 'fast' && canFuse && hostHasRelaxedSimd() ? 'relaxed' : 'simd';
}
