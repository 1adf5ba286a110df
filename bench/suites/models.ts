// The library in normal use: a forward pass over a sequence, a training step, one streaming step.

import { tensor } from '../../src/autograd/tensor.ts';
import { inferFlops, type ModelShape, trainFlops } from '../../src/bench/models/shapes.ts';
import { training } from '../../src/bench/models/training.ts';
import { init, type Engine as LibraryEngine } from '../../src/engine/engine.ts';
import { setSeed } from '../../src/engine/random.ts';
import type { Layer } from '../../src/layers/base/layer.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import type { RecurrentOptions } from '../../src/layers/rnn/keras-recurrent.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { sequential } from '../../src/models/model.ts';
import { INFER, MODELS, STEP, TRAIN } from '../shapes.ts';
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

/** A training step of each shape, on every number of threads. */
const trainingSuite = (suite: string, shapes: readonly ModelShape[]) => async (context: SuiteContext) => {
  for (const shape of shapes) {
    for (const engine of context.engines) {
      for (const threads of context.threads) {
        await use(engine, threads);
        const { model, x, y } = training(shape);
        const what = { suite, case: shape.name, flops: trainFlops(shape), threads };
        await benchCase(context, engine, what, () => model.trainOnBatch(x, y));
        model.dispose();
      }
    }
  }
};

export const trainSuite = trainingSuite('train', TRAIN);
export const modelsSuite = trainingSuite('models', MODELS);

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
