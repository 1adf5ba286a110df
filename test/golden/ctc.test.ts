// ctcLoss against PyTorch's ctc_loss: losses and gradients as ctc.py stored them.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { init } from '../../src/engine/engine.ts';
import { ctc } from '../../src/losses/index.ts';
import { ctcLoss } from '../../src/ops/ctc.ts';
import { mul } from '../../src/ops/elementwise/elementwise.ts';
import { sum } from '../../src/ops/reduce.ts';
import { modes } from '../engine/modes.ts';
import { expectGradient, expectOutput } from './expect-close.ts';

interface Stored {
  shape: number[];
  values: number[];
}

interface CtcCase {
  blank: number;
  inputLengths: number[];
  /** [B, S], padded with the blank. */
  labels: Stored;
  /** [B, T, V] */
  logits: Stored;
  weights: Stored;
  losses: Stored;
  /** Of Σ losses·weights. */
  dLogits: Stored;
}

const { cases } = JSON.parse(readFileSync(new URL('ctc.json', import.meta.url), 'utf8')) as { cases: CtcCase[] };

describe.each(modes)('%s mode', (mode) => {
  beforeAll(async () => {
    await init({ mode });
  });

  test.each(cases.map((each) => ({ ...each, shape: each.logits.shape })))(
    'ctcLoss of $shape, blank $blank, matches PyTorch',
    ({ blank, inputLengths, labels, logits, weights, losses, dLogits }) => {
      const x = tensor(logits.values, { shape: logits.shape });
      const y = tensor(labels.values, { shape: labels.shape, dtype: 'i32' });
      const { grads } = valueAndGrad(() => {
        const each = ctcLoss(x, y, { blank, inputLengths });
        expectOutput('losses', each.toArray(), losses);
        return sum(mul(each, tensor(weights.values)));
      }, [x]);
      expectGradient('dLogits', grads[0]!.toArray(), dLogits);
      // Any negative number is padding, too.
      const negative = labels.values.map((id) => (id === blank ? -1 : id));
      const same = tensor(negative, { shape: labels.shape, dtype: 'i32' });
      expectOutput('losses', ctcLoss(x, same, { blank, inputLengths }).toArray(), losses);
    },
  );

  test.each(cases.map((each) => ({ ...each, shape: each.logits.shape })))(
    'the loss ctc of $shape, lengths from masks, is the weighted mean',
    ({ blank, inputLengths, labels, logits, weights, losses, dLogits }) => {
      const [batch, steps] = logits.shape as [number, number];
      const x = tensor(logits.values, { shape: logits.shape });
      // Labels of unequal length come padded with zeros, and masked.
      const isLabel = labels.values.map((id) => Number(id !== blank));
      const zeroed = labels.values.map((id, i) => id * isLabel[i]!);
      const y = tensor(zeroed, { shape: labels.shape, dtype: 'i32' });
      y.mask = tensor(isLabel, { shape: labels.shape });
      const kept = Array.from({ length: batch * steps }, (_, i) =>
        Number(i % steps < inputLengths[Math.floor(i / steps)]!),
      );
      x.mask = tensor(kept, { shape: [batch, steps] });
      const { value, grads } = valueAndGrad(() => ctc({ blank }).compute(y, x, tensor(weights.values)), [x]);
      const expected = losses.values.reduce((total, loss, i) => total + loss * weights.values[i]!, 0) / batch;
      expect(Math.abs(value - expected)).toBeLessThan(1e-5 * expected);
      expectGradient('dLogits', grads[0]!.toArray(), {
        shape: dLogits.shape,
        values: dLogits.values.map((d) => d / batch),
      });
    },
  );
});
