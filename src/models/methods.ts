// Convenience methods, which a small app can do without. Their types are declared with the classes.

import { Parameter } from '../autograd/parameter.ts';
import { expectShape, Tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectList, isFloat32 } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { asArray, type DataLike, NdArray } from '../data/array.ts';
import { addArrayMethods, addTo } from '../data/array-methods.ts';
import { Profiler } from '../engine/profile.ts';
import { customChecks } from '../layers/base/custom-checks.ts';
import { type AnyLayer, checkCustomLayers, Layer } from '../layers/base/layer.ts';
import { summary } from '../layers/base/summary.ts';
import { Optimizer } from '../optimizers/optimizer.ts';
import { optionalParts } from '../train/optional-parts.ts';
import { Runs } from '../train/runs.ts';
import { type AnyModel, Model } from './model.ts';
import { networkUpTo } from './up-to.ts';

function copiesOf(weights: readonly Parameter[]): NdArray<Float32Array>[] {
  return weights.map((weight) => new NdArray(weight.toArray(), weight.shape));
}

/** Sets all weights, or none if one does not fit. */
function assignAll(what: string, layer: AnyLayer, values: readonly DataLike[]): void {
  const { weights } = layer;
  expectList(`${what}: weights`, values);
  if (!layer.isBuilt && values.length > 0) {
    throw new ArgumentError(
      `${what} expected weights that are made; inputShape of the first layer makes them, or a call`,
    );
  }
  if (values.length !== weights.length) {
    throw new ArgumentError(`${what}: weights expected a list of ${weights.length}, got ${values.length}`);
  }
  const arrays = weights.map(({ name, shape }, i) => {
    const where = `${what}: weights[${i}], '${name}'`;
    const array = asArray(values[i]!, where);
    expectShape(where, array.shape, shape);
    for (let at = 0; at < array.data.length; at++) {
      const value = array.data[at];
      if (!isFloat32(value)) throw new ArgumentError(`${where} expected finite numbers, got ${value} at ${at}`);
    }
    // A copy, because a given tensor may be one of the weights that are set.
    return Float32Array.from(array.data);
  });
  for (const [i, weight] of weights.entries()) weight.assign(arrays[i]!);
}

/** The error for a method that a custom layer lacks. In TypeScript the compiler reports it first. */
const missingMethod = (layer: AnyLayer, method: string): ArgumentError =>
  new ArgumentError(`${layer.describe()}: a layer expected to have ${method}`);

const layerMethods = {
  call(this: Layer): never {
    throw missingMethod(this, 'call(x, options), which computes');
  },
  config(this: Layer): never {
    throw missingMethod(this, 'config(), which returns { ...this.baseConfig(), …its own options }, to be saved');
  },
  outputShape(this: Layer): never {
    throw missingMethod(this, 'outputShape(inputShape), which tells the shape of what call() returns');
  },
  getWeights(this: Layer): NdArray<Float32Array>[] {
    return copiesOf(this.weights);
  },
  setWeights(this: Layer, weights: readonly DataLike[]): void {
    new Runs(this).expectNone(`${this.describe()}: setWeights`, true);
    assignAll(`${this.describe()}: setWeights`, this, weights);
  },
};

const modelMethods = {
  getWeights(this: Model): NdArray<Float32Array>[] {
    return copiesOf(this.weights);
  },
  setWeights(this: Model, weights: readonly DataLike[]): void {
    this.trainer.runs.expectNone('setWeights', true);
    assignAll(`${this.name}: setWeights`, this.network, weights);
  },
  summary(this: Model): string {
    this.network.expectAlive();
    this.network.setScope();
    return summary(this.network);
  },
  upTo(this: Model, layer: string | number | AnyLayer): AnyModel {
    return new Model(networkUpTo(this.network, layer), this.trainer.random);
  },
  /** `JSON.stringify` would write no weights. */
  toJSON(this: Model): never {
    throw new ArgumentError(`${this.name}: a model is no JSON; encodeModel(model) saves it`);
  },
};

// Up to WHOLE numbers are shown in full. Of more numbers, the first and the last three of each axis are shown, as in
// NumPy.
const WHOLE = 24;
const EDGE = 3;

/** Numbers in nested brackets, each with at most four significant digits. */
function shownNumbers(data: ArrayLike<number>, shape: readonly number[]): string {
  const isLong = data.length > WHOLE;
  const walk = (axis: number, from: number, size: number): string => {
    if (axis === shape.length) return String(Number(data[from]!.toPrecision(4)));
    const length = shape[axis]!;
    const inner = size / Math.max(length, 1);
    const show = (i: number): string => walk(axis + 1, from + i * inner, inner);
    const places = [...Array(isLong && length > 2 * EDGE ? EDGE : length).keys()];
    const parts = places.map(show);
    if (places.length < length) parts.push('…', ...places.map((i) => show(length - EDGE + i)));
    return `[${parts.join(', ')}]`;
  };
  return walk(0, 0, data.length);
}

