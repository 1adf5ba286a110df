// node --import tsx test/docs/compatibility.ts
// Writes the tables of docs/guides/compatibility.md anew: each cell is what happened, each note the sentence of the
// error. compatibility.test.ts compares the page with them.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { convertNam } from '../../src/audio-models/nam/read.ts';
import { convertRtNeural } from '../../src/audio-models/rtneural/read.ts';
import { exportRtNeural, importRtNeural } from '../../src/audio-models.ts';
import { NdArray, RandomStream, setSeed } from '../../src/index.ts';
import { encodeSafetensors, type SafetensorsTensor } from '../../src/io/safetensors.ts';
import { modelOfConfig } from '../../src/keras/config/read-model.ts';
import { exportKeras, importKeras } from '../../src/keras.ts';
import type { AnyLayer } from '../../src/layers/base/layer.ts';
import type { AnyModel } from '../../src/models/model.ts';
import { exportOnnx, importOnnx, onnxSession } from '../../src/onnx.ts';
import { exportTfjs, importTfjs } from '../../src/tfjs.ts';
import { encodeStateDict, exportTorch, importTorch, loadStateDict } from '../../src/torch.ts';
import {
  kerasLayers,
  namArchitectures,
  rtNeuralLayers,
  type TorchCase,
  tfjsLayers,
  torchModules,
} from './compatibility-names.ts';
import { type Row, rows } from './compatibility-rows.ts';

const page = new URL('../../docs/guides/compatibility.md', import.meta.url);

type Outputs = readonly NdArray[];
type Predict = (model: AnyModel) => Outputs;

/** Sentences of errors, each once, with their numbers. */
class Notes {
  readonly #sentences: string[] = [];

  /** @param of the class of the layer, which a sentence for several classes does not name. */
  numberOf(error: unknown, of = ''): number {
    const sentence = (error as Error).message
      .replace(/^\w+: /, '')
      .replace(/^layer '[^']*'( \(\w+\))?:? /, '')
      .replace(/^own\d*: |^[a-z_0-9]+(\(units=\d+\))?:? /, '')
      .replace(/layer '[^']*' \((\w+)\) /, '')
      .replace(/, got an? [A-Z]\w+$/, '')
      .replace(/^[a-z]\w*\(\w+=\d+\):? |^'[a-z_0-9]+\/\w+' \(\w+\): /, '')
      .replace(of === '' ? /^$/ : new RegExp(`\\b${of} layers\\b`), 'such layers')
      .replaceAll('|', '\\|');
    const known = this.#sentences.indexOf(sentence);
    return known >= 0 ? known + 1 : this.#sentences.push(sentence);
  }

  get text(): string {
    return this.#sentences.map((sentence, i) => `${i + 1}. ${sentence}`).join('\n');
  }
}

function inputsOf({ shapes, isIds }: Row): NdArray[] {
  const random = new RandomStream(3);
  return shapes.map((shape) => {
    const size = shape.reduce((product, n) => product * n, 1);
    if (isIds) return new NdArray(Int32Array.from({ length: size }, () => random.nextUint32() % 7) as never, shape);
    return new NdArray(
      Float32Array.from({ length: size }, () => 2 * random.nextUniform() - 1),
      shape,
    );
  });
}

/** The model of a row, built, with weights that do not vanish. */
function modelOf(row: Row): AnyModel {
  setSeed(1);
  const model = row.make();
  const [first, ...others] = inputsOf(row);
  model.predict((others.length > 0 ? [first, ...others] : first) as never);
  const random = new RandomStream(9);
  for (const weight of model.weights) {
    weight.assign(Float32Array.from({ length: weight.size }, () => 0.1 + random.nextUniform() / 2));
  }
  model.resetStates();
  return model;
}

/** Throws unless two models give the same numbers. */
function expectSame(a: Outputs, b: Outputs, by: number): void {
  for (const [i, { data }] of a.entries()) {
    const other = b[i]!.data;
    if (data.length !== other.length) throw new Error('the outputs have another shape');
    const at = Array.from(data).findIndex((value, j) => !(Math.abs(value - other[j]!) <= by * (1 + Math.abs(value))));
    if (at >= 0) throw new Error(`the outputs differ: ${data[at]} and ${other[at]}`);
  }
}

