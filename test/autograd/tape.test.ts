import { describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { stopGradient, valueAndGrad } from '../../src/autograd/tape.ts';
import { keep, type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { rnnCells } from '../../src/cells/rnn.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { DeadTensorError } from '../../src/checks/dead-tensor-error.ts';
import { engine } from '../../src/engine/engine.ts';
import {
  add,
  addScalar,
  concatenate,
  embed,
  lastStep,
  linear,
  mul,
  recurrence,
  reshape,
  scale,
  square,
  sum,
  swapTimeBatch,
  tanh,
} from '../../src/ops/index.ts';
import { values } from '../kernels/reference/values.ts';

const vector = (...data: number[]): Tensor => tensor(data, { name: 'x' });
const numbers = (t: Tensor): number[] => Array.from(t.toArray());
const gradientOf = (f: () => Tensor, x: Tensor | Parameter): number[] => numbers(valueAndGrad(f, [x]).grads[0]!);

describe('valueAndGrad', () => {
  test('outside a step, gives the value and gradients that the caller owns', () => {
    const x = vector(1, -2, 3);
    const { value, grads } = valueAndGrad(() => sum(square(x)), [x]);
    expect(value).toBe(14);
    expect(grads[0]!.isPersistent).toBe(true);
    expect(numbers(grads[0]!)).toEqual([2, -4, 6]);
    grads[0]!.dispose();
    expect(() => grads[0]!.ptr).toThrow(DeadTensorError);
  });

  test('inside a step, gives gradients that die with the step', () => {
    const p = new Parameter('kernel', [2], [3, 4]);
    const grad = engine().step(() => {
      const { grads } = valueAndGrad(() => sum(square(p.tensor)), [p]);
      expect(numbers(grads[0]!)).toEqual([6, 8]);
      return grads[0]!;
    });
    expect(() => grad.toArray()).toThrow(/'d kernel' \[2\] belongs to step \d+, which has ended/);
  });

  test('of a parameter that f does not use, gives zeros of its shape', () => {
    const x = vector(1, 2);
    const unused = new Parameter('unused', [2, 3], [1, 2, 3, 4, 5, 6]);
    // Dirty memory where the zeros will stand.
    engine().step(() => tensor(values(4096, 1)));
    const { grads } = valueAndGrad(() => sum(x), [x, unused]);
    expect(grads[1]!.shape).toEqual([2, 3]);
    expect(numbers(grads[1]!)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('of a root that depends on nothing wanted, is refused, as where the loss was made before the call', () => {
    const [x, y] = [vector(1, 2), vector(3, 4)];
    const before = sum(square(x));
    const expected = new ArgumentError('valueAndGrad: f expected to compute its result from wrt, got a constant');
    for (const f of [() => sum(y), () => before, () => keep(sum(x)), () => stopGradient(() => sum(x))]) {
      expect(() => valueAndGrad(f, [x])).toThrow(expected);
    }
    expect(gradientOf(() => sum(square(x)), x)).toEqual([2, 4]);
  });

  test('of a constant 0, as the loss of a batch without any step is, gives zeros', () => {
    expect(gradientOf(() => tensor(0), vector(1, 2))).toEqual([0, 0]);
  });

  test('of what is neither a tensor nor a parameter, is refused with its place', () => {
    const x = vector(1, 2);
    expect(() => valueAndGrad(() => sum(x), [x, (() => x) as never])).toThrow(
      new ArgumentError('valueAndGrad: wrt[1] expected a tensor, got a function'),
    );
  });

  test('where f returns the wanted scalar itself, gives the seed', () => {
    const x = tensor(5);
    const { value, grads } = valueAndGrad(() => x, [x], { seed: 0.5 });
    expect([value, grads[0]!.item()]).toEqual([5, 0.5]);
  });

  test('with a seed, scales every gradient and not the value', () => {
    const x = vector(1, 2);
    const { value, grads } = valueAndGrad(() => sum(square(x)), [x], { seed: 3 });
    expect(value).toBe(5);
    expect(numbers(grads[0]!)).toEqual([6, 12]);
  });

  test('with nothing wanted, gives the value alone', () => {
    expect(valueAndGrad(() => sum(vector(1, 2)), [])).toEqual({ value: 3, grads: [] });
  });

  test('of a root with more than one element, throws and names its shape', () => {
    const x = vector(1, 2);
    expect(() => valueAndGrad(() => square(x), [x])).toThrow(
      new ArgumentError('valueAndGrad: f expected to return a tensor of size 1, got [2]'),
    );
    expect(() => valueAndGrad(() => undefined as never, [x])).toThrow(/size 1, got undefined/);
  });

  test('whose f throws, closes its tape and its step', () => {
    const x = vector(1, 2);
    expect(() =>
      valueAndGrad(() => {
        throw new Error('inside f');
      }, [x]),
    ).toThrow('inside f');
    expect(engine().openStep).toBe(0);
    expect(gradientOf(() => sum(x), x)).toEqual([1, 1]);
  });

  test('nested, of what the outer one differentiates, is refused, since there are no second derivatives', () => {
    const x = vector(1, 2);
    const y = new Parameter('y', [2], [3, 4]);
    const inner: Record<string, (before: Tensor) => Tensor> = {
      'of the same leaf': () => valueAndGrad(() => sum(mul(x, x)), [x]).grads[0]!,
      'of what was made of it': (before) => valueAndGrad(() => sum(square(before)), [before]).grads[0]!,
      'of another leaf, computed with it': () => valueAndGrad(() => sum(mul(y.tensor, x)), [y]).grads[0]!,
      'computed with it before its own leaf': () => valueAndGrad(() => sum(mul(x, y.tensor)), [y]).grads[0]!,
    };
    for (const [name, grad] of Object.entries(inner)) {
      const outer = (): unknown => valueAndGrad(() => sum(grad(square(x))), [x]);
      expect(outer, name).toThrow(
        /valueAndGrad: f expected nothing that an outer one differentiates, got '.*': there are no second derivatives/,
      );
    }
    // The tape of the outer one is closed all the same.
    expect(gradientOf(() => sum(square(x)), x)).toEqual([2, 4]);
  });

  test('nested, of nothing that the outer one differentiates, leaves its tape open', () => {
    const [x, y] = [vector(1, 2), vector(3, 4)];
    const outer = gradientOf(() => {
      const before = square(x);
      const { grads } = valueAndGrad(() => sum(square(y)), [y]);
      return sum(mul(before, grads[0]!));
    }, x);
    expect(outer).toEqual([12, 32]);
  });

  test('nested within stopGradient, is constant to the outer one and leaves its tape open', () => {
    const x = vector(1, 2);
    const outer = gradientOf(() => {
      const before = square(x);
      const { value, grads } = stopGradient(() => valueAndGrad(() => sum(mul(x, square(x))), [x]));
      expect(value).toBe(9);
      expect(numbers(grads[0]!)).toEqual([3, 12]);
      return sum(mul(before, grads[0]!));
    }, x);
    // Σ x²·g with g = 3x² held constant: 2x·g.
    expect(outer).toEqual([6, 48]);
  });

  test('of one tensor asked for twice, gives the same gradient twice', () => {
    const x = vector(1, 2);
    const { grads } = valueAndGrad(() => sum(square(x)), [x, x]);
    expect(grads.map(numbers)).toEqual([
      [2, 4],
      [2, 4],
    ]);
  });
});

describe('stopGradient', () => {
  test('around a factor, keeps its gradient out and its value in', () => {
    const x = vector(2, 3);
    expect(
      gradientOf(
        () =>
          sum(
            mul(
              x,
              stopGradient(() => square(x)),
            ),
          ),
        x,
      ),
    ).toEqual([4, 9]);
  });

  test('whose body throws, goes on recording afterwards', () => {
    const x = vector(2, 3);
    const f = (): Tensor => {
      expect(() =>
        stopGradient(() => {
          throw new Error('inside');
        }),
      ).toThrow('inside');
      return sum(square(x));
    };
    expect(gradientOf(f, x)).toEqual([4, 6]);
  });
});

describe('a tensor used several times', () => {
  test('as both operands of one op, adds both contributions', () => {
    const x = vector(2, -3);
    expect(gradientOf(() => sum(mul(x, x)), x)).toEqual([4, -6]);
    expect(gradientOf(() => sum(add(x, x)), x)).toEqual([2, 2]);
  });

  test('in a diamond, adds the contributions of both sides', () => {
    const x = vector(0.5, -1);
    const expected = [0.5, -1].map((v) => 2 * v + (1 - Math.tanh(v) ** 2));
    gradientOf(() => sum(add(square(x), tanh(x))), x).forEach((got, i) => expect(got).toBeCloseTo(expected[i]!, 6));
  });

  // addScalar, scale and the views hand their own gradient's buffer on: it must not be anyone else's then.
  test('through ops that give their buffer away, in every order, adds every contribution', () => {
    const uses: Record<string, { f: (x: Tensor) => Tensor; slope: number }> = {
      addScalar: { f: (x) => addScalar(x, 1), slope: 1 },
      scale: { f: (x) => scale(x, 3), slope: 3 },
      reshape: { f: (x) => reshape(x, [6]), slope: 1 },
      swapTimeBatch: { f: (x) => swapTimeBatch(x), slope: 1 },
      add: { f: (x) => add(x, x), slope: 2 },
    };
    const x = tensor(values(6, 3), { shape: [2, 3] });
    const names = Object.keys(uses);
    for (const first of names) {
      for (const second of names) {
        for (const third of names) {
          const chosen = [first, second, third].map((name) => uses[name]!);
          const f = (): Tensor => {
            const y = scale(x, 1);
            return chosen.map(({ f }) => sum(f(y))).reduce((a, b) => add(a, b));
          };
          const slope = chosen.reduce((total, use) => total + use.slope, 0);
          expect(gradientOf(f, x), `${first}, ${second}, ${third}`).toEqual(Array(6).fill(slope));
        }
      }
    }
  });

  test('through a view and a view of the view, adds every contribution', () => {
    const x = tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3, 1] });
    const f = (): Tensor => {
      const flat = reshape(x, [6]);
      const matrix = reshape(flat, [3, 2]);
      const swapped = swapTimeBatch(swapTimeBatch(x));
      return [square(flat), scale(matrix, 10), swapped, lastStep(swapped)]
        .map((y) => sum(y))
        .reduce((a, b) => add(a, b));
    };
    // 2x, 10 and 1 everywhere; 1 more at the last step of each row.
    expect(gradientOf(f, x)).toEqual([13, 15, 18, 19, 21, 24]);
  });

  test('through its last step and as a whole, in either order, adds both', () => {
    const x = tensor(values(12, 5), { shape: [2, 3, 2] });
    const expected = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1].map((last) => 2 + last);
    const [whole, last] = [() => sum(scale(x, 2)), () => sum(lastStep(x))];
    expect(gradientOf(() => add(whole(), last()), x)).toEqual(expected);
    expect(gradientOf(() => add(last(), whole()), x)).toEqual(expected);
  });

  test('as every part of a concatenation, adds every part', () => {
    const x = tensor(values(6, 6), { shape: [3, 2] });
    expect(gradientOf(() => sum(scale(concatenate([x, x, x]), 2)), x)).toEqual(Array(6).fill(6));
  });

  test('as one weight of two layers, adds the gradients of both', () => {
    const x = tensor([[1, 2]]);
    const w = new Parameter('shared', [2, 2], [1, 2, 3, 4]);
    // h = xW = [7, 10]; ∂Σ(hW)/∂W = xᵀ·(1·Wᵀ) + hᵀ·1.
    expect(gradientOf(() => sum(linear(linear(x, w), w)), w)).toEqual([3 + 7, 7 + 7, 6 + 10, 14 + 10]);
  });

  test('as kernel and recurrent kernel of one scan, adds the gradients of both', () => {
    const shared = tensor([
      [0.5, -0.25],
      [0.125, 0.75],
    ]);
    const x = tensor(values(8, 7), { shape: [2, 2, 2] });
    const scan = (kernel: Tensor, recurrentKernel: Tensor): Tensor =>
      sum(recurrence(rnnCells.tanh, x, { kernel, recurrentKernel }).outputs!);
    const [one, two] = [stopGradient(() => scale(shared, 1)), stopGradient(() => scale(shared, 1))];
    const { grads } = valueAndGrad(() => scan(one, two), [one, two]);
    const expected = numbers(grads[0]!).map((v, i) => v + numbers(grads[1]!)[i]!);
    gradientOf(() => scan(shared, shared), shared).forEach((got, i) => expect(got).toBeCloseTo(expected[i]!, 5));
  });

  test('as both initial states and the output of a scan, adds every contribution', () => {
    const cell = rnnCells.linear;
    const x = tensor(new Float32Array(2), { shape: [2, 1, 1] });
    const h = tensor([[1]]);
    const weights = { kernel: tensor([[1]]), recurrentKernel: tensor([[0.5]]) };
    const f = (): Tensor => {
      const { outputs, states } = recurrence(cell, x, weights, { initialState: [h] });
      return [sum(outputs!), sum(states[0]!), sum(h), sum(outputs!)].reduce((a, b) => add(a, b));
    };
    // h₁ = h/2, h₂ = h/4: 2·(1/2 + 1/4) + 1/4 + 1.
    expect(gradientOf(f, h)).toEqual([2.75]);
  });
});

// A scan over rows of a table may multiply the table instead; who wants a gradient of what must not change by that.
describe('a scan over embedded ids', () => {
  const ids = tensor([[0], [1], [0], [2], [1]], { dtype: 'i32' });
  const weights = {
    kernel: tensor(values(6, 8), { shape: [2, 3] }),
    recurrentKernel: tensor(values(9, 9), { shape: [3, 3] }),
    bias: tensor(values(3, 10)),
  };
  const scan = (x: Tensor): Tensor => sum(square(recurrence(rnnCells.tanh, x, weights).outputs!));
  const table = tensor(values(6, 11), { shape: [3, 2] });
  const plainCopy = (): Tensor => stopGradient(() => tensor(embed(ids, table).toArray(), { shape: [5, 1, 2] }));

  test('embedded before the tape, gives the embedded tensor its gradient', () => {
    const embedded = embed(ids, table);
    const plain = plainCopy();
    const expected = gradientOf(() => scan(plain), plain);
    const got = gradientOf(() => scan(embedded), embedded);
    expected.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 5));
  });

  test('embedded before the tape, gives the table none', () => {
    const embedded = embed(ids, table);
    expect(() => gradientOf(() => scan(embedded), table)).toThrow('got a constant');
  });

  test('embedded under stopGradient, gives the table none', () => {
    expect(() => gradientOf(() => scan(stopGradient(() => embed(ids, table))), table)).toThrow('got a constant');
  });

  test('embedded before the table changed, reads the rows as they were', () => {
    const changing = tensor(table.toArray(), { shape: [3, 2] });
    const embedded = embed(ids, changing);
    const expected = scan(embedded).item();
    changing.set([9, 9, 9, 9, 9, 9]);
    expect(scan(embedded).item()).toBeCloseTo(expected, 5);
  });

  test('embedded on the tape, gives the table and everything else the gradients of a plain product', () => {
    const wrt = [table, weights.kernel, weights.recurrentKernel, weights.bias];
    const { grads } = valueAndGrad(() => scan(embed(ids, table)), wrt);
    // scale(x, 1) keeps the scan from knowing that its input is rows of a table.
    const plain = valueAndGrad(() => scan(scale(embed(ids, table), 1)), wrt).grads;
    grads.forEach((grad, i) => {
      const expected = numbers(plain[i]!);
      numbers(grad).forEach((value, j) => expect(value).toBeCloseTo(expected[j]!, 5));
    });
  });
});

