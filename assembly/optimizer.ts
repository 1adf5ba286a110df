// Optimizer updates by Keras 3's rules, one pass over memory. p parameters, g gradient, read as gradScale·g so that clipping costs no pass; the
// others are the optimizer's own state, updated in place. 1 − β is formed in float64, as Keras does: 1 − 0.999 of a float32 is off by 1.3e-5.

import { load_lanes, store_lanes, vector_bytes } from './lanes';
import { madd, nmadd } from './simd';

// sgd -------------------------------------------------------------------------------------------------------------

/** momentum = 0: p −= lr·g; else v = momentum·v − lr·g and p += v or, with nesterov, p += momentum·v − lr·g. v is not touched without momentum. */
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
  store_lanes(v, velocity, count);
  const change = nesterov ? f32x4.sub(f32x4.mul(mu, velocity), step) : velocity;
  store_lanes(p, f32x4.add(load_lanes(p, count), change), count);
}

// rmsprop ---------------------------------------------------------------------------------------------------------

/**
 * v = rho·v + (1 − rho)·g²; with mg (not 0): mg = rho·mg + (1 − rho)·g and d = v − mg², else d = v; step = lr·g/√(d + ε);
 * momentum > 0: mom = momentum·mom + step, p −= mom; else p −= step.
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

// v − mg² is a variance: rounding alone can make it negative, and the root of that would be NaN.
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
  store_lanes(v, square, count);
  let spread = square;
  if (centered) {
    const mean = madd(keep, load_lanes(mg, count), f32x4.mul(take, grad));
    store_lanes(mg, mean, count);
    spread = f32x4.pmax(nmadd(mean, mean, square), f32x4.splat(0));
  }
  let step = f32x4.div(f32x4.mul(rate, grad), f32x4.sqrt(f32x4.add(spread, eps)));
  if (heavy) {
    step = madd(mu, load_lanes(mom, count), step);
    store_lanes(mom, step, count);
  }
  store_lanes(p, f32x4.sub(load_lanes(p, count), step), count);
}

// adam ------------------------------------------------------------------------------------------------------------

/**
 * Adam (Kingma and Ba 2015), and AdamW (Loshchilov and Hutter 2019) with decay = lr·weightDecay: p −= decay·p; m += (g − m)(1 − β1);
 * v += (g² − v)(1 − β2); p −= alpha·m/(√v + ε), where alpha = lr·√(1 − β2^t)/(1 − β1^t) is the caller's.
 */
export function adam(
  count: i32,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
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
  for (let end = p + vector_bytes(count); p < end; p += 16, g += 16, m += 16, v += 16) {
    adam_step(p, g, m, v, s, rate, take1, take2, eps, shrink, 4);
  }
  if (tail) adam_step(p, g, m, v, s, rate, take1, take2, eps, shrink, tail);
}

// @ts-ignore: decorator
@inline
function adam_step(
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  s: v128,
  rate: v128,
  take1: v128,
  take2: v128,
  eps: v128,
  shrink: v128,
  count: i32,
): void {
  const grad = f32x4.mul(s, load_lanes(g, count));
  const oldMean = load_lanes(m, count);
  const oldSquare = load_lanes(v, count);
  const old = load_lanes(p, count);
  const mean = madd(f32x4.sub(grad, oldMean), take1, oldMean);
  const square = madd(f32x4.sub(f32x4.mul(grad, grad), oldSquare), take2, oldSquare);
  store_lanes(m, mean, count);
  store_lanes(v, square, count);
  const step = f32x4.div(f32x4.mul(rate, mean), f32x4.add(f32x4.sqrt(square), eps));
  store_lanes(p, f32x4.sub(nmadd(shrink, old, old), step), count);
}

// adagrad ---------------------------------------------------------------------------------------------------------

/** a += g²; p −= lr·g/√(a + ε) (Duchi, Hazan and Singer 2011). */
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
  store_lanes(a, total, count);
  const step = f32x4.div(f32x4.mul(rate, grad), f32x4.sqrt(f32x4.add(total, eps)));
  store_lanes(p, f32x4.sub(load_lanes(p, count), step), count);
}
