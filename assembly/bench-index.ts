// The kernels of the benchmark suite, which measure the host: arithmetic in registers alone, and copies of memory. They
// are a module of their own on a memory of its own. `RoofKernels` of src/bench/kernels/roof-kernels.ts has their types.

/**
 * Multiply-adds in registers alone: `rounds` times 12 sums of 4 lanes. A fused multiply-add takes 4 cycles and two start
 * in each cycle, so 8 sums are enough. A product and a sum take up to 8 cycles and one or two pairs start in each cycle,
 * so 12 sums are enough.
 */
export function peak(rounds: i32, factor: f32, term: f32): f32 {
  const a = f32x4.splat(factor);
  const b = f32x4.splat(term);
  let c0 = f32x4.splat(0);
  let c1 = f32x4.splat(1);
  let c2 = f32x4.splat(2);
  let c3 = f32x4.splat(3);
  let c4 = f32x4.splat(4);
  let c5 = f32x4.splat(5);
  let c6 = f32x4.splat(6);
  let c7 = f32x4.splat(7);
  let c8 = f32x4.splat(8);
  let c9 = f32x4.splat(9);
  let c10 = f32x4.splat(10);
  let c11 = f32x4.splat(11);
  for (; rounds > 0; rounds--) {
    c0 = step(c0, a, b);
    c1 = step(c1, a, b);
    c2 = step(c2, a, b);
    c3 = step(c3, a, b);
    c4 = step(c4, a, b);
    c5 = step(c5, a, b);
    c6 = step(c6, a, b);
    c7 = step(c7, a, b);
    c8 = step(c8, a, b);
    c9 = step(c9, a, b);
    c10 = step(c10, a, b);
    c11 = step(c11, a, b);
  }
  const s0 = f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3));
  const s1 = f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7));
  const s2 = f32x4.add(f32x4.add(c8, c9), f32x4.add(c10, c11));
  return f32x4.extract_lane(f32x4.add(f32x4.add(s0, s1), s2), 0);
}

// In the fused build the sum is the addend, as in gemm. In the plain build it is a factor, because the compiler would
// move a product of two constants out of the loop.
function step(c: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(c, a), b);
}

/** Copies `bytes` from address 0 to the address `bytes`, in one instruction of the engine. */
export function copy(bytes: i32): void {
  memory.copy(bytes, 0, bytes);
}
