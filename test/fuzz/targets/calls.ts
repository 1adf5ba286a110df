// Every public function with invalid arguments and options. Results are used.
import { engine } from '../../../src/engine/engine.ts';
import * as t from '../../../src/index.ts';
import { argumentsOf, functions } from '../called.ts';
import type { Plain, Target } from '../target.ts';
import { calls, layers, type Use } from '../valid-calls.ts';
import { oddOrHuge, oddValue, spoilt } from '../values.ts';
import { partsOf } from './text-pieces.ts';

await t.init({ maximumMemory: 2 ** 26 });

const all = calls.flatMap(([use, list]) => Object.keys(list).map((name) => ({ name, use, list: list[name]! })));
const useOf: ReadonlyMap<string, Use> = new Map(all.map(({ name, use }) => [name, use]));
/** Its memory is the engine's, which has a limit. */
const isOfEngine = (name: string): boolean => name.startsWith('ops.') || Object.hasOwn(layers, name);

const x = t.ndarray(Float32Array.of(1, 2, 3, 4), [2, 2]);
const binary = t.ndarray(Float32Array.of(1, 0), [2, 1]);
const oneHot = t.ndarray(Float32Array.of(1, 0, 0, 1), [2, 2]);
const ids = t.ndarray(Int32Array.of(1, 0), [2]);

type Compile = Parameters<ReturnType<typeof t.sequential>['compile']>[0];
interface Lesson {
  units?: number;
  y?: t.NdArray;
  callbacks?: t.Callback[];
}

/** Something made by a call, as part of a model that learns. */
async function trained(compile: Partial<Compile>, { units = 1, y = binary, callbacks }: Lesson = {}): Promise<void> {
  const activation = units > 1 ? 'softmax' : 'softplus';
  const model = t.sequential([t.dense({ units, inputShape: [2], activation })]);
  try {
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', ...compile });
    if (callbacks) await model.fit(x, y, { epochs: 2, batchSize: 2, callbacks });
    else model.trainOnBatch(x, y);
  } finally {
    model.dispose();
  }
}

function calledLayer(layer: unknown, input: unknown): void {
  if (!(layer instanceof t.Layer)) return;
  try {
    (layer as unknown as (x: unknown) => unknown)(input);
    layer.config();
  } finally {
    layer.dispose();
  }
}

function first(iterable: unknown, most: number): void {
  let count = 0;
  for (const _ of iterable as Iterable<unknown>) if (++count >= most) break;
}

/** Uses what a call has made, as its kind is used. */
export async function used(use: Use | undefined, result: unknown): Promise<void> {
  if (use === 'optimizer') await trained({ optimizer: result as t.Optimizer });
  else if (use === 'loss') await trained({ loss: result as t.Loss });
  else if (use === 'classLoss') await trained({ loss: result as t.Loss }, { units: 2, y: oneHot });
  else if (use === 'idLoss') await trained({ loss: result as t.Loss }, { units: 2, y: ids });
  else if (use === 'metric') await trained({ metrics: [result as t.Metric] });
  else if (use === 'idMetric') {
    await trained({ loss: 'sparseCategoricalCrossentropy', metrics: [result as t.Metric] }, { units: 2, y: ids });
  } else if (use === 'callback')
    await trained({ optimizer: t.sgd({ useEma: true }) }, { callbacks: [result as t.Callback] });
  else if (use === 'schedule') for (const step of [0, 1, 7]) (result as t.Schedule).at(step);
  else if (use === 'constraint') (result as t.Constraint).apply(t.tensor([[1, 2]])).dispose();
  else if (use === 'cell') calledLayer(t.rnn(result as never), t.tensor([[[1, 2]]]));
  else if (use === 'iterate' && typeof (result as Iterable<unknown>)[Symbol.iterator] === 'function') first(result, 10);
}

export const target: Target = {
  name: 'calls',
  share: 4,
  generate(random) {
    const { name, list } = random.pick(all);
    let args: Plain = random.pick(list);
    for (let n = random.pick([0, 1, 1, 1, 1, 2, 2, 3]); n > 0; n--)
      args = spoilt(args, random, isOfEngine(name) ? oddOrHuge : oddValue);
    return { call: name, args };
  },
  async run(input) {
    const { call, args } = partsOf(input);
    const name = String(call);
    const made = functions.get(name);
    if (!made) return;
    const use = useOf.get(name);
    let result: unknown;
    engine().step(() => {
      const given = argumentsOf(args);
      if (Object.hasOwn(layers, name))
        calledLayer((made as (...all: unknown[]) => unknown)(...given.slice(1)), given[0]);
      else result = (made as (...all: unknown[]) => unknown)(...given);
    });
    await used(use, result);
  },
};
