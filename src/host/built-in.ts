// Node's modules, if the host has them. They are loaded by name at run time, because bundlers and browsers must not see
// an import of them.

/** The part of Node's global object that is used, declared so that the package does not depend on Node's types. */
export interface Host {
  readonly process?: {
    readonly env: Readonly<Record<string, string | undefined>>;
    getBuiltinModule?(name: string): unknown;
  };
}

/** A module of Node; undefined in browsers and other hosts without `process.getBuiltinModule`. */
export const builtIn = (name: string): unknown => (globalThis as Host).process?.getBuiltinModule?.(`node:${name}`);
