// The library in normal use: a forward pass over a sequence, a training step, one streaming step. The cases are those
// of bench/torch/bench.py.

import { tensor } from '../../src/autograd/tensor.ts';
import { type NdArray, ndarray } from '../../src/data/array.ts';
import { init, type Engine as LibraryEngine } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import type { RecurrentOptions } from '../../src/layers/rnn/keras-recurrent.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { sparseCategoricalCrossentropy } from '../../src/losses/index.ts';
import { type Model, sequential } from '../../src/models/model.ts';
import { adam } from '../../src/optimizers/index.ts';
import { INFER, inferFlops, STEP, TRAIN, trainFlops, VOCABULARY } from '../shapes.ts';
import { benchCase, type Engine, type SuiteContext } from '../suite.ts';

const cells: Record<'lstm' | 'gru', (options: RecurrentOptions) => Layer> = {
  lstm: (options) => lstm(options) as Layer,
  gru: (options) => gru(options) as Layer,
};

/** Switches the library to the build of `engine`. */
export async function use(engine: Engine, threads = 1): Promise<LibraryEngine> {
  setSeed(1);
  return init({ mode: engine.build.startsWith('relaxed') ? 'fast' : 'reproducible', threads });
}

/** A model of embedding → LSTM layers → dense, with cross-entropy at every step, clipping and Adam. */
export function characterModel(layers: number, hidden: number): Model {
  const stack = Array.from({ length: layers }, () => lstm({ units: hidden, returnSequences: true }) as Layer);
  const model = sequential([
    embedding({ inputDim: VOCABULARY, outputDim: hidden / 2 }),
    ...stack,
    dense({ units: VOCABULARY }),
  ]);
  model.compile({ optimizer: adam({ globalClipNorm: 5 }), loss: sparseCategoricalCrossentropy({ fromLogits: true }) });
  return model;
}

/** A batch of ids, and the next id of each. */
export function characters(batch: number, time: number): { x: NdArray; y: NdArray } {
  const ids = (by: number) => Int32Array.from({ length: batch * time }, (_, i) => (i * by) % VOCABULARY);
  return { x: ndarray(ids(7919), [batch, time]), y: ndarray(ids(104729), [batch, time]) };
}

/** Every training shape, on every number of threads. */
export async function trainSuite(context: SuiteContext): Promise<void> {
  for (const { layers, batch, time, hidden } of TRAIN) {
    for (const engine of context.engines) {
      for (const threads of context.threads) {
        await use(engine, threads);
        const model = characterModel(layers, hidden);
        const { x, y } = characters(batch, time);
        const name = `lstm${layers > 1 ? layers : ''} ${batch}x${time}x${hidden}`;
        const what = { suite: 'train', case: name, flops: trainFlops(layers, batch, time, hidden), threads };
        await benchCase(context, engine, what, () => model.trainOnBatch(x, y));
        model.dispose();
      }
    }
  }
}

/** A recurrent layer over a sequence. It returns every output. */
export async function inferSuite(context: SuiteContext): Promise<void> {
  for (const cell of ['lstm', 'gru'] as const) {
    for (const [batch, time, inputs, hidden] of INFER) {
      for (const engine of context.engines) {
        const library = await use(engine);
        const layer = cells[cell]({ units: hidden, returnSequences: true });
        const values = Float32Array.from({ length: batch * time * inputs }, (_, i) => Math.sin(i));
        const x = tensor(values, { shape: [batch, time, inputs] });
        const flops = inferFlops(cell, batch, time, inputs, hidden);
        const what = { suite: 'infer', case: `${cell} ${batch}x${time}x${inputs}x${hidden}`, flops };
        await benchCase(context, engine, what, () => library.step(() => layer(x).ptr));
        layer.dispose();
        x.dispose();
        if (batch === 1) await inferInt8(context, engine, what, { cell, time, inputs, hidden });
      }
    }
  }
}

/** The same with batch size 1 and int8 weights. All steps of a stream run in one call. */
async function inferInt8(
  context: SuiteContext,
  engine: Engine,
  what: { suite: string; case: string; flops: number },
  { cell, time, inputs, hidden }: { cell: keyof typeof cells; time: number; inputs: number; hidden: number },
): Promise<void> {
  const model = sequential([cells[cell]({ units: hidden, returnSequences: true, inputShape: [null, inputs] })]);
  const stream = model.stream({ weights: 'int8', maxSteps: time });
  const x = Float32Array.from({ length: time * inputs }, (_, i) => Math.sin(i));
  await benchCase(context, engine, { ...what, weights: 'int8' }, () => {
    stream.reset();
    stream.steps(x, time);
  });
  stream.dispose();
  model.dispose();
}

/** One step with batch size 1. The states are carried. */
export async function stepSuite(context: SuiteContext): Promise<void> {
  for (const [inputs, hidden] of STEP) {
    for (const engine of context.engines) {
      await use(engine);
      const model = sequential([lstm({ units: hidden, inputShape: [null, inputs] }) as Layer]);
      const x = new Float32Array(inputs).fill(0.5);
      const what = { suite: 'step', case: `lstm ${inputs}x${hidden}`, flops: inferFlops('lstm', 1, 1, inputs, hidden) };
      for (const weights of ['float32', 'int8'] as const) {
        const stream = model.stream({ weights });
        await benchCase(context, engine, { ...what, weights }, () => stream.step(x));
        stream.dispose();
      }
      model.dispose();
    }
  }
}
