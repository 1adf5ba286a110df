// Model files of other programs that are not read: told by their first bytes, each with the route that works.
import { ModelFileError } from './safetensors.ts';

const startsWith = (bytes: Uint8Array, text: string, at = 0): boolean =>
  [...text].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));

/** Whether a text occurs in the first bytes. */
function contains(bytes: Uint8Array, text: string): boolean {
  for (let at = 0; at < Math.min(bytes.length, 4096); at++) if (startsWith(bytes, text, at)) return true;
  return false;
}

/**
 * The tags at the beginning of a protocol buffer, one for each level: numbers are passed over, and of what has a length
 * the inside is looked at.
 */
function tagsOf(bytes: Uint8Array): string {
  const tags: number[] = [];
  let at = 0;
  while (tags.length < 4 && at < bytes.length) {
    tags.push(bytes[at++]!);
    // A number, or a length, of at most ten bytes.
    for (const end = at + 10; at < end && bytes[at]! & 0x80; ) at++;
    at++;
  }
  return tags.map((tag) => tag.toString(16).padStart(2, '0')).join(' ');
}

interface Foreign {
  readonly name: string;
  readonly route: string;
  test(bytes: Uint8Array): boolean;
}

const tensorflow = 'convert it with tf2onnx (python -m tf2onnx.convert';

/** Whether a file is a page of HTML, as a web server may give in place of what it does not have. */
export const isPage = (bytes: Uint8Array): boolean =>
  /^\s*<(!doctype|html|head|\?xml)/i.test(String.fromCharCode(...bytes.subarray(0, 64)));

const formats: readonly Foreign[] = [
  {
    name: 'a page of HTML in place of the file',
    route: 'download it again, from the address of the file itself',
    test: isPage,
  },
  {
    name: 'a pointer of Git LFS in place of the file',
    route: 'fetch the file, as by git lfs pull',
    test: (bytes) => startsWith(bytes, 'version https://git-lfs'),
  },
  {
    name: 'a TensorFlow Lite model',
    route: `${tensorflow} --tflite model.tflite --output model.onnx), then read it with importOnnx of tapeloop/onnx`,
    test: (bytes) => startsWith(bytes, 'TFL3', 4),
  },
  {
    name: 'a Core ML model',
    route: 'export the model that it was made of from PyTorch or Keras: ONNX, .pt or .keras',
    // The version of its specification, then a description, whose first input has a name.
    test: (bytes) => tagsOf(bytes) === '08 12 0a 0a',
  },
  {
    name: 'a SavedModel of TensorFlow',
    route: `load it in Keras and save it as .keras, or ${tensorflow} --saved-model FOLDER --output model.onnx)`,
    // The version of its schema, then a graph, whose description begins with a list of operations.
    test: (bytes) => tagsOf(bytes) === '08 12 0a 12',
  },
  {
    name: 'a frozen graph of TensorFlow 1',
    route: `${tensorflow} --graphdef model.pb --inputs … --outputs … --output model.onnx), then read it with importOnnx`,
    // A list of nodes, each with a name and an operation.
    test: (bytes) => bytes[0] === 0x0a && ['Placeholder', 'Const', 'VariableV2'].some((op) => contains(bytes, op)),
  },
];

/** Throws `ModelFileError`, which says the way that works, for a model of a format that is known but not read. */
export function refuseForeign(bytes: Uint8Array, file: string | undefined): void {
  const found = formats.find(({ test }) => test(bytes));
  if (found) throw new ModelFileError(`${found.name} is not read: ${found.route}`, { file });
}
