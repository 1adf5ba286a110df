import { describe, expect, test } from 'vitest';
import {
  ArgumentError,
  adagrad,
  adam,
  adamw,
  bidirectional,
  dense,
  gru,
  init,
  layerNormalization,
  lion,
  lstm,
  type Model,
  ModelFileError,
  model,
  type Optimizer,
  rmsprop,
  schedules,
  sequential,
  sgd,
} from '../../src/index.ts';
import { encodeCheckpoint, importTorch, loadStateDict, readTorch, torchOptimizer } from '../../src/torch.ts';
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

describe('torchOptimizer, names', () => {
  const { file } = golden.training.adam!;
  const other = (): Model =>
    sequential([
      gru({ units: 3, returnSequences: true, name: 'gru', inputShape: [null, 2] }),
      lstm({ units: 4, name: 'decoder' }),
      layerNormalization({ epsilon: 1e-5, name: 'norm' }),
      dense({ units: 1, name: 'out' }),
    ] as never) as Model;
  const momentum = (model: Model, options = {}): number[] =>
    Array.from(
      torchOptimizer(model, bytesOf(file), options)
        .state(model.weights)
        .get(`${model.weights[3]!.name}/momentum`)!
        .toArray(),
    );

  test('of a layer with another name, lists what differs and suggests names that work', () => {
    const call = (): unknown => torchOptimizer(other(), bytesOf(file), { file: 'x.pt' });
    expect(call).toThrow(ModelFileError);
    expect(call).toThrow(
      /^x\.pt: torchOptimizer: the weights are not the parameters of the file: missing: decoder\.weight_ih_l0, .* unexpected: lstm\.weight_ih_l0, /,
    );
    expect(call).toThrow("names: { gru: 'gru', lstm: 'decoder', norm: 'norm', out: 'out' }");
    const names = { gru: 'gru', lstm: 'decoder', norm: 'norm', out: 'out' };
    expect(momentum(other(), { names })).toEqual(momentum(made()));
    expect(momentum(made()).some((value) => value !== 0)).toBe(true);
  });

  test('without strict, begins without the state of what differs', () => {
    expect(momentum(other(), { strict: false })).toEqual(Array(48).fill(0));
  });

  test('of a model with fewer layers, lists the parameters that are left', () => {
    const model = sequential([gru({ units: 3, name: 'gru', inputShape: [null, 2] })]) as Model;
    expect(() => torchOptimizer(model, bytesOf(file))).toThrow(
      /unexpected: lstm\.weight_ih_l0, .*; give names, or strict: false to begin without their state/,
    );
    expect(torchOptimizer(model, bytesOf(file), { strict: false }).iterations).toBe(5);
  });

  test('with a module that is not in the file, throws ArgumentError', () => {
    for (const strict of [true, false]) {
      const options = { names: { lstmm: 'lstm' }, strict };
      const message = /names expected one of gru, lstm, norm, out, got 'lstmm'/;
      expect(() => torchOptimizer(made(), bytesOf(file), options)).toThrow(message);
      expect(() => loadStateDict(made(), bytesOf(file), options)).toThrow(message);
      expect(() => loadStateDict(made(), bytesOf(file), options)).toThrow(ArgumentError);
    }
  });

  test('of a weight that PyTorch has frozen and the model trains, names its layer', () => {
    const frozen = made();
    frozen.layers[1]!.trainable = false;
    frozen.compile({ optimizer: adam({ epsilon: 1e-8 }), loss: 'mse' });
    steps(frozen, 2);
    const bytes = encodeCheckpoint(frozen);
    expect(() => torchOptimizer(made(), bytes)).toThrow(
      /PyTorch has not trained lstm\.weight_ih_l0, .*: set trainable = false of layer 'lstm', or give strict: false/,
    );
    expect(torchOptimizer(frozen, bytes).iterations).toBe(2);
    expect(torchOptimizer(made(), bytes, { strict: false }).iterations).toBe(2);
  });

  test('of a model of importTorch, knows the modules that it was made of', () => {
    const forward = ['gru', 'lstm', 'last', { module: 'norm', as: 'LayerNorm' as const }, 'out'];
    const model = importTorch(bytesOf(file), { forward });
    model.compile({ optimizer: torchOptimizer(model, bytesOf(file)), loss: 'mse' });
    expectLosses(steps(model, 5), golden.training.adam!.losses.slice(5));
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
    const read = torchOptimizer(copy, bytes);
    expect(read.name).toBe(name);
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

  const schedule = schedules.exponentialDecay({ initialLearningRate: 0.5, decaySteps: 1, decayRate: 0.5 });
  test.each<[string, () => Optimizer]>([
    ['clipNorm: 1', () => sgd({ clipNorm: 1 })],
    ['globalClipNorm: 2', () => sgd({ globalClipNorm: 2 })],
    ['clipValue: 0.5', () => sgd({ clipValue: 0.5 })],
    ['gradientAccumulationSteps: 2', () => sgd({ gradientAccumulationSteps: 2 })],
    ['a schedule of its learningRate', () => sgd({ learningRate: schedule })],
  ])('of %s, throws ArgumentError unless strict or includeOptimizer is false', (option, optimizer) => {
    const model = made();
    model.compile({ optimizer: optimizer(), loss: 'mse' });
    const message = `encodeCheckpoint: optimizer 'sgd' has ${option}, which no optimizer of PyTorch has: strict: false`;
    expect(() => encodeCheckpoint(model)).toThrow(ArgumentError);
    expect(() => encodeCheckpoint(model)).toThrow(message);
    const parts = (options: object): string[] => [
      ...(readTorch(encodeCheckpoint(model, options)) as Map<string, unknown>).keys(),
    ];
    expect(parts({ strict: false })).toEqual(['model_state_dict', 'optimizer_state_dict', 'optimizer']);
    expect(parts({ includeOptimizer: false })).toEqual(['model_state_dict']);
  });

  test.each<[string, object]>([
    ['kernelRegularizer', { kernelRegularizer: 'l2' }],
    ['biasConstraint', { biasConstraint: 'nonNeg' }],
    ['activityRegularizer', { activityRegularizer: 'l1' }],
  ])('of a layer with %s, throws ArgumentError unless strict or includeOptimizer is false', (option, options) => {
    const model = sequential([
      bidirectional(lstm({ units: 2, name: 'inner', ...options }), { inputShape: [null, 2], name: 'both' }),
    ] as never) as Model;
    encodeCheckpoint(model);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    expect(() => encodeCheckpoint(model)).toThrow(ArgumentError);
    expect(() => encodeCheckpoint(model)).toThrow(`layer 'both/forward_inner' has ${option}, which no module`);
    encodeCheckpoint(model, { strict: false });
    encodeCheckpoint(model, { includeOptimizer: false });
  });

  test('of a custom model, writes its optimizer', () => {
    const custom = model({ layers: { d: dense({ units: 1 }) }, inputs: { shape: [2] } }, (x, { d }) => d(x));
    custom.compile({ optimizer: 'sgd', loss: 'mse' });
    expect((readTorch(encodeCheckpoint(custom as Model)) as Map<string, unknown>).get('optimizer')).toBe('SGD');
  });

  test('of a schedule without strict, has the learning rate of the next step', () => {
    const model = made();
    model.compile({ optimizer: sgd({ learningRate: schedule }), loss: 'mse' });
    steps(model, 1);
    const bytes = encodeCheckpoint(model, { strict: false });
    const root = readTorch(bytes) as Map<string, Map<string, [Map<string, number>]>>;
    expect(root.get('optimizer_state_dict')!.get('param_groups')![0].get('lr')).toBe(0.25);
  });
});

describe('torchOptimizer, options of the file', () => {
  /** A checkpoint of PyTorch with some options of its group changed. */
  const changed = (name: string, options: object): never => {
    const root = readTorch(bytesOf(golden.training[name]!.file)) as Map<string, Map<string, Map<string, unknown>[]>>;
    const [group] = root.get('optimizer_state_dict')!.get('param_groups')!;
    for (const [key, value] of Object.entries(options)) group!.set(key, value);
    return root as never;
  };

  test.each([
    ['rmsprop', 'rmsprop', 1e-3],
    ['adagrad', 'adagrad', 0.1],
  ])('an epsilon of %s that is not small, throws ModelFileError with the limit', (name, own, eps) => {
    const call = (): unknown => torchOptimizer(made(), changed(name, { eps }));
    expect(call).toThrow(ModelFileError);
    expect(call).toThrow(`adds eps ${eps} outside of the root, ${own} inside of it: expected at most 1e-7`);
    expect(torchOptimizer(made(), changed(name, { eps: 1e-7 })).config().epsilon).toBe(1e-7 ** 2);
  });

  test('of a list, as Lightning has it, and by a key with dots, is found', () => {
    const { file } = golden.training.adam!;
    const root = readTorch(bytesOf(file)) as Map<string, Map<string, never>>;
    const state = root.get('optimizer_state_dict')!;
    const named = new Map([...root.get('model_state_dict')!].map(([name, value]) => [`model.${name}`, value]));
    const lightning = (states: unknown[]): never =>
      new Map<string, unknown>([
        ['state_dict', named],
        ['optimizer_states', states],
      ]) as never;
    expect(torchOptimizer(made(), lightning([state])).iterations).toBe(5);
    const two = lightning([changed('sgd', {}), state]);
    expect(torchOptimizer(made(), two, { optimizerKey: 'optimizer_states.1' }).iterations).toBe(5);
    expect(() => torchOptimizer(made(), lightning([state, state]))).toThrow(
      /give optimizerKey, one of "optimizer_states\.0", "optimizer_states\.1"/,
    );
    expect(() => torchOptimizer(made(), two, { optimizerKey: 'optimizer_states.2' })).toThrow(
      /optimizerKey: expected one of "0", "1", got "2"/,
    );
  });

  test.each(['sgd', 'rmsprop', 'adagrad'])('optimizer for a file of %s, throws ModelFileError', (name) => {
    const call = (): unknown => torchOptimizer(made(), changed(name, {}), { optimizer: 'adamw' });
    expect(call).toThrow(ModelFileError);
    expect(call).toThrow(
      /optimizer: 'adamw' expected the state of Adam or AdamW in the file, got that of (SGD|RMSp|Adag)/,
    );
  });
});
