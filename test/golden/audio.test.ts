// Windows and Fourier transforms against PyTorch's values and gradients. audio.py makes the numbers.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { audioWindow, irfft, istft, rfft, stft, type WindowName } from '../../src/audio.ts';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { init } from '../../src/engine/engine.ts';
import { mul, sum } from '../../src/ops/index.ts';
import { modes } from '../engine/modes.ts';
import { expectGradient, expectOutput } from './expect-close.ts';
import type { GoldenTensor } from './load.ts';

const transforms = { rfft, irfft, stft, istft };

interface Case {
  op: keyof typeof transforms;
  options: object;
  x: GoldenTensor;
  y: GoldenTensor;
  dY: GoldenTensor;
  dX: GoldenTensor;
}

interface Window {
  name: WindowName;
  length: number;
  options: object;
  values: number[];
}

const golden = JSON.parse(readFileSync(new URL('audio.json', import.meta.url), 'utf8'));
const { cases, windows } = golden as { cases: Case[]; windows: Window[] };

const tensorOf = ({ values, shape }: GoldenTensor) => tensor(Float32Array.from(values), { shape });

describe.each(modes)('in %s mode', (mode) => {
  beforeAll(async () => {
    await init({ mode });
  });

  test.each(cases.map((c) => [c.op, JSON.stringify(c.x.shape), JSON.stringify(c.options), c] as const))(
    '%s of %s %s matches PyTorch',
    (_, __, ___, c) => {
      const x = tensorOf(c.x);
      const { grads } = valueAndGrad(() => {
        const y = transforms[c.op](x, c.options as never);
        expect(y.shape).toEqual(c.y.shape);
        expectOutput('output', y.toArray(), c.y);
        return sum(mul(y, tensorOf(c.dY)));
      }, [x]);
      expectGradient('gradient', grads[0]!.toArray(), c.dX);
    },
  );
});

test.each(windows.map((w) => [w.name, w.length, JSON.stringify(w.options), w] as const))(
  'the window %s of %i %s matches PyTorch',
  (_, __, ___, { name, length, options, values }) => {
    expectOutput('window', audioWindow(name, length, options), { shape: [length], values });
  },
);