describe('ops on their own', () => {
  test('outside a step, give tensors that live until they are disposed of', () => {
    const y = square(vector(1, 2, 3));
    expect(y.isPersistent).toBe(true);
    engine().step(() => tensor(values(100, 1)));
    expect(numbers(y)).toEqual([1, 4, 9]);
    y.dispose();
    expect(() => y.toArray()).toThrow(DeadTensorError);
  });

  test('inside a step without a tape, give tensors of the step', () => {
    const y = engine().step(() => {
      const z = tanh(vector(0, 1));
      expect(z.isPersistent).toBe(false);
      expect(z.toArray()[0]).toBe(0);
      return z;
    });
    expect(() => y.toArray()).toThrow(DeadTensorError);
  });

  test('linear on inputs of width 0, gives the bias in every row', () => {
    const bias = tensor([1, 2]);
    engine().step(() => {
      tensor(values(64, 2));
    });
    const y = linear(tensor([], { shape: [3, 0] }), tensor([], { shape: [0, 2] }), bias);
    expect(numbers(y)).toEqual([1, 2, 1, 2, 1, 2]);
  });
});

test('backward of an embedding whose ids were disposed of, names them and reads nothing else', () => {
  const table = new Parameter('table', [5, 3], values(15, 1));
  const ids = keep(tensor(Int32Array.of(1, 4), { dtype: 'i32' }));
  const body = () => {
    const y = embed(ids, table);
    ids.dispose();
    return sum(y);
  };
  expect(() => engine().step(() => valueAndGrad(body, [table]))).toThrow(DeadTensorError);
});
