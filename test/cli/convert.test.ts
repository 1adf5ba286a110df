// `tapeloop convert` and `info` of models of layers and of ONNX, from end to end.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exportNam } from '../../src/audio-models.ts';
import { loadCompiledStream } from '../../src/compiled.ts';
import { decodeModel, dense, encodeModel, init, lstm, nadam, ndarray, sequential } from '../../src/index.ts';
import { readZip } from '../../src/io/zip.ts';
import { exportKeras, exportKerasWeights, importKeras } from '../../src/keras.ts';
import { exportOnnx } from '../../src/onnx.ts';
import { importTfjs } from '../../src/tfjs.ts';
import { encodeCheckpoint, encodeStateDict } from '../../src/torch.ts';
import { at, buildCommandLine, expectDone, run } from './processes.ts';

await init();
buildCommandLine();

const made = () => sequential([lstm({ units: 3, inputShape: [null, 2] }), dense({ units: 1 })], { name: 'forecast' });

/** A model of samples, as amplifiers are. */
const sampler = sequential([lstm({ units: 3, returnSequences: true, inputShape: [null, 1] }), dense({ units: 1 })]);

describe('tapeloop convert', () => {
  test('writes ONNX and checks it, and writes it back with the same weights', () => {
    const model = made();
    writeFileSync(at('model.safetensors'), encodeModel(model));
    const { stdout } = expectDone(run('convert', 'model.safetensors', 'model.onnx', '--check', '--name', 'rain'));
    expect(stdout).toContain('Written: model.onnx');
    expect(stdout).toContain('Operator sets: ai.onnx 17; written by tapeloop');
    expect(stdout).toMatch(/Inputs: input float32 \[batch, time, 2\]\n Outputs: output float32 \[batch, 1\]/);
    expect(Number(/random input: (\S+),/.exec(stdout)![1])).toBeLessThan(1e-5);
    expectDone(run('convert', 'model.onnx', 'again.st', '--check'));
    // What a file is, its content says.
    writeFileSync(at('renamed.bin'), readFileSync(at('again.st')));
    expectDone(run('convert', 'renamed.bin', 'again.onnx', '--check'));
    expect(readFileSync(at('again.onnx'))).toEqual(readFileSync(at('model.onnx')));
  });

  test('a character model, has the states of its layers as inputs and outputs', () => {
    const { stdout } = expectDone(run('convert', 'whole/model.safetensors', 'text.onnx', '--states', '--check'));
    expect(stdout).toMatch(/States: \S+_h_in → \S+_h_out/);
    expect(stdout).toContain('Largest difference on random input');
  });

  test('from tapeloop to TF.js and back, writes the weights beside model.json, and both give the same', () => {
    writeFileSync(at('model.safetensors'), encodeModel(made()));
    const { stdout } = expectDone(run('convert', 'model.safetensors', 'tfjs.json', '--check'));
    expect(stdout).toMatch(/Written: tfjs\.json, [\d,]+ bytes, TF\.js\n/);
    expect(existsSync(at('group1-shard1of1.bin'))).toBe(true);
    expectDone(run('convert', 'tfjs.json', 'again.st', '--check'));
  });

  // Each is read again, whole or into a copy without weights, and compared.
  test.each(['m.keras', 'm.weights.h5', 'm.pt', 'm.rtneural.json', 'm.nam'])(
    'writes %s, which gives the same',
    (to) => {
      writeFileSync(at('model.safetensors'), encodeModel(sampler));
      const { stdout } = expectDone(run('convert', 'model.safetensors', to, '--check'));
      expect(Number(/random input: (\S+),/.exec(stdout)![1])).toBeLessThan(1e-6);
    },
  );

  test('from PyTorch, runs what --forward says; to PyTorch, writes a module for its checkpoint', () => {
    writeFileSync(at('model.pt'), encodeCheckpoint(made()));
    const refused = run('convert', 'model.pt', 'out.st');
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("forward, such as ['lstm', 'last', 'dense']"),
    ]);
    expectDone(run('convert', 'model.pt', 'out.st', '--forward', 'lstm,last, dense', '--check'));
    expect(expectDone(run('info', 'model.pt', '--forward', 'lstm,last,dense')).stdout).toContain('PyTorch');
    writeFileSync(at('state.safetensors'), encodeStateDict(made()));
    expectDone(run('convert', 'state.safetensors', 'out.onnx', '--forward', 'lstm,last,dense', '--check'));
    expectDone(run('convert', 'out.st', 'forecast.py'));
    expect(readFileSync(at('forecast.py'), 'utf8')).toContain('(nn.Module):');
  });

  test('from weights alone of Keras, takes the configuration of --config', () => {
    const model = made();
    writeFileSync(at('model.weights.h5'), exportKerasWeights(model));
    writeFileSync(at('config.json'), readZip(exportKeras(model)).get('config.json')!);
    expect(run('convert', 'model.weights.h5', 'out.st').stderr).toContain('has weights alone: give `config`');
    expectDone(run('convert', 'model.weights.h5', 'out.st', '--config', 'config.json', '--check'));
    const weights = decodeModel(readFileSync(at('out.st'))).model.getWeights();
    expect(weights.map(({ data }) => [...data])).toEqual(model.getWeights().map(({ data }) => [...data]));
  });

  test('a state dict of PyTorch as JSON, is read as RTNeural reads it', () => {
    const rows = (count: number, width: number) => Array.from({ length: count }, () => Array(width).fill(0.1));
    const dict = {
      ...{ 'lstm.weight_ih_l0': rows(8, 1), 'lstm.weight_hh_l0': rows(8, 2) },
      ...{ 'lstm.bias_ih_l0': Array(8).fill(0), 'lstm.bias_hh_l0': Array(8).fill(0) },
      ...{ 'dense.weight': rows(1, 2), 'dense.bias': [0] },
    };
    writeFileSync(at('dict.json'), JSON.stringify(dict));
    expect(expectDone(run('info', 'dict.json')).stdout).toContain('RTNeural');
  });

  test('a compiled model stays one; where its training cannot go along, OUT has the model alone and a line says so', () => {
    const model = made();
    model.compile({ optimizer: nadam({ learningRate: 0.02 }), loss: 'mse' });
    model.trainOnBatch(ndarray(new Float32Array(8).fill(1), [2, 2, 2]), ndarray(Float32Array.of(1, 2), [2, 1]));
    writeFileSync(at('trained.st'), encodeModel(model));
    expect(expectDone(run('convert', 'trained.st', 'trained.keras')).stdout).not.toContain('Left out');
    const { optimizer } = importKeras(readFileSync(at('trained.keras')));
    expect([optimizer.steps, optimizer.learningRate]).toEqual([1, 0.02]);
    const { stdout } = expectDone(run('convert', 'trained.st', 'trained.json'));
    expect(stdout).toContain('Left out: loss, metrics and optimizer (');
    expect(importTfjs(readFileSync(at('trained.json')), (name) => readFileSync(at(name))).isCompiled).toBe(false);
  });

  test('a capture keeps its sampling rate through a file of tapeloop', () => {
    writeFileSync(at('in.nam'), exportNam(sampler, { sampleRate: 44_100, metadata: { name: 'Amp' } }));
    expectDone(run('convert', 'in.nam', 'amp.st'));
    expectDone(run('convert', 'amp.st', 'out.nam'));
    expect(readFileSync(at('out.nam'))).toEqual(readFileSync(at('in.nam')));
  });

  test('an ONNX model with states, becomes a stream', () => {
    writeFileSync(at('steps.onnx'), exportOnnx(sampler, { states: true }));
    expectDone(run('convert', 'steps.onnx', 'steps.stream'));
    expect(loadCompiledStream(readFileSync(at('steps.stream'))).step([0.5])).toEqual(sampler.stream().step([0.5]));
  });

  test('what cannot be read or written, is one error, and OUT is not written', () => {
    writeFileSync(at('broken.onnx'), 'no model');
    writeFileSync(at('list.json'), '{"a": 1}');
    writeFileSync(at('damaged.json'), '{"a": 1');
    writeFileSync(at('bad.json'), '{"architecture": "LSTM"}');
    writeFileSync(at('small.onnx'), exportOnnx(made()));
    writeFileSync(at('empty.keras'), '');
    writeFileSync(at('page.keras'), '<!DOCTYPE html><html></html>');
    writeFileSync(at('alone.weights.h5'), exportKerasWeights(made()));
    writeFileSync(at('keras.json'), JSON.stringify({ class_name: 'Sequential', config: [] }));
    const cases: [string[], number, RegExp][] = [
      [['broken.onnx', 'out.safetensors'], 1, /^tapeloop: broken\.onnx: importOnnx: [^\n]+\n$/],
      [['none.onnx', 'out.safetensors'], 1, /^tapeloop: cannot read none\.onnx[^\n]+\n$/],
      [
        ['small.onnx', 'out.tflite'],
        2,
        /^tapeloop convert: OUT expected a name that ends in \.onnx, \.keras, [^\n]*, \.safetensors or \.st, got "out\.tflite"\n$/,
      ],
      [['small.onnx', 'out.py', '--check'], 2, /^tapeloop convert: --check expected an OUT that can be read again/],
      [
        ['list.json', 'out.st'],
        1,
        /^tapeloop: list\.json: importTfjs: model\.class_name expected a string, got none\n$/,
      ],
      [['damaged.json', 'out.st'], 1, /^tapeloop: damaged\.json: expected a model, got JSON that is damaged\n$/],
      [['empty.keras', 'out.st'], 1, /^tapeloop: empty\.keras: expected a model, got a file of 0 bytes\n$/],
      [
        ['page.keras', 'out.st'],
        1,
        /^tapeloop: page\.keras: a page of HTML in place of the file is not read: [^\n]+\n$/,
      ],
      [['keras.json', 'out.st'], 1, /^tapeloop: keras\.json: expected a model, got the configuration of a Keras model/],
      [
        ['alone.weights.h5', 'out.st', '--config', 'alone.weights.h5'],
        1,
        /^tapeloop: alone\.weights\.h5: --config expected what model\.to_json\(\) of Keras returned, got a file that is no JSON\n$/,
      ],
      [
        ['small.onnx', 'out.st', '--forward', 'a,b'],
        1,
        /^tapeloop: small\.onnx: --forward expected a model of PyTorch, got one of ONNX\n$/,
      ],
      [['bad.json', 'out.st'], 1, /^tapeloop: bad\.json: importNam: [^\n]+\n$/],
      [['small.onnx', 'out.st', '--states'], 2, /^tapeloop convert: --states expected an OUT that ends in \.onnx/],
      [['small.onnx'], 2, /^tapeloop convert: expected the paths IN and OUT, got fewer\n$/],
      [['small.onnx', 'missing/out.st'], 1, /^tapeloop: cannot [^\n]+\n$/],
    ];
    for (const [args, code, message] of cases) {
      const result = run('convert', ...args);
      expect([args, result.code]).toEqual([args, code]);
      expect(result.stderr).toMatch(message);
    }
    expect(['out.safetensors', 'out.tflite', 'out.st'].some((name) => existsSync(at(name)))).toBe(false);
  });
});

test('tapeloop info, tells a model of layers and one of ONNX by their content', () => {
  writeFileSync(at('layers.bin'), encodeModel(made()));
  writeFileSync(at('graph.bin'), exportOnnx(made(), { states: true }));
  const layers = expectDone(run('info', 'layers.bin')).stdout;
  expect(layers).toContain('forecast');
  expect(layers).toMatch(/layers\.bin, [\d,]+ bytes, tapeloop\n Inputs: f32 \[\?, \?, 2\]\n$/);
  const graph = expectDone(run('info', 'graph.bin')).stdout;
  expect(graph).toMatch(/graph\.bin, [\d,]+ bytes, ONNX\n/);
  expect(graph).toContain('States: lstm_h_in → lstm_h_out, lstm_c_in → lstm_c_out');
  expect(graph).toMatch(/Operators: .*LSTM/);
});