type Way = (model: AnyModel, row: Row, predict: Predict) => void;

/** Out and in again: each throws where the format lacks something. */
const ways: Readonly<Record<string, Way>> = {
  Keras(model, _, predict) {
    expectSame(predict(model), predict(importKeras(exportKeras(model))), 0);
  },
  'TF.js'(model, _, predict) {
    const files = exportTfjs(model);
    expectSame(predict(model), predict(importTfjs(files['model.json']!, files)), 0);
  },
  RTNeural(model, _, predict) {
    expectSame(predict(model), predict(importRtNeural(exportRtNeural(model)).model), 0);
  },
  ONNX(model, row, predict) {
    const session = onnxSession(importOnnx(exportOnnx(model)));
    const feeds = Object.fromEntries(inputsOf(row).map((x, i) => [session.inputs[i]!.name, x as never]));
    const results = session.run(feeds);
    const outputs = session.outputs.map(({ name }) => results[name]!);
    expectSame(
      predict(model),
      outputs.map(({ data, shape }) => new NdArray(data as Float32Array, shape)),
      1e-5,
    );
  },
};

/** PyTorch's files have weights without layers, and a Python module has both. */
function torchCell(model: AnyModel, row: Row, predict: Predict, notes: Notes): string {
  let refused: number | undefined;
  try {
    exportTorch(model, { className: 'Own' });
  } catch (error) {
    refused = notes.numberOf(error, row.of);
  }
  if (model.weights.length === 0) return refused === undefined ? 'yes' : `no [${refused}]`;
  try {
    const other = modelOf(row);
    loadStateDict(other, encodeStateDict(model));
    expectSame(predict(model), predict(other), 0);
  } catch (error) {
    return `no [${notes.numberOf(error, row.of)}]`;
  }
  return refused === undefined ? 'yes' : `weights [${refused}]`;
}

/** Whether a model runs step by step, with the numbers of `predict`. */
function stepsCell(row: Row, model: AnyModel, notes: Notes): string {
  const [input] = inputsOf(row) as [NdArray];
  const [batch, time] = input.shape as [number, number];
  if (row.shapes.length > 1 || input.shape.length > (row.isIds ? 2 : 3) || input.shape.length < 2) return '';
  try {
    const stream = model.stream({ batch });
    const isSteps = row.isIds || input.shape.length === 3;
    const width = row.isIds ? 1 : input.shape.at(-1)!;
    const whole = (model.predict(input as never) as NdArray).data;
    const count = isSteps ? time : 1;
    let y = new Float32Array();
    for (let t = 0; t < count; t++) {
      const x = Array.from({ length: batch * width }, (_, i) => {
        const [b, feature] = [Math.floor(i / width), i % width];
        return input.data[(b * count + t) * width + feature]!;
      });
      y = Float32Array.from(stream.step((row.isIds ? Int32Array : Float32Array).from(x) as never));
    }
    const last = Float32Array.from({ length: y.length }, (_, i) => {
      const features = y.length / batch;
      const [b, feature] = [Math.floor(i / features), i % features];
      return whole[whole.length - (batch - b) * (whole.length / batch) + whole.length / batch - features + feature]!;
    });
    expectSame([new NdArray(last, [last.length])], [new NdArray(y, [y.length])], 1e-6);
    return 'yes';
  } catch (error) {
    return `no [${notes.numberOf(error, row.of)}]`;
  }
}

/** Whether a recurrent layer has no fused kernels and so runs op by op. */
function isSlower(model: AnyModel): boolean {
  const recurrent = /^(LSTM|GRU|SimpleRNN)$/;
  return (model.network as AnyLayer)
    .tree()
    .some(
      (layer) =>
        layer.className === 'RNN' ||
        (recurrent.test(layer.className) && (layer as { cell?: unknown }).cell === undefined),
    );
}

