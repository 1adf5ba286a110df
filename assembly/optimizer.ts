// Optimizer updates by the rules of Keras 3 (https://keras.io/api/optimizers/), each in one pass over memory. The first
// comment of each kernel has its formula.
//
// p [count] f32: parameters, updated in place. g [count] f32: the gradient, not changed. g in a formula is gradScale·g,
// so clipping needs no pass of its own. The other pointers are the state of the optimizer, [count] f32, updated in
// place. All are dense, and none overlap. Called by src/optimizers, once for each parameter and step.
//
// 1 − β is computed in float64, as in Keras: with β = 0.999 as a float32 it would be off by 1.3e-5.

import { load_lanes, store_flushed, store_lanes, vector_bytes } from './lanes';
import { madd, nmadd } from './simd';

// sgd -------------------------------------------------------------------------------------------------------------

/**
 * Gradient descent, with momentum and with that of Nesterov.
 *
 *   momentum = 0:    p −= lr·g             v is neither read nor written
 *   nesterov = 0:    v = momentum·v − lr·g      p += v
 *   nesterov = 1:    v = momentum·v − lr·g      p += momentum·v − lr·g
 */
export function sgd(
  count: i32,
  p: usize,
  g: usize,
  v: usize,
  gradScale: f32,
  lr: f32,
  momentum: f32,
  nesterov: i32,
): void {
  const tail = count & 3;
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(lr);
  const mu = f32x4.splat(momentum);
  const end = p + vector_bytes(count);
  if (momentum == 0) {
    for (; p < end; p += 16, g += 16) sgd_plain(p, g, s, rate, 4);
    if (tail) sgd_plain(p, g, s, rate, tail);
  } else {
    for (; p < end; p += 16, g += 16, v += 16) sgd_momentum(p, g, v, s, rate, mu, nesterov, 4);
    if (tail) sgd_momentum(p, g, v, s, rate, mu, nesterov, tail);
  }
}

// @ts-ignore: decorator
@inline
function sgd_plain(p: usize, g: usize, s: v128, rate: v128, count: i32): void {
  store_lanes(p, nmadd(rate, f32x4.mul(s, load_lanes(g, count)), load_lanes(p, count)), count);
}

// @ts-ignore: decorator
@inline
function sgd_momentum(
  p: usize,
  g: usize,
  v: usize,
  s: v128,
  rate: v128,
  mu: v128,
  nesterov: i32,
  count: i32,
): void {
  const step = f32x4.mul(rate, f32x4.mul(s, load_lanes(g, count)));
  const velocity = f32x4.sub(f32x4.mul(mu, load_lanes(v, count)), step);
  store_flushed(v, velocity, count);
  const change = nesterov ? f32x4.sub(f32x4.mul(mu, velocity), step) : velocity;
  store_lanes(p, f32x4.add(load_lanes(p, count), change), count);
}

// rmsprop ---------------------------------------------------------------------------------------------------------

/**
 * RMSprop (Hinton, Srivastava and Swersky 2012).
 *
 *   v = rho·v + (1 − rho)·g²
 *   centered, mg not 0:    mg = rho·mg + (1 − rho)·g      d = v − mg²      else d = v
 *   step = lr·g/√(d + ε)
 *   momentum > 0:          mom = momentum·mom + step      p −= mom         else p −= step
 *
 * mom may be 0 without momentum.
 */
export function rmsprop(
  count: i32,
  p: usize,
  g: usize,
  v: usize,
  mom: usize,
  mg: usize,
  gradScale: f32,
  lr: f32,
  rho: f64,
  momentum: f32,
  epsilon: f32,
): void {
  const tail = count & 3;
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(lr);
  const keep = f32x4.splat(<f32>rho);
  const take = f32x4.splat(<f32>(1 - rho));
  const mu = f32x4.splat(momentum);
  const eps = f32x4.splat(epsilon);
  const heavy = momentum > 0;
  const centered = mg != 0;
  for (let end = p + vector_bytes(count); p < end; p += 16, g += 16, v += 16, mom += 16, mg += 16) {
    rmsprop_step(p, g, v, mom, mg, s, rate, keep, take, mu, eps, heavy, centered, 4);
  }
  if (tail) rmsprop_step(p, g, v, mom, mg, s, rate, keep, take, mu, eps, heavy, centered, tail);
}

