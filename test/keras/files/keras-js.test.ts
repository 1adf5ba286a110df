import { describe, expect, test } from 'vitest';
import { textOfUtf8 } from '../../../src/host/utf8.ts';
import { dense, lstm, ModelFileError, ndarray, sequential } from '../../../src/index.ts';
import { readZip } from '../../../src/io/zip.ts';
import { kerasWeightsOf } from '../../../src/keras/weights/read-weights.ts';
import { exportKeras, importKerasJs } from '../../../src/keras.ts';

const original = sequential([lstm({ units: 3, inputShape: [4, 2] }), dense({ units: 1, activation: 'tanh' })]);
const model = textOfUtf8(readZip(exportKeras(original)).get('config.json')!);

/** The list and the buffer of the encoder of keras-js. */
function encoded() {
  const arrays = original.layers.flatMap((layer) => kerasWeightsOf(layer).map((array) => ({ layer, ...array })));
  let offset = 0;
  const metadata = arrays.map(({ layer, name, shape, data }) => {
    const entry = {
      layer_name: layer.name,
      weight_name: `${name}:0`,
      type: 'float32',
      offset,
      length: data.length,
      shape,
    };
    offset += 4 * data.length;
    return entry;
  });
  const weights = new Uint8Array(offset);
  metadata.forEach((entry, i) => weights.set(new Uint8Array(arrays[i]!.data.slice().buffer), entry.offset));
  return { metadata, weights };
}

describe('importKerasJs', () => {
  test('gives the same bits, of text or of parsed JSON', () => {
    const { metadata, weights } = encoded();
    const x = ndarray(
      Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)),
      [2, 4, 2],
    );
    const expected = original.predict(x).data;
    expect(importKerasJs({ model, metadata: JSON.stringify(metadata), weights }).predict(x).data).toEqual(expected);
    expect(importKerasJs({ model: JSON.parse(model), metadata, weights: weights.buffer }).predict(x).data).toEqual(
      expected,
    );
  });

  test.each<[string, object, string]>([
    ['a place outside of the buffer', { offset: 1e6 }, '96 bytes at 1000000 expected in a buffer of'],
    ['another shape', { shape: [3, 12] }, 'length 24 and shape [3, 12] expected the same size'],
    ['a shape without values', { shape: [0, 1e12], length: 0 }, 'expected the same size'],
    ['another type', { type: 'uint8' }, 'type expected float32, got "uint8"'],
    ['another layer', { layer_name: 'gru' }, 'the model has 2 layers with weights (lstm, dense), the file 3'],
    ['a weight that does not fit', { shape: [12, 2] }, '[2, 12], got [12, 2]'],
  ])('%s, is one error', (_, change, message) => {
    const { metadata, weights } = encoded();
    const files = { model, metadata: metadata.map((entry, i) => (i === 0 ? { ...entry, ...change } : entry)), weights };
    expect(() => importKerasJs(files)).toThrow(ModelFileError);
    expect(() => importKerasJs(files)).toThrow(message);
  });

  test('a missing file is named', () => {
    const { metadata, weights } = encoded();
    expect(() => importKerasJs({ model, weights } as never)).toThrow('importKerasJs: metadata expected JSON, got none');
    expect(() => importKerasJs({ model, metadata } as never)).toThrow(
      'importKerasJs: weights: bytes expected a Uint8Array',
    );
    expect(() => importKerasJs({ model, metadata, buffer: weights } as never)).toThrow("unknown option 'buffer'");
    expect(() => importKerasJs({ model, metadata: '[', weights })).toThrow(ModelFileError);
  });
});
