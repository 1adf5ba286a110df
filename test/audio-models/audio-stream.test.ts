// Streams of files in the build of kernels for blocks: the bits of `predict`, and what is refused.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { importNam, learnedState, waveNet } from '../../src/audio-models.ts';
import { audioStream, compileBlockKernels, namStream } from '../../src/audio-stream.ts';
import { init } from '../../src/engine/engine.ts';
import { batchNormalization } from '../../src/images.ts';
import {
  ArgumentError,
  bidirectional,
  conv1d,
  dense,
  encodeModel,
  gru,
  lstm,
  ModelFileError,
  ndarray,
  sequential,
} from '../../src/index.ts';
import { compileKernels } from '../../src/stream.ts';
import { modes } from '../engine/modes.ts';

interface Golden {
  cases: { name: string; file: object; x: number[] }[];
}

const { cases } = JSON.parse(readFileSync(new URL('../golden/nam.json', import.meta.url), 'utf8')) as Golden;

for (const mode of modes) {
  describe(`in ${mode} mode`, () => {
    let module: WebAssembly.Module;
    beforeAll(async () => {
      await init({ mode });
      module = await compileBlockKernels(mode);
    });

    test.each(cases)('.nam $name, without a model, gives the bits of predict', ({ file, x }) => {
      const whole = importNam(file).model.predict(ndarray(Float32Array.from(x), [1, x.length, 1])).data;
      const stream = namStream(JSON.stringify(file), { maxSteps: 11, module });
      for (let round = 0; round < 2; round++) {
        const live = x.flatMap((_, t) =>
          t % 11 ? [] : [...stream.steps(x.slice(t, t + 11), Math.min(11, x.length - t))],
        );
        expect(live).toEqual([...whole]);
        stream.reset();
      }
      expect(stream.extra).toMatchObject({ nam: { sampleRate: 48_000, version: '0.5.4' } });
    });

    test.each([1, 4])(
      'recurrent layers, convolutions and learned states, %i sequences, give the bits of predict',
      (batch) => {
        const model = sequential([
          conv1d({ filters: 3, kernelSize: 3, dilationRate: 2, padding: 'causal', inputShape: [null, 1] }),
          batchNormalization({ epsilon: 0.01 }),
          learnedState(lstm({ units: 5, returnSequences: true })),
          gru({ units: 4, returnSequences: true }),
          lstm({ units: 16, returnSequences: true }),
          waveNet({ arrays: [{ channels: 2, kernelSize: 2, dilations: [1, 2], headSize: 2 }] }),
          dense({ units: 2, activation: 'softmax' }),
        ]);
        for (const weight of model.weights)
          weight.assign(
            weight.toArray().map((_, i) => Math.sin(i + weight.size) / 2 + (/variance/.test(weight.name) ? 1 : 0)),
          );
        const time = 20;
        const x = Float32Array.from({ length: batch * time }, (_, i) => Math.cos(i * 3));
        const whole = model.predict(ndarray(x, [batch, time, 1])).data;
        const stream = audioStream(encodeModel(model), { batch, maxSteps: 6, module });
        for (let t = 0; t < time; t += 6) {
          const steps = Math.min(6, time - t);
          const input = Array.from(
            { length: steps * batch },
            (_, i) => x[(i % batch) * time + t + Math.floor(i / batch)]!,
          );
          stream.steps(input, steps).forEach((value, i) => {
            const [s, b] = [Math.floor(i / (2 * batch)), Math.floor(i / 2) % batch];
            expect(value).toBe(whole[(b * time + t + s) * 2 + (i % 2)]);
          });
        }
      },
    );
  });
}

test('a file that no stream can run, is refused by name', () => {
  const model = sequential([bidirectional(gru({ units: 2, returnSequences: true }), { inputShape: [null, 1] })]);
  expect(() => audioStream(encodeModel(model))).toThrow(ModelFileError);
  expect(() => audioStream(encodeModel(model))).toThrow('a Bidirectional layer cannot run step by step');
  expect(() => namStream('{}')).toThrow(ModelFileError);
  expect(() => namStream({ version: '0.5.1' })).toThrow('namStream: architecture expected a string');
  expect(() => audioStream(3 as never)).toThrow(ArgumentError);
});

test('kernels that are not those of compileBlockKernels, are refused with the way to get them', async () => {
  const [{ file }] = cases as [Golden['cases'][0]];
  const bytes = encodeModel(sequential([dense({ units: 1, inputShape: [null, 1] })]));
  const of = 'module expected a WebAssembly.Module of compileBlockKernels';
  const others: [unknown, string][] = [
    [await compileKernels(), 'got one of other kernels'],
    [compileBlockKernels(), 'got a Promise; await it'],
    [{}, 'got an object'],
    [null, 'got null'],
  ];
  for (const [module, got] of others) {
    const options = { module: module as WebAssembly.Module };
    expect(() => audioStream(bytes, options)).toThrow(new ArgumentError(`audioStream: ${of}, ${got}`));
    expect(() => namStream(file, options)).toThrow(`${of}, ${got}`);
  }
});
