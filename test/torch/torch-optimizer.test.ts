import { describe, expect, test } from 'vitest';
import {
  adagrad,
  adam,
  adamw,
  dense,
  gru,
  init,
  layerNormalization,
  lion,
  lstm,
  type Model,
  ModelFileError,
  type Optimizer,
  rmsprop,
  schedules,
  sequential,
  sgd,
} from '../../src/index.ts';
import { encodeCheckpoint, loadStateDict, readTorch, torchOptimizer } from '../../src/torch.ts';
import { bytesOf, fileOf, golden } from './golden.ts';

await init();

const made = (): Model =>
  sequential([
    gru({ units: 3, returnSequences: true, name: 'gru', inputShape: [null, 2] }),
    lstm({ units: 4, name: 'lstm' }),
    layerNormalization({ epsilon: 1e-5, name: 'norm' }),
    dense({ units: 1, name: 'out' }),
  ] as never) as Model;

const steps = (model: Model, count: number): number[] =>
  Array.from({ length: count }, () => Number(model.trainOnBatch(golden.x, golden.y).loss));

const expectLosses = (actual: readonly number[], expected: readonly number[]): void => {
  for (const [i, loss] of actual.entries()) expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-5);
};

describe('torchOptimizer', () => {
  test.each(Object.keys(golden.training))('%s, goes on with the losses of PyTorch after five steps there', (name) => {
    const { file, losses } = golden.training[name]!;
    const model = made();
    loadStateDict(model, bytesOf(file));
    const optimizer = torchOptimizer(model, bytesOf(file), name === 'adamw' ? { optimizer: 'adamw' } : {});
    model.compile({ optimizer, loss: 'mse' });
    expectLosses(steps(model, 5), losses.slice(5));
  });

  test.each<[string, RegExp, object?]>([
    ['bothBiases', /PyTorch has trained lstm\.bias_ih_l0 and lstm\.bias_hh_l0, .* give joinBiases: true/],
    ['penalty', /weight_decay 0\.1, .* give optimizer: 'adamw' if it is AdamW/],
    ['maximize', /the optimizer has maximize: true/],
    ['nadam', /expected to be SGD, Adam, AdamW, RMSprop or Adagrad, got one with/],
    ['groups', /its parameter groups differ in "lr"/],
    ['state', /expected the state dict of an optimizer, which has param_groups, got none/],
  ])('of the file %s, throws one error that says why', (name, message) => {
    const call = (): unknown => torchOptimizer(made(), fileOf(name), { file: 'x.pt' });
    expect(call).toThrow(ModelFileError);
    expect(call).toThrow(message);
  });

  test('of both biases with joinBiases, takes the state of bias_ih', () => {
    const model = made();
    const optimizer = torchOptimizer(model, fileOf('bothBiases'), { joinBiases: true });
    expect(optimizer.iterations).toBe(1);
    expect(
      optimizer
        .state(model.weights)
        .get('lstm/bias/momentum')!
        .toArray()
        .some((value) => value !== 0),
    ).toBe(true);
  });

  test('of parameters in another number, asks for their names', () => {
    const root = readTorch(bytesOf(golden.training.adam!.file)) as Map<string, Map<string, unknown>>;
    const weights = new Map(root.get('model_state_dict')!);
    weights.delete('out.bias');
    const changed = new Map<string, unknown>([...root, ['model_state_dict', weights]]);
    const names = [...root.get('model_state_dict')!.keys()];
    expect(() => torchOptimizer(made(), changed as never)).toThrow(
      /has 12 parameters, the state dict 11: give parameters/,
    );
    expect(torchOptimizer(made(), changed as never, { parameters: names }).iterations).toBe(5);
    expect(() => torchOptimizer(made(), changed as never, { parameters: names.toReversed() })).toThrow(
      /are the parameters in this order\?/,
    );
  });
});

