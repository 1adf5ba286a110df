// The CTC kernel against a sum over single paths and against log space; its gradient against central differences.
import { describe, expect, test } from 'vitest';
import { expectClose, expectSameBits } from './compare.ts';
import { ctcByPaths, ctcForward } from './reference/ctc.ts';
import { numericGradient } from './reference/gradient.ts';
import { softmax } from './reference/softmax.ts';
import { values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

interface Sequence {
  labels: number[];
  steps: number;
}

/** Rows of float64 log softmax. */
const logSoftmaxRows = (logits: ArrayLike<number>, classes: number): Float64Array[] =>
  Array.from({ length: logits.length / classes }, (_, t) => {
    const row = Float64Array.from(Array.prototype.slice.call(logits, t * classes, (t + 1) * classes));
    const { logSum } = softmax(row);
    return row.map((v) => v - logSum);
  });

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);

  /**
   * One call of the kernel for a batch whose logits are given; log probabilities are rounded to float32 first, as the
   * kernel reads them.
   */
  function run(logits: ArrayLike<number>, steps: number, classes: number, blank: number, batch: Sequence[]) {
    sandbox.clear();
    const width = Math.max(...batch.map(({ labels }) => labels.length));
    const rows = logSoftmaxRows(logits, classes);
    const logProbs = Float32Array.from(rows.flatMap((row) => Array.from(row)));
    const probabilities = rows.flatMap((row) => Array.from(row, Math.exp));
    const padded = batch.flatMap(({ labels }) => [...labels, ...new Array(width - labels.length).fill(12345)]);
    const at = {
      logProbs: sandbox.f32(logProbs),
      inputLengths: sandbox.i32(batch.map((each) => each.steps)),
      labels: sandbox.i32(padded),
      labelLengths: sandbox.i32(batch.map(({ labels }) => labels.length)),
      scratch: sandbox.f32(9 * steps * (2 * width + 1)),
      losses: sandbox.f32(batch.length),
      gradient: sandbox.f32(probabilities),
    };
    const call = (gradient: number): Float32Array => {
      const { logProbs, inputLengths, labels, labelLengths, scratch, losses } = at;
      sandbox.kernels.ctc(
        batch.length,
        steps,
        classes,
        logProbs,
        inputLengths,
        width,
        labels,
        labelLengths,
        blank,
        scratch,
        losses,
        gradient,
      );
      sandbox.checkFences();
      return sandbox.read(losses, batch.length);
    };
    const alone = call(0);
    const losses = call(at.gradient);
    expectSameBits(alone, losses, 'losses with and without gradient');
    return { losses, gradient: sandbox.read(at.gradient, logits.length) };
  }

  const lossOf = (logits: ArrayLike<number>, classes: number, blank: number, { labels, steps }: Sequence) =>
    (steps <= 6 ? ctcByPaths : ctcForward)(logSoftmaxRows(logits, classes).slice(0, steps), labels, blank);

  test.each<[string, number, number, number, Sequence[]]>([
    ['one label, one step', 1, 3, 0, [{ labels: [2], steps: 1 }]],
    ['nothing but blanks', 4, 3, 0, [{ labels: [], steps: 4 }]],
    ['a label as long as its steps', 3, 4, 0, [{ labels: [1, 3, 2], steps: 3 }]],
    ['a repeat, which needs a blank', 4, 3, 0, [{ labels: [1, 1], steps: 4 }]],
    ['a repeat with no room to spare', 5, 3, 0, [{ labels: [2, 2, 1, 2], steps: 5 }]],
    ['another blank', 5, 4, 3, [{ labels: [0, 2, 0], steps: 5 }]],
    [
      'sequences and labels of unequal length',
      6,
      4,
      0,
      [
        { labels: [1, 2, 2], steps: 6 },
        { labels: [3], steps: 2 },
        { labels: [], steps: 3 },
        { labels: [2, 1], steps: 4 },
      ],
    ],
    [
      'many steps',
      40,
      6,
      0,
      [
        { labels: [1, 5, 5, 2, 3, 3, 4, 1, 2], steps: 40 },
        { labels: [4, 4, 4, 4, 4], steps: 31 },
      ],
    ],
  ])('%s, loss and gradient match float64', (_, steps, classes, blank, batch) => {
    const logits = values(batch.length * steps * classes, 5, 3);
    const { losses, gradient } = run(logits, steps, classes, blank, batch);
    const size = steps * classes;
    batch.forEach((sequence, i) => {
      const own = Float64Array.from(logits.subarray(i * size, (i + 1) * size));
      // Log probabilities are rounded to float32 before they are read.
      expectClose([losses[i]!], [lossOf(own, classes, blank, sequence)], { relative: 1e-6, absolute: 2e-6 }, 'loss');
      const expected = numericGradient((at) => lossOf(at, classes, blank, sequence), own);
      expectClose(gradient.subarray(i * size, (i + 1) * size), expected, { absolute: 2e-6 }, `gradient of row ${i}`);
    });
  });

  test('a label that does not fit its steps, has an infinite loss and no gradient, and leaves the others', () => {
    const batch = [
      { labels: [1, 1], steps: 2 },
      { labels: [1, 2], steps: 2 },
      { labels: [1], steps: 0 },
      { labels: [], steps: 0 },
    ];
    const logits = values(4 * 3 * 3, 6);
    const { losses, gradient } = run(logits, 3, 3, 0, batch);
    const expected = lossOf(logits.subarray(9, 18), 3, 0, batch[1]!);
    expectClose(losses, [Infinity, expected, Infinity, 0], { relative: 1e-6 }, 'losses');
    expect([...gradient.subarray(0, 9), ...gradient.subarray(15, 36)].every((d) => d === 0)).toBe(true);
    expect(gradient.subarray(9, 15).every((d) => d !== 0)).toBe(true);
  });

  test('a path far less probable than a float64 reaches, keeps its loss and gradient', () => {
    // Each wanted class has e^−300 at every step: e^−60000 in all.
    const [steps, classes] = [200, 3];
    const logits = Float32Array.from({ length: steps * classes }, (_, i) => (i % classes === 0 ? 0 : -300));
    const labels = Array.from({ length: steps }, (_, t) => 1 + (t % 2));
    const { losses, gradient } = run(logits, steps, classes, 0, [{ labels, steps }]);
    expectClose(losses, [300 * steps], { relative: 1e-6 }, 'loss');
    const expected = Float64Array.from(
      logits,
      (_, i) => [1, 0, 0][i % classes]! - Number(i % classes === labels[Math.floor(i / classes)]),
    );
    expectClose(gradient, expected, { absolute: 1e-6 }, 'gradient');
  });

  test('a class that cannot be, of −∞, or a row of NaN, makes what needs it impossible', () => {
    const logits = [0, -Infinity, 0, 0, 1, 2];
    const batch = [{ labels: [1], steps: 2 }];
    const { losses } = run(logits, 2, 3, 0, batch);
    expectClose(losses, [-Math.log(0.5) + softmax([0, 1, 2]).logSum - 1], { relative: 1e-6 }, 'by the other step');
    expect(run([0, -Infinity, 0, 0, -Infinity, 2], 2, 3, 0, batch).losses).toEqual(Float32Array.of(Infinity));
    expect(run([0, Number.NaN, 0, 0, 1, 2], 2, 3, 0, [{ labels: [1, 2], steps: 2 }]).losses).toEqual(
      Float32Array.of(Infinity),
    );
  });
});
