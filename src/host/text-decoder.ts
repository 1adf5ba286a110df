// The AssemblyScript loader makes a TextDecoder when it is imported. It is for strings, which our kernels do not use.
// An AudioWorklet has no TextDecoder, so this file defines an empty one during the import. In the package for bundlers
// it is a separate file (`imports` in package.json), because it must run before the loader.

class EmptyTextDecoder {}
const scope = globalThis as { TextDecoder?: unknown };
scope.TextDecoder ??= EmptyTextDecoder;

/** Removes the empty TextDecoder again. Called after the import of the loader, so that feature tests do not find it. */
export function removeEmptyTextDecoder(): void {
  if (scope.TextDecoder === EmptyTextDecoder) delete scope.TextDecoder;
}
