// Optimizer kernels against Keras's rules in float64, over several steps. Each step rounds a few times at the scale of
// p (≤ 3) and of the update.
import { describe, test } from 'vitest';
import type { Ptr } from '../../src/engine/abi.ts';
import { expectClose, expectSameBits } from './compare.ts';
import * as reference from './reference/optimizer.ts';
import { counts, values } from './reference/values.ts';
import { type Sandbox as Box, builds, Sandbox } from './sandbox.ts';

const STEPS = 6;
const SCALE = 0.25;

interface Rule {
  /** Arrays of state, and what they start from. */
  state: number[];
  kernel(k: Box['kernels'], count: number, p: Ptr, g: Ptr, state: Ptr[], t: number): void;
  reference(slot: reference.Slot, t: number): void;
}

const beta1 = 0.9;
const beta2 = 0.999;
const adam = (weightDecay: number, amsgrad = false): Rule => ({
  state: amsgrad ? [0, 0, 0] : [0, 0],
  kernel: (k, count, p, g, [m, v, top = 0], t) => {
    const alpha = (0.01 * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
    k.adam(count, p, g, m!, v!, top, SCALE, alpha, beta1, beta2, 1e-7, 0.01 * weightDecay);
  },
  reference: (slot, t) => reference.adam(slot, t, 0.01, beta1, beta2, 1e-7, weightDecay, amsgrad),
});
const sgd = (momentum: number, nesterov: boolean): Rule => ({
  state: [0],
  kernel: (k, count, p, g, [v]) => k.sgd(count, p, g, v!, SCALE, 0.1, momentum, Number(nesterov)),
  reference: (slot) => reference.sgd(slot, 0.1, momentum, nesterov),
});
const rmsprop = (momentum: number, centered: boolean): Rule => ({
  state: [0, 0, 0],
  kernel: (k, count, p, g, [v, mom, mg]) =>
    k.rmsprop(count, p, g, v!, momentum > 0 ? mom! : 0, centered ? mg! : 0, SCALE, 0.01, 0.9, momentum, 1e-7),
  reference: (slot) => reference.rmsprop(slot, 0.01, 0.9, momentum, 1e-7, centered),
});

const rules: Record<string, Rule> = {
  sgd: sgd(0, false),
  'sgd with momentum': sgd(0.9, false),
  'sgd with nesterov momentum': sgd(0.9, true),
  rmsprop: rmsprop(0, false),
  'rmsprop with momentum': rmsprop(0.8, false),
  'centered rmsprop': rmsprop(0, true),
  'centered rmsprop with momentum': rmsprop(0.8, true),
  adam: adam(0),
  adamw: adam(0.05),
  'adam with amsgrad': adam(0, true),
  nadam: {
    state: [0, 0],
    kernel: (k, count, p, g, [m, v], t) => {
      const u = (step: number): number => beta1 * (1 - 0.5 * 0.96 ** step);
      const product = Array.from({ length: t }, (_, i) => u(i + 1)).reduce((a, b) => a * b);
      const root = Math.sqrt(1 - beta2 ** t);
      const alpha = (0.01 * root * u(t + 1)) / (1 - product * u(t + 1));
      const alphaG = (0.01 * root * (1 - u(t))) / (1 - product);
      k.nadam(count, p, g, m!, v!, SCALE, alpha, alphaG, beta1, beta2, 1e-7 * root);
    },
    reference: (slot, t) => reference.nadam(slot, t, 0.01, beta1, beta2, 1e-7),
  },
  adamax: {
    state: [0, 0],
    kernel: (k, count, p, g, [m, u], t) =>
      k.adamax(count, p, g, m!, u!, SCALE, 0.01 / (1 - beta1 ** t), beta1, beta2, 1e-7),
    reference: (slot, t) => reference.adamax(slot, t, 0.01, beta1, beta2, 1e-7),
  },
  lion: {
    state: [0],
    kernel: (k, count, p, g, [m]) => k.lion(count, p, g, m!, SCALE, 0.01, 0.9, 0.99),
    reference: (slot) => reference.lion(slot, 0.01, 0.9, 0.99),
  },
  adadelta: {
    state: [0, 0],
    kernel: (k, count, p, g, [a, d]) => k.adadelta(count, p, g, a!, d!, SCALE, 0.5, 0.95, 1e-4),
    reference: (slot) => reference.adadelta(slot, 0.5, 0.95, 1e-4),
  },
  adagrad: {
    state: [0.1],
    kernel: (k, count, p, g, [a]) => k.adagrad(count, p, g, a!, SCALE, 0.05, 1e-7),
    reference: (slot) => reference.adagrad(slot, 0.05, 1e-7),
  },
};

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);

  /** Gradients of step t; some elements get 0 all along, some a tiny one. */
  const gradients = (count: number, t: number) =>
    values(count, 100 + t, 2).map((g, i) => (i % 7 === 3 ? 0 : i % 7 === 5 ? g * 1e-6 : g));

  function train(rule: Rule, count: number, misaligned: boolean) {
    sandbox.clear();
    const p = sandbox.f32(values(count, 1, 2), misaligned, true);
    const state = rule.state.map((v) => sandbox.f32(new Float32Array(count).fill(v), misaligned, true));
    for (let t = 1; t <= STEPS; t++) {
      rule.kernel(sandbox.kernels, count, p, sandbox.f32(gradients(count, t), misaligned), state, t);
    }
    sandbox.checkFences();
    return { p: sandbox.read(p, count), state: state.map((at) => sandbox.read(at, count)) };
  }

  describe.each(Object.entries(rules))('%s', (name, rule) => {
    test.each(counts)(`count=%i matches float64 over ${STEPS} steps`, (count) => {
      const slots = Array.from(values(count, 1, 2), (p) => ({ p, g: 0, state: [...rule.state] }));
      for (let t = 1; t <= STEPS; t++) {
        const g = gradients(count, t);
        slots.forEach((slot, i) => {
          slot.g = SCALE * g[i]!;
          rule.reference(slot, t);
        });
      }
      for (const misaligned of [false, true]) {
        const got = train(rule, count, misaligned);
        const shape = `${name}, count=${count}`;
        expectClose(
          got.p,
          slots.map((slot) => slot.p),
          { absolute: 1e-6, relative: 1e-6 },
          `p of ${shape}`,
        );
        rule.state.forEach((_, i) => {
          const expected = slots.map((slot) => slot.state[i]!);
          expectClose(got.state[i]!, expected, { absolute: 1e-7, relative: 2e-6 }, `state ${i} of ${shape}`);
        });
      }
    });

    test('an element has the same bits wherever it stands', () => {
      const kernel = (count: number, offset: number) => {
        sandbox.clear();
        const at = (x: Float32Array) => sandbox.f32(x.subarray(offset, offset + count));
        const p = at(values(40, 1));
        const state = rule.state.map((_, i) => at(values(40, 10 + i).map(Math.abs)));
        rule.kernel(sandbox.kernels, count, p, at(values(40, 2)), state, 3);
        return sandbox.read(p, count);
      };
      const whole = kernel(40, 0);
      for (const [offset, count] of [
        [1, 39],
        [2, 5],
        [7, 1],
        [3, 18],
      ] as [number, number][]) {
        expectSameBits(
          kernel(count, offset),
          whole.subarray(offset, offset + count),
          `${name} from ${offset}, ${count} elements`,
        );
      }
    });
  });

  test('adam without amsgrad leaves memory at address 0', () => {
    sandbox.clear();
    const [p, g, m, v] = [1, 2, 3, 4].map((seed) => sandbox.f32(values(5, seed).map(Math.abs)));
    const low = sandbox.read(0, 8);
    sandbox.kernels.adam(5, p!, g!, m!, v!, 0, 1, 0.1, 0.9, 0.999, 1e-7, 0);
    expectSameBits(sandbox.read(0, 8), low, 'memory at address 0');
  });

  test('sgd without momentum leaves v, and rmsprop reads neither momentum nor mean when unused', () => {
    sandbox.clear();
    const [p, g] = [sandbox.f32([1, 2, 3, 4, 5]), sandbox.f32([1, 1, 1, 1, 1])];
    sandbox.kernels.sgd(5, p, g, 0, 1, 0.5, 0, 1);
    expectSameBits(sandbox.read(p, 5), [0.5, 1.5, 2.5, 3.5, 4.5], 'sgd');
    const low = sandbox.read(0, 8);
    sandbox.kernels.rmsprop(5, p, g, sandbox.f32(new Float32Array(5)), 0, 0, 1, 0.1, 0.9, 0, 1e-7);
    expectSameBits(sandbox.read(0, 8), low, 'memory at address 0');
  });

  test('centered rmsprop of a constant gradient stays finite where v − mg² rounds below 0', () => {
    sandbox.clear();
    const [p, v, mg] = [0, 0, 0].map(() => sandbox.f32(new Float32Array(16)));
    const g = sandbox.f32(values(16, 1, 3000));
    for (let t = 0; t < 300; t++) sandbox.kernels.rmsprop(16, p!, g, v!, 0, mg!, 1, 0.001, 0.9, 0, 1e-7);
    expectSameBits(
      sandbox.read(p!, 16).map((x) => Number(Number.isFinite(x))),
      new Float32Array(16).fill(1),
      'p is finite',
    );
  });
});
