// Compiled streams: a step of a model as the list of kernel calls that it makes, with the memory that they read. What
// runs it needs neither the code that made the model nor that which reads its file.
//
// The file is a safetensors file. Its metadata `compiledStream` is a `CompiledProgram` as JSON. Tensors: `calls` F64, for
// each call the index of its kernel, the number of arguments, the arguments; `memory.<address>` U8, what stands there
// before the first step. A call of the index −1 writes a constant: an address, and its words of 32 bits as integers.

import type { Ptr } from '../engine/abi.ts';
import { encodeSafetensors, type SafetensorsTensor } from '../io/safetensors.ts';

/** It goes up when a kernel gets another meaning, so that older files are refused. */
export const VERSION = 1;
export const KEY = 'compiledStream';

/** A step of a model, without its calls. Addresses are of linear memory, sizes in numbers of 4 bytes. */
export interface CompiledProgram {
  /** The names of the kernels: those of the engine, then the extra ones. */
  readonly kernels: readonly [string[], string[]];
  /** Sequences side by side. */
  readonly rows: number;
  readonly input: Place;
  readonly output: Place;
  /** Where each state is read and where its next value is. */
  readonly states: readonly { readonly given: Place; readonly next: Place }[];
  /** Bytes of memory that the calls may use. */
  readonly memory: number;
  /** `interfaceOf` the kernels. */
  readonly interface: number;
}

export interface Place {
  readonly at: Ptr;
  readonly size: number;
}

/** Writes a compiled stream: its calls as the file has them, and what stands in memory by address. */
export function encodeCompiledStream(
  program: CompiledProgram,
  calls: readonly number[],
  memory: ReadonlyMap<Ptr, Uint8Array>,
): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, SafetensorsTensor>([
    ['calls', { dtype: 'F64', shape: [calls.length], data: Float64Array.from(calls) }],
  ]);
  for (const [at, data] of memory) tensors.set(`memory.${at}`, { dtype: 'U8', shape: [data.length], data });
  return encodeSafetensors(tensors, { [KEY]: JSON.stringify({ version: VERSION, ...program }) });
}

/** A hash (FNV-1a, 32 bits) of the names of all kernels and the numbers of their arguments. */
export function interfaceOf(kernels: readonly [object, object]): number {
  let hash = 0x811c9dc5;
  for (const [name, kernel] of kernels.flatMap((each) => Object.entries(each))) {
    for (const character of `${name}/${(kernel as { length?: number }).length};`) {
      hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
    }
  }
  return hash;
}