// v − mg² is a variance, but rounding can make it negative. Its root would then be NaN, so it is at least 0.
// @ts-ignore: decorator
@inline
function rmsprop_step(
  p: usize,
  g: usize,
  v: usize,
  mom: usize,
  mg: usize,
  s: v128,
  rate: v128,
  keep: v128,
  take: v128,
  mu: v128,
  eps: v128,
  heavy: bool,
  centered: bool,
  count: i32,
): void {
  const grad = f32x4.mul(s, load_lanes(g, count));
  const square = madd(keep, load_lanes(v, count), f32x4.mul(take, f32x4.mul(grad, grad)));
  store_flushed(v, square, count);
  let spread = square;
  if (centered) {
    const mean = madd(keep, load_lanes(mg, count), f32x4.mul(take, grad));
    store_flushed(mg, mean, count);
    spread = f32x4.pmax(nmadd(mean, mean, square), f32x4.splat(0));
  }
  let step = f32x4.div(f32x4.mul(rate, grad), f32x4.sqrt(f32x4.add(spread, eps)));
  if (heavy) {
    step = madd(mu, load_lanes(mom, count), step);
    store_flushed(mom, step, count);
  }
  store_lanes(p, f32x4.sub(load_lanes(p, count), step), count);
}

// adam ------------------------------------------------------------------------------------------------------------

/**
 * Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980).
 *
 *   p −= decay·p      m += (g − m)(1 − β1)      v += (g² − v)(1 − β2)      p −= alpha·m/(√v + ε)
 *
 * The caller computes alpha = lr·√(1 − β2^t)/(1 − β1^t). decay is 0 for Adam and lr·weightDecay for AdamW (Loshchilov
 * and Hutter 2019, https://arxiv.org/abs/1711.05101). If top is not 0, top = max(top, v) replaces v in the root:
 * AMSGrad (Reddi, Kale and Kumar 2018, https://arxiv.org/abs/1904.09237).
 */
export function adam(
  count: i32,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  top: usize,
  gradScale: f32,
  alpha: f32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  decay: f32,
): void {
  const tail = count & 3;
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(alpha);
  const take1 = f32x4.splat(<f32>(1 - beta1));
  const take2 = f32x4.splat(<f32>(1 - beta2));
  const eps = f32x4.splat(epsilon);
  const shrink = f32x4.splat(decay);
  const end = p + vector_bytes(count);
  if (top) {
    for (; p < end; p += 16, g += 16, m += 16, v += 16, top += 16) {
      adam_step(p, g, m, v, top, s, rate, s, take1, take2, eps, shrink, true, false, 4);
    }
    if (tail) adam_step(p, g, m, v, top, s, rate, s, take1, take2, eps, shrink, true, false, tail);
  } else {
    for (; p < end; p += 16, g += 16, m += 16, v += 16) {
      adam_step(p, g, m, v, 0, s, rate, s, take1, take2, eps, shrink, false, false, 4);
    }
    if (tail) adam_step(p, g, m, v, 0, s, rate, s, take1, take2, eps, shrink, false, false, tail);
  }
}

/**
 * Nadam (Dozat 2016). m and v as in `adam`, then p −= (alpha·m + alphaG·g)/(√v + ε). The caller computes alpha, alphaG
 * and the ε that fits them.
 */
export function nadam(
  count: i32,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  gradScale: f32,
  alpha: f32,
  alphaG: f32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
): void {
  const tail = count & 3;
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(alpha);
  const rateG = f32x4.splat(alphaG);
  const take1 = f32x4.splat(<f32>(1 - beta1));
  const take2 = f32x4.splat(<f32>(1 - beta2));
  const eps = f32x4.splat(epsilon);
  const none = f32x4.splat(0);
  for (let end = p + vector_bytes(count); p < end; p += 16, g += 16, m += 16, v += 16) {
    adam_step(p, g, m, v, 0, s, rate, rateG, take1, take2, eps, none, false, true, 4);
  }
  if (tail) adam_step(p, g, m, v, 0, s, rate, rateG, take1, take2, eps, none, false, true, tail);
}

