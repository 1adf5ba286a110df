// Files of Neural Amp Modeler that are refused, and models that have no such file.
import { describe, expect, test } from 'vitest';
import { exportNam, importNam, learnedState, waveNet } from '../../src/audio-models.ts';
import { ArgumentError, conv1d, dense, gru, lstm, ModelFileError, ndarray, sequential } from '../../src/index.ts';

const lstmFile = (change: object = {}, config: object = {}, count = 4 * 2 * 3 + 8 + 4 + 3) => ({
  version: '0.5.1',
  architecture: 'LSTM',
  config: { input_size: 1, hidden_size: 2, num_layers: 1, ...config },
  weights: Array.from({ length: count }, (_, i) => Math.sin(i)),
  ...change,
});

const array = (change: object = {}) => ({
  ...{ input_size: 1, condition_size: 1, head_size: 1, channels: 2, kernel_size: 2, dilations: [1] },
  ...{ activation: 'Tanh', gated: false, head_bias: true, ...change },
});

const waveNetFile = (change: object = {}, count = 2 + (8 + 2) + 2 + (4 + 2) + 3 + 1) =>
  lstmFile({ architecture: 'WaveNet', config: { layers: [array(change)], head: null, head_scale: 1 } }, {}, count);

const head = { out_channels: 1, kernel_size: 1, bias: true };
const off = { active: false, shift: true, groups: 1 };

/** The file of `waveNetFile` as version 0.7 of the trainer writes it. */
function newFile(change: object = {}, config: object = {}): Record<string, unknown> {
  const { head_size: _, head_bias: __, gated: ___, ...old } = array();
  const layer = {
    ...old,
    head,
    activation: [{ type: 'Tanh' }],
    bottleneck: 2,
    ...{ layer1x1: { active: true, groups: 1 }, head1x1: { active: false, out_channels: 1, groups: 1 } },
    ...{ groups_input: 1, groups_input_mixin: 1, gating_mode: ['none'], secondary_activation: [null], slimmable: null },
    ...{ conv_pre_film: off, conv_post_film: off, input_mixin_pre_film: off, input_mixin_post_film: off },
    ...{ activation_pre_film: off, activation_post_film: off, layer1x1_post_film: off, head1x1_post_film: false },
    ...change,
  };
  return {
    ...waveNetFile(),
    version: '0.7.0',
    config: { layers: [layer], head: null, head_scale: 1, condition_dsp: null, in_channels: 1, ...config },
  };
}

const convNetFile = (config: object = {}, file: object = {}): object => ({
  ...lstmFile({ architecture: 'ConvNet' }, {}, 18),
  config: { channels: 2, dilations: [1], batchnorm: true, activation: 'Tanh', ...config },
  ...file,
});

