/**
 * The name of a value's built-in class, such as `Uint8Array`, `Promise` or `WebAssembly.Module`. `instanceof` works
 * only for classes of the same realm. A value may come from another realm: from a frame of a page, from node:vm, or
 * from outside the sandbox of Jest or of a Next edge route.
 */
export const classOf = (value: unknown): string => ({}).toString.call(value).slice(8, -1);

/** Whether a value is a `URL`, of any realm. */
export const isUrl = (value: unknown): value is URL => classOf(value) === 'URL';
