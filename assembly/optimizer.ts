// Optimizer updates by the rules of Keras 3 (https://keras.io/api/optimizers/), each in one pass over memory. The first
// comment of each kernel has its formula.
//
// p [count] f32: parameters, updated in place. g [count] f32: the gradient, not changed. g in a formula is gradScale·g,
// so clipping needs no pass of its own. The other pointers are the state of the optimizer, [count] f32, updated in
// place. All are dense, and none overlap. Called by src/optimizers, once for each parameter and step.
//
// Kernels work on whole vectors: if count is not a multiple of 4, up to three elements after the last one are read, and
// changed in p and in the state. Buffers of tapeloop fill whole cache lines, so these elements belong to no other
// buffer.
//
// No state keeps a subnormal number: 0.9·m rounds back to m for the smallest m. 1 − β is computed in float64,
// as in Keras: with β = 0.999 as a float32 it would be off by 1.3e-5.

import { flush_subnormal } from './flush';
import { bytes } from './lanes';
import { madd, nmadd } from './simd';

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
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(lr);
  const mu = f32x4.splat(momentum);
  const end = p + bytes(count);
  if (momentum == 0) {
    for (; p < end; p += 16, g += 16) v128.store(p, nmadd(rate, f32x4.mul(s, v128.load(g)), v128.load(p)));
    return;
  }
  for (; p < end; p += 16, g += 16, v += 16) {
    const step = f32x4.mul(rate, f32x4.mul(s, v128.load(g)));
    const velocity = f32x4.sub(f32x4.mul(mu, v128.load(v)), step);
    v128.store(v, flush_subnormal(velocity));
    const change = nesterov ? f32x4.sub(f32x4.mul(mu, velocity), step) : velocity;
    v128.store(p, f32x4.add(v128.load(p), change));
  }
}

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
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(lr);
  const keep = f32x4.splat(<f32>rho);
  const take = f32x4.splat(<f32>(1 - rho));
  const mu = f32x4.splat(momentum);
  const eps = f32x4.splat(epsilon);
  const centered = mg != 0;
  for (const end = p + bytes(count); p < end; p += 16, g += 16, v += 16, mom += 16, mg += 16) {
    const grad = f32x4.mul(s, v128.load(g));
    const square = madd(keep, v128.load(v), f32x4.mul(take, f32x4.mul(grad, grad)));
    v128.store(v, flush_subnormal(square));
    let spread = square;
    if (centered) {
      const mean = madd(keep, v128.load(mg), f32x4.mul(take, grad));
      v128.store(mg, flush_subnormal(mean));
      // v − mg² is a variance, but rounding can make it negative. Its root would then be NaN, so it is at least 0.
      spread = f32x4.pmax(nmadd(mean, mean, square), f32x4.splat(0));
    }
    let step = f32x4.div(f32x4.mul(rate, grad), f32x4.sqrt(f32x4.add(spread, eps)));
    if (momentum > 0) {
      step = madd(mu, v128.load(mom), step);
      v128.store(mom, flush_subnormal(step));
    }
    v128.store(p, f32x4.sub(v128.load(p), step));
  }
}

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
  descend(count, p, g, m, v, top, gradScale, alpha, 0, beta1, beta2, epsilon, decay);
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
  descend(count, p, g, m, v, 0, gradScale, alpha, alphaG, beta1, beta2, epsilon, 0);
}