describe('importNam', () => {
  test('takes bytes, text and an object alike', () => {
    const file = lstmFile();
    const text = JSON.stringify(file);
    const weights = [file, text, new TextEncoder().encode(text)].map((given) =>
      importNam(given).model.weights.map((weight) => [...weight.toArray()]),
    );
    expect(weights[1]).toEqual(weights[0]);
    expect(weights[2]).toEqual(weights[0]);
    expect(importNam(file).sampleRate).toBeUndefined();
  });

  const faults: [string, unknown, string][] = [
    ['one weight too many', lstmFile({}, {}, 40), 'weights expected 39 numbers for this config, got 40'],
    ['one weight too few', lstmFile({}, {}, 38), 'weights expected 39 numbers or more for this config, got 38'],
    ['an input of another width', lstmFile({}, { input_size: 2 }), 'weights expected 40 numbers or more'],
    ['a size that is none', lstmFile({}, { hidden_size: 1.5 }), 'config.hidden_size expected an integer ≥ 1, got 1.5'],
    ['a huge size', lstmFile({}, { hidden_size: 2 ** 30 }), 'numbers or more for this config, got 39'],
    ['many layers', lstmFile({}, { num_layers: 2 ** 30 }), 'numbers or more for this config, got 39'],
    ['an option of its own', lstmFile({}, { secret: 1 }), 'config.secret is not supported, got 1'],
    ['another key', lstmFile({ more: [] }), 'the file.more is not supported'],
    ['a newer version', lstmFile({ version: '1.0.0' }), 'version expected 0.5 to 0.7, got "1.0.0"'],
    ['another architecture', lstmFile({ architecture: 'CatLSTM' }), 'architecture "CatLSTM" is not supported'],
    ['a name of every object', lstmFile({ architecture: 'toString' }), 'architecture "toString" is not supported'],
    ['a weight that is text', lstmFile({ weights: ['1'] }), 'weights[0] expected a finite number, got "1"'],
    ['a weight beyond float32', lstmFile({ weights: [1e39] }), 'weights[0] expected a finite number, got 1e+39'],
    ['no weights', lstmFile({ weights: null }), 'weights expected a list, got null'],
    ['a sampling rate that is none', lstmFile({ sample_rate: '48000' }), 'sample_rate expected a positive number'],
    ['text that is no JSON', '{', 'the file expected JSON, got "{"'],
    ['a list', '[]', 'the file expected an object'],
    [
      'an activation of other values',
      waveNetFile({ activation: 'Fasttanh' }),
      'activation "Fasttanh" is not supported',
    ],
    [
      'a newer option in use',
      waveNetFile({ groups_input: 2 }),
      'config.layers[0].groups_input is not supported, got 2',
    ],
    [
      'a condition of its own',
      waveNetFile({ condition_size: 2 }),
      'expected input_size 1 and condition_size 1, got 1 and 2',
    ],
    ['a file of RTNeural', { in_shape: [null, 1], layers: [] }, 'one of RTNeural, which importRtNeural reads'],
    ['a head of no taps', newFile({ head: { ...head, kernel_size: 0 } }), 'head.kernel_size expected an integer ≥ 1'],
    [
      'a modulation in groups',
      newFile({ conv_pre_film: { active: true, groups: 2 } }),
      'layers[0].conv_pre_film.groups is not supported, got 2',
    ],
    [
      'a modulation that players and trainers apply otherwise',
      newFile({ layer1x1_post_film: { active: true } }),
      'layers[0].layer1x1_post_film is not supported',
    ],
    [
      'a modulation of a head that is off',
      newFile({ head1x1_post_film: { active: true } }),
      'arrays[0].film.headPost expected headChannels, got none',
    ],
    [
      'residuals in groups',
      newFile({ layer1x1: { active: true, groups: 2 } }),
      'layers[0].layer1x1.groups expected 1, got 2',
    ],
    [
      'no residuals and a bottleneck',
      newFile({ layer1x1: { active: false, groups: 1 }, bottleneck: 1 }),
      'arrays[0].bottleneck expected 2 channels without residual, got 1',
    ],
    [
      'a head of each layer without a size',
      newFile({ head1x1: { active: true } }),
      'layers[0].head1x1.out_channels expected an integer ≥ 1, got none',
    ],
    [
      'other gates',
      newFile({ gating_mode: ['mixed'] }),
      'gating_mode expected "none", "gated" or "blended", got "mixed"',
    ],
    [
      'a gate of a function that is not here',
      newFile({ gating_mode: 'gated', secondary_activation: { type: 'Fasttanh' } }),
      'layers[0].secondary_activation "Fasttanh" is not supported',
    ],
    [
      'a leaky rectifier that is none',
      newFile({ activation: { type: 'LeakyReLU', negative_slope: 2 } }),
      'activation expected a name, or leakyRelu with a negativeSlope in (0, 1)',
    ],
    [
      'an activation with options that it has not',
      newFile({ activation: { type: 'Tanh', gain: 2 } }),
      'config.layers[0].activation.gain is not supported, got 2',
    ],
    [
      'kernels of too many sizes',
      newFile({ kernel_size: undefined, kernel_sizes: [2, 3] }),
      'config.layers[0].kernel_sizes expected 1 values, got 2',
    ],
    ['gates of too few layers', newFile({ dilations: [1, 2] }), 'config.layers[0].activation expected 2 values, got 1'],
    [
      'kernels of one size and of several',
      newFile({ kernel_sizes: [2] }),
      'expected kernel_size or kernel_sizes, got both',
    ],
    ['a stack of convolutions with groups', convNetFile({ groups: 2 }), 'config.groups expected 1, got 2'],
    [
      'one without batchnorm',
      convNetFile({ batchnorm: undefined }),
      'config.batchnorm expected true or false, got none',
    ],
    ['one with another activation', convNetFile({ activation: 'PReLU' }), 'config.activation "PReLU" is not supported'],
    [
      'one with too few weights',
      convNetFile({ dilations: [1, 2], batchnorm: false }),
      'numbers or more for this config, got',
    ],
    [
      'one without an epsilon',
      convNetFile({}, { weights: new Array(17).fill(0) }),
      'epsilon of block 0 expected a positive',
    ],
    ['a network for the condition', newFile({}, { condition_dsp: {} }), 'config.condition_dsp is not supported'],
    ['a container without models', lstmFile({ architecture: 'SlimmableContainer', config: {} }), 'submodels expected'],
    ['no dilations', waveNetFile({ dilations: [] }), 'dilations expected a list of one number or more'],
  ];

  test.each(faults)('%s, is a ModelFileError that says so', (_, file, message) => {
    expect(() => importNam(file as object)).toThrow(ModelFileError);
    expect(() => importNam(file as object)).toThrow(message);
  });

  test('what is no file, is an ArgumentError', () => {
    for (const given of [3, null, undefined, [1]]) {
      expect(() => importNam(given as never)).toThrow(ArgumentError);
    }
  });

  const x = ndarray(Float32Array.from([0.5, -0.3, 0.25, 1]), [1, 4, 1]);

  test("version 0.7 of the trainer, with what it switches off, has the bits of version 0.5's names", () => {
    const expected = importNam(waveNetFile()).model.predict(x).data;
    const given = [
      newFile(),
      newFile({ activation: 'Tanh', gating_mode: 'none', head1x1: null }),
      newFile({ kernel_size: undefined, kernel_sizes: [2] }),
      newFile({ gating_mode: undefined, secondary_activation: undefined, gated: false }),
    ];
    for (const file of given) expect(importNam(file).model.predict(x).data).toEqual(expected);
    const gated = lstmFile(
      { architecture: 'WaveNet', config: { layers: [array({ gated: true })], head: null, head_scale: 1 } },
      {},
      2 + 2 * (8 + 2) + 2 + (4 + 2) + 3 + 1 - 8 - 2 + 8 + 2 + 2,
    );
    const change = { gating_mode: ['gated'], secondary_activation: [{ type: 'Sigmoid' }] };
    const newer = { ...newFile(change), weights: gated.weights };
    expect(importNam(newer).model.predict(x).data).toEqual(importNam(gated).model.predict(x).data);
  });

  test('the smallest file of the trainer, one channel and one tap, gives the numbers of its formula', () => {
    // x·1, then z = 0·y + 1 + 1·x, relu(z), y + 0·a + 0, and the head 1·a − 1.
    const layer = { channels: 1, kernel_size: 1, activation: 'ReLU', bottleneck: undefined, gating_mode: 'none' };
    const file: Record<string, unknown> = {
      ...newFile({ ...layer, secondary_activation: null }),
      weights: [1, 0, 1, 1, 0, 0, 1, -1, 2],
    };
    delete (file.config as { layers: Record<string, unknown>[] }).layers[0]!.bottleneck;
    expect([...importNam(file).model.predict(x).data]).toEqual([0.5, -0.3, 0.25, 1].map((v) => 2 * Math.fround(v)));
  });

  test('a container of models by size is its last and largest one', () => {
    const submodels = [
      { max_value: 0.5, model: lstmFile() },
      { max_value: 1, model: newFile() },
    ];
    const container = { version: '0.7.0', architecture: 'SlimmableContainer', config: { submodels }, weights: [] };
    const found = importNam({ ...container, metadata: { name: 'a' }, sample_rate: 44_100 });
    expect(found).toMatchObject({ architecture: 'WaveNet', version: '0.7.0', metadata: { name: 'a' } });
    expect(found.sampleRate).toBe(44_100);
    expect(found.model.predict(x).data).toEqual(importNam(newFile()).model.predict(x).data);
  });

  test('a newer option that changes nothing, is taken', () => {
    expect(importNam(waveNetFile({ groups_input: 1, bottleneck: 2 })).architecture).toBe('WaveNet');
  });
});

