import { describe, expect, test } from 'vitest';
import { conv2dTranspose } from '../../src/images.ts';
import {
  ArgumentError,
  adam,
  adamw,
  bidirectional,
  dense,
  embedding,
  gru,
  init,
  lstm,
  type Model,
  masking,
  model,
  sequential,
} from '../../src/index.ts';
import { encodeCheckpoint, encodeStateDict, exportTorch, loadStateDict, readTorch } from '../../src/torch.ts';

await init();

const made = (): Model =>
  sequential([
    embedding({ inputDim: 5, outputDim: 3 }),
    bidirectional(lstm({ units: 4, returnSequences: true }), { mergeMode: 'sum' }),
    gru({ units: 3, goBackwards: true }),
    dense({ units: 2, activation: 'softmax', trainable: false }),
  ] as never) as Model;

describe('exportTorch', () => {
  test('writes the modules and the lines that run them', () => {
    const lines = exportTorch(made(), { className: 'Net' })
      .split('\n')
      .map((line) => line.trim());
    for (const line of [
      'class Net(nn.Module):',
      'self.embedding = nn.Embedding(5, 3)',
      'self.bidirectional = nn.LSTM(3, 4, batch_first=True, bidirectional=True)',
      'self.bidirectional.bias_hh_l0_reverse.requires_grad_(False)',
      'self.dense.weight.requires_grad_(False)',
      'a, b = x.chunk(2, -1)',
      'x = torch.flip(x, [1])',
      'x = x[:, -1]',
      'x = F.softmax(x, -1)',
    ]) {
      expect(lines).toContain(line);
    }
  });

  test('gives modules the names of the caller, as encodeCheckpoint does', () => {
    const names = { 'encoder.rnn': 'bidirectional', 'encoder.layers.0': 'gru', fc: 'dense' };
    const lines = exportTorch(made(), { className: 'Net', names })
      .split('\n')
      .map((line) => line.trim());
    for (const line of [
      'self.encoder = nn.ModuleDict()',
      'self.encoder["rnn"] = nn.LSTM(3, 4, batch_first=True, bidirectional=True)',
      'self.encoder["layers"] = nn.ModuleDict()',
      'self.encoder["layers"]["0"] = nn.GRU(4, 3, batch_first=True)',
      'self.encoder["rnn"].bias_hh_l0_reverse.requires_grad_(False)',
      'self.fc = nn.Linear(3, 2)',
    ]) {
      expect(lines).toContain(line);
    }
    const { loaded } = loadStateDict(made(), encodeCheckpoint(made(), { names }), { names });
    expect(loaded).toContain('encoder.layers.0.weight_ih_l0');
  });

  test.each([
    [{ rnn: ['gru', 'bidirectional'] }, 'names.rnn expected one layer, since each is a module, got 2'],
    [{ forward: 'gru' }, "names expected names of modules in Python, got 'forward'"],
    [{ '': 'gru' }, "names expected names of modules in Python, got ''"],
    [{ 'a b': 'gru' }, "names expected names of modules in Python, got 'a b'"],
    [{ '0': 'gru' }, "names expected names of modules in Python, got '0'"],
    [{ rnn: 'gru', 'rnn.fc': 'dense' }, 'names.rnn expected a module or a group of modules, got both'],
    [{ dense: 'gru' }, "layer 'dense' expected a name of its own in Python, got 'dense' twice"],
    [{ fc: 'head' }, "names.fc expected a layer that is left, of 'embedding', 'bidirectional', 'gru', 'dense'"],
  ])('refuses the names %o', (names, message) => {
    expect(() => exportTorch(made(), { names: names as never })).toThrow(message);
  });

  test.each<[string, () => Model, RegExp]>([
    [
      'maskZero',
      () => sequential([embedding({ inputDim: 5, outputDim: 3, maskZero: true })] as never) as Model,
      /layer 'embedding' \(Embedding\) has maskZero: true/,
    ],
    [
      'masking',
      () => sequential([masking({ inputShape: [null, 2] }), lstm({ units: 2 })] as never) as Model,
      /layer 'masking' \(Masking\) has a computation/,
    ],
    [
      'dropout inside',
      () => sequential([lstm({ units: 2, recurrentDropout: 0.5, inputShape: [null, 2] })]) as Model,
      /has recurrentDropout: 0\.5/,
    ],
    [
      'a transposed convolution',
      () => sequential([conv2dTranspose({ filters: 1, kernelSize: 2, inputShape: [4, 4, 1] })] as never) as Model,
      /\(Conv2DTranspose\) has a computation/,
    ],
    [
      'a custom model',
      () => model({ layers: { d: dense({ units: 1 }) }, inputs: { shape: [2] } }, (x, { d }) => d(x)) as Model,
      /expected a stack of layers, as sequential makes it/,
    ],
  ])('of %s, throws ArgumentError that names it', (_, make, message) => {
    expect(() => exportTorch(make())).toThrow(ArgumentError);
    expect(() => exportTorch(make())).toThrow(message);
  });

  test.each(['1x', 'a b', ''])('of the class name %o, throws ArgumentError', (className) => {
    expect(() => exportTorch(made(), { className })).toThrow(/className expected a name in Python/);
  });

  test.each(['class', 'None', 'nn', 'torch', 'F', 'load', '__init__'])(
    'of the class name %s that is kept, throws ArgumentError',
    (className) => {
      expect(() => exportTorch(made(), { className })).toThrow(ArgumentError);
      expect(() => exportTorch(made(), { className })).toThrow(/className expected a name of its own, got/);
    },
  );

  test('of a model whose name is kept in Python, is a class Model', () => {
    const none = sequential([dense({ units: 1, inputShape: [2] })], { name: 'none' }) as Model;
    expect(exportTorch(none)).toContain('class Model(nn.Module):');
  });

  test.each([
    ...['parameters', 'modules', 'training', 'forward', '_modules', '_parameters', 'load_state_dict', 'class'],
    ...['requires_grad_', 'share_memory', 'half'],
  ])('of a layer with the name %s, which nn.Module keeps, ends it in an underscore in both files', (name) => {
    const kept = sequential([dense({ units: 1, name, inputShape: [2] })]) as Model;
    expect(exportTorch(kept)).toContain(`self.${name}_ = nn.Linear(2, 1)`);
    const bytes = encodeCheckpoint(kept);
    const state = (readTorch(bytes) as Map<string, Map<string, unknown>>).get('model_state_dict')!;
    expect([...state.keys()]).toEqual([`${name}_.weight`, `${name}_.bias`]);
    expect(loadStateDict(kept, bytes).loaded).toHaveLength(2);
  });

  test('of two layers with the same name in Python, throws ArgumentError', () => {
    const twice = sequential([
      dense({ units: 1, name: 'a.b', inputShape: [2] }),
      dense({ units: 1, name: 'a_b' }),
    ] as never) as Model;
    expect(() => exportTorch(twice)).toThrow(/layer 'a_b' expected a name of its own in Python, got 'a_b' twice/);
  });

  test('its load knows the class of the optimizer also of a checkpoint that does not say it', () => {
    const compiled = made();
    expect(exportTorch(compiled)).toContain('    name = checkpoint["optimizer"]\n');
    compiled.compile({ optimizer: adamw({ epsilon: 1e-8 }), loss: 'mse' });
    expect(exportTorch(compiled)).toContain('    name = checkpoint.get("optimizer", "AdamW")\n');
    compiled.compile({ optimizer: adam({ weightDecay: 0.1 }), loss: 'mse' });
    expect(exportTorch(compiled)).toContain('    name = checkpoint.get("optimizer", "AdamW")\n');
    compiled.compile({ optimizer: 'lion', loss: 'mse' });
    expect(exportTorch(compiled)).toContain('    name = checkpoint["optimizer"]\n');
  });
});

test.each([encodeStateDict, encodeCheckpoint])('%o, is read again with the same bits, also of −0', (encode) => {
  const model = made();
  for (const weight of model.weights) weight.assign(weight.toArray().map((value, i) => (i === 0 ? -0 : value + 0.1)));
  const before = model.weights.map((weight) => weight.toArray());
  const bytes = encode(model);
  for (const weight of model.weights) weight.assign(new Float32Array(weight.size));
  loadStateDict(model, bytes);
  for (const [i, weight] of model.weights.entries()) expect(Object.is(weight.toArray()[0], before[i]![0])).toBe(true);
  expect(model.weights.map((weight) => weight.toArray())).toEqual(before);
});
