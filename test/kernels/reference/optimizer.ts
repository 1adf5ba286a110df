// Keras 3's update rules for one parameter in float64, as
// keras/src/optimizers/{sgd,rmsprop,adam,nadam,adamax,lion,adadelta,adagrad}.py write them. State is updated in place.

export interface Slot {
  p: number;
  g: number;
  /**
   * The optimizer's state of this parameter: velocity; or velocity, momentum, average gradient; or m, v and the
   * greatest v; or accumulator.
   */
  state: number[];
}

export function sgd(slot: Slot, lr: number, momentum: number, nesterov: boolean): void {
  const { g, state } = slot;
  if (momentum === 0) {
    slot.p -= g * lr;
    return;
  }
  state[0] = momentum * state[0]! - g * lr;
  slot.p += nesterov ? momentum * state[0]! - g * lr : state[0]!;
}

export function rmsprop(
  slot: Slot,
  lr: number,
  rho: number,
  momentum: number,
  epsilon: number,
  centered: boolean,
): void {
  const { g, state } = slot;
  state[0] = rho * state[0]! + (1 - rho) * g * g;
  let denominator = state[0]! + epsilon;
  if (centered) {
    state[2] = rho * state[2]! + (1 - rho) * g;
    denominator = state[0]! - state[2]! ** 2 + epsilon;
  }
  const increment = (lr * g) / Math.sqrt(denominator);
  if (momentum > 0) {
    state[1] = momentum * state[1]! + increment;
    slot.p -= state[1]!;
  } else {
    slot.p -= increment;
  }
}

/** Adam at step t ≥ 1; AdamW with weightDecay. */
export function adam(
  slot: Slot,
  t: number,
  lr: number,
  beta1: number,
  beta2: number,
  epsilon: number,
  weightDecay: number,
  amsgrad = false,
): void {
  const { g, state } = slot;
  slot.p -= slot.p * weightDecay * lr;
  const alpha = (lr * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
  state[0]! += (g - state[0]!) * (1 - beta1);
  state[1]! += (g * g - state[1]!) * (1 - beta2);
  if (amsgrad) state[2] = Math.max(state[2]!, state[1]!);
  slot.p -= (state[0]! * alpha) / (Math.sqrt(state[amsgrad ? 2 : 1]!) + epsilon);
}

/** Nadam at step t ≥ 1. */
export function nadam(slot: Slot, t: number, lr: number, beta1: number, beta2: number, epsilon: number): void {
  const { g, state } = slot;
  const u = (step: number): number => beta1 * (1 - 0.5 * 0.96 ** step);
  let product = 1;
  for (let step = 1; step <= t; step++) product *= u(step);
  state[0]! += (g - state[0]!) * (1 - beta1);
  state[1]! += (g * g - state[1]!) * (1 - beta2);
  const ahead = (u(t + 1) * state[0]!) / (1 - product * u(t + 1)) + ((1 - u(t)) * g) / (1 - product);
  slot.p -= (ahead * lr) / (Math.sqrt(state[1]! / (1 - beta2 ** t)) + epsilon);
}

/** Adamax at step t ≥ 1. */
export function adamax(slot: Slot, t: number, lr: number, beta1: number, beta2: number, epsilon: number): void {
  const { g, state } = slot;
  state[0]! += (g - state[0]!) * (1 - beta1);
  state[1] = Math.max(beta2 * state[1]!, Math.abs(g));
  slot.p -= (lr * state[0]!) / ((1 - beta1 ** t) * (state[1]! + epsilon));
}

export function lion(slot: Slot, lr: number, beta1: number, beta2: number): void {
  const { g, state } = slot;
  slot.p -= lr * Math.sign(state[0]! * beta1 + g * (1 - beta1));
  state[0] = state[0]! * beta2 + g * (1 - beta2);
}

export function adadelta(slot: Slot, lr: number, rho: number, epsilon: number): void {
  const { g, state } = slot;
  state[0] = rho * state[0]! + (1 - rho) * g * g;
  const delta = (-Math.sqrt(state[1]! + epsilon) * g) / Math.sqrt(state[0]! + epsilon);
  state[1] = rho * state[1]! + (1 - rho) * delta * delta;
  slot.p += lr * delta;
}

export function adagrad(slot: Slot, lr: number, epsilon: number): void {
  const { g, state } = slot;
  state[0]! += g * g;
  slot.p -= (lr * g) / Math.sqrt(state[0]! + epsilon);
}
