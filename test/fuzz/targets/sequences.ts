// Calls on a model in any order, with failures. A refused call changes nothing, a saved model loads with the same bits,
// and a disposed object frees its memory.
import * as t from '../../../src/index.ts';
import { checkFences, installFences } from '../../fences/fences.ts';
import {
  type AnyModel,
  callbacksOf,
  compiled,
  dataOf,
  modelOf,
  optimizerNames,
  ownBatches,
  stackOf,
  Thrown,
  withFailure,
} from '../model-of-input.ts';
import { faultOf } from '../oracle.ts';
import type { Random } from '../random.ts';
import { type Plain, type Target, Violation } from '../target.ts';
import { stateHash } from './state-hash.ts';
import { partsOf } from './text-pieces.ts';

// Of every engine that is made from here on.
installFences();
await t.init();
t.engine().step(() => t.tensor(new Float32Array(1)));

type Op = { [key: string]: Plain };

interface World {
  readonly stack: Plain | undefined;
  model: AnyModel;
  stream?: t.Stream | undefined;
  saved?: Uint8Array | undefined;
  /** To be disposed of in the end. */
  readonly gone: { dispose(): void }[];
}

const whole = (value: Plain | undefined, otherwise: number): number => (typeof value === 'number' ? value : otherwise);
const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function load(world: World): void {
  if (!world.saved) return;
  const { model } = t.decodeModel(world.saved);
  world.gone.push(world.model);
  world.model = model;
  if (!sameBytes(t.encodeModel(model), world.saved))
    throw new Violation('a model that was loaded is saved with other bits');
}

/** What a call does, by its name. */
const does: Readonly<Record<string, (world: World, op: Op) => unknown>> = {
  build: ({ model, stack }, op) =>
    model.network.build(
      op.shape === undefined ? [2, 3, whole(partsOf(stack ?? null).features, 1)] : (op.shape as never),
    ),
  compile({ model, gone }, op) {
    const before = model.isCompiled ? model.optimizer : undefined;
    compiled(model, op);
    if (before) gone.push(before);
  },
  predict: ({ model, stack }, op) =>
    model.predict(dataOf(stack, op).x, {
      batchSize: whole(op.size, 2),
      weights: op.int8 === true ? 'int8' : 'float32',
    }),
  evaluate({ model, stack }, op) {
    const { x, y } = dataOf(stack, op);
    return model.evaluate(x, y, { batchSize: whole(op.size, 2) });
  },
  trainOnBatch({ model, stack }, op) {
    const { x, y } = dataOf(stack, op);
    return model.trainOnBatch(x, y);
  },
  fit({ model, stack }, op) {
    const { x, y } = dataOf(stack, op);
    const options = { epochs: whole(op.epochs, 1), callbacks: callbacksOf(op) };
    if (op.batches === true) return model.fit(() => ownBatches(x, y, 2), options);
    return model.fit(x, y, { ...options, batchSize: whole(op.size, 2), validationSplit: whole(op.split, 0) });
  },
  stream(world, op) {
    const stream = world.model.stream({ batch: whole(op.batch, 1), weights: op.int8 === true ? 'int8' : 'float32' });
    if (world.stream) world.gone.push(world.stream);
    world.stream = stream;
  },
  step: ({ stream, stack }, op) =>
    stream?.step(
      new Float32Array(
        whole(op.batch, 1) * (partsOf(stack ?? null).ids === true ? 1 : whole(partsOf(stack ?? null).features, 1)),
      ).fill(1),
    ),
  resetStream: ({ stream }) => stream?.reset(),
  save(world) {
    world.saved = t.encodeModel(world.model);
  },
  load,
  restore: ({ model, saved }) => saved && t.restoreModel(model, saved),
  resetStates: ({ model }) => model.resetStates(),
  assign: ({ model }, op) =>
    model.weights[0]?.assign(new Float32Array(model.weights[0].size).fill(whole(op.value, 0.5))),
  summary: ({ model }) => model.summary(),
  disposeStream({ stream }) {
    stream?.dispose();
  },
  dispose: ({ model }) => model.dispose(),
};

/** How often each is called. */
const often: readonly string[] = [
  ...[
    'build',
    'compile',
    'compile',
    'predict',
    'predict',
    'evaluate',
    'trainOnBatch',
    'trainOnBatch',
    'trainOnBatch',
    'fit',
    'fit',
  ],
  ...[
    'stream',
    'step',
    'step',
    'resetStream',
    'save',
    'load',
    'restore',
    'resetStates',
    'assign',
    'summary',
    'disposeStream',
  ],
  ...['predict', 'evaluate', 'save', 'load', 'stream', 'step'],
];