describe('encodeCheckpoint', () => {
  const optimizers: Record<string, () => Optimizer> = {
    sgd: () => sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
    adam: () => adam({ learningRate: 0.01, epsilon: 1e-8, amsgrad: true }),
    adamw: () => adamw({ learningRate: 0.01, epsilon: 1e-8 }),
    rmsprop: () => rmsprop({ learningRate: 0.01, epsilon: 1e-16, momentum: 0.5, centered: true }),
    adagrad: () => adagrad({ learningRate: 0.05, epsilon: 1e-20 }),
  };

  test.each(Object.keys(optimizers))('of %s, is read again with the same state', (name) => {
    const model = made();
    const optimizer = optimizers[name]!();
    model.compile({ optimizer, loss: 'mse' });
    steps(model, 3);
    const bytes = encodeCheckpoint(model);
    const copy = made();
    loadStateDict(copy, bytes);
    const read = torchOptimizer(copy, bytes, name === 'adamw' ? { optimizer: 'adamw' } : {});
    copy.compile({ optimizer: read, loss: 'mse' });
    const next = steps(model, 3);
    const again = steps(copy, 3);
    for (const [i, loss] of next.entries()) expect(Math.abs(again[i]! - loss)).toBeLessThan(1e-6);
  });

  test('has the groups and the order of parameters of PyTorch', () => {
    const model = made();
    model.compile({ optimizer: adam({ epsilon: 1e-8 }), loss: 'mse' });
    steps(model, 5);
    const [own, torch] = [encodeCheckpoint(model), bytesOf(golden.training.adam!.file)].map((bytes) =>
      readTorch(bytes),
    ) as [Map<string, never>, Map<string, never>];
    expect(own.get('optimizer')).toBe('Adam');
    const names = (root: Map<string, Map<string, unknown>>) => [...root.get('model_state_dict')!.keys()];
    expect(names(own)).toEqual(names(torch));
    const state = (root: Map<string, Map<string, unknown>>) => root.get('optimizer_state_dict')!;
    const groupOf = (root: never) => Object.fromEntries((state(root).get('param_groups') as [Map<string, unknown>])[0]);
    expect(groupOf(own as never)).toMatchObject({ ...groupOf(torch as never), lr: 0.001 });
    const shapes = (root: never) =>
      [...(state(root).get('state') as Map<number, Map<string, { shape: number[] }>>)].map(([i, buffers]) => [
        i,
        [...buffers].map(([key, { shape }]) => [key, shape]),
      ]);
    expect(shapes(own as never)).toEqual(shapes(torch as never));
  });

  test.each<[string, () => Optimizer, RegExp]>([
    ['lion', () => lion(), /expected to be sgd, adam, adamw, rmsprop or adagrad/],
    ['averages', () => adam({ useEma: true }), /has useEma: true/],
    ['a decay of SGD', () => sgd({ weightDecay: 0.1 }), /has weightDecay, which in torch\.optim only AdamW decouples/],
    ['a large epsilon before the correction', () => adam({ epsilon: 0.1 }), /give it scaleEpsilon: true/],
    ['an epsilon inside the root', () => rmsprop(), /adds epsilon 1e-7 inside the root/],
    ['exceptions of the decay', () => adamw({ excludeFromWeightDecay: ['bias'] }), /needs parameter groups of its own/],
  ])('of %s, throws ArgumentError that names it', (_, optimizer, message) => {
    const model = made();
    model.compile({ optimizer: optimizer(), loss: 'mse' });
    expect(() => encodeCheckpoint(model)).toThrow(message);
  });

  test('of a schedule, has the learning rate of the next step', () => {
    const model = made();
    const learningRate = schedules.exponentialDecay({ initialLearningRate: 0.5, decaySteps: 1, decayRate: 0.5 });
    model.compile({ optimizer: sgd({ learningRate }), loss: 'mse' });
    steps(model, 1);
    const root = readTorch(encodeCheckpoint(model)) as Map<string, Map<string, [Map<string, number>]>>;
    expect(root.get('optimizer_state_dict')!.get('param_groups')![0].get('lr')).toBe(0.25);
  });
});
