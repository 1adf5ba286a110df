// The source of a Python module, as layers write it.

import { ArgumentError } from '../../checks/argument-error.ts';
import type { AnyLayer } from '../../layers/base/layer.ts';
import { torchName } from '../places.ts';

/** Functions that some layers need, with what they are. */
const helpers = {
  same: `def pad_same(x, taps, strides, dilations, value=0.0):
    """Pads the last axes as padding="same" does: half before, and one more behind if there is one left."""
    pads = []
    for n, k, s, d in zip(reversed(x.shape[2:]), reversed(taps), reversed(strides), reversed(dilations)):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)
`,
} as const;

/** Collects the lines of a module. The value is in the variable `x`. */
export class PythonSource {
  readonly what: string;
  readonly init: string[] = [];
  readonly forward: string[] = [];
  readonly #helpers = new Set<keyof typeof helpers>();
  readonly #groups = new Set<string>();
  #count = 0;
  usesStates = false;

  readonly #names: ReadonlyMap<AnyLayer, string>;

  /** @param names the names of modules that differ from those of their layers. */
  constructor(what: string, names: ReadonlyMap<AnyLayer, string>) {
    this.what = what;
    this.#names = names;
  }

  /** Throws `ArgumentError` for what a layer has and PyTorch has not. */
  refuse(layer: AnyLayer, what: string): never {
    throw new ArgumentError(
      `${this.what}: layer '${layer.path}' (${layer.className}) has ${what}, which is not written in Python; exportOnnx of tapeloop/onnx may write it`,
    );
  }

  /** Makes the module of a layer, and returns what refers to it. */
  module(layer: AnyLayer, expression: string): string {
    const reference = this.reference(this.#names.get(layer) ?? torchName(layer.path));
    this.init.push(`${reference} = ${expression}`);
    return reference;
  }

  /** What refers to a module. The inner ones of a nested stack are in dicts. */
  reference(name: string): string {
    const [first, ...rest] = name.split('.') as [string, ...string[]];
    let reference = `self.${first}`;
    for (const part of rest) {
      if (!this.#groups.has(reference)) this.init.push(`${reference} = nn.ModuleDict()`);
      this.#groups.add(reference);
      reference += `["${part}"]`;
    }
    return reference;
  }

  /** Keeps the factor at 1 or the offset at 0 that a layer has not. */
  freezeFixed(module: string, gamma: unknown, beta: unknown): void {
    if (!gamma) this.init.push(`${module}.weight.requires_grad_(False)`);
    if (!beta) this.init.push(`${module}.bias.requires_grad_(False)`);
  }

  line(text: string): void {
    this.forward.push(text);
  }

  /** A name of a variable that no other line has. */
  variable(base: string): string {
    this.#count++;
    return `${base}${this.#count}`;
  }

  /** Makes a function known that `forward` calls. */
  helper(name: keyof typeof helpers): void {
    this.#helpers.add(name);
  }

  get helperLines(): string[] {
    return [...this.#helpers].map((name) => helpers[name]);
  }
}

/** A list of numbers as Python writes a tuple. */
export const tuple = (numbers: readonly number[]): string =>
  numbers.length === 1 ? `(${numbers[0]},)` : `(${numbers.join(', ')})`;

/** A number as Python reads it. */
export const float = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));
