// Encoder and decoder, with attention inside of the recurrence.
import { type NdArray, ndarray } from '../../data/array.ts';
import { dense } from '../../layers/dense.ts';
import { embedding } from '../../layers/embedding.ts';
import { bidirectional } from '../../layers/rnn/bidirectional.ts';
import { gru, gruCell } from '../../layers/rnn/gru.ts';
import { rnn } from '../../layers/rnn/rnn.ts';
import { sparseCategoricalCrossentropy } from '../../losses/index.ts';
import { model } from '../../models/model.ts';
import { adam } from '../../optimizers/index.ts';
import { attentionCell } from '../../sequences/attention-cell.ts';
import { integers } from '../models/numbers.ts';
import { ADAM } from '../models/training.ts';
import { type Workload, workload } from '../workload.ts';
import { FIRST_STEPS, prepareTraining } from './models.ts';

const sequence = { shape: [null], dtype: 'i32' } as const;

export const translatorWorkload: Workload = workload({
  name: 'attention-translator',
  group: 'models',
  stresses: 'two directions, and attention over all steps in each step',
  sizes: {
    small: { batch: 4, time: 8, units: 16, words: 100 },
    medium: { batch: 16, time: 16, units: 64, words: 1000 },
    large: { batch: 64, time: 25, units: 256, words: 8000 },
  },
  calls: FIRST_STEPS,
  prepare({ batch, time, units, words }) {
    const attend = attentionCell({ cell: gruCell({ units }), score: 'general', scale: 1, attentionUnits: units });
    const layers = {
      source: embedding({ inputDim: words, outputDim: units }),
      target: embedding({ inputDim: words, outputDim: units }),
      encode: bidirectional(gru({ units, returnSequences: true })),
      decode: rnn(attend, { returnSequences: true }),
      write: dense({ units: words }),
    };
    const translator = model({ layers, inputs: { source: sequence, target: sequence } }, (x, each) => {
      const memory = each.encode(each.source(x.source));
      return each.write(each.decode(each.target(x.target), { constants: [memory] }));
    });
    translator.compile({
      optimizer: adam({ ...ADAM, globalClipNorm: 5 }),
      loss: sparseCategoricalCrossentropy({ fromLogits: true }),
    });
    const ids = (seed: number): NdArray => ndarray(integers(seed, batch * time, words), [batch, time]);
    const [x, answer] = [{ source: ids(1), target: ids(2) }, ids(3)];
    // Encoder both ways; decoder with the context in its input; keys, scores, contexts, outputs of attention; words.
    const rows = batch * time;
    const recurrent = 2 * 3 * units * 2 * units + 3 * units * 3 * units;
    const attention = 2 * units * units + 3 * time * units + 3 * units * units;
    const flops = 3 * 2 * rows * (recurrent + attention + units * words);
    return prepareTraining(translator, () => translator.trainOnBatch(x, answer), flops);
  },
});
