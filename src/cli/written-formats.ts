// The formats that `tapeloop convert` writes, told by the end of the file's name.
import type { NamFacts } from '../audio-models/nam/read.ts';
import { exportNam, exportRtNeural } from '../audio-models.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { readFileChecked } from '../io/node-files.ts';
import { exportKeras, exportKerasWeights, loadKerasWeights } from '../keras.ts';
import type { AnyModel } from '../models/model.ts';
import { compileStream, exportOnnx } from '../onnx.ts';
import { decodeModel, encodeModel } from '../saving/saved-model.ts';
import { exportTfjs } from '../tfjs.ts';
import { encodeCheckpoint, exportTorch, loadStateDict } from '../torch.ts';
import type { ConvertOptions } from './flags.ts';
import { type Format, type ReadModel, readModel } from './model-file.ts';

type Reread = (path: string, model: AnyModel) => ReadModel;

export interface WrittenFormat {
  readonly name: Format;
  /** The ends of its files' names. */
  readonly endings: readonly string[];
  /** The content of OUT, and of files beside it by their names. */
  write(read: ReadModel, options: ConvertOptions): [content: Uint8Array, beside?: Readonly<Record<string, Uint8Array>>];
  /** Reads the file again, for --check. Undefined where only another program runs it. */
  readonly reread?: Reread;
}

/** Writes a compiled model with its training, where the format has it; else without, and says so. */
function withTraining<T>(model: AnyModel, write: (includeOptimizer: boolean) => T): T {
  if (!model.isCompiled) return write(false);
  let reason: string;
  try {
    return write(true);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    reason = error.message;
  }
  // What stands against the model itself is thrown again here.
  const written = write(false);
  process.stdout.write(` Left out: loss, metrics and optimizer (${reason})\n`);
  return written;
}

const whole: Reread = (path) => readModel(path);

/** Reads weights alone into a copy of the model whose weights are 0 before. */
const weightsAlone =
  (format: Format, load: (model: AnyModel, bytes: Uint8Array) => unknown): Reread =>
  (path, original) => {
    const { model, ...extras } = decodeModel(encodeModel(original));
    model.setWeights(model.weights.map(({ size, shape }) => ({ data: new Float32Array(size), shape }) as never));
    const bytes = readFileChecked(path);
    load(model, bytes);
    return { path, bytes, format, model, ...extras };
  };

const formats: readonly WrittenFormat[] = [
  {
    name: 'ONNX',
    endings: ['.onnx'],
    write: ({ model }, { states, name }) => [exportOnnx(model, { ...(states && { states }), name })],
    reread: whole,
  },
  {
    name: 'Keras',
    endings: ['.keras'],
    write: ({ model }) => [withTraining(model, (includeOptimizer) => exportKeras(model, { includeOptimizer }))],
    reread: whole,
  },
  {
    name: 'Keras weights',
    endings: ['.weights.h5'],
    write: ({ model }) => [withTraining(model, (includeOptimizer) => exportKerasWeights(model, { includeOptimizer }))],
    reread: weightsAlone('Keras weights', loadKerasWeights),
  },
  {
    name: 'PyTorch',
    endings: ['.pt', '.pth'],
    write: ({ model }) => [withTraining(model, (includeOptimizer) => encodeCheckpoint(model, { includeOptimizer }))],
    reread: weightsAlone('PyTorch', loadStateDict),
  },
  { name: 'Python', endings: ['.py'], write: ({ model }) => [Buffer.from(exportTorch(model))] },
  {
    name: 'RTNeural',
    endings: ['.rtneural.json'],
    write: ({ model }) => [exportRtNeural(model)],
    reread: whole,
  },
  {
    name: 'TF.js',
    endings: ['.json'],
    write({ model }) {
      const { 'model.json': json, ...shards } = withTraining(model, (includeOptimizer) =>
        exportTfjs(model, { includeOptimizer }),
      );
      return [json!, shards];
    },
    reread: whole,
  },
  { name: 'NAM', endings: ['.nam'], write: ({ model, extra }) => [exportNam(model, namOptions(extra))], reread: whole },
  { name: 'compiled stream', endings: ['.stream'], write: ({ model }) => [compileStream(model)] },
  {
    name: 'tapeloop',
    endings: ['.safetensors', '.st'],
    write: ({ model, vocabulary, extra }) => [
      encodeModel(model, { ...(vocabulary && { vocabulary }), ...(extra !== undefined && { extra }) }),
    ],
    reread: whole,
  },
];

/** What a capture says of itself, which `readModel` keeps in `extra`. */
function namOptions(extra: ReadModel['extra']): Parameters<typeof exportNam>[1] {
  const { sampleRate, metadata } = (extra as { nam?: NamFacts } | undefined)?.nam ?? {};
  return { sampleRate, metadata };
}

/** The format of a file that is to be written; undefined for one that cannot be written. */
export const formatOf = (path: string): WrittenFormat | undefined =>
  formats.find(({ endings }) => endings.some((ending) => path.toLowerCase().endsWith(ending)));

export const knownEndings: string = formats
  .flatMap(({ endings }) => endings)
  .join(', ')
  .replace(/, ([^,]+)$/, ' or $1');
