import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../src/checks/argument-error.ts';
import { dense, rnn } from '../src/index.ts';
import { exported, optionCases, withoutOptions } from './option-cases.ts';

const thrown = async (body: () => unknown): Promise<unknown> => {
  try {
    await body();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe.each(Object.entries(optionCases))('%s', (name, [unknown, meant, call]) => {
  test('given an option that it does not know, names it and the nearest', async () => {
    const error = await thrown(() => call({ [unknown]: 2 } as never));
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(new RegExp(`: unknown option '${unknown}'; did you mean '${meant}'\\?$`));
  });

  // A list in the place of the options of a tensor is its shape.
  test.each([[3], ['relu'], [null], [name === 'tensor' ? new Map() : [1]]])(
    'given %j for options, refuses it',
    async (options) => {
      const error = await thrown(() => call(options as never));
      expect(error).toBeInstanceOf(ArgumentError);
      expect((error as Error).message).toMatch(/options expected an object, got (Number|String|Null|Array|Map)$/);
    },
  );
});

test.each<[string, () => unknown]>([
  [
    "dense: kernelRegularizer: unknown option 'l3'; expected l1, l2",
    () => dense({ units: 1, kernelRegularizer: { l3: 1 } as object }),
  ],
  [
    "initializer constant: unknown option 'val'; did you mean 'value'?",
    () => dense({ units: 1, biasInitializer: { name: 'constant', val: 1 } as never }),
  ],
  [
    "cell: weight W: unknown option 'init'; did you mean 'initializer'?",
    () =>
      rnn({ units: 1, weights: () => ({ W: { shape: [1], init: 'ones' } }) as never, call: (x) => x }).build([1, 1, 1]),
  ],
])('%s, is what an object within options is refused with', (message, make) => {
  expect(make).toThrow(new ArgumentError(message));
});

test('every function that the entries export stands in the table, or among those that take no options', () => {
  const functions = Object.entries(exported).filter(
    ([name, value]) => typeof value === 'function' && /^[a-z]/.test(name),
  );
  const missing = functions
    .map(([name]) => name)
    .filter((name) => !(name in optionCases) && !withoutOptions.includes(name));
  expect(missing).toEqual([]);
});
