// The loader makes a TextDecoder as it is imported, for strings that our kernels do not have, and an AudioWorklet knows
// none. It is lent an empty one for that moment. For bundlers the package keeps this file apart (`imports` in
// package.json), for it must run before the loader does.

class Lent {}
const scope = globalThis as { TextDecoder?: unknown };
scope.TextDecoder ??= Lent;

/** Called once the loader has been imported: what feature tests see is then as it was. */
export function takeBackTextDecoder(): void {
  if (scope.TextDecoder === Lent) delete scope.TextDecoder;
}
