import type { Parameter } from '../../autograd/parameter.ts';
import { elementType } from '../format/element-types.ts';
import type { AttributeProto, GraphProto, NodeProto } from '../format/messages.ts';
import { type ExternalData, type TensorData, tensorData } from '../format/tensor-data.ts';
import type { Value } from './value.ts';

/** Why one node cannot be imported. The import collects these and reports all of them. */
export class Refusal extends Error {}

/** Runs a subgraph of a node: from the values of its inputs to those of its outputs. */
export type Body = (inputs: readonly Value[]) => readonly Value[];

/** What all nodes share in a run. */
export interface RunContext {
  readonly training: boolean;
  /** Uniform numbers in [0, 1) from the streams of the layer. */
  uniform(): number;
  /** All parameters. Their versions show whether a value computed from them is out of date. */
  readonly parameters: readonly Parameter[];
}

/** What an operator may use besides its inputs while it runs. */
export interface Step extends Pick<RunContext, 'training' | 'uniform'> {
  /** Runs the subgraph that is the attribute `name`. */
  body(name: string): Body;
}

/** Computes the outputs of a node. */
export type Kernel = (inputs: readonly (Value | undefined)[], step: Step) => Value | readonly (Value | undefined)[];

/** An operator. */
export interface Operator {
  /** Reads the attributes of a node. Throws `Refusal` for what it cannot do. */
  readonly make: (node: NodeView) => Kernel;
  /** Places of inputs whose elements decide the shape of the outputs. */
  readonly shapeFrom?: readonly number[];
  /** Whether the outputs depend on the shapes of the inputs alone. */
  readonly readsShape?: boolean;
  /** Whether the shape of the outputs depends on the elements of any input. */
  readonly isOpen?: boolean;
  /** Whether two runs on the same inputs differ. */
  readonly isRandom?: boolean;
  /** Whether floats that it gives have no gradient by their meaning: they are random, or change in steps. */
  readonly hasNoGradient?: boolean;
  /** Whether integers that it gives stand for its float inputs, so that training would miss their gradient. */
  readonly gradientIsDue?: boolean;
}

/** A node, as operators read it. */
export class NodeView {
  readonly op: string;
  readonly name: string;
  /** Version of the operator set. */
  readonly version: number;
  /** Names; an input that is left out is empty. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** What its operator keeps in linear memory from run to run. */
  readonly owned: { dispose(): void }[] = [];
  readonly #attributes: Map<string, AttributeProto>;
  readonly #external: ExternalData | undefined;
  readonly #read = new Set<string>();

  constructor(proto: NodeProto, version: number, external?: ExternalData) {
    this.op = proto.opType ?? '';
    this.inputs = proto.input ?? [];
    this.outputs = proto.output ?? [];
    this.name = proto.name || this.outputs.find((output) => output) || this.op;
    this.version = version;
    this.#external = external;
    this.#attributes = new Map((proto.attribute ?? []).map((each) => [each.name ?? '', each]));
  }

  #of(name: string): AttributeProto | undefined {
    this.#read.add(name);
    return this.#attributes.get(name);
  }

  has(name: string): boolean {
    return this.#attributes.has(name);
  }

  int(name: string, otherwise: number): number {
    const found = this.#of(name);
    return found ? (found.i ?? 0) : otherwise;
  }

  float(name: string, otherwise: number): number {
    const found = this.#of(name);
    return found ? (found.f ?? 0) : otherwise;
  }

  flag(name: string, otherwise = false): boolean {
    return this.int(name, otherwise ? 1 : 0) !== 0;
  }

  string(name: string, otherwise: string): string {
    const found = this.#of(name);
    return found ? new TextDecoder().decode(found.s) : otherwise;
  }

  ints(name: string): number[] | undefined {
    const found = this.#of(name);
    return found && (found.ints ?? []);
  }

  floats(name: string): number[] | undefined {
    const found = this.#of(name);
    return found && (found.floats ?? []);
  }

  strings(name: string): string[] | undefined {
    return this.#of(name)?.strings?.map((bytes) => new TextDecoder().decode(bytes));
  }

  tensor(name: string): TensorData | undefined {
    const proto = this.#of(name)?.t;
    try {
      return proto && tensorData(proto, this.#external);
    } catch (error) {
      return this.refuse(`attribute '${name}' ${(error as Error).message}`);
    }
  }

  /** The subgraphs, by the name of their attribute. */
  graphs(): [string, GraphProto][] {
    return [...this.#attributes].flatMap(([name, { g }]) => (g ? [[name, g] as [string, GraphProto]] : []));
  }

  /** An attribute that is the number of an element type. */
  type(name: string, otherwise: number): NonNullable<ReturnType<typeof elementType>> {
    const code = this.int(name, otherwise);
    return elementType(code) ?? this.refuse(`${name}=${code} is an element type that is not supported`);
  }

  /** One of several words. */
  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const given = this.string(name, otherwise) as T;
    return choices.includes(given) ? given : this.refuse(`${name}='${given}'`);
  }

  refuse(why: string): never {
    throw new Refusal(why);
  }

  /** Throws `Refusal` for an attribute that nothing has read. */
  expectAllRead(): void {
    const unread = [...this.#attributes.keys()].filter(
      (name) => !this.#read.has(name) && !this.#attributes.get(name)!.g,
    );
    if (unread.length > 0) this.refuse(`attribute ${unread.map((name) => `'${name}'`).join(', ')} is unknown`);
  }
}
