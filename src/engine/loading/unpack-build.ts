import { decodeBase91 } from './base91.ts';
import type { Build } from './load.ts';
import { decodeLzma } from './lzma.ts';

/** Both builds as scripts/build-kernels.ts packs them for pages: one stream of LZMA as text in base 91. */
export interface PackedBuilds {
  readonly builds: string;
  readonly simdSize: number;
  readonly relaxedSize: number;
}

/** The bytes of a build. */
export function unpackBuild(build: Build, { builds, simdSize, relaxedSize }: PackedBuilds): Uint8Array<ArrayBuffer> {
  const data = decodeBase91(builds);
  // The relaxed build comes after the plain one.
  return build === 'simd' ? decodeLzma(data, simdSize) : decodeLzma(data, simdSize + relaxedSize).slice(simdSize);
}