const layersTable = (): string => {
  const notes = new Notes();
  const lines = rows.map((row) => {
    const model = modelOf(row);
    const given = inputsOf(row);
    const predict: Predict = (each) => {
      each.resetStates();
      return [each.predict((given.length > 1 ? given : given[0]) as never)].flat() as NdArray[];
    };
    const cells = Object.fromEntries(
      Object.entries(ways).map(([format, way]) => {
        try {
          way(model, row, predict);
          return [format, 'yes'];
        } catch (error) {
          return [format, `no [${notes.numberOf(error, row.of)}]`];
        }
      }),
    );
    const torch = torchCell(model, row, predict, notes);
    model.resetStates();
    const list = [isSlower(model) ? 'op by op' : '', cells.Keras, cells['TF.js'], torch, cells.RTNeural, cells.ONNX];
    const steps = stepsCell(row, model, notes);
    return `| \`${row.of}\` | ${row.arguments && `\`${row.arguments}\``} | ${[...list, steps].join(' | ')} |`;
  });
  return `| layer | with | speed | Keras 3 | TF.js | PyTorch | RTNeural | ONNX | step by step |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}

${notes.text}`;
};

/** Which of the names a reader knows: `read` throws an error that fits `missing` for the others. */
function namesTable(names: readonly string[], read: (name: string) => void, missing: RegExp): string {
  const refused = names.filter((name) => {
    try {
      read(name);
      return false;
    } catch (error) {
      return missing.test((error as Error).message);
    }
  });
  const listed = (list: readonly string[]): string => list.map((name) => `\`${name}\``).join(', ');
  const known = names.filter((name) => !refused.includes(name));
  return `| read | refused by name |\n| --- | --- |\n| ${listed(known)} | ${listed(refused)} |`;
}

const kerasName = (version: string) => (name: string) => {
  const layers = [{ class_name: name, config: { name: 'own', batch_input_shape: [null, 5, 3] } }];
  modelOfConfig({ class_name: 'Sequential', config: { name: 'model', layers } }, { version });
};

/** A state dict of zeros, as a safetensors file. */
function stateDictOf({ tensors }: TorchCase): Uint8Array {
  const made = Object.entries(tensors).map(([name, shape]): [string, SafetensorsTensor] => [
    `own.${name}`,
    { dtype: 'F32', shape: [...shape], data: new Float32Array(shape.reduce((product, n) => product * n, 1)) },
  ]);
  return encodeSafetensors(new Map(made), {});
}

function torchTable(): string {
  const notes = new Notes();
  const lines = Object.entries(torchModules).map(([name, given]) => {
    const { layers } = {
      layers: () => importTorch(stateDictOf(given), { forward: [{ module: 'own', ...given.step }] }),
    };
    let cell: string;
    try {
      cell = [...new Set(layers().layers.map(({ className }) => `\`${className}\``))].join(', ');
    } catch (error) {
      cell = `no [${notes.numberOf(error)}]`;
    }
    return `| \`${name}\` | ${cell} |`;
  });
  return `| module | becomes |\n| --- | --- |\n${lines.join('\n')}\n\n${notes.text}`;
}

const sections: Readonly<Record<string, () => string>> = {
  layers: layersTable,
  'layers of Keras': () => namesTable(kerasLayers, kerasName('3.12.0'), /has no such layer/),
  'layers of TF.js': () => namesTable(tfjsLayers, kerasName('tfjs-layers 4.22.0'), /has no such layer/),
  'modules of PyTorch': torchTable,
  'architectures of NAM': () =>
    namesTable(
      namArchitectures,
      (architecture) => convertNam({ version: '0.5.4', architecture, config: {}, weights: [] }),
      /architecture .* is not supported/,
    ),
  'layers of RTNeural': () =>
    namesTable(
      rtNeuralLayers,
      (type) => convertRtNeural({ in_shape: [null, null, 1], layers: [{ type, shape: [null, null, 1], weights: [] }] }),
      /type .* is not supported/,
    ),
};

export const sectionNames = Object.keys(sections);
const between = (name: string): RegExp => new RegExp(`(<!-- ${name} -->\\n)[^]*?(\\n<!-- end -->)`);

/** What the page has between the marks of a section, and what it should have. */
export function sectionOf(name: string): { written: string | undefined; computed: string } {
  const written = between(name).exec(readFileSync(page, 'utf8'))?.[0];
  return { written, computed: `<!-- ${name} -->\n${sections[name]!()}\n<!-- end -->` };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  let text = readFileSync(page, 'utf8');
  for (const name of sectionNames) text = text.replace(between(name), () => sectionOf(name).computed);
  writeFileSync(page, text);
}
