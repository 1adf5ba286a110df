import { describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor, zeros } from '../../src/autograd/tensor.ts';
import { lstmCell } from '../../src/cells/lstm.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { engine } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { dropout } from '../../src/layers/dropout.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { simpleRnn } from '../../src/layers/rnn/simple-rnn.ts';
import { gradientFlow } from '../../src/models/gradient-flow.ts';
import { type Model, model, sequential } from '../../src/models/model.ts';
import { withProbes } from '../../src/ops/hidden-probe.ts';
import * as ops from '../../src/ops/index.ts';
import { values } from '../kernels/reference/values.ts';
import { steps } from '../ops/recurrence/composed-cells.ts';
import type { CellName } from '../reference/cells.ts';
import { regression, sequences, targets } from '../train/regression.ts';
import { expectSameSnapshot, snapshotOf } from '../train/snapshot.ts';

const [B, T, I, H] = [4, 5, 2, 3];
const x = sequences(B, T, I);

interface Stacked {
  cell: CellName;
  returnSequences: boolean;
  make: (options: { units: number; returnSequences: boolean }) => Layer;
}
const rnnLayer = (returnSequences: boolean): Stacked => ({
  cell: 'rnnTanh',
  returnSequences,
  make: (options) => simpleRnn(options) as Layer,
});
const lstmLayer = (returnSequences: boolean): Stacked => ({
  cell: 'lstm',
  returnSequences,
  make: (options) => lstm(options) as Layer,
});
const gruLayer = (returnSequences: boolean): Stacked => ({
  cell: 'gruAfter',
  returnSequences,
  make: (options) => gru(options) as Layer,
});

function build(stack: readonly Stacked[]): Model {
  setSeed(3);
  const layers = stack.map(({ make, returnSequences }) => make({ units: H, returnSequences }));
  const built = sequential([dense({ units: I, inputShape: [T, I] }), ...layers, dense({ units: 1 })]);
  built.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return built;
}

/** The norms of ∂L/∂e_t, where e_t = 0 is added to every h_t of the same model made of small ops. */
function referenceNorms(built: Model, stack: readonly Stacked[], y: Float32Array): number[][] {
  return engine().step(() => {
    const added = stack.map(() => Array.from({ length: T }, () => zeros([B, H])));
    const loss = (): Tensor => {
      const [first, ...rest] = built.layers;
      const input = (first as Layer)(tensor(x.data, { shape: x.shape }));
      let sequence = Array.from({ length: T }, (_, t) => ops.timeStep(input, t));
      for (const [l, { cell, returnSequences }] of stack.entries()) {
        const [kernel, recurrentKernel, bias] = rest[l]!.weights.map((weight) => weight.tensor);
        let states = cell === 'lstm' ? [zeros([B, H]), zeros([B, H])] : [zeros([B, H])];
        sequence = sequence.map((step, t) => {
          const [h, ...others] = steps[cell](step, states, {
            kernel: kernel!,
            recurrentKernel: recurrentKernel!,
            bias,
            extra: {},
          });
          states = [ops.add(h!, added[l]![t]!), ...others];
          return states[0]!;
        });
        if (!returnSequences) sequence = sequence.slice(-1);
      }
      const output = rest.at(-1) as Layer;
      const errors = sequence.map((h, t) => {
        const truth = Array.from({ length: B }, (_, b) => y[b * sequence.length + t]!);
        return ops.sum(ops.square(ops.sub(output(h), tensor(truth, { shape: [B, 1] }))));
      });
      return ops.scale(
        errors.reduce((sum, each) => ops.add(sum, each)),
        1 / y.length,
      );
    };
    const { grads } = valueAndGrad(loss, added.flat());
    const norms = grads.map((grad) => Math.sqrt([...grad.toArray()].reduce((sum, value) => sum + value * value, 0)));
    return stack.map((_, l) => norms.slice(l * T, (l + 1) * T));
  });
}

