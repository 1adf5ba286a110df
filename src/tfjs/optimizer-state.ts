// The state of an optimizer in TF.js: `iter`, then each kind of slot for all trainable weights in their order.

import type { Parameter } from '../autograd/parameter.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { formatShape } from '../checks/shape.ts';
import { isObject, type Parsed } from '../io/parsed-json.ts';
import type { AnyLayer } from '../layers/base/layer.ts';
import type { Model } from '../models/model.ts';
import type { TfjsWeight, WrittenWeight } from './manifest.ts';
import { tfjsNames } from './weight-names.ts';

/** A kind of slot: its name here, and the end of its name in TF.js. */
interface Slot {
  /** Undefined for one that is all zeros here. */
  readonly own: string | undefined;
  readonly suffix: string;
}

/** The slots of an optimizer by its class in TF.js. */
function slotsOf(className: string, config: Parsed): readonly Slot[] {
  switch (className) {
    case 'Adam':
      return [
        { own: 'momentum', suffix: 'm' },
        { own: 'velocity', suffix: 'v' },
      ];
    case 'RMSProp':
      return [
        { own: 'velocity', suffix: 'rms' },
        { own: Number(config.momentum ?? 0) > 0 ? 'momentum' : undefined, suffix: 'momentum' },
        ...(config.centered === true ? [{ own: 'average_gradient', suffix: 'mg' }] : []),
      ];
    case 'Momentum':
      return [{ own: 'momentum', suffix: 'momentum' }];
    case 'Adagrad':
      return [{ own: 'accumulator', suffix: 'accumulator' }];
    default:
      return [];
  }
}

/** TF.js adds up gradients, Keras and tapeloop steps: a step is −learningRate times the sum. */
const factorOf = (className: string, model: Model): number =>
  className === 'Momentum' ? -model.optimizer.learningRate : 1;

const optimizerOf = (training: Parsed): { className: string; config: Parsed } => {
  const { class_name, config } = isObject(training.optimizer_config) ? training.optimizer_config : {};
  return { className: String(class_name), config: isObject(config) ? config : {} };
};

/** The trainable weights with their names in TF.js, in its order. */
function trainableOf(model: Model, order: readonly AnyLayer[] | undefined): { weight: Parameter; name: string }[] {
  const names = tfjsNames(model.network as AnyLayer);
  const leaves = [...new Set((order ?? [model.network as AnyLayer]).flatMap((layer) => layer.tree()))];
  return leaves.flatMap((leaf) =>
    (names.get(leaf) ?? []).flatMap(({ name, trainable }, i) =>
      trainable ? [{ weight: leaf.weights[i]!, name }] : [],
    ),
  );
}

/** Gives a compiled model the state of the optimizer in a file. Throws `ArgumentError` if it does not fit. */
export function readOptimizerState(model: Model, training: Parsed, weights: readonly TfjsWeight[]): void {
  const [iterations, ...slots] = weights;
  if (!iterations) return;
  const steps = iterations.data[0];
  if (iterations.data.length !== 1 || !(Number.isInteger(steps) && steps! >= 0))
    throw new ArgumentError(`optimizer: '${iterations.name}' expected the number of steps, got ${steps}`);
  const { className, config } = optimizerOf(training);
  const kinds = slotsOf(className, config);
  if (slots.length > 0) {
    const trainable = trainableOf(model, undefined);
    const count = trainable.length;
    if (slots.length !== count * kinds.length)
      throw new ArgumentError(
        `optimizer: state expected ${count * kinds.length} tensors for ${className}, got ${slots.length}`,
      );
    const byName = new Map(slots.map((slot) => [slot.name, slot]));
    const own = model.optimizer.state(model.weights);
    const factor = factorOf(className, model);
    const changes = kinds.flatMap(({ own: kind, suffix }, k) =>
      trainable.flatMap(({ weight, name }, i): [Tensor, Float32Array][] => {
        // Names get a number if TF.js has made a model of the same names before; the order then tells.
        const slot = byName.get(`${name}/${suffix}`) ?? slots[k * count + i]!;
        if (formatShape(slot.shape) !== formatShape(weight.shape))
          throw new ArgumentError(
            `optimizer: '${slot.name}' expected ${formatShape(weight.shape)}, got ${formatShape(slot.shape)}`,
          );
        const bad = slot.data.find((value) => !Number.isFinite(value));
        if (bad !== undefined) throw new ArgumentError(`optimizer: '${slot.name}' expected finite numbers, got ${bad}`);
        const target = kind === undefined ? undefined : own.get(`${weight.name}/${kind}`);
        return target ? [[target, factor === 1 ? slot.data : slot.data.map((value) => value * factor)]] : [];
      }),
    );
    for (const [target, values] of changes) target.set(values);
  }
  model.optimizer.steps = steps!;
}

/**
 * The state of a compiled model's optimizer for TF.js.
 *
 * @param order the layers in TF.js's order.
 * @throws ArgumentError if TF.js keeps no state of it.
 */
export function writeOptimizerState(model: Model, training: Parsed, order: readonly AnyLayer[]): WrittenWeight[] {
  const { className, config } = optimizerOf(training);
  const { optimizer } = model;
  // TF.js refuses even the number of steps of an Adamax.
  if (className === 'Adamax' && optimizer.steps === 0) return [];
  const iterations = { name: 'iter', shape: [], data: Int32Array.of(optimizer.iterations), isOptimizer: true };
  if (optimizer.steps === 0) return [iterations];
  if (className === 'Adamax') throw new ArgumentError('optimizer: TF.js keeps no state of Adamax');
  const state = optimizer.state(model.weights);
  const factor = factorOf(className, model);
  if (factor === 0) throw new ArgumentError('optimizer: momentum of TF.js expected a learning rate above 0, got 0');
  const slots = slotsOf(className, config).flatMap(({ own, suffix }) =>
    trainableOf(model, order).map(({ weight, name }): WrittenWeight => {
      const slot = own === undefined ? undefined : (state.get(`${weight.name}/${own}`)!.toArray() as Float32Array);
      const data = slot ? (factor === 1 ? slot : slot.map((value) => value / factor)) : new Float32Array(weight.size);
      return { name: `${name}/${suffix}`, shape: weight.shape, data, isOptimizer: true };
    }),
  );
  return [iterations, ...slots];
}