/** Name, shape, data type and numbers; for a tensor that is not alive, the reason in place of the numbers. */
function shownTensor(kind: string, x: Tensor, name = x.name): string {
  const head = `${kind} '${name}' ${formatShape(x.shape)} ${x.dtype}`;
  try {
    return `${head} ${shownNumbers(x.toArray(), x.shape)}`;
  } catch {
    return `${head} (${x.isDisposed ? 'disposed of' : 'its step has ended'})`;
  }
}

const shownCount = (layer: AnyLayer): string =>
  layer.isBuilt ? `${layer.countParams().toLocaleString('en-US')} parameters` : 'not built';

/**
 * `Dense 'dense', weights [400, 3] [3], 1,203 parameters`; for a layer with sublayers, only the number of parameters.
 */
function shownLayer(layer: AnyLayer): string {
  const shapes = layer.sublayers.length > 0 ? [] : layer.weights.map(({ shape }) => formatShape(shape));
  const weights = shapes.length > 0 ? `weights ${shapes.join(' ')}, ` : '';
  return `${layer.className} '${layer.name}', ${weights}${shownCount(layer)}`;
}

/** `Model 'sequential', Embedding → LSTM → Dense, 5,000 parameters`; of many layers, the first and the last three. */
function shownModel({ name, layers, network }: AnyModel): string {
  const kinds = layers.map(({ className }) => className);
  if (kinds.length > 2 * EDGE) kinds.splice(EDGE, kinds.length - 2 * EDGE, '…');
  return `Model '${name}', ${kinds.join(' → ')}, ${shownCount(network)}`;
}

/**
 * Methods that make `console.log` and template literals show `text` of the object. With `instead`, arithmetic and
 * comparisons throw, because they would give NaN or false.
 */
const printed = <T>(text: (self: T) => string, instead?: string): object => ({
  toString(this: T): string {
    return text(this);
  },
  ...(instead && {
    [Symbol.toPrimitive](this: T, hint: string): string {
      if (hint === 'string') return text(this);
      throw new ArgumentError(`arithmetic expected numbers, got ${text(this).slice(0, 80)}; use ${instead}`);
    },
  }),
  [Symbol.for('nodejs.util.inspect.custom')](this: T): string {
    return text(this);
  },
});

const onTensors = 'ops.mul and its like, or item() for the only number';

/** Makes properties throw if they are set by their name in another library, because this would have no effect. */
function refuseForeignNames(type: { prototype: object }, names: Readonly<Record<string, string>>): void {
  for (const [name, own] of Object.entries(names)) {
    Object.defineProperty(type.prototype, name, {
      set() {
        throw new ArgumentError(`${name} is called ${own} here`);
      },
      configurable: true,
    });
  }
}

/**
 * Adds the methods that a small app can do without.
 *
 * These are `summary` and `upTo` of models, `getWeights` and `setWeights` of models and layers, the option `profile` of
 * `fit`, `row`, `slice` and `argMax` of arrays, and the text that `console.log` shows for tensors, parameters, arrays,
 * layers and models. Custom layers are then checked when they run. JavaScript arithmetic on tensors, parameters and
 * arrays then throws an ArgumentError, and so does setting a property by its Keras name (`model.stop_training`).
 *
 * `tapeloop` calls it on load. An app of `tapeloop/lean` that needs them calls it once.
 *
 * @example
 * addMethods();
 * console.log(model.summary());
 */
export function addMethods(): void {
  optionalParts.Profiler = Profiler;
  checkCustomLayers(customChecks);
  addArrayMethods();
  addTo(Layer, layerMethods);
  addTo(Model, modelMethods);
  addTo(
    Tensor,
    printed<Tensor>((x) => shownTensor('Tensor', x), onTensors),
  );
  addTo(
    Parameter,
    printed<Parameter>(({ name, tensor }) => shownTensor('Parameter', tensor, name), onTensors),
  );
  addTo(
    NdArray,
    printed<NdArray>(
      ({ data, shape }) => `NdArray ${formatShape(shape)} ${shownNumbers(data, shape)}`,
      'the numbers in its data, or toNested()',
    ),
  );
  addTo(Layer, printed(shownLayer));
  addTo(Model, printed(shownModel));
  refuseForeignNames(Optimizer, { lr: 'learningRate', learning_rate: 'learningRate' });
  refuseForeignNames(Model, { stop_training: 'stopTraining' });
}
