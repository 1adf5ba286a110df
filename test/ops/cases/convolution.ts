import * as ops from '../../../src/ops/index.ts';
import { build, type GradientCase, pick } from './case.ts';

const [BATCH, INPUTS, OUTPUTS] = [2, 3, 4];

interface Variant {
  time: number;
  taps: number;
  options: ops.Conv1dOptions;
  bias?: boolean;
  inputs?: number;
}

const VARIANTS: Variant[] = [
  { time: 6, taps: 3, options: {}, bias: true },
  { time: 6, taps: 1, options: {} },
  { time: 3, taps: 3, options: {} },
  { time: 7, taps: 2, options: { strides: 2 }, bias: true },
  { time: 8, taps: 2, options: { strides: 3 } },
  { time: 7, taps: 3, options: { dilationRate: 2 }, bias: true },
  { time: 6, taps: 3, options: { padding: 'same' }, bias: true },
  { time: 5, taps: 4, options: { padding: 'same' } },
  { time: 2, taps: 5, options: { padding: 'same' } },
  { time: 6, taps: 3, options: { padding: 'same', strides: 2 }, bias: true },
  { time: 7, taps: 2, options: { padding: 'same', strides: 3 } },
  { time: 6, taps: 3, options: { padding: 'same', dilationRate: 2 } },
  { time: 6, taps: 3, options: { padding: 'causal' }, bias: true },
  { time: 6, taps: 3, options: { padding: 'causal', dilationRate: 2 } },
  { time: 7, taps: 2, options: { padding: 'causal', strides: 2 } },
  { time: 9, taps: 2, options: { strides: 2, dilationRate: 3 } },
  { time: 6, taps: 3, inputs: 4, options: { groups: 2, padding: 'same' }, bias: true },
  { time: 7, taps: 2, inputs: 4, options: { groups: 4, strides: 2 } },
  { time: 7, taps: 2, inputs: 2, options: { groups: 2, dilationRate: 2, padding: 'causal' }, bias: true },
];

/** Length of the result and zeros in front, as TensorFlow works them out. */
function windows({ time, taps, options }: Variant): { steps: number; before: number } {
  const { strides = 1, padding = 'valid', dilationRate = 1 } = options;
  const span = (taps - 1) * dilationRate + 1;
  if (padding === 'valid') return { steps: Math.ceil((time - span + 1) / strides), before: 0 };
  const steps = Math.ceil(time / strides);
  const zeros = Math.max((steps - 1) * strides + span - time, 0);
  return { steps, before: padding === 'causal' ? span - 1 : Math.floor(zeros / 2) };
}

export const convolutionCases = VARIANTS.map((variant): GradientCase => {
  const { time, taps, options, bias = false, inputs = INPUTS } = variant;
  const { strides = 1, dilationRate = 1, groups = 1 } = options;
  const [depth, width] = [inputs / groups, OUTPUTS / groups];
  const { steps, before } = windows(variant);
  const [input, kernel] = [
    [BATCH, time, inputs],
    [taps, depth, OUTPUTS],
  ];
  return {
    of: 'conv1d',
    variant: `T=${time} K=${taps} ${JSON.stringify(options)}${bias ? ' with bias' : ''}`,
    arguments: [input, kernel, ...(bias ? [[OUTPUTS]] : [])].map((shape) => ({ shape })),
    run: (x, w, b) => ops.conv1d(x, w, b, options),
    shape: [BATCH, steps, OUTPUTS],
    reference: (x, w, b) =>
      build([BATCH, steps, OUTPUTS], ([i, t, o]) => {
        let sum = b?.[o!] ?? 0;
        for (let k = 0; k < taps; k++) {
          const at = t! * strides + k * dilationRate - before;
          if (at < 0 || at >= time) continue;
          const first = Math.floor(o! / width) * depth;
          for (let c = 0; c < depth; c++) sum += pick(x, input, [i!, at, first + c]) * pick(w, kernel, [k, c, o!]);
        }
        return sum;
      }),
  };
});
