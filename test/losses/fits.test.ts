import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { type NdArray, ndarray } from '../../src/data/array.ts';
import { RaggedArray } from '../../src/data/ragged.ts';
import { lossOf } from '../../src/losses/by-name.ts';
import { checkTargets, expectLossFits } from '../../src/losses/fits.ts';
import * as losses from '../../src/losses/index.ts';
import type { Loss } from '../../src/losses/loss.ts';

const fromLogits = true;

describe('targets of quantileLoss', () => {
  const loss = losses.quantileLoss({ quantiles: [0.1, 0.5, 0.9] });
  const y = (...shape: number[]): NdArray => ndarray(new Float32Array(shape.reduce((a, b) => a * b)), shape);

  test('are one for each row of several quantiles, with or without an axis of their own', () => {
    for (const targets of [y(4, 1), y(4)]) expect(checkTargets(loss, targets, [4, 3]).shape).toEqual([4, 1]);
    expect(() => checkTargets(loss, y(4, 3), [4, 3])).toThrow(
      new ArgumentError('quantileLoss: targets expected [4, 1], got [4, 3]'),
    );
  });

  test('are refused where there are not as many outputs as quantiles', () => {
    expect(() => checkTargets(loss, y(4, 1), [4, 2])).toThrow(
      new ArgumentError('quantileLoss: predictions expected 3 outputs, one for each quantile, got [4, 2]'),
    );
  });
});

describe('expectLossFits', () => {
  test.each<[string, Loss, string | undefined, number | undefined, string]>([
    [
      'probabilities wanted, nothing makes them',
      losses.sparseCategoricalCrossentropy(),
      'linear',
      10,
      "sparseCategoricalCrossentropy: expected probabilities, got outputs behind activation 'linear'; give the last layer activation 'softmax', or the loss { fromLogits: true }",
    ],
    [
      'probabilities of yes and no wanted, tanh makes others',
      losses.binaryCrossentropy(),
      'tanh',
      1,
      "binaryCrossentropy: expected probabilities, got outputs behind activation 'tanh'; give the last layer activation 'sigmoid', or the loss { fromLogits: true }",
    ],
    [
      'a divergence of what is no distribution',
      losses.klDivergence(),
      'linear',
      undefined,
      "klDivergence: expected probabilities, got outputs behind activation 'linear'; give the last layer activation 'softmax'",
    ],
    [
      'logits wanted, softmax in front',
      losses.categoricalCrossentropy({ fromLogits }),
      'softmax',
      10,
      "categoricalCrossentropy: expected logits, got probabilities behind activation 'softmax'; take the activation away, or leave out fromLogits",
    ],
    [
      'logits wanted, sigmoid in front',
      losses.binaryCrossentropy({ fromLogits }),
      'sigmoid',
      1,
      "binaryCrossentropy: expected logits, got probabilities behind activation 'sigmoid'; take the activation away, or leave out fromLogits",
    ],
    [
      'CTC behind softmax',
      losses.ctc(),
      'softmax',
      28,
      "ctc: expected logits, got probabilities behind activation 'softmax'; take the activation away",
    ],
    [
      'one class of one',
      losses.sparseCategoricalCrossentropy({ fromLogits }),
      undefined,
      1,
      "sparseCategoricalCrossentropy: expected one output for each class, got 1; for two classes use binaryCrossentropy and 'sigmoid'",
    ],
    [
      'softmax over one output',
      losses.binaryCrossentropy(),
      'softmax',
      1,
      "binaryCrossentropy: expected outputs that can change, got softmax over 1 output, which is always 1; use 'sigmoid'",
    ],
    [
      'yes or no for each, behind one choice among them',
      losses.binaryCrossentropy(),
      'softmax',
      10,
      "binaryCrossentropy: expected a yes or no for each of 10 outputs, got one choice among them behind activation 'softmax'; use categoricalCrossentropy for one choice, or 'sigmoid' for a yes or no",
    ],
  ])('%s, throws and says how to mend it', (_, loss, activation, outputs, message) => {
    expect(() => expectLossFits(loss, activation, outputs)).toThrow(new ArgumentError(message));
  });

  test.each<[Loss, string | undefined, number | undefined]>([
    [losses.sparseCategoricalCrossentropy(), 'softmax', 10],
    [losses.sparseCategoricalCrossentropy(), undefined, 10],
    [losses.sparseCategoricalCrossentropy({ fromLogits }), 'linear', 10],
    [losses.categoricalCrossentropy(), 'sigmoid', 3],
    [losses.categoricalCrossentropy(), 'softmax', undefined],
    [losses.binaryCrossentropy(), 'sigmoid', 5],
    // Two outputs of softmax against one-hot targets are what categoricalCrossentropy computes.
    [losses.binaryCrossentropy(), 'softmax', 2],
    [losses.binaryCrossentropy({ fromLogits }), 'linear', 1],
    [losses.meanSquaredError(), 'softmax', 10],
    [losses.meanSquaredError(), 'linear', 1],
    [losses.hinge(), 'tanh', 1],
    [losses.ctc(), 'linear', 28],
    [lossOf((y) => y), 'linear', 1],
  ])('$name behind %s with %s outputs, may stand', (loss, activation, outputs) => {
    expect(() => expectLossFits(loss, activation, outputs)).not.toThrow();
  });
});

