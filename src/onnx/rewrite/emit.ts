// The node that a recognized cell becomes, and the nodes that join its weights.
import { type Attribute, attributeProtos } from '../format/attributes.ts';
import type { NodeProto } from '../format/messages.ts';
import type { VersionedNode } from '../graph/functions.ts';
import type { Cell, Gate } from './cells.ts';
import type { Bias, Matrix } from './linear.ts';

/** The operator set whose LSTM, GRU and RNN the new nodes are. */
const VERSION = 13;

const defaults: Readonly<Record<Cell['op'], readonly string[]>> = {
  LSTM: ['Sigmoid', 'Tanh', 'Tanh'],
  GRU: ['Sigmoid', 'Tanh'],
  RNN: ['Tanh'],
};

/** Writes nodes, with names that the graph does not have. */
export class Emitter {
  readonly nodes: NodeProto[] = [];
  readonly #prefix: string;
  #count = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  name(hint: string): string {
    return `${this.#prefix}/${hint}${this.#count++}`;
  }

  /** Adds a node of one output. Returns its name. */
  add(
    opType: string,
    input: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output?: string,
  ): string {
    const made = output ?? this.name(opType);
    const node: VersionedNode = {
      opType,
      input: [...input],
      output: [made],
      attribute: attributeProtos(attributes),
      version: VERSION,
    };
    this.nodes.push(node);
    return made;
  }

  numbers(list: readonly number[]): string {
    return this.add('Constant', [], { value_ints: list });
  }

  squeeze = (x: string, output?: string): string => this.add('Squeeze', [x], { axes: [0] }, output);
  unsqueeze = (x: string): string => this.add('Unsqueeze', [x], { axes: [0] });

  /** Elements [from, to) along an axis. */
  slice(x: string, ranges: readonly (readonly [axis: number, from: number, to: number])[], output?: string): string {
    const list = (i: 0 | 1 | 2): number[] => ranges.map((range) => range[i]);
    return this.add('Slice', [x], { axes: list(0), starts: list(1), ends: list(2) }, output);
  }

  /** Rows of one gate, `[N, K]`. */
  #rows({ name, isTurned, from, to, first, last }: Matrix): string {
    const [n, k] = isTurned ? [0, 1] : [1, 0];
    const cut = this.slice(name, [
      [n, from, to],
      [k, first, last],
    ]);
    return isTurned ? cut : this.add('Transpose', [cut], { perm: [1, 0] });
  }

  #bias(biases: readonly Bias[], units: number): string {
    const vectors = biases.map(({ name, from, to }) =>
      this.slice(this.add('Reshape', [name], { shape: [-1] }), [[0, from, to]]),
    );
    const zeros = { dims: [units], dataType: 1, rawData: new Uint8Array(4 * units) };
    if (vectors.length === 0) return this.add('Constant', [], { value: { tensor: zeros } });
    return vectors.reduce((a, b) => this.add('Add', [a, b]));
  }

  /** W, R and B of a cell, joined from the parts that the file has. */
  weights({ gates, units }: Cell): [w: string, r: string, b: string] {
    const joined = (parts: readonly string[]): string => this.unsqueeze(this.add('Concat', parts, { axis: 0 }));
    const side = (of: 'w' | 'r'): string => joined(gates.map((gate) => this.#rows(gate[of])));
    const hasBias = gates.some(({ inputBiases, recurrentBiases }) => inputBiases.length + recurrentBiases.length > 0);
    const bias = (of: keyof Pick<Gate, 'inputBiases' | 'recurrentBiases'>): string[] =>
      gates.map((gate) => this.#bias(gate[of], units));
    return [side('w'), side('r'), hasBias ? joined([...bias('inputBiases'), ...bias('recurrentBiases')]) : ''];
  }

  /** The node of a whole sequence. X `[T, B, I]`, states `[1, B, H]`. */
  recurrence(
    cell: Cell,
    inputs: { x: string; h: string; c: string | undefined; weights: readonly string[] },
    outputs: readonly string[],
    isReverse = false,
  ): void {
    const { op, units, activations, linearBeforeReset } = cell;
    const list = (of: 'alpha' | 'beta'): number[] => activations.flatMap((each) => each[of] ?? []);
    const isUsual = activations.every(({ op: each }, i) => each === defaults[op][i]);
    const attributes: Record<string, Attribute> = {
      hidden_size: units,
      ...(isReverse && { direction: 'reverse' }),
      ...(linearBeforeReset && { linear_before_reset: 1 }),
      ...(!isUsual && {
        activations: activations.map((each) => each.op),
        activation_alpha: { floats: list('alpha') },
        activation_beta: { floats: list('beta') },
      }),
    };
    const input = [inputs.x, ...inputs.weights, '', inputs.h, ...(inputs.c === undefined ? [] : [inputs.c])];
    const node: VersionedNode = {
      opType: op,
      name: cell.nextH,
      input,
      output: [...outputs],
      attribute: attributeProtos(attributes),
      version: VERSION,
    };
    this.nodes.push(node);
  }
}
