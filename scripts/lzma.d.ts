// The package has no types of its own.
declare module 'lzma' {
  /**
   * An LZMA file: a header of 13 bytes, then the coded data. Bytes are given and taken as signed or unsigned numbers.
   */
  export function compress(bytes: readonly number[], mode: number): number[];
}