// @ts-ignore: decorator
@inline
function adam_step(
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  top: usize,
  s: v128,
  rate: v128,
  rateG: v128,
  take1: v128,
  take2: v128,
  eps: v128,
  shrink: v128,
  amsgrad: bool,
  nesterov: bool,
  count: i32,
): void {
  const grad = f32x4.mul(s, load_lanes(g, count));
  const oldMean = load_lanes(m, count);
  const oldSquare = load_lanes(v, count);
  const old = load_lanes(p, count);
  const mean = madd(f32x4.sub(grad, oldMean), take1, oldMean);
  let square = madd(f32x4.sub(f32x4.mul(grad, grad), oldSquare), take2, oldSquare);
  store_flushed(m, mean, count);
  store_flushed(v, square, count);
  if (amsgrad) {
    square = f32x4.pmax(load_lanes(top, count), square);
    store_flushed(top, square, count);
  }
  let ahead = f32x4.mul(rate, mean);
  if (nesterov) ahead = madd(rateG, grad, ahead);
  const step = f32x4.div(ahead, f32x4.add(f32x4.sqrt(square), eps));
  store_lanes(p, f32x4.sub(nmadd(shrink, old, old), step), count);
}

// adamax ----------------------------------------------------------------------------------------------------------

/**
 * Adamax (Kingma and Ba 2015, section 7.1).
 *
 *   m += (g − m)(1 − β1)      u = max(β2·u, |g|)      p −= alpha·m/(u + ε)
 *
 * The caller computes alpha = lr/(1 − β1^t).
 */
export function adamax(
  count: i32,
  p: usize,
  g: usize,
  m: usize,
  u: usize,
  gradScale: f32,
  alpha: f32,
  beta1: f64,
  beta2: f32,
  epsilon: f32,
): void {
  const tail = count & 3;
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(alpha);
  const take = f32x4.splat(<f32>(1 - beta1));
  const keep = f32x4.splat(beta2);
  const eps = f32x4.splat(epsilon);
  for (let end = p + vector_bytes(count); p < end; p += 16, g += 16, m += 16, u += 16) {
    adamax_step(p, g, m, u, s, rate, take, keep, eps, 4);
  }
  if (tail) adamax_step(p, g, m, u, s, rate, take, keep, eps, tail);
}

// @ts-ignore: decorator
@inline
function adamax_step(
  p: usize,
  g: usize,
  m: usize,
  u: usize,
  s: v128,
  rate: v128,
  take: v128,
  keep: v128,
  eps: v128,
  count: i32,
): void {
  const grad = f32x4.mul(s, load_lanes(g, count));
  const oldMean = load_lanes(m, count);
  const mean = madd(f32x4.sub(grad, oldMean), take, oldMean);
  store_flushed(m, mean, count);
  const norm = f32x4.pmax(f32x4.mul(keep, load_lanes(u, count)), f32x4.abs(grad));
  store_flushed(u, norm, count);
  const step = f32x4.div(f32x4.mul(rate, mean), f32x4.add(norm, eps));
  store_lanes(p, f32x4.sub(load_lanes(p, count), step), count);
}

// lion ------------------------------------------------------------------------------------------------------------

/**
 * Lion (Chen et al. 2023, https://arxiv.org/abs/2302.06675).
 *
 *   p −= lr·sign(β1·m + (1 − β1)·g)      then m = β2·m + (1 − β2)·g      sign(0) = 0
 */
export function lion(
  count: i32,
  p: usize,
  g: usize,
  m: usize,
  gradScale: f32,
  lr: f32,
  beta1: f64,
  beta2: f64,
): void {
  const tail = count & 3;
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(lr);
  const keep1 = f32x4.splat(<f32>beta1);
  const take1 = f32x4.splat(<f32>(1 - beta1));
  const keep2 = f32x4.splat(<f32>beta2);
  const take2 = f32x4.splat(<f32>(1 - beta2));
  for (let end = p + vector_bytes(count); p < end; p += 16, g += 16, m += 16) {
    lion_step(p, g, m, s, rate, keep1, take1, keep2, take2, 4);
  }
  if (tail) lion_step(p, g, m, s, rate, keep1, take1, keep2, take2, tail);
}

