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
    ['a weight that is text', lstmFile({ weights: ['1'] }), 'weights expected a finite number, got "1"'],
    ['a weight beyond float32', lstmFile({ weights: [1e39] }), 'weights expected a finite number, got 1e+39'],
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

  test('a newer option that changes nothing, is taken', () => {
    expect(importNam(waveNetFile({ groups_input: 1, bottleneck: 2 })).architecture).toBe('WaveNet');
  });
});

describe('exportNam', () => {
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