function opOf(random: Random): Op {
  const op: Op = { op: random.chance(0.02) ? 'dispose' : random.pick(often) };
  if (random.chance(0.5)) op.batch = random.pick([1, 2, 3, 4, 0]);
  if (random.chance(0.4)) op.time = random.pick([1, 2, 5, 0]);
  if (random.chance(0.3)) op.size = random.pick([1, 3, 4, 0, 1.5]);
  if (random.chance(0.05)) op.features = random.between(1, 3);
  if (random.chance(0.05)) op.outputs = 2;
  if (random.chance(0.08)) op.scale = random.pick([0, 1e10, 1e20, 3e38, 'NaN']);
  if (random.chance(0.2)) op.epochs = random.pick([2, 0]);
  if (random.chance(0.2)) op.split = 0.5;
  if (random.chance(0.2)) op.own = true;
  if (random.chance(0.2)) op.batches = true;
  if (random.chance(0.2)) op.int8 = true;
  if (op.op === 'compile') op.optimizer = random.pick(optimizerNames);
  if (op.op === 'assign' && random.chance(0.3)) op.value = random.pick([1e39, 1e300, 'NaN']);
  if (op.op === 'build' && random.chance(0.3))
    op.shape = random.pick<Plain>([[2, 3, 4], [2], [], [2, 3], [null, null, 2], [0, 0, 0]]);
  if (random.chance(0.25)) op.allocation = random.between(1, random.pick([3, 10, 60]));
  else if (random.chance(0.2)) op.call = random.between(1, 6);
  return op;
}

/** What `hash` and a stream say of a world; a model that is gone says nothing. */
function stateOf({ model, stream }: World): string {
  let states = '';
  try {
    states = stream ? String(stream.state) : '';
  } catch {
    states = 'gone';
  }
  return `${stateHash(model)} ${states}`;
}

const finite = (model: AnyModel): boolean => model.weights.every((weight) => weight.toArray().every(Number.isFinite));

export async function runSequence(input: Plain, told?: (op: Op, outcome: string) => void): Promise<void> {
  const { stack, seed, ops } = partsOf(input);
  t.setSeed(whole(seed, 1));
  const { heap, arena } = t.engine();
  const before = heap.usedBytes - arena.heldBytes;
  const world: World = { stack, model: modelOf(stack), gone: [] };
  let isGone = false;
  let refusal: unknown;
  for (const each of Array.isArray(ops) ? ops : []) {
    const op = partsOf(each);
    const call = does[String(op.op)];
    if (!call) continue;
    const { allocation, call: throws } = op;
    const steps = isGone || !world.model.isCompiled ? 0 : world.model.optimizer.steps;
    const state = isGone ? '' : stateOf(world);
    const { model } = world;
    try {
      await withFailure(
        {
          allocation: typeof allocation === 'number' ? allocation : undefined,
          call: typeof throws === 'number' ? throws : undefined,
        },
        () => call(world, op),
      );
      told?.(op, 'answered');
    } catch (error) {
      told?.(op, String(error));
      const fault = error instanceof Thrown ? undefined : faultOf(error);
      if (fault !== undefined) throw error;
      refusal = error;
      // Epochs that were trained before a failure stay trained.
      const keeps = op.op === 'fit' && model.optimizer.steps !== steps;
      if (!isGone && !keeps && stateOf(world) !== state)
        throw new Violation(`${op.op} was refused and has changed the model`);
    }
    checkFences();
    isGone ||= op.op === 'dispose';
    if (op.op === 'load' && world.model !== model) isGone = false;
    if (!isGone && !finite(world.model)) throw new Violation(`${op.op} has left a weight that is not finite`);
  }
  for (const each of [world.model, ...world.gone, ...(world.stream ? [world.stream] : [])]) each.dispose();
  if (heap.usedBytes - arena.heldBytes !== before)
    throw new Violation('memory is held after everything was disposed of');
  if (refusal !== undefined && faultOf(refusal) === undefined) throw refusal;
}

export const target: Target = {
  name: 'sequences',
  share: 4,
  generate: (random) => ({
    stack: stackOf(random),
    seed: random.below(100),
    ops: [{ op: 'compile', optimizer: random.pick(optimizerNames) }, ...random.list(2, 10, () => opOf(random))],
  }),
  run: (input) => runSequence(input),
};