/** `adam` and `nadam`. alphaG is 0 for Adam, decay and top are 0 for Nadam. */
function descend(
  count: i32,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  top: usize,
  gradScale: f32,
  alpha: f32,
  alphaG: f32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  decay: f32,
): void {
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(alpha);
  const rateG = f32x4.splat(alphaG);
  const take1 = f32x4.splat(<f32>(1 - beta1));
  const take2 = f32x4.splat(<f32>(1 - beta2));
  const eps = f32x4.splat(epsilon);
  const shrink = f32x4.splat(decay);
  const amsgrad = top != 0;
  for (const end = p + bytes(count); p < end; p += 16, g += 16, m += 16, v += 16, top += 16) {
    const grad = f32x4.mul(s, v128.load(g));
    const oldMean = v128.load(m);
    const oldSquare = v128.load(v);
    const old = v128.load(p);
    const mean = madd(f32x4.sub(grad, oldMean), take1, oldMean);
    let square = madd(f32x4.sub(f32x4.mul(grad, grad), oldSquare), take2, oldSquare);
    v128.store(m, flush_subnormal(mean));
    v128.store(v, flush_subnormal(square));
    if (amsgrad) {
      square = f32x4.pmax(v128.load(top), square);
      v128.store(top, flush_subnormal(square));
    }
    const ahead = madd(rateG, grad, f32x4.mul(rate, mean));
    const step = f32x4.div(ahead, f32x4.add(f32x4.sqrt(square), eps));
    v128.store(p, f32x4.sub(nmadd(shrink, old, old), step));
  }
}

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
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(alpha);
  const take = f32x4.splat(<f32>(1 - beta1));
  const keep = f32x4.splat(beta2);
  const eps = f32x4.splat(epsilon);
  for (const end = p + bytes(count); p < end; p += 16, g += 16, m += 16, u += 16) {
    const grad = f32x4.mul(s, v128.load(g));
    const oldMean = v128.load(m);
    const mean = madd(f32x4.sub(grad, oldMean), take, oldMean);
    v128.store(m, flush_subnormal(mean));
    const norm = f32x4.pmax(f32x4.mul(keep, v128.load(u)), f32x4.abs(grad));
    v128.store(u, flush_subnormal(norm));
    const step = f32x4.div(f32x4.mul(rate, mean), f32x4.add(norm, eps));
    v128.store(p, f32x4.sub(v128.load(p), step));
  }
}

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
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(lr);
  const keep1 = f32x4.splat(<f32>beta1);
  const take1 = f32x4.splat(<f32>(1 - beta1));
  const keep2 = f32x4.splat(<f32>beta2);
  const take2 = f32x4.splat(<f32>(1 - beta2));
  const zero = f32x4.splat(0);
  for (const end = p + bytes(count); p < end; p += 16, g += 16, m += 16) {
    const grad = f32x4.mul(s, v128.load(g));
    const mean = v128.load(m);
    const ahead = madd(keep1, mean, f32x4.mul(take1, grad));
    // lr·sign(ahead)
    const step = f32x4.sub(v128.and(rate, f32x4.gt(ahead, zero)), v128.and(rate, f32x4.lt(ahead, zero)));
    v128.store(p, f32x4.sub(v128.load(p), step));
    v128.store(m, flush_subnormal(madd(keep2, mean, f32x4.mul(take2, grad))));
  }
}

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
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(lr);
  const keep = f32x4.splat(<f32>rho);
  const take = f32x4.splat(<f32>(1 - rho));
  const eps = f32x4.splat(epsilon);
  for (const end = p + bytes(count); p < end; p += 16, g += 16, a += 16, d += 16) {
    const grad = f32x4.mul(s, v128.load(g));
    const squares = madd(keep, v128.load(a), f32x4.mul(take, f32x4.mul(grad, grad)));
    v128.store(a, flush_subnormal(squares));
    const old = v128.load(d);
    const ratio = f32x4.div(f32x4.sqrt(f32x4.add(old, eps)), f32x4.sqrt(f32x4.add(squares, eps)));
    const step = f32x4.mul(ratio, grad);
    v128.store(d, flush_subnormal(madd(keep, old, f32x4.mul(take, f32x4.mul(step, step)))));
    v128.store(p, nmadd(rate, step, v128.load(p)));
  }
}

/** Adagrad (Duchi, Hazan and Singer 2011). a += g², then p −= lr·g/√(a + ε). */
export function adagrad(count: i32, p: usize, g: usize, a: usize, gradScale: f32, lr: f32, epsilon: f32): void {
  const s = f32x4.splat(gradScale);
  const rate = f32x4.splat(lr);
  const eps = f32x4.splat(epsilon);
  for (const end = p + bytes(count); p < end; p += 16, g += 16, a += 16) {
    const grad = f32x4.mul(s, v128.load(g));
    const total = madd(grad, grad, v128.load(a));
    v128.store(a, flush_subnormal(total));
    const step = f32x4.div(f32x4.mul(rate, grad), f32x4.sqrt(f32x4.add(total, eps)));
    v128.store(p, f32x4.sub(v128.load(p), step));
  }
}
