// One recurrent layer over a sequence, without a model around it.
import { valueAndGrad } from '../../autograd/tape.ts';
import { type Tensor, tensor } from '../../autograd/tensor.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Layer } from '../../layers/base/layer.ts';
import { gru } from '../../layers/rnn/gru.ts';
import type { RecurrentOptions } from '../../layers/rnn/keras-recurrent.ts';
import { lstm } from '../../layers/rnn/lstm.ts';
import { simpleRnn } from '../../layers/rnn/simple-rnn.ts';
import * as ops from '../../ops/index.ts';
import { integers, uniform } from '../models/numbers.ts';
import { type Cell, GATES } from '../models/shapes.ts';
import { type Prepared, type Workload, workload } from '../workload.ts';

const cells: Record<Cell, (options: RecurrentOptions) => Layer> = {
  lstm: (options) => lstm(options) as Layer,
  gru: (options) => gru(options) as Layer,
  rnn: (options) => simpleRnn(options) as Layer,
};

interface Shape {
  readonly batch: number;
  readonly time: number;
  readonly inputs: number;
  readonly units: number;
}

const sizes = {
  small: { batch: 4, time: 16, inputs: 16, units: 32 },
  medium: { batch: 16, time: 32, inputs: 64, units: 128 },
  large: { batch: 32, time: 100, inputs: 256, units: 512 },
};

type Pass = 'forward' | 'backward' | 'masked';

function prepare(cell: Cell, pass: Pass, shape: Shape, engine: Engine): Prepared {
  const { batch, time, inputs, units } = shape;
  const layer = cells[cell]({ units, returnSequences: true, kernelInitializer: 'glorotUniform' });
  const x = tensor(uniform(1, batch * time * inputs, 1), { shape: [batch, time, inputs] });
  if (pass === 'masked') {
    const lengths = integers(2, batch, time).map((length) => length + 1);
    const mask = Float32Array.from({ length: batch * time }, (_, i) =>
      i % time < lengths[Math.floor(i / time)]! ? 1 : 0,
    );
    x.mask = tensor(mask, { shape: [batch, time] });
  }
  engine.step(() => layer(x));
  const forward = (): Tensor => layer(x);
  const backward = (): Tensor[] => valueAndGrad(() => ops.sum(ops.square(layer(x))), layer.weights).grads;
  const forwardFlops = 2 * batch * time * GATES[cell] * units * (inputs + units);
  // The gradient of the input is not asked.
  const backwardFlops = forwardFlops + 2 * batch * time * GATES[cell] * units * (inputs + 2 * units);
  const weights = GATES[cell] * units * (inputs + units + 1);
  const isForward = pass === 'forward';
  return {
    run: () => engine.step<unknown>(isForward ? forward : backward),
    result: () => engine.step(() => (isForward ? [forward()] : backward()).map((each) => each.toArray())),
    flops: isForward ? forwardFlops : backwardFlops,
    bytes: 4 * ((isForward ? 1 : 2) * weights + batch * time * (inputs + (isForward ? 1 : GATES[cell] + 3) * units)),
    dispose() {
      layer.dispose();
      x.mask?.dispose();
      x.dispose();
    },
  };
}

const passes: readonly [Cell, Pass, stresses: string][] = [
  ['lstm', 'forward', 'a product and four gates a step'],
  ['lstm', 'backward', 'forward, then gradients from the last step to the first'],
  ['lstm', 'masked', 'forward and backward over sequences of unequal length'],
  ['gru', 'forward', 'a product and three gates a step'],
  ['gru', 'backward', 'forward, then gradients from the last step to the first'],
  ['rnn', 'forward', 'a product and a tanh a step'],
  ['rnn', 'backward', 'forward, then gradients from the last step to the first'],
];

export const cellWorkloads: readonly Workload[] = passes.map(([cell, pass, stresses]) =>
  workload({
    name: `${cell}-${pass}`,
    group: 'cells',
    stresses,
    sizes,
    prepare: (shape, engine) => prepare(cell, pass, shape, engine),
  }),
);
