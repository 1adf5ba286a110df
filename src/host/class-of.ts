/**
 * The name of the host's class that a value is of, such as `Uint8Array`, `Promise` or `WebAssembly.Module`.
 * `instanceof` knows the classes of its own realm alone, and values come from others: from a frame of a page, from
 * node:vm, into the sandboxes of Jest and of Next's edge routes.
 */
export const classOf = (value: unknown): string => ({}).toString.call(value).slice(8, -1);
