// Accuracy of the activations over the line, and their limits. elementwise.test.ts has every tail and the derivatives
// of moderate arguments.
import { describe, test } from 'vitest';
import { Unary } from '../../src/engine/abi.ts';
import { expectClose, expectSameBits } from './compare.ts';
import { activations, erfc } from './reference/activation.ts';
import { builds, Sandbox } from './sandbox.ts';

type Name = keyof typeof activations;
const names = Object.keys(activations) as Name[];

// Every 16,411th float32 below 2⁴⁰ in magnitude, both signs.
const line = new Float32Array(
  Uint32Array.from({ length: 2 * 0x10000 }, (_, i) => ((i % 0x10000) * 16_411 + (i < 0x10000 ? 0 : 2 ** 31)) >>> 0)
    .buffer,
).filter((x) => Math.abs(x) < 2 ** 40);

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);

  function run(name: Name, x: ArrayLike<number>): Float32Array {
    sandbox.clear();
    const y = sandbox.f32(x.length);
    sandbox.kernels.unary(x.length, Unary[name], sandbox.f32(x), y);
    return sandbox.read(y, x.length);
  }

  function derive(name: Name, x: ArrayLike<number>): Float32Array {
    sandbox.clear();
    const [at, dy, dx] = [sandbox.f32(x), sandbox.f32(new Float32Array(x.length).fill(1)), sandbox.f32(x.length)];
    sandbox.kernels.unary_backward(x.length, Unary[name], at, 0, dy, dx, 0);
    return sandbox.read(dx, x.length);
  }

  test.each(names)('%s over the line is within 5 ulp, or 2.5e-7 of |x|', (name) => {
    const got = run(name, line);
    line.forEach((x, i) => {
      const expected = activations[name].value(x);
      expectClose([got[i]!], [expected], { ulp: 5, absolute: 2.5e-7 * Math.abs(x) }, `${name}(${x})`);
    });
  });

  test.each(names)('%s backward over the line is within 4e-7', (name) => {
    const x = line.filter((v) => Math.abs(v) < 100);
    expectClose(derive(name, x), Array.from(x, activations[name].derivative), { absolute: 4e-7 }, name);
  });

  test('what vanishes to the left keeps its relative accuracy', () => {
    const x = Float32Array.from({ length: 400 }, (_, i) => -i / 50);
    const relative = { Softplus: 5e-7, Elu: 5e-7, Silu: 5e-7, Mish: 1e-6, Gelu: 4e-6, GeluTanh: 2e-5 };
    for (const [name, tolerance] of Object.entries(relative) as [Name, number][]) {
      expectClose(run(name, x), Array.from(x, activations[name].value), { relative: tolerance }, name);
    }
  });

  test('elu, selu and softplus of numbers next to 0 and far below it keep every digit', () => {
    const x = Float32Array.of(-1e-6, -1e-20, -1e-38, 1e-6, -30, -80, -100);
    for (const name of ['Elu', 'Selu', 'Softplus'] as const) {
      expectClose(run(name, x), Array.from(x, activations[name].value), { ulp: 4 }, name);
    }
  });

  test('at kinks the derivative is the one TensorFlow has', () => {
    const at = {
      LeakyRelu: [0, 0.2],
      Relu6: [0, 0, 6, 0],
      Elu: [0, 1],
      HardSigmoid: [-3, 0, 3, 0],
      HardSilu: [-3, 0, 3, 1],
    };
    for (const [name, pairs] of Object.entries(at) as [Name, number[]][]) {
      for (let i = 0; i < pairs.length; i += 2) {
        expectClose(derive(name, [pairs[i]!]), [pairs[i + 1]!], { ulp: 1 }, `${name}′(${pairs[i]})`);
      }
    }
  });

  test('zero, infinities and NaN', () => {
    const { NaN: nan } = Number;
    const x = [0, Infinity, -Infinity, nan];
    const limits: Partial<Record<Name, number[]>> = {
      LeakyRelu: [0, Infinity, -Infinity, nan],
      Relu6: [0, 6, 0, nan],
      Elu: [0, Infinity, -1, nan],
      Softplus: [Math.fround(Math.LN2), Infinity, 0, nan],
      HardSigmoid: [0.5, 1, 0, nan],
    };
    for (const [name, expected] of Object.entries(limits))
      expectClose(run(name as Name, x), expected, { ulp: 1 }, name);
    for (const name of names) expectSameBits(run(name, [nan, nan, nan, nan, nan]), [nan, nan, nan, nan, nan], name);
  });
});

test('the reference erfc agrees with tables', () => {
  const table = {
    0: 1,
    0.5: 0.4795001221869535,
    1: 0.15729920705028513,
    2: 0.004677734981047266,
    5: 1.5374597944280349e-12,
  };
  for (const [z, expected] of Object.entries(table)) {
    expectClose([erfc(Number(z)), erfc(-Number(z))], [expected, 2 - expected], { relative: 1e-13 }, `erfc(${z})`);
  }
});
