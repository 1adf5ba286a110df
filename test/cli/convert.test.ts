// `tapeloop convert` and `info` of models of layers and of ONNX, from end to end.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dense, encodeModel, init, lstm, sequential } from '../../src/index.ts';
import { exportOnnx } from '../../src/onnx.ts';
import { at, buildCommandLine, expectDone, run } from './processes.ts';

await init();
buildCommandLine();

const made = () => sequential([lstm({ units: 3, inputShape: [null, 2] }), dense({ units: 1 })], { name: 'forecast' });

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

  test('what cannot be read or written, is one error, and OUT is not written', () => {
    writeFileSync(at('broken.onnx'), 'no model');
    writeFileSync(at('small.onnx'), exportOnnx(made()));
    const cases: [string[], number, RegExp][] = [
      [['broken.onnx', 'out.safetensors'], 1, /^tapeloop: broken\.onnx: importOnnx: [^\n]+\n$/],
      [['none.onnx', 'out.safetensors'], 1, /^tapeloop: cannot read none\.onnx[^\n]+\n$/],
      [
        ['small.onnx', 'out.tflite'],
        2,
        /^tapeloop convert: OUT expected a name that ends in \.onnx, \.keras, \.json or \.safetensors/,
      ],
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
