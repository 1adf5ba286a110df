import * as ops from '../../../src/ops/index.ts';
import { activations } from '../../kernels/reference/activation.ts';
import { sigmoid } from '../../kernels/reference/math.ts';
import { build, type GradientCase, pick } from './case.ts';
import { unaryCases } from './elementwise.ts';

// Wide enough for both sides of every kink.
const WIDE = { low: -4, high: 4 };
const elu = (x: number, alpha: number): number => (x > 0 ? x : alpha * Math.expm1(x));

/** x [2, 3, 4]: the halves of an axis, the second through σ. */
const gluCases = [-1, 0].map((axis): GradientCase => {
  const from = [2, 3, 4];
  const at = axis < 0 ? axis + 3 : axis;
  const half = from[at]! / 2;
  const shape = from.with(at, half);
  return {
    of: 'glu',
    variant: `axis ${axis}`,
    arguments: [{ shape: from, ...WIDE }],
    run: (x) => ops.glu(x, axis),
    shape,
    reference: (x) =>
      build(shape, (index) => pick(x, from, index) * sigmoid(pick(x, from, index.with(at, index[at]! + half)))),
  };
});

export const activationCases: GradientCase[] = [
  ...unaryCases('relu6', ops.relu6, activations.Relu6.value, { low: -4, high: 9 }),
  ...unaryCases('leakyRelu', ops.leakyRelu, activations.LeakyRelu.value, WIDE),
  ...unaryCases(
    'leakyRelu',
    (x) => ops.leakyRelu(x, 0.01),
    (x) => Math.max(x, 0.01 * x),
    WIDE,
  ),
  ...unaryCases('elu', ops.elu, activations.Elu.value, WIDE),
  ...unaryCases(
    'elu',
    (x) => ops.elu(x, 0.5),
    (x) => elu(x, 0.5),
    WIDE,
  ),
  ...unaryCases('selu', ops.selu, activations.Selu.value, WIDE),
  ...unaryCases('celu', ops.celu, (x) => elu(x, 1), WIDE),
  ...unaryCases(
    'celu',
    (x) => ops.celu(x, 2),
    (x) => 2 * elu(x / 2, 1),
    WIDE,
  ),
  ...unaryCases('gelu', ops.gelu, activations.Gelu.value, WIDE),
  ...unaryCases('gelu', (x) => ops.gelu(x, { approximate: true }), activations.GeluTanh.value, WIDE),
  ...unaryCases('softplus', ops.softplus, activations.Softplus.value, WIDE),
  ...unaryCases('softsign', ops.softsign, activations.Softsign.value, WIDE),
  ...unaryCases('silu', ops.silu, activations.Silu.value, WIDE),
  ...unaryCases('hardSigmoid', ops.hardSigmoid, activations.HardSigmoid.value, WIDE),
  ...unaryCases(
    'hardSigmoid',
    (x) => ops.hardSigmoid(x, 0.2),
    (x) => Math.min(Math.max(0.2 * x + 0.5, 0), 1),
    WIDE,
  ),
  ...unaryCases('hardSilu', ops.hardSilu, activations.HardSilu.value, WIDE),
  ...unaryCases('mish', ops.mish, activations.Mish.value, WIDE),
  ...unaryCases('logSigmoid', ops.logSigmoid, (x) => Math.log(sigmoid(x)), WIDE),
  ...unaryCases('hardTanh', ops.hardTanh, (x) => Math.min(Math.max(x, -1), 1), WIDE),
  ...unaryCases('tanhShrink', ops.tanhShrink, (x) => x - Math.tanh(x), WIDE),
  ...unaryCases('softShrink', ops.softShrink, (x) => Math.sign(x) * Math.max(Math.abs(x) - 0.5, 0), WIDE),
  ...unaryCases('hardShrink', ops.hardShrink, (x) => (Math.abs(x) > 0.5 ? x : 0), WIDE),
  ...unaryCases('squareplus', ops.squareplus, (x) => (x + Math.sqrt(x * x + 4)) / 2, WIDE),
  ...gluCases,
];
