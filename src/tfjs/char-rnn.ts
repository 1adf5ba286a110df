// Character models of ml5's charRNN: the weights of a stack of TensorFlow 1's BasicLSTMCell, a file for each, with a
// manifest and a vocabulary. https://github.com/ml5js/training-charRNN
import { ArgumentError } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape, type Shape, sizeOf } from '../checks/shape.ts';
import { ndarray } from '../data/array.ts';
import { textOfUtf8 } from '../host/utf8.ts';
import { expectList, expectObject, expectString, quote } from '../io/parsed-json.ts';
import { asFileError } from '../keras/config/read-model.ts';
import { dense } from '../layers/dense.ts';
import { embedding } from '../layers/embedding.ts';
import { lstm } from '../layers/rnn/lstm.ts';
import { type Model, sequential } from '../models/model.ts';
import { fileOf, type TfjsFiles } from './read-tfjs.ts';

/** A character model with its vocabulary. */
export interface CharRnn {
  /** Ids `[B, T]` to probabilities of the next id, `[B, T, V]`. */
  readonly model: Model;
  /** Characters by id. */
  readonly vocabulary: readonly string[];
}

interface Weight {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** A cell has an input, an output and a forget gate, and the new value. */
const GATES = 4;
/** Where TensorFlow 1 has the gates i, f, c and o of Keras. */
const ORDER = [0, 2, 1, 3];
/** The forget gate, to whose bias TensorFlow 1 adds 1 as it runs. */
const FORGET = 1;

/**
 * Makes a model of a folder of ml5's charRNN: `manifest.json`, `vocab.json`, and a file for each weight.
 *
 * @param files the bytes of the files by their names, or a function that gives them. They are not kept.
 * @param options.file the folder's name, for errors.
 * @returns an embedding, LSTM layers and a dense layer with softmax; the caller owns the model. `generate` and streams
 *   take it with its vocabulary.
 * @throws ModelFileError if a file is missing or damaged, or a weight has another shape than the others ask for;
 *   ArgumentError if an option is unknown.
 * @see https://docs.ml5js.org
 *
 * @example
 * const { model, vocabulary } = importCharRnn((name) => readFileSync(`models/woolf/${name}`));
 * await writeFile('woolf.safetensors', encodeModel(model, { vocabulary })); // for tapeloop generate
 */
export function importCharRnn(files: TfjsFiles, options: { readonly file?: string | undefined } = {}): CharRnn {
  const what = 'importCharRnn';
  const { file } = checkOptions(what, options, { file: 1 });
  return asFileError(what, file, () => {
    const bytes = (name: string): Uint8Array => fileOf(what, files, name);
    const json = (name: string) => expectObject(name, JSON.parse(textOfUtf8(bytes(name))));
    const vocabulary = charactersOf(json('vocab.json'));
    const manifest = json('manifest.json');
    const weight = (ending: RegExp, shape?: Shape): Weight => {
      const name = Object.keys(manifest).find((each) => ending.test(each));
      if (name === undefined)
        throw new ArgumentError(`manifest.json expected a weight with ${ending.source}, got none`);
      return weightOf(`weight ${quote(name)}`, expectObject(name, manifest[name]), bytes, shape);
    };
    const embedded = weight(/embedding$/);
    const [ids, width] = expectMatrix('embedding', embedded);
    const values: Weight[] = [embedded];
    const cells = Object.keys(manifest).filter((name) => /cell_\d+\/.*(weights|kernel)$/.test(name)).length;
    if (cells === 0) throw new ArgumentError('manifest.json expected LSTM cells, cell_0 and on, got none');
    let inputs = width;
    const sizes = Array.from({ length: cells }, (_, i) => {
      const kernel = weight(new RegExp(`cell_${i}/.*(weights|kernel)$`));
      const [rows, columns] = expectMatrix(`cell_${i}`, kernel, GATES);
      const units = columns / GATES;
      if (rows !== inputs + units)
        throw new ArgumentError(`cell_${i} expected [${inputs} + H, 4·H], got ${formatShape(kernel.shape)}`);
      const bias = weight(new RegExp(`cell_${i}/.*bias(es)?$`), [columns]);
      const [data, offsets] = [inOrder(kernel.data, units), inOrder(bias.data, units)];
      for (let unit = 0; unit < units; unit++) offsets[FORGET * units + unit]! += 1;
      values.push(
        { shape: [inputs, columns], data: data.subarray(0, inputs * columns) },
        { shape: [units, columns], data: data.subarray(inputs * columns) },
        { shape: [columns], data: offsets },
      );
      inputs = units;
      return units;
    });
    if (vocabulary.length !== ids)
      throw new ArgumentError(`vocab.json expected ${ids} characters, got ${vocabulary.length}`);
    values.push(weight(/softmax_w$/, [inputs, ids]), weight(/softmax_b$/, [ids]));
    const model = sequential([
      embedding({ inputDim: ids, outputDim: width, inputShape: [null] }),
      ...sizes.map((units) => lstm({ units, returnSequences: true })),
      dense({ units: ids, activation: 'softmax' }),
    ] as never) as Model;
    model.setWeights(values.map(({ data, shape }) => ndarray(data, shape)));
    return { model, vocabulary };
  });
}

/** Characters by their ids, which are 0, 1, 2 and on. */
function charactersOf(vocab: Readonly<Record<string, unknown>>): string[] {
  const characters: string[] = [];
  for (const [character, id] of Object.entries(vocab)) {
    if (!(Number.isInteger(id) && (id as number) >= 0) || characters[id as number] !== undefined)
      throw new ArgumentError(`vocab.json expected an id of its own for ${quote(character)}, got ${String(id)}`);
    characters[id as number] = character;
  }
  if (Object.keys(characters).length !== characters.length)
    throw new ArgumentError(`vocab.json expected ids from 0 to ${characters.length - 1}, got fewer`);
  return characters;
}

/** Rows and columns; throws unless these are a multiple of `multiple`. */
function expectMatrix(what: string, { shape }: Weight, multiple = 1): readonly [number, number] {
  const [rows = 0, columns = 0] = shape;
  if (shape.length === 2 && columns % multiple === 0) return [rows, columns];
  throw new ArgumentError(
    `${what} expected a matrix${multiple > 1 ? ` [I + H, ${multiple}·H]` : ''}, got ${formatShape(shape)}`,
  );
}

function weightOf(
  what: string,
  entry: Readonly<Record<string, unknown>>,
  bytes: (name: string) => Uint8Array,
  expected?: Shape,
): Weight {
  const shape = expectList(`${what}: shape`, entry.shape) as number[];
  const content = bytes(expectString(`${what}: filename`, entry.filename));
  const isShape = shape.every((n) => Number.isSafeInteger(n) && n > 0);
  if (!isShape || 4 * sizeOf(shape) !== content.length)
    throw new ArgumentError(`${what}: ${content.length} bytes do not make the shape [${shape.join(', ')}]`);
  if (expected && formatShape(shape) !== formatShape(expected))
    throw new ArgumentError(`${what} expected ${formatShape(expected)}, got ${formatShape(shape)}`);
  return { shape, data: new Float32Array(content.slice().buffer) };
}

/** Rows `[…, 4·H]` with the gates in Keras's order. */
function inOrder(data: Float32Array, units: number): Float32Array {
  const made = new Float32Array(data.length);
  for (let row = 0; row < data.length; row += GATES * units)
    for (const [to, from] of ORDER.entries())
      made.set(data.subarray(row + from * units, row + (from + 1) * units), row + to * units);
  return made;
}