// @ts-ignore: decorator
@inline
function lion_step(
  p: usize,
  g: usize,
  m: usize,
  s: v128,
  rate: v128,
  keep1: v128,
  take1: v128,
  keep2: v128,
  take2: v128,
  count: i32,
): void {
  const grad = f32x4.mul(s, load_lanes(g, count));
  const mean = load_lanes(m, count);
  const ahead = madd(keep1, mean, f32x4.mul(take1, grad));
  const zero = f32x4.splat(0);
  // lr·sign(ahead)
  const step = f32x4.sub(v128.and(rate, f32x4.gt(ahead, zero)), v128.and(rate, f32x4.lt(ahead, zero)));
  store_lanes(p, f32x4.sub(load_lanes(p, count), step), count);
  store_flushed(m, madd(keep2, mean, f32x4.mul(take2, grad)), count);
}

// adadelta --------------------------------------------------------------------------------------------------------

/**
 * Adadelta (Zeiler 2012, https://arxiv.org/abs/1212.5701).
 *
 *   a = rho·a + (1 − rho)·g²      step = √(d + ε)/√(a + ε)·g      d = rho·d + (1 − rho)·step²      p −= lr·step
 */
export function adadelta(
  count: i32,
  p: usize,
  g: usize,
  a: usize,
  d: usize,
  gradScale: f32,
  lr: f32,
  rho: f64,
  epsilon: f32,
): void {
  const tail = count & 3;
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(lr);
  const keep = f32x4.splat(<f32>rho);
  const take = f32x4.splat(<f32>(1 - rho));
  const eps = f32x4.splat(epsilon);
  for (let end = p + vector_bytes(count); p < end; p += 16, g += 16, a += 16, d += 16) {
    adadelta_step(p, g, a, d, s, rate, keep, take, eps, 4);
  }
  if (tail) adadelta_step(p, g, a, d, s, rate, keep, take, eps, tail);
}

// @ts-ignore: decorator
@inline
function adadelta_step(
  p: usize,
  g: usize,
  a: usize,
  d: usize,
  s: v128,
  rate: v128,
  keep: v128,
  take: v128,
  eps: v128,
  count: i32,
): void {
  const grad = f32x4.mul(s, load_lanes(g, count));
  const squares = madd(keep, load_lanes(a, count), f32x4.mul(take, f32x4.mul(grad, grad)));
  store_flushed(a, squares, count);
  const old = load_lanes(d, count);
  const ratio = f32x4.div(f32x4.sqrt(f32x4.add(old, eps)), f32x4.sqrt(f32x4.add(squares, eps)));
  const step = f32x4.mul(ratio, grad);
  store_flushed(d, madd(keep, old, f32x4.mul(take, f32x4.mul(step, step))), count);
  store_lanes(p, nmadd(rate, step, load_lanes(p, count)), count);
}

// adagrad ---------------------------------------------------------------------------------------------------------

/** Adagrad (Duchi, Hazan and Singer 2011). a += g², then p −= lr·g/√(a + ε). */
export function adagrad(count: i32, p: usize, g: usize, a: usize, gradScale: f32, lr: f32, epsilon: f32): void {
  const tail = count & 3;
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(lr);
  const eps = f32x4.splat(epsilon);
  for (let end = p + vector_bytes(count); p < end; p += 16, g += 16, a += 16) adagrad_step(p, g, a, s, rate, eps, 4);
  if (tail) adagrad_step(p, g, a, s, rate, eps, tail);
}

// @ts-ignore: decorator
@inline
function adagrad_step(p: usize, g: usize, a: usize, s: v128, rate: v128, eps: v128, count: i32): void {
  const grad = f32x4.mul(s, load_lanes(g, count));
  const total = madd(grad, grad, load_lanes(a, count));
  store_flushed(a, total, count);
  const step = f32x4.div(f32x4.mul(rate, grad), f32x4.sqrt(f32x4.add(total, eps)));
  store_lanes(p, f32x4.sub(load_lanes(p, count), step), count);
}
