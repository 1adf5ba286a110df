// A recognizer: its labels are known, but not at which steps they are said.
import { ndarray } from '../../data/array.ts';
import type { Layer } from '../../layers/base/layer.ts';
import { dense } from '../../layers/dense.ts';
import { lstm } from '../../layers/rnn/lstm.ts';
import { ctc } from '../../losses/index.ts';
import { sequential } from '../../models/model.ts';
import { adam } from '../../optimizers/index.ts';
import { integers, uniform } from '../models/numbers.ts';
import { ADAM } from '../models/training.ts';
import { type Workload, workload } from '../workload.ts';
import { FIRST_STEPS, prepareTraining } from './models.ts';

export const speechWorkload: Workload = workload({
  name: 'speech-ctc',
  group: 'models',
  stresses: 'sums over all alignments of labels and steps',
  sizes: {
    small: { batch: 4, time: 20, features: 13, units: 32, classes: 11, labels: 4 },
    medium: { batch: 16, time: 60, features: 40, units: 96, classes: 29, labels: 12 },
    large: { batch: 32, time: 200, features: 80, units: 320, classes: 29, labels: 40 },
  },
  calls: FIRST_STEPS,
  prepare({ batch, time, features, units, classes, labels }) {
    const recurrent = lstm({ units, returnSequences: true, inputShape: [time, features] }) as Layer;
    const model = sequential([recurrent, dense({ units: classes })]);
    model.compile({ optimizer: adam({ ...ADAM, globalClipNorm: 5 }), loss: ctc() });
    const x = ndarray(uniform(1, batch * time * features, 1), [batch, time, features]);
    const y = ndarray(
      integers(2, batch * labels, classes - 1).map((label) => label + 1),
      [batch, labels],
    );
    const rows = batch * time;
    const flops = 2 * rows * (4 * units * (2 * features + 3 * units) + 3 * units * classes);
    return prepareTraining(model, () => model.trainOnBatch(x, y), flops);
  },
});
