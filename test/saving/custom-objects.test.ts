import { beforeAll, describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { backupAndRestore } from '../../src/callbacks/backup-and-restore.ts';
import { init } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { LayerConfig } from '../../src/io/model-file.ts';
import type { BatchShape } from '../../src/layers/base/batch-shape.ts';
import { Layer, type LayerOptions } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { RecurrentCell } from '../../src/layers/rnn/cells/cell.ts';
import type { CellDefinition } from '../../src/layers/rnn/cells/defined-cell.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { model, sequential } from '../../src/models/model.ts';
import * as ops from '../../src/ops/index.ts';
import { adam, sgd } from '../../src/optimizers/index.ts';
import { decodeModel, encodeModel, restoreModel } from '../../src/saving/saved-model.ts';
import { firstDifference } from '../train/first-difference.ts';

beforeAll(() => init({ mode: 'reproducible' }));

const quantileLoss = (yTrue: Tensor, yPred: Tensor): Tensor => {
  const error = ops.sub(yTrue, yPred);
  return ops.mean(ops.add(ops.scale(error, 0.9), ops.relu(ops.scale(error, -1))), { axis: -1 });
};
const largest = (_: Tensor, yPred: Tensor): number => Math.max(...yPred.toArray());

interface GainOptions extends LayerOptions {
  factor: number;
}

class Gain extends Layer {
  readonly className: string = 'Gain';
  readonly #factor: number;
  #gain!: Tensor;

  constructor({ factor, ...options }: GainOptions) {
    super('gain', options);
    this.#factor = factor;
  }

  override outputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override config(): LayerConfig {
    return { ...this.baseConfig(), factor: this.#factor };
  }

  protected override makeWeights(inputShape: BatchShape): void {
    this.#gain = this.addWeight('gain', [this.inputWidth(inputShape)], 'ones').tensor;
  }

  protected override call(x: Tensor): Tensor {
    return ops.scale(ops.mul(x, this.#gain), this.#factor);
  }
}

class Leaky extends RecurrentCell {
  readonly className = 'Leaky';
  readonly stateSpecs = [{ name: 'h', width: 2 }];

  constructor(options: LayerOptions = {}) {
    super('leaky', options);
  }

  override config(): LayerConfig {
    return this.baseConfig();
  }

  override begin() {
    return (x: Tensor, [h]: readonly Tensor[]) => {
      const output = ops.scale(ops.add(x, h!), 0.5);
      return { output, states: [output] };
    };
  }
}

const minimalGated = {
  units: 2,
  weights: (inputs: number) => ({ W: [inputs, 2], U: [2, 2] }),
  call: (x: Tensor, [h]: readonly Tensor[], { W, U }: Record<string, Tensor>) =>
    ops.tanh(ops.add(ops.linear(x, W!), ops.linear(h!, U!))),
} satisfies CellDefinition;

const halving = { name: 'halving', at: (iteration: number) => 0.5 ** iteration };
const isVector = ({ shape }: { shape: readonly number[] }): boolean => shape.length < 2;
const x = [[[1, 2], [3, 4]], [[0, 1], [1, 0]]]; // biome-ignore format: two sequences
const y = [[1], [0]];

function make() {
  setSeed(2);
  const made = sequential([rnn(new Leaky(), { returnSequences: true }), new Gain({ factor: 2 }), rnn(minimalGated), dense({ units: 1 })]); // biome-ignore format: one line
  const optimizer = adam({ learningRate: halving, weightDecay: 0.1, excludeFromWeightDecay: isVector });
  made.compile({ optimizer, loss: quantileLoss, metrics: [largest, 'mae'] });
  return made;
}

describe('a model of things of the caller’s own', () => {
  test('is saved after training, and trained on from the file with the bits it would have had', async () => {
    const live = make();
    await live.fit(x, y, { epochs: 2, batchSize: 1 });
    const bytes = encodeModel(live);
    const customObjects = { quantileLoss, largest, Gain, Leaky, minimalGated, halving, isVector };
    const { model: loaded } = decodeModel(bytes, { customObjects });
    expect(firstDifference(encodeModel(loaded), bytes)).toBe(-1);
    const histories = [await live.fit(x, y, { epochs: 2 }), await loaded.fit(x, y, { epochs: 2 })];
    expect(histories[1]!.history).toEqual(histories[0]!.history);
    expect(firstDifference(encodeModel(loaded), encodeModel(live))).toBe(-1);
  });

  test('without them, is refused with all their names and both ways out', () => {
    const live = make();
    live.trainOnBatch(x, y);
    expect(() => decodeModel(encodeModel(live), { customObjects: { halving, isVector } })).toThrow(
      "it names layer 'Leaky', layer 'Gain', cell 'cell', loss 'quantileLoss', metric 'largest', which tapeloop does not have: " +
        'import the entry that has it, as tapeloop/images, give customObjects: { Leaky, Gain, cell, quantileLoss, largest }, or make and compile the model in code and fill it with restoreModel(model, bytes)',
    );
  });

  test('made again in code, is filled without being told of them', () => {
    const live = make();
    live.trainOnBatch(x, y);
    const bytes = encodeModel(live);
    const again = make();
    again.trainOnBatch(x, y);
    again.trainOnBatch(x, y);
    restoreModel(again, bytes);
    expect(firstDifference(encodeModel(again), bytes)).toBe(-1);
  });

  test('of another optimizer in code, is filled and keeps the loss it was compiled with', () => {
    const live = make();
    live.compile({ optimizer: sgd({ learningRate: 0.5 }), loss: quantileLoss });
    live.trainOnBatch(x, y);
    const again = make();
    again.compile({ optimizer: 'adam', loss: quantileLoss });
    again.trainOnBatch(x, y);
    restoreModel(again, encodeModel(live));
    expect(again.optimizer.learningRate).toBe(0.5);
    expect(again.trainOnBatch(x, y)).toEqual(live.trainOnBatch(x, y));
  });

  test('is gone on with from a backup, which is given what it was compiled with then', async () => {
    const live = make();
    let kept: Uint8Array | undefined;
    const store = { read: () => kept, write: (bytes: Uint8Array) => (kept = bytes) };
    await live.fit(x, y, { epochs: 1, callbacks: [backupAndRestore(store)] });
    const again = make();
    again.trainOnBatch(x, y);
    again.compile({ optimizer: 'sgd', loss: 'mse' });
    const customObjects = { quantileLoss, largest, halving, isVector };
    await again.fit(x, y, { epochs: 1, callbacks: [backupAndRestore(store, { customObjects })] });
    expect(again.trainer.compiled.objective.heads[0]!.loss.name).toBe('custom quantileLoss');
  });
});

describe('customObjects', () => {
  const oneGain = () => {
    const made = sequential([new Gain({ factor: 3, inputShape: [2] })]);
    return encodeModel(made);
  };

  test.each<[string, unknown]>([
    ['a class', Gain],
    ['a function of the options', (options: GainOptions) => new Gain(options)],
    [
      'what has fromConfig',
      Object.assign(() => undefined, { fromConfig: (options: GainOptions) => new Gain(options) }),
    ],
  ])('may be %s', (_, given) => {
    const { model: loaded } = decodeModel(oneGain(), { customObjects: { Gain: given } });
    expect(Array.from(loaded.predict([[1, 2]]).data)).toEqual([3, 6]);
  });

  test('may not be a layer that was made already', () => {
    expect(() => decodeModel(oneGain(), { customObjects: { Gain: new Gain({ factor: 1 }) } })).toThrow(
      "customObjects: layer 'Gain' expected a class or a function that makes it anew, got a layer",
    );
  });

  test('may make a whole model of the caller’s own, alone or within another', () => {
    const encoder = () =>
      model({ name: 'encoder', layers: { a: dense({ units: 2 }) } }, (input, { a }) => ops.tanh(a(input)));
    for (const live of [encoder(), sequential([encoder(), dense({ units: 1 })])]) {
      const before = live.predict([[1, 2]]);
      const bytes = encodeModel(live);
      expect(() => decodeModel(bytes)).toThrow("it names model 'encoder'");
      const { model: loaded } = decodeModel(bytes, { customObjects: { encoder } });
      expect(loaded.predict([[1, 2]])).toEqual(before);
    }
  });

  test('a layer that is called as one of ours, is refused when it is saved', () => {
    class Dense extends Gain {
      override readonly className = 'Dense';
    }
    const made = sequential([new Dense({ factor: 1, name: 'mine', inputShape: [2] })]);
    expect(() => encodeModel(made)).toThrow("mine: className expected a name of its own to be saved by, got 'Dense'");
  });
});
