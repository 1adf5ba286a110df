// The readers of model files, with damaged files.
import { engine } from '../../../src/engine/engine.ts';
import { setSeed } from '../../../src/engine/random.ts';
import * as t from '../../../src/index.ts';
import { decodeStream } from '../../../src/stream.ts';
import type { Random } from '../random.ts';
import { type Plain, type Target, Violation } from '../target.ts';
import { oddJsonValue, spoilt } from '../values.ts';
import { stateHash } from './state-hash.ts';
import { partsOf } from './text-pieces.ts';

type AnyModel = ReturnType<typeof t.sequential>;

function trained(layers: readonly t.AnyLayer[], width: number, optimizer: t.Optimizer | 'adam'): AnyModel {
  const model = t.sequential(layers as never);
  model.compile({ optimizer, loss: t.meanSquaredError(), metrics: ['meanAbsoluteError'] });
  const x = t.ndarray(new Float32Array(2 * 3 * width).fill(1), width === 1 ? [2, 3] : [2, 3, width]);
  const [, ...shape] = model.predict(x).shape;
  model.trainOnBatch(x, t.ndarray(new Float32Array(2 * shape.reduce((a, b) => a * b, 1)), [2, ...shape]));
  return model;
}

setSeed(1);
const sequences = { returnSequences: true } as const;
const models = [
  trained(
    [
      t.embedding({ inputDim: 4, outputDim: 2 }),
      t.gru({ units: 2, ...sequences, dropout: 0.1 }),
      t.timeDistributed(t.dense({ units: 2, activation: 'softmax' })),
    ],
    1,
    'adam',
  ),
  trained(
    [t.lstm({ units: 2, inputShape: [3, 2], stateful: true }), t.dense({ units: 1 })],
    2,
    t.sgd({ momentum: 0.9, learningRate: t.schedules.cosineDecay({ initialLearningRate: 0.1, decaySteps: 5 }) }),
  ),
  trained(
    [
      t.bidirectional(t.gru({ units: 1, ...sequences }), { inputShape: [3, 2] } as never),
      t.layerNormalization(),
      t.conv1d({ filters: 2, kernelSize: 2, padding: 'causal' }),
      t.globalMaxPooling1d(),
      t.dense({ units: 1 }),
    ],
    2,
    t.adamw({ useEma: true }),
  ),
  trained(
    [
      t.rnn([t.lstmCell({ units: 2 }), t.gruCell({ units: 1 })], { inputShape: [3, 2] }),
      t.dense({ units: 1, kernelRegularizer: 'l2' }),
    ],
    2,
    'adam',
  ),
];
const files = models.map((model) => t.encodeModel(model, { vocabulary: ['a', 'b'], extra: { step: 3 } }));
const decoder = new TextDecoder();
const encoder = new TextEncoder();
const headerLength = (file: Uint8Array): number =>
  Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
const headers = files.map(
  (file) => JSON.parse(decoder.decode(file.subarray(8, 8 + headerLength(file)))) as { [key: string]: Plain },
);

/** A header with something spoilt in it: in what it says of a tensor, or in the JSON within its metadata. */
function spoiltHeader(which: number, random: Random): Plain {
  const header = headers[which]!;
  if (random.chance(0.35)) return spoilt(header, random, oddJsonValue);
  const metadata = header.__metadata__ as { [key: string]: string };
  const key = random.pick(Object.keys(metadata).filter((name) => /^[[{]/.test(metadata[name]!)));
  let value = JSON.parse(metadata[key]!) as Plain;
  for (let n = random.between(1, 2); n > 0; n--) value = spoilt(value, random, oddJsonValue);
  return { ...header, __metadata__: { ...metadata, [key]: JSON.stringify(value) } };
}

function withHeader(file: Uint8Array, header: Plain): Uint8Array {
  const text = encoder.encode(JSON.stringify(header));
  const data = file.subarray(8 + headerLength(file));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const count = (value: Plain | undefined): number => (typeof value === 'number' ? Math.max(Math.floor(value), 0) : 0);

export const target: Target = {
  name: 'model-files',
  share: 2,
  generate(random) {
    const file = random.below(files.length);
    const reader = random.pick(['decode', 'decode', 'restore', 'stream']);
    const { length } = files[file]!;
    const kind = random.below(10);
    if (kind < 5) return { file, reader, header: spoiltHeader(file, random) };
    if (kind === 5) return { file, reader, cut: random.below(length) };
    const end = random.chance(0.8) ? 8 + headerLength(files[file]!) : length;
    const byte = (): number =>
      random.chance(0.5) ? random.below(256) : random.pick([...encoder.encode('0123456789-"{}[],:.e')]);
    return { file, reader, bytes: random.list(1, 4, () => [random.below(end), byte()]) };
  },
  run(input) {
    const { file: which, reader, header, cut, bytes: edits } = partsOf(input);
    const at = count(which) % files.length;
    let bytes = files[at]!.slice();
    if (header !== undefined) bytes = withHeader(bytes, header) as typeof bytes;
    if (Array.isArray(edits)) for (const edit of edits) if (Array.isArray(edit)) bytes[count(edit[0])] = count(edit[1]);
    if (cut !== undefined) bytes = bytes.subarray(0, count(cut));
    if (reader === 'stream') {
      const stream = decodeStream(bytes, { file: 'm' });
      stream.step(new Float32Array(stream.inputWidth));
      return;
    }
    const { heap, arena } = engine();
    const used = heap.usedBytes - arena.heldBytes;
    if (reader === 'restore') {
      const model = models[at]!;
      const before = stateHash(model);
      try {
        t.restoreModel(model, bytes, { file: 'm' } as never);
      } catch (error) {
        if (stateHash(model) !== before) throw new Violation('a file that was refused has changed the model');
        throw error;
      }
      // Back to what it was, for the inputs to come.
      t.restoreModel(model, files[at]!);
      return;
    }
    let refusal: unknown;
    try {
      const { model } = t.decodeModel(bytes, { file: 'm' });
      try {
        t.decodeModel(t.encodeModel(model)).model.dispose();
      } finally {
        model.dispose();
      }
    } catch (error) {
      refusal = error;
    }
    // The arena may have grown meanwhile, which is the engine's and no model's.
    if (heap.usedBytes - arena.heldBytes > used)
      throw new Violation('memory of a model that is gone, or never was, is held');
    if (refusal !== undefined) throw refusal;
  },
};
