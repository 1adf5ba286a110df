// Common first mistakes with cells and recurrent layers: one sentence says what is wrong.
import { describe, expect, test } from 'vitest';
import * as t from '../../src/index.ts';

const refused = (body: () => unknown, message: string): void => expect(body).toThrow(new t.ArgumentError(message));

describe('rnn', () => {
  test('of a layer, names it and what makes a cell', () => {
    refused(
      () => t.rnn(t.gru({ units: 1 }) as never),
      'rnn: cell expected a cell, such as gruCell(options), got the layer GRU',
    );
  });

  test('of a cell of another copy of the package, says so', () => {
    const other = { className: 'LSTMCell', sublayers: [] };
    refused(
      () => t.rnn(other as never),
      'rnn: cell expected a cell, such as gruCell(options), got one of another copy of tapeloop',
    );
  });

  test('of a cell whose weight is a number, names the weight', () => {
    const cell = { units: 1, weights: () => ({ b: 2 }), call: (x: t.Tensor) => x };
    refused(() => t.rnn(cell as never).build([1, 2, 3]), 'cell: weight b expected an object, got 2');
  });
});

describe('an activation that there is not', () => {
  test('of a recurrent layer, is refused by layer and option', () => {
    expect(() => t.lstm({ units: 1, recurrentActivation: 'hard_sigmoid' as never })).toThrow(
      /^lstm: recurrentActivation expected one of .*; did you mean 'hardSigmoid'\?$/,
    );
  });
});
