// One step, or one block of sound, at a time. What a player or a page waits for is the slowest of many calls.
import { learnedState } from '../../audio-models/learned-state.ts';
import { exportNam } from '../../audio-models/nam/export.ts';
import { namStream } from '../../audio-models/streams/load.ts';
import type { Layer } from '../../layers/base/layer.ts';
import { dense } from '../../layers/dense.ts';
import { gru } from '../../layers/rnn/gru.ts';
import { lstm } from '../../layers/rnn/lstm.ts';
import { sequential } from '../../models/model.ts';
import { uniform } from '../models/numbers.ts';
import { GATES } from '../models/shapes.ts';
import { modeOf, type Workload, workload } from '../workload.ts';

/** Calls before the result: the states have gone through all weights. */
const CALLS = 20;

const steps: readonly [name: string, cell: 'lstm' | 'gru', weights: 'float32' | 'int8', stresses: string][] = [
  ['lstm-step', 'lstm', 'float32', 'one row: weights are read once a step'],
  ['gru-step', 'gru', 'float32', 'one row: weights are read once a step'],
  ['lstm-step-int8', 'lstm', 'int8', 'one row, weights of 8 bits'],
];

export const stepWorkloads: readonly Workload[] = steps.map(([name, cell, weights, stresses]) =>
  workload({
    name,
    group: 'streaming',
    stresses,
    sizes: {
      small: { inputs: 16, units: 32 },
      medium: { inputs: 64, units: 128 },
      large: { inputs: 256, units: 1024 },
    },
    calls: CALLS,
    timesCalls: true,
    prepare({ inputs, units }) {
      const options = { units, inputShape: [null, inputs] };
      const model = sequential([(cell === 'lstm' ? lstm(options) : gru(options)) as Layer]);
      const stream = model.stream({ weights });
      const x = uniform(1, inputs, 1);
      let last: Float32Array = new Float32Array(units);
      const flops = 2 * GATES[cell] * units * (inputs + units);
      return {
        run() {
          last = stream.step(x);
        },
        result: () => [last],
        flops,
        bytes: ((weights === 'int8' ? 1 : 4) * flops) / 2,
        dispose() {
          stream.dispose();
          model.dispose();
        },
      };
    },
  }),
);

/** A block of an AudioWorklet. */
const BLOCK = 128;

export const audioWorkload: Workload = workload({
  name: 'audio-block',
  group: 'streaming',
  stresses: '128 samples of sound through an LSTM: 2.67 ms at 48 kHz',
  sizes: { small: 8, medium: 16, large: 40 },
  calls: CALLS,
  timesCalls: true,
  prepare(units, engine) {
    const recurrent = learnedState(lstm({ units, returnSequences: true, inputShape: [null, 1] }));
    const model = sequential([recurrent, dense({ units: 1 })]);
    const stream = namStream(exportNam(model), { maxSteps: BLOCK, mode: modeOf(engine) });
    model.dispose();
    const x = uniform(1, BLOCK, 0.5);
    let last: Float32Array = new Float32Array(BLOCK);
    return {
      run() {
        last = stream.steps(x, BLOCK);
      },
      result: () => [last],
      flops: BLOCK * 2 * (4 * units * (1 + units) + units),
      bytes: 8 * BLOCK,
      dispose: () => stream.dispose(),
    };
  },
});
