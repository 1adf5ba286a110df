import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ndarray } from '../../src/data/array.ts';
import { padSequences } from '../../src/data/pad-sequences.ts';

describe('padSequences', () => {
  // The lists of the examples on Keras's page, and what it prints.
  const lists = [[1], [2, 3], [4, 5, 6]];
  test.each([
    [
      {},
      [
        [0, 0, 1],
        [0, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      { value: -1 },
      [
        [-1, -1, 1],
        [-1, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      { padding: 'post' },
      [
        [1, 0, 0],
        [2, 3, 0],
        [4, 5, 6],
      ],
    ],
    [
      { maxLength: 2 },
      [
        [0, 1],
        [2, 3],
        [5, 6],
      ],
    ],
    [
      { maxLength: 2, truncating: 'post' },
      [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
    ],
    [{ maxLength: 0 }, [[], [], []]],
  ] as const)('%j, fills and cuts as Keras does', (options, expected) => {
    const array = padSequences(lists, options);
    expect(array.data).toBeInstanceOf(Int32Array);
    expect(array.toNested()).toEqual(expected);
  });

  test('sequences of vectors, of arrays and empty ones, keep the shape of their samples', () => {
    const array = padSequences([[], ndarray(Float32Array.of(1, 2, 3, 4), [2, 2]), [[5, 6]]], {
      dtype: 'f32',
      value: 0.5,
    });
    expect(array.data).toBeInstanceOf(Float32Array);
    expect(array.toNested()).toEqual([
      [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
      [
        [1, 2],
        [3, 4],
      ],
      [
        [0.5, 0.5],
        [5, 6],
      ],
    ]);
  });

  test('no sequences, are an empty array', () => {
    expect(padSequences([]).shape).toEqual([0, 0]);
    expect(padSequences([[], []], { maxLength: 2 }).toNested()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test('any lists, hold what fits of each and the value elsewhere', () => {
    const side = fc.constantFrom('pre' as const, 'post' as const);
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 6 }), { maxLength: 5 }),
        fc.record({ padding: side, truncating: side, maxLength: fc.nat(7), value: fc.constantFrom(0, -1) }),
        (sequences, options) => {
          const { padding, truncating, maxLength, value } = options;
          const expected = sequences.map((sequence) => {
            const kept =
              truncating === 'pre'
                ? sequence.slice(Math.max(sequence.length - maxLength, 0))
                : sequence.slice(0, maxLength);
            const fill = new Array<number>(maxLength - kept.length).fill(value);
            return padding === 'pre' ? [...fill, ...kept] : [...kept, ...fill];
          });
          expect(
            padSequences(
              sequences.map((s) => Int32Array.from(s)),
              options,
            ).toNested(),
          ).toEqual(expected);
        },
      ),
      { seed: 3 },
    );
  });

  test.each<[string, Parameters<typeof padSequences>, string]>([
    [
      'fraction without f32',
      [[[1], [0.5]]],
      `sequences[1] expected integers of 32 bits (dtype: 'f32' takes others), got 0.5`,
    ],
    [
      'infinite number',
      [[[Number.POSITIVE_INFINITY]], { dtype: 'f32' }],
      'sequences[0] expected finite numbers, got Infinity',
    ],
    ['fraction as value', [[[1]], { value: 0.5 }], 'value expected integers of 32 bits'],
    [
      'samples of two shapes',
      [[[[1, 2]], [[1]]]],
      'sequences[1] expected samples of shape [2], as in sequences[0], got [1]',
    ],
    ['number for a sequence', [[[1], 2]], 'sequences[1] expected a list, got 2'],
    ['ragged sample', [[[[1, 2], [3]]]], 'sequences[0][1]: expected a row of 2, got 1'],
    ['side that is none', [[[1]], { padding: 'left' as 'pre' }], `padding expected 'pre' or 'post', got 'left'`],
    ['dtype that is none', [[[1]], { dtype: 'int32' as 'i32' }], `dtype expected 'i32' or 'f32', got 'int32'`],
    [
      'length past any memory',
      [[[1]], { maxLength: 2 ** 50 }],
      'maxLength expected fewer numbers than this host has room for',
    ],
    ['length that is none', [[[1]], { maxLength: -1 }], 'maxLength expected a whole number of 0 or more, got -1'],
  ])('%s, is an error', (_, args, message) => {
    expect(() => padSequences(...args)).toThrow(`padSequences: ${message}`);
  });
});
