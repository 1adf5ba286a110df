import { expect, test } from 'vitest';
import * as data from '../../src/data.ts';
import * as main from '../../src/index.ts';
import * as node from '../../src/node.ts';
import * as stream from '../../src/stream.ts';

const isErrorClass = (value: unknown): value is typeof Error =>
  typeof value === 'function' && value.prototype instanceof Error;

test.each(Object.entries({ main, data, node, stream }))(
  'every error class of %s, is a TapeloopError of the name that it is exported under',
  (_, entry) => {
    const errors = Object.entries(entry).filter(([, value]) => isErrorClass(value));
    expect(errors.length).toBeGreaterThan(0);
    for (const [name, value] of errors) {
      const made = Object.create((value as typeof Error).prototype) as Error;
      expect(made, name).toBeInstanceOf(main.TapeloopError);
      expect((value as typeof Error).name).toBe(name);
    }
  },
);

test('both errors of divergence, are DivergenceErrors', () => {
  expect(new main.NonFiniteLossError('')).toBeInstanceOf(main.DivergenceError);
  expect(new main.NonFiniteGradientError('')).toBeInstanceOf(main.DivergenceError);
});
