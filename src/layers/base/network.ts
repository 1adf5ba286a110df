import { type DType, Tensor, zeros } from '../../autograd/tensor.ts';
import { ArgumentError, expectType, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import type { Shape } from '../../checks/shape.ts';
import { entriesOf, leavesOf, mapNested, type Nested, type NestedKey } from '../../data/nested.ts';
import { engine } from '../../engine/engine.ts';
import { seedStream } from '../../engine/random.ts';
import { recordChange, transaction } from '../../engine/transaction.ts';
import type { LayerConfig } from '../../io/model-file.ts';
import { expectIds } from '../../ops/ids.ts';
import { type BatchShape, isShape } from './batch-shape.ts';
import { expectInputShape, type InputSpec, isInputSpec } from './input-spec.ts';
import {
  type AnyLayer,
  type CallOptions,
  inNetwork,
  isTraining,
  Layer,
  type LayerLike,
  layerOf,
  takesWeights,
  withTraining,
} from './layer.ts';
import { nameLayers } from './layer-names.ts';

export type LayersOf = Readonly<Record<string, LayerLike>> | readonly LayerLike[];

/** The layers as `forward` gets them. A model among them is replaced by its network. */
export type Callables<L extends LayersOf> = {
  readonly [K in keyof L]: L[K] extends { readonly network: infer N } ? N : L[K];
};

export interface NetworkOptions<L extends LayersOf> {
  /**
   * The layers that `forward` calls, by name or in a list; each may be called any number of times. Layers that have
   * weights, carry states or draw random numbers must be listed: others are neither trained nor saved, so the first
   * call refuses them.
   */
  layers: L;
  name?: string | undefined;
  /**
   * One input, a list, or several by name. Data and the first argument of `forward` have the same form. Default: one
   * f32 input.
   */
  inputs?: Nested<InputSpec> | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: `forward` gets inputs nested as `inputs`, which types do not follow.
export type Forward<L extends LayersOf, Y> = (x: any, layers: Callables<L>, options: CallOptions) => Y;

/** The entry of a nested value at `key`, or undefined. */
const at = <T>(nested: Nested<T>, key: NestedKey): T | undefined =>
  key === undefined ? (nested as T) : (nested as Record<string, T>)[key];

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/** Throws `ArgumentError` unless `y` is a tensor, or a list or a record of tensors. */
export function expectTensors(what: string, y: unknown): void {
  if (isTensor(y)) return;
  const outputs: unknown[] = y && typeof y === 'object' ? Object.values(y) : [];
  if (outputs.length > 0 && outputs.every(isTensor)) return;
  const got = shown(outputs.length > 0 ? outputs.find((each) => !isTensor(each)) : y);
  throw new ArgumentError(`${what} expected to return a tensor, a list of tensors or some by name, got ${got}`);
}

/** A custom model as one layer: its layers, and a function that calls them. */
export class Network<L extends LayersOf = LayersOf, Y extends Nested<Tensor> = Nested<Tensor>> extends Layer<
  Y,
  Nested<Tensor>
> {
  readonly className: string = 'Functional';
  readonly layers: readonly AnyLayer[];
  readonly #inputs: Nested<InputSpec>;
  readonly #callables: Callables<L>;
  readonly #keys: ReadonlyMap<AnyLayer, string>;
  readonly #declaresInputs: boolean;
  readonly #forward: Forward<L, Y>;
  /** Output shapes of one sample, by the shapes of its inputs. */
  readonly #outputShapes = new Map<string, Nested<BatchShape>>();
  /** Activations of the outputs, by their keys. */
  #activations: ReadonlyMap<NestedKey, string | undefined> = new Map();

  constructor(options: NetworkOptions<L>, forward: Forward<L, Y>) {
    const known = { layers: 1, name: 1, inputs: 1 };
    const { layers, name, inputs = {} } = checkOptions<NetworkOptions<L>>('model', options, known);
    expectType('model: layers', layers, 'an object');
    expectType('model: inputs', inputs, 'an object');
    expectType('model: forward', forward, 'a function');
    const only = isInputSpec(inputs) ? inputs : undefined;
    super('model', { name, inputShape: only?.shape });
    const isList = Array.isArray(layers);
    const entries = Object.entries(layers).map(
      ([key, layer]) => [key, layerOf(`model: layers.${key}`, layer as LayerLike)] as const,
    );
    this.layers = [...new Set(entries.map(([, layer]) => layer))];
    this.#keys = new Map(isList ? [] : entries.map(([key, layer]) => [layer, key]));
    this.#callables = (isList ? entries.map(([, layer]) => layer) : Object.fromEntries(entries)) as Callables<L>;
    this.setScope();
    this.#inputs = inputs;
    this.#declaresInputs = options.inputs !== undefined;
    this.#forward = forward;
    const specs = leavesOf<InputSpec>(this.#inputs, isInputSpec);
    const shapes = specs.map((spec) => {
      const { shape } = checkOptions('model: inputs', spec, { dtype: 1, shape: 1, limit: 1 });
      if (shape !== undefined && !(Array.isArray(shape) && isShape([...shape])))
        throw new ArgumentError(`model: shape of inputs expected a list of lengths, got ${shown(shape)}`);
      return shape;
    });
    if (!takesWeights() && shapes.length > 0 && shapes.every((shape) => shape !== undefined)) {
      this.outputShapes(mapNested<InputSpec, BatchShape>(this.#inputs, isInputSpec, ({ shape }) => [null, ...shape!]));
    }
  }

  /** Runs `forward` with varying lengths set to 2 and to 3. An output length that differs between them varies too. */
  override sublayerShapes(): (Nested<BatchShape> | undefined)[] {
    const specs = leavesOf(this.#inputs, isInputSpec);
    if (specs.length === 0 || specs.some(({ shape }) => !shape)) return super.sublayerShapes();
    const [short, long] = [2, 3].map((length) => {
      this.outputShapes(
        mapNested<InputSpec, BatchShape>(this.#inputs, isInputSpec, ({ shape }) => [
          1,
          ...shape!.map((n) => n ?? length),
        ]),
      );
      return super.sublayerShapes();
    });
    return short!.map((shapes, i) => {
      if (!shapes) return undefined;
      const others = leavesOf<BatchShape>(long![i]!, isShape);
      let at = 0;
      return mapNested<BatchShape, BatchShape>(shapes, isShape, (shape) => {
        const other = others[at++]!;
        return shape.map((n, axis) => (n === other[axis] ? n : null));
      });
    });
  }

  override get inputs(): Nested<InputSpec> {
    return this.#inputs;
  }

  override get inputDtype(): DType {
    return this.#dtypeOf(undefined);
  }

  /** Undefined until `forward` has run on zeros. */
  override get outputActivation(): string | undefined {
    return this.activationOf(undefined);
  }

  override activationOf(key: NestedKey): string | undefined {
    return this.#activations.get(key);
  }

  override get inputLimit(): number | undefined {
    return (this.#inputs as InputSpec).limit;
  }

  override get sublayers(): readonly AnyLayer[] {
    return this.layers;
  }

  protected override nameSublayers(seen: ReadonlySet<AnyLayer>): void {
    nameLayers(this.name, this.layers, seen, (layer) => this.#keys.get(layer) ?? layer.defaultName);
  }

  override get isBuilt(): boolean {
    return this.layers.every((layer) => layer.isBuilt);
  }

  /**
   * Runs `forward` on one sample of zeros, once for each shape of its inputs, with varying lengths set to 1. Makes the
   * weights that do not exist yet.
   */
  override outputShape(inputShape: Nested<BatchShape>): BatchShape {
    const shapes = this.outputShapes(inputShape);
    if (!isShape(shapes)) throw new ArgumentError(`${this.name}: outputShape() expected one output, got several`);
    return shapes;
  }

  override outputShapes(inputShape: Nested<BatchShape>): Nested<BatchShape> {
    const sample = mapNested<BatchShape, Shape>(inputShape, isShape, (shape) => [
      1,
      ...shape.slice(1).map((n) => n ?? 1),
    ]);
    const known = JSON.stringify(sample);
    const shapes = this.#outputShapes.get(known) ?? transaction(() => this.#outputShapesOf(sample));
    if (!this.#outputShapes.has(known)) recordChange(() => this.#outputShapes.delete(known));
    this.#outputShapes.set(known, shapes);
    const batch = leavesOf<BatchShape>(inputShape, isShape)[0]?.[0] ?? null;
    return mapNested<BatchShape, BatchShape>(shapes, isShape, (shape) => [batch, ...shape.slice(1)]);
  }

  #outputShapesOf(sample: Nested<Shape>): Nested<BatchShape> {
    const restores = this.tree().map((layer) => layer.carried?.suspend());
    // Reading the shapes of a built network must draw no random numbers.
    if (this.isBuilt) restores.push(...this.tree().map(keepRandomState));
    try {
      return (this.weights[0]?.tensor.engine ?? engine()).step(() => {
        const x = mapNested<BatchShape, Tensor>(sample, isShape, (shape, key) =>
          zeros(shape as Shape, { dtype: this.#dtypeOf(key), name: 'x' }),
        );
        const y = this(x, { training: false });
        this.#activations = new Map(entriesOf<Tensor>(y, isTensor).map(([key, { activation }]) => [key, activation]));
        return mapNested<Tensor, BatchShape>(y, isTensor, ({ shape }) => shape);
      });
    } finally {
      for (const restore of restores) restore?.();
    }
  }

  #dtypeOf(key: NestedKey): DType {
    return at(this.#inputs, key)?.dtype ?? 'f32';
  }

  #nameOf(key: NestedKey): string {
    const place = key === undefined ? '' : typeof key === 'number' ? `[${key}]` : ` '${key}'`;
    return `${this.name}: input${place}`;
  }

  /** A configuration cannot hold the code of `forward`. */
  override config(): LayerConfig {
    return { name: this.name, isCustom: true };
  }

  protected override checkInput(inputShape: Nested<BatchShape>): void {
    for (const [key, spec] of entriesOf(this.#inputs, isInputSpec)) {
      const shape = at(inputShape, key);
      expectInputShape(this.#nameOf(key), spec, isShape(shape) ? shape : undefined);
    }
  }

  protected override call(x: Nested<Tensor>, options: CallOptions): Y {
    if (this.#declaresInputs) {
      for (const [key, { dtype = 'f32', limit }] of entriesOf(this.#inputs, isInputSpec)) {
        const given = at(x, key)!;
        if (given.dtype !== dtype)
          throw new ArgumentError(`${this.#nameOf(key)} expected ${dtype}, got ${given.dtype}`);
        if (limit !== undefined) expectIds(this.#nameOf(key), given, limit);
      }
    }
    const y = inNetwork(this, () =>
      withTraining(isTraining(options), () => this.#forward(x, this.#callables, options)),
    );
    expectTensors(`${this.name}: forward`, y);
    return y;
  }
}

/** Returns a function that restores the current state of a layer's random numbers. */
function keepRandomState(layer: AnyLayer): () => void {
  const { randomState, seeds = seedStream() } = layer;
  const { state } = seeds;
  return () => {
    seeds.state = state;
    if (randomState) layer.random.state = randomState;
    else layer.setRandom(undefined, layer.seeds);
  };
}