describe('gradientFlow', () => {
  test.each<[string, Stacked[]]>([
    ['simpleRnn, last output', [rnnLayer(false)]],
    ['simpleRnn, every output', [rnnLayer(true)]],
    ['lstm, last output', [lstmLayer(false)]],
    ['gru, every output', [gruLayer(true)]],
    ['lstm below gru, last output', [lstmLayer(true), gruLayer(false)]],
    ['three layers, every output', [rnnLayer(true), lstmLayer(true), gruLayer(true)]],
  ])('of %s, has the norms of the model made of small ops', (_, stack) => {
    const built = build(stack);
    const time = stack.at(-1)!.returnSequences ? [T] : [];
    const y = ndarray(values(B * (time[0] ?? 1), 9), [B, ...time, 1]);
    const flows = gradientFlow(built, x, y);
    const expected = referenceNorms(built, stack, y.data);
    expect(flows.map(({ layer }) => layer)).toEqual(built.layers.slice(1, -1).map(({ name }) => name));
    for (const [l, { norms }] of flows.entries()) {
      expect(norms.length).toBe(T);
      for (const [t, norm] of norms.entries()) expect(norm / expected[l]![t]!).toBeCloseTo(1, 4);
    }
  });

  test('leaves the model as it was, dropout and carried states too', () => {
    const built = regression();
    const stateful = sequential([
      gru({ units: 3, stateful: true, inputShape: [null, 2] }),
      dropout({ rate: 0.5 }),
      dense({ units: 1 }),
    ]);
    stateful.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    for (const each of [built, stateful]) {
      each.trainOnBatch(sequences(4), targets(4));
      const before = snapshotOf(each);
      const flows = [true, false].map((training) => gradientFlow(each, sequences(4), targets(4), { training }));
      expect(flows[0]).not.toEqual(flows[1]);
      expectSameSnapshot(snapshotOf(each), before);
    }
  });

  test('of frozen layers, is the same', () => {
    const built = build([lstmLayer(false)]);
    const y = targets(B);
    const before = gradientFlow(built, x, y);
    for (const layer of built.layers) layer.trainable = false;
    expect(gradientFlow(built, x, y)).toEqual(before);
  });

  test('of a layer that is called twice, numbers its calls', () => {
    const layer = gru({ units: 2, returnSequences: true, name: 'twice' }) as Layer;
    const tied = model(
      { layers: { layer, last: dense({ units: 1 }) }, inputs: { shape: [T, 2] } },
      (x, { layer, last }) => last(layer(layer(x))),
    );
    tied.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const flows = gradientFlow(tied, x, ndarray(values(B * T, 9), [B, T, 1]));
    expect(flows.map(({ layer }) => layer)).toEqual(['twice', 'twice (2)']);
    expect(flows[0]!.norms).not.toEqual(flows[1]!.norms);
  });

  test('of a model without recurrent layers, or of data that do not fit, throws', () => {
    const flat = sequential([dense({ units: 1, inputShape: [2] })], { name: 'flat' });
    flat.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    expect(() => gradientFlow(flat, [[1, 2]], [[1]])).toThrow(
      new ArgumentError('gradientFlow: flat expected a recurrent layer, got none'),
    );
    expect(() => gradientFlow(regression(), sequences(4), targets(3))).toThrow(ArgumentError);
  });
});

describe('probes of a scan', () => {
  const weights = { kernel: [I, 4 * H], recurrentKernel: [H, 4 * H], bias: [4 * H] } as const;
  /** Squares of ∂L/∂h_t, and the gradient of the kernel, for L = Σ h_T. */
  function scan(options: ops.RecurrenceOptions): { squares: number[]; grad: Float32Array } {
    return engine().step(() => {
      const [kernel, recurrentKernel, bias] = Object.values(weights).map((shape, i) =>
        tensor(
          values(
            shape.reduce((a: number, b: number) => a * b, 1),
            20 + i,
          ),
          { shape },
        ),
      ) as [Tensor, Tensor, Tensor];
      const input = ops.swapTimeBatch(tensor(x.data, { shape: x.shape }));
      let squares: number[] = [];
      const { grads } = withProbes(
        (_, probe) => void (squares = probe.squares as unknown as number[]),
        () =>
          valueAndGrad(
            () => ops.sum(ops.recurrence(lstmCell, input, { kernel, recurrentKernel, bias }, options).states[0]!),
            [kernel],
          ),
      );
      return { squares: [...squares], grad: grads[0]!.toArray() as Float32Array };
    });
  }

  test('are the same whatever the scan keeps, and leave its gradients to the bit', () => {
    const whole = scan({});
    expect(scan({ returnSequences: false })).toEqual(whole);
    expect(scan({ returnSequences: false, checkpointEvery: 2 })).toEqual(whole);
    expect(whole.squares[T - 1]).toBe(B * H);
  });

  test('of a masked scan, leave out the rows that make no step', () => {
    const lengths = [5, 3, 1, 4];
    const mask = (rows: readonly number[]) =>
      tensor(rows.map((length) => Array.from({ length: T }, (_, t) => Number(t < length))));
    const { squares } = engine().step(() => scan({ mask: ops.swapTimeBatch(mask(lengths)) }));
    // L is a sum over rows, so each row is as if it were alone.
    for (let t = 0; t < T; t++) {
      const counting = lengths.filter((length) => length > t).length;
      expect(squares[t]).toBeGreaterThan(0);
      const ending = lengths.filter((length) => length === t + 1).length;
      if (ending === counting) expect(squares[t]).toBe(counting * H);
    }
  });

  test('of a scan in reverse, stand at their own time', () => {
    const { squares } = scan({ reverse: true });
    expect(squares[0]).toBe(B * H);
    expect(squares[T - 1]).not.toBe(B * H);
  });
});
