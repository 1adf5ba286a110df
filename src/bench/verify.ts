// What a workload must compute.
import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex } from '@noble/hashes/utils';
import { hashes } from './expected/hashes.ts';
import type { Size } from './results.ts';
import type { Workload } from './workload.ts';

/**
 * In mode `fast` fused multiply-add rounds less often, and hosts differ in whether they have it. Its results may differ
 * from those of mode `reproducible` by this part of the largest value. test/bench/oracle.test.ts holds those against
 * float64.
 */
export const FAST_BOUND = 1e-4;

/** The name by which results of a workload are known. */
export const idOf = ({ name }: Pick<Workload, 'name'>, size: Size): string => `${name}/${size}`;

/** SHA-256 of the bytes of all arrays, in hexadecimal. */
export function hashOf(result: readonly ArrayBufferView[]): string {
  const hash = sha256.create();
  for (const { buffer, byteOffset, byteLength } of result) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return bytesToHex(hash.digest());
}

/** The hash that a workload must have; undefined for a workload that has none yet. */
export const expectedHash = ({ name, sameAs = name }: Workload, size: Size): string | undefined =>
  hashes[idOf({ name: sameAs }, size)];

/** The largest difference of two results, as a part of the largest value of `exact`; infinite if lengths differ. */
export function distanceOf(result: readonly ArrayBufferView[], exact: readonly ArrayBufferView[]): number {
  if (result.length !== exact.length) return Number.POSITIVE_INFINITY;
  let [largest, difference] = [0, 0];
  result.forEach((view, i) => {
    const [got, expected] = [view as unknown as ArrayLike<number>, exact[i] as unknown as ArrayLike<number>];
    if (got.length !== expected.length) difference = Number.POSITIVE_INFINITY;
    for (let j = 0; j < expected.length; j++) {
      const apart = Math.abs(got[j]! - expected[j]!);
      // A NaN is a difference.
      difference = apart <= difference ? difference : Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
      largest = Math.max(largest, Math.abs(expected[j]!));
    }
  });
  return difference === 0 ? 0 : difference / largest;
}

/** A copy that stays when linear memory changes. */
export const copyOf = (result: readonly ArrayBufferView[]): ArrayBufferView[] =>
  result.map((view) => (view as unknown as { slice(): ArrayBufferView }).slice());
