// The processor of the example amp, without a browser.
import { expect, test } from 'vitest';
import { exportNam } from '../../src/audio-models.ts';
import { compileBlockKernels, namStream } from '../../src/audio-stream.ts';
import { dense, lstm, sequential, setSeed } from '../../src/index.ts';

type Amp = { process(inputs: Float32Array[][], outputs: Float32Array[][], parameters: object): boolean };
type Processor = new (options: object) => Amp;

test('a sample that is not a number, is silence: the blocks before and after have the bits of a stream', async () => {
  setSeed(1);
  const model = sequential([lstm({ units: 4, returnSequences: true, inputShape: [null, 1] }), dense({ units: 1 })]);
  const capture = exportNam(model);
  let Amp: Processor | undefined;
  Object.assign(globalThis, {
    AudioWorkletProcessor: class {},
    registerProcessor: (_: string, made: Processor) => {
      Amp = made;
    },
    sampleRate: 48_000,
  });
  await import('../../examples/amp/processor.js' as string);
  const kernels = await compileBlockKernels();
  const amp = new Amp!({ processorOptions: { capture, kernels } });
  const stream = namStream(capture, { maxSteps: 128 });
  for (let t = 0; t < 4800; t += 128) stream.steps(new Float32Array(128), 128);

  for (let block = 0; block < 4; block++) {
    const input = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i / 5 + block));
    const clean = input.slice();
    if (block === 1) {
      input.set([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], 17);
      clean.fill(0, 17, 20);
    }
    const expected = stream.steps(clean, 128).slice();
    const [wet, dry] = [new Float32Array(128), new Float32Array(128)];
    expect(amp.process([[input]], [[wet]], { wet: Float32Array.of(1) })).toBe(true);
    expect(wet).toEqual(expected);
    // A second processor that is dry gives the input, with silence where it is not a number.
    const off = new Amp!({ processorOptions: { capture, kernels } });
    off.process([[input]], [[dry]], { wet: Float32Array.of(0) });
    expect(dry).toEqual(clean);
  }
});