describe('checkTargets', () => {
  test.each<[string, Loss, NdArray, number[], string]>([
    [
      'another width',
      losses.meanSquaredError(),
      ndarray([1, 2, 3, 4], [2, 2]),
      [2, 1],
      'meanSquaredError: targets expected [2, 1], got [2, 2]',
    ],
    [
      'ids where rows are wanted',
      losses.categoricalCrossentropy(),
      ndarray([0, 1], [2]),
      [2, 3],
      'categoricalCrossentropy: targets expected [2, 3], got [2]',
    ],
    [
      'an id too large',
      losses.sparseCategoricalCrossentropy(),
      ndarray([0, 3], [2]),
      [2, 3],
      'y expected ids in [0, 3), got 3 in sample 1 of [2] (flat index 1)',
    ],
    [
      'an id that is neither a class nor the ignored one',
      losses.sparseCategoricalCrossentropy({ ignoreClass: -1 }),
      ndarray([0, -1, 2, -2], [2, 2]),
      [2, 2, 3],
      'sparseCategoricalCrossentropy: y expected ids in [0, 3), or -1, the ignored class, got -2 in sample 1 of [2, 2] (flat index 3)',
    ],
    [
      'a class id for a yes or no',
      losses.binaryCrossentropy(),
      ndarray([0, 2], [2, 1]),
      [2, 1],
      'binaryCrossentropy: y expected numbers from 0 to 1, got 2 in sample 1 of [2, 1] (flat index 1)',
    ],
    [
      'two classes at once where one is wanted',
      losses.categoricalCrossentropy(),
      ndarray([0, 1, 0, 1, 1, 0], [2, 3]),
      [2, 3],
      'categoricalCrossentropy: y expected rows of 3 that sum to 1 (sampleWeight is for weights, binaryCrossentropy for several labels at once), got a sum of 2 in sample 1 of [2, 3] (flat index 3)',
    ],
    [
      'a negative share',
      losses.klDivergence(),
      ndarray([-0.5, 1.5], [1, 2]),
      [1, 2],
      'klDivergence: y expected numbers from 0 to 1, got -0.5 in sample 0 of [1, 2] (flat index 0)',
    ],
    [
      'a negative count',
      losses.poisson(),
      ndarray([3, -1], [2, 1]),
      [2, 1],
      'poisson: y expected counts ≥ 0, got -1 in sample 1 of [2, 1] (flat index 1)',
    ],
    [
      'a class id for a margin',
      losses.hinge(),
      ndarray([1, 2], [2, 1]),
      [2, 1],
      'hinge: y expected −1 and 1, or 0 and 1, got 2 in sample 1 of [2, 1] (flat index 1)',
    ],
    ['labels of one axis', losses.ctc(), ndarray([1, 2], [2]), [2, 5, 4], 'ctc: targets expected [2, S], got [2]'],
    [
      'a blank inside a label',
      losses.ctc(),
      ndarray([1, 0, 2], [1, 3]),
      [1, 5, 4],
      'ctc: y expected padding (the blank, 0, or a negative number) only after the last class of a row, got 0 at [0, 1]',
    ],
    [
      'a label beyond the classes',
      losses.ctc(),
      ndarray([1, 4], [1, 2]),
      [1, 5, 4],
      'ctc: y expected classes in [0, 4), got 4 at [0, 1]',
    ],
    [
      'a label that does not fit the steps',
      losses.ctc(),
      ndarray([1, 2, 0, 1, 1, 2], [2, 3]),
      [2, 3, 4],
      'ctc: y expected labels that fit 3 steps, one a class and one more between equal ones, got 4 in sample 1',
    ],
  ])('%s, throws and names the place', (_, loss, ys, predictions, message) => {
    expect(() => checkTargets(loss, ys, predictions)).toThrow(new ArgumentError(message));
  });

  test.each<[string, Loss, NdArray, number[], number[]]>([
    ['numbers for single outputs', losses.meanSquaredError(), ndarray([1, 2, 3], [3]), [3, 1], [3, 1]],
    ['yes and no for single outputs', losses.binaryCrossentropy(), ndarray([1, 0, 1], [3]), [3, 1], [3, 1]],
    ['ids with an axis of 1', losses.sparseCategoricalCrossentropy(), ndarray([1, 0], [2, 1]), [2, 3], [2]],
    [
      'ids of steps with an axis of 1',
      losses.sparseCategoricalCrossentropy(),
      ndarray([1, 0], [1, 2, 1]),
      [1, 2, 3],
      [1, 2],
    ],
    ['rows that fit', losses.categoricalCrossentropy(), ndarray([0.33, 0.33, 0.33], [1, 3]), [1, 3], [1, 3]],
    [
      'a row of zeros, as padding has them',
      losses.categoricalCrossentropy(),
      ndarray([0, 0, 0], [1, 3]),
      [1, 3],
      [1, 3],
    ],
    ['padded labels', losses.ctc({ blank: 3 }), ndarray([0, 1, 3, 2, -1, -1], [2, 3]), [2, 4, 4], [2, 3]],
  ])('%s, come back in the shape that the loss wants', (_, loss, ys, predictions, shape) => {
    const targets = checkTargets(loss, ys, predictions);
    expect(targets.shape).toEqual(shape);
    expect(targets.data).toBe(ys.data);
  });

  describe('of sequences of unequal length', () => {
    const of = (sequences: number[][]): RaggedArray =>
      new RaggedArray(sequences.map((sequence) => ndarray(sequence, [sequence.length])));

    test('that fit, come back as they are, or with the axis of 1 that the loss wants', () => {
      const ids = of([[0, 1, 2], [2]]);
      expect(checkTargets(losses.sparseCategoricalCrossentropy(), ids, [2, 3, 3])).toBe(ids);
      expect(checkTargets(losses.ctc(), ids, [2, 9, 3])).toBe(ids);
      const { shape, sequences } = checkTargets(losses.meanSquaredError(), ids, [2, 3, 1]);
      expect([shape, sequences[1]!.shape]).toEqual([
        [2, 3, 1],
        [1, 1],
      ]);
    });

    test.each<[string, Loss, number[][], number[], string]>([
      [
        'an id too large',
        losses.sparseCategoricalCrossentropy(),
        [[0, 1, 2], [3]],
        [2, 3, 3],
        'out[1] expected ids in [0, 3), got 3 in sample 0 of [1] (flat index 0)',
      ],
      [
        'fewer steps than the predictions',
        losses.sparseCategoricalCrossentropy(),
        [[0, 1], [2]],
        [2, 3, 3],
        'sparseCategoricalCrossentropy: targets expected [2, 3], got [2, 2]',
      ],
      [
        'numbers for rows',
        losses.categoricalCrossentropy(),
        [[0, 1, 0], [1]],
        [2, 3, 3],
        'categoricalCrossentropy: targets expected [3, 3], got [3]',
      ],
    ])('%s, throws and names the sequence', (_, loss, sequences, predictions, message) => {
      expect(() => checkTargets(loss, of(sequences), predictions, 'out')).toThrow(new ArgumentError(message));
    });
  });
});
