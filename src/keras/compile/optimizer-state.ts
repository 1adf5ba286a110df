// The state of an optimizer as Keras lists it: the number of steps, the learning rate, then slots of every trainable
// weight, for which versions of Keras have different orders.
// https://github.com/keras-team/keras/blob/master/keras/src/optimizers/base_optimizer.py
import type { Parameter } from '../../autograd/parameter.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { ArgumentError } from '../../checks/argument-error.ts';
import { formatShape, type Shape } from '../../checks/shape.ts';
import type { AnyModel } from '../../models/model.ts';
import type { KerasArray } from '../weights/keras-array.ts';

/** The slots of one parameter in Keras's order: of the moving average and of accumulation, then of the update rule. */
interface Slots {
  readonly shape: Shape;
  readonly extras: readonly Tensor[];
  readonly rule: readonly Tensor[];
}

function slotsOf(model: AnyModel, parameters: readonly Parameter[]): Slots[] {
  const state = [...model.optimizer.state(parameters)];
  return parameters.map(({ name, shape }) => {
    const own = state.filter(([slot]) => slot.slice(0, slot.lastIndexOf('/')) === name);
    const ending = (end: string): Tensor[] => own.filter(([slot]) => slot.endsWith(end)).map(([, tensor]) => tensor);
    const extras = [...ending('/average'), ...ending('/gradient_accumulator')];
    return { shape, extras, rule: own.map(([, tensor]) => tensor).filter((tensor) => !extras.includes(tensor)) };
  });
}

/** Slots in the order of a file. */
type Order = (slots: readonly Slots[]) => Tensor[];

const extras: Order = (slots) => slots.flatMap((each) => each.extras);
const byParameter: Order = (slots) => [...extras(slots), ...slots.flatMap(({ rule }) => rule)];
const byKind: Order = (slots) => [...extras(slots), ...kinds(slots, 0)];
/** Moments of each parameter together, then the largest second moments of all. */
const withMaxima: Order = (slots) => [
  ...extras(slots),
  ...slots.flatMap(({ rule }) => rule.slice(0, 2)),
  ...kinds(slots, 2),
];

const kinds = (slots: readonly Slots[], from: number): Tensor[] =>
  (slots[0]?.rule ?? []).flatMap((_, kind) => (kind < from ? [] : slots.map(({ rule }) => rule[kind]!)));

/** The orders in which an optimizer's slots may be, the likeliest first. */
function ordersOf(name: string, isOld: boolean): readonly Order[] {
  if (isOld) return [byKind, withMaxima, byParameter];
  return name === 'rmsprop' ? [byKind, byParameter] : [withMaxima, byParameter, byKind];
}

/** The state of a file. */
export interface SavedState {
  readonly arrays: readonly KerasArray[];
  /** Whether it was written before optimizers of Keras 2.11, which list slots by kind. */
  readonly isOld: boolean;
}

/**
 * Gives the optimizer of a compiled model the state in a file.
 *
 * @param parameters the trainable weights in Keras's order.
 * @throws ArgumentError if the state does not fit. Nothing is set then.
 */
export function restoreState(model: AnyModel, parameters: readonly Parameter[], { arrays, isOld }: SavedState): void {
  const slots = slotsOf(model, parameters);
  const count = byKind(slots).length;
  const given = withoutPlaceholders(arrays, count, parameters.length);
  const numbers = given.slice(0, given.length - count);
  if (given.length < count || numbers.length > 3 || numbers.some(({ data }) => data.length !== 1)) {
    throw new ArgumentError(
      `optimizer: state expected ${count} arrays for ${model.optimizer.name}, got ${given.length}`,
    );
  }
  const values = given.slice(numbers.length);
  const fits = (order: Order): boolean =>
    order(slots).every((slot, i) => formatShape(slot.shape) === formatShape(values[i]!.shape));
  const order = ordersOf(model.optimizer.name, isOld).find(fits);
  if (!order) throw new ArgumentError(`optimizer: the shapes of its state do not fit the weights`);
  const steps = numbers[0]?.data[0] ?? 0;
  if (!(Number.isSafeInteger(steps) && steps >= 0)) {
    throw new ArgumentError(`optimizer: its number of steps expected an integer ≥ 0, got ${steps}`);
  }
  for (const { name, data } of values) {
    const bad = data.find((value) => !Number.isFinite(value));
    if (bad !== undefined) throw new ArgumentError(`optimizer: '${name}' expected finite numbers, got ${bad}`);
  }
  order(slots).forEach((slot, i) => slot.set(values[i]!.data));
  model.optimizer.steps = steps;
}

/** Keras 2 writes an array of one number for each largest second moment that Adam without amsgrad does not have. */
function withoutPlaceholders(arrays: readonly KerasArray[], count: number, parameters: number): readonly KerasArray[] {
  const end = arrays.slice(arrays.length - parameters);
  const isPlaceholder = ({ shape, data }: KerasArray): boolean =>
    shape.length === 1 && data.length === 1 && data[0] === 0;
  return arrays.length === 1 + count + parameters && end.every(isPlaceholder) ? arrays.slice(0, -parameters) : arrays;
}

/** A variable of an optimizer, as Keras 3 saves it. */
export interface StateVariable {
  readonly shape: Shape;
  readonly data: Float32Array | BigInt64Array;
}

/** The state of a compiled model's optimizer, in the order of Keras 3. */
export function stateVariables(model: AnyModel, parameters: readonly Parameter[]): StateVariable[] {
  const { optimizer } = model;
  const rate = optimizer.config().learningRate;
  const order = ordersOf(optimizer.name, false)[0]!;
  return [
    { shape: [], data: BigInt64Array.of(BigInt(optimizer.steps)) },
    // A schedule is no variable.
    ...(typeof rate === 'number' ? [{ shape: [], data: Float32Array.of(rate) }] : []),
    ...order(slotsOf(model, parameters)).map((slot) => ({ shape: slot.shape, data: slot.toArray() as Float32Array })),
  ];
}