describe('exportNam', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  test.each([
    [{ gain: Number.NaN }, 'metadata.gain expected what JSON holds', 'got NaN'],
    [{ name: () => 'a' }, 'metadata.name expected', 'got a function'],
    [{ date: new Date(0) }, 'metadata.date expected', 'got a Date'],
    [[1, undefined], 'metadata[1] expected', 'got undefined'],
    [{ a: [1n] }, 'metadata.a[0] expected', 'got 1n'],
    [cyclic, 'metadata.self expected', 'got an object that holds itself'],
  ])('metadata that JSON would change, are refused: %#', (metadata, place, got) => {
    const model = sequential([lstm({ units: 1, returnSequences: true, inputShape: [null, 1] }), dense({ units: 1 })]);
    expect(() => exportNam(model, { metadata: metadata as never })).toThrow(ArgumentError);
    expect(() => exportNam(model, { metadata: metadata as never })).toThrow(place);
    expect(() => exportNam(model, { metadata: metadata as never })).toThrow(got);
  });

  test('lstm layers without learned states, start from zeros there too', () => {
    const model = sequential([
      lstm({ units: 3, returnSequences: true, inputShape: [null, 1] }),
      learnedState(lstm({ units: 3, returnSequences: true, useBias: false })),
      dense({ units: 1, useBias: false }),
    ]);
    const x = ndarray(Float32Array.from([0.5, -1, 0.25]), [1, 3, 1]);
    expect([...importNam(exportNam(model)).model.predict(x).data]).toEqual([...model.predict(x).data]);
  });

  const head = () => dense({ units: 1 });
  const refused: [string, () => Parameters<typeof exportNam>[0], string][] = [
    [
      'a gru',
      () => sequential([gru({ units: 2, returnSequences: true, inputShape: [null, 1] }), head()]),
      'a stack of lstm',
    ],
    [
      'no head',
      () => sequential([lstm({ units: 2, returnSequences: true, inputShape: [null, 1] })]),
      'a stack of lstm',
    ],
    [
      'lstm layers of two widths',
      () =>
        sequential([
          lstm({ units: 2, returnSequences: true, inputShape: [null, 1] }),
          lstm({ units: 3, returnSequences: true }),
          head(),
        ]),
      'units 3',
    ],
    [
      'the last step alone',
      () => sequential([lstm({ units: 2, inputShape: [null, 1] }), head()]),
      'returnSequences true',
    ],
    [
      'a convolution that sees the future',
      () => sequential([conv1d({ filters: 1, kernelSize: 3, padding: 'same', inputShape: [null, 1] })]),
      'causal padding',
    ],
    [
      'a WaveNet with an activation that NAM lacks',
      () =>
        sequential([
          waveNet({
            arrays: [{ channels: 2, kernelSize: 2, dilations: [1], headSize: 1, activation: 'mish' }],
            inputShape: [null, 1],
          }),
        ]),
      'an activation of tanh, relu',
    ],
  ];

  test.each(refused)('%s, is refused', (_, make, message) => {
    expect(() => exportNam(make())).toThrow(ArgumentError);
    expect(() => exportNam(make())).toThrow(message);
  });
});
