// The package has no types.
declare module 'lzma' {
  /**
   * Returns an LZMA file: a header of 13 bytes, then the compressed data. Input bytes may be signed or unsigned; output
   * bytes are signed or unsigned.
   */
  export function compress(bytes: readonly number[], mode: number): number[];
}
