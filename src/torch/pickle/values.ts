// What a pickle of Python may hold, as values of JavaScript. Nothing of Python runs: a class that the reader does not
// know becomes an inert object with its name.

import type { TorchTensor } from '../tensors.ts';

/** A name in a module of Python: a class or a function that a pickle refers to. It is a name only. */
export class PickledName {
  /** The module and the name, joined by a dot. */
  readonly qualified: string;

  constructor(module: string, name: string) {
    this.qualified = `${module}.${name}`;
  }
}

/** An object of a class that the reader does not know. Its class never runs. */
export class PickledObject {
  /** The class, such as `sklearn.preprocessing._data.StandardScaler`. */
  readonly className: string;
  /** The arguments of its constructor. */
  readonly args: readonly PickledValue[];
  /** Its attributes: usually a Map by name. Undefined if the file gives none. */
  state: PickledValue | undefined;
  /** What was appended to it, if it is a kind of list. */
  readonly items: PickledValue[] = [];
  /** What was put into it by key, if it is a kind of dict. */
  readonly entries: Map<PickledValue, PickledValue> = new Map();

  constructor(className: string, args: readonly PickledValue[]) {
    this.className = className;
    this.args = args;
  }
}

/**
 * A value of a pickle: None is null, an int is a number or, beyond 2⁵³, a bigint, a list or a tuple is an array, a dict
 * is a Map, bytes are a Uint8Array, a tensor or an array of NumPy is a `TorchTensor`.
 */
export type PickledValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickledValue[]
  | Map<PickledValue, PickledValue>
  | Set<PickledValue>
  | TorchTensor
  | PickledName
  | PickledObject;
