import { describe, expect, test } from 'vitest';
import {
  openTransaction,
  recordChange,
  restoreOnUndo,
  Transaction,
  transaction,
} from '../../src/engine/transaction.ts';

/** A list that tells the open transaction of what it is given. */
function listed(): { items: string[]; freed: string[]; add: (item: string) => void } {
  const [items, freed]: [string[], string[]] = [[], []];
  const add = (item: string): void => {
    items.push(item);
    recordChange(
      () => items.pop(),
      () => freed.push(item),
    );
  };
  return { items, freed, add };
}

const fail = (): never => {
  throw new RangeError('no');
};

describe('transaction', () => {
  test('that ends well, keeps its changes and frees what undoing needed', () => {
    const { items, freed, add } = listed();
    expect(
      transaction(() => {
        add('a');
        transaction(() => add('b'));
        expect(freed).toEqual([]);
        return 3;
      }),
    ).toBe(3);
    expect([items, freed]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(openTransaction()).toBeUndefined();
  });

  test('that throws, undoes the last change first, those of transactions within it too', () => {
    const { items, freed, add } = listed();
    const order: string[] = [];
    const run = (): unknown =>
      transaction(() => {
        recordChange(() => order.push('first'));
        transaction(() => add('b'));
        recordChange(() => order.push('last'));
        fail();
      });
    expect(run).toThrow(RangeError);
    expect([items, freed, order]).toEqual([[], [], ['last', 'first']]);
  });

  test('within another that catches its error, undoes its own changes alone', () => {
    const { items, add } = listed();
    transaction(() => {
      add('a');
      expect(() =>
        transaction(() => {
          add('b');
          fail();
        }),
      ).toThrow(RangeError);
      add('c');
    });
    expect(items).toEqual(['a', 'c']);
  });

  test('in parts, undoes all since the last commit where one throws', () => {
    const { items, freed, add } = listed();
    const changes = new Transaction();
    changes.part(() => add('a'));
    changes.commit();
    changes.part(() => add('b'));
    expect(() => changes.part(fail)).toThrow(RangeError);
    expect([items, freed]).toEqual([['a'], ['a']]);
  });

  test('puts back a stream of random numbers that it noted', () => {
    const stream = { state: 1 };
    expect(() =>
      transaction(() => {
        restoreOnUndo(stream).state = 5;
        fail();
      }),
    ).toThrow(RangeError);
    expect(stream.state).toBe(1);
  });

  test('a change outside of any, frees what undoing needed at once', () => {
    const { freed, add } = listed();
    add('a');
    expect(freed).toEqual(['a']);
  });
});
