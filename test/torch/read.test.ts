import { describe, expect, test } from 'vitest';
import { ModelFileError } from '../../src/index.ts';
import { PickledObject, readTorch, type TorchTensor } from '../../src/torch.ts';
import { fileOf, golden } from './golden.ts';

const plain = ({ dtype, shape, data }: TorchTensor) => ({
  dtype,
  shape,
  data: Array.from(data as Float32Array, Number),
});

describe('readTorch', () => {
  test.each(['zip', 'legacy', 'protocol3', 'protocol4'])(
    'of the tensors of all types and views, %s, gives what PyTorch has',
    (name) => {
      const tensors = readTorch(fileOf(name)) as Map<string, TorchTensor>;
      expect([...tensors.keys()]).toEqual(Object.keys(golden.tensors));
      for (const [key, tensor] of tensors) expect([key, plain(tensor)]).toEqual([key, golden.tensors[key]]);
    },
  );

  test('of a Buffer of Node and of a part of a larger buffer, gives the same', () => {
    const bytes = fileOf('legacy');
    const larger = new Uint8Array(bytes.length + 8);
    larger.set(bytes, 3);
    const expected = readTorch(bytes);
    expect(readTorch(Buffer.from(bytes))).toEqual(expected);
    expect(readTorch(larger.subarray(3, 3 + bytes.length))).toEqual(expected);
  });

  test('of views of one storage, shares its memory', () => {
    const tensors = readTorch(fileOf('zip')) as Map<string, TorchTensor>;
    expect(tensors.get('same')!.data).toBe(tensors.get('plain')!.data);
  });

  test('of values around the tensors, gives their equals in JavaScript', () => {
    const values = readTorch(fileOf('values')) as Map<string, never>;
    const { array, device, object, ...rest } = Object.fromEntries(values) as Record<string, never>;
    expect(rest).toEqual({
      none: null,
      ints: [0, -1, 255, 65536, 2 ** 31, 2 ** 40, -(2n ** 70n)],
      floats: [0.5, Number.POSITIVE_INFINITY, 1e-300],
      texts: ['a', 'é\n', 'x'.repeat(300)],
      nested: new Map([['a', new Map([['b', [1, [2, 3]]]])]]),
      set: new Set([1]),
      bytes: Uint8Array.of(0, 255),
      size: [2, 3],
      scalar: 0.25,
      default: new Map([['k', [1]]]),
    });
    const { className, state } = array as PickledObject;
    expect(className).toBe('numpy.ndarray');
    expect(plain(state as TorchTensor)).toEqual({ dtype: 'float64', shape: [2, 3], data: [0, 1, 2, 3, 4, 5] });
    expect((device as PickledObject).className).toBe('torch.device');
    expect((object as PickledObject).state).toEqual(new Map([['lr', 0.5]]));
  });

  test('of a whole module, gives inert objects', () => {
    const net = readTorch(fileOf('module')) as PickledObject;
    expect(net).toBeInstanceOf(PickledObject);
    expect(net.className).toBe('__main__.Net');
    const modules = (net.state as Map<string, Map<string, PickledObject>>).get('_modules')!;
    expect(modules.get('rnn')!.className).toBe('torch.nn.modules.rnn.LSTM');
  });

  test.each([
    ['sparse', /it has a sparse tensor: save tensor\.to_dense\(\)/],
    ['quantized', /a quantized tensor|QInt8Storage/],
    ['complex', /ComplexFloatStorage.* not supported/],
    ['expanded', /repeats the 1 elements of its storage: save a clone\(\)/],
    ['dumped', /pickle\.dump has written|does not begin/],
    ['system0', /it asks to run posix\.system/],
    ['system2', /it asks to run posix\.system/],
    ['system4', /it asks to run posix\.system/],
    ['eval0', /it asks to run __builtin__\.eval/],
    ['eval2', /it asks to run __builtin__\.eval/],
    ['eval4', /it asks to run builtins\.eval/],
    ['zipSystem', /it asks to run posix\.system/],
    ['builtin', /it asks to run __builtin__\.getattr/],
  ])('of the file %s, throws one error that names what is refused', (name, message) => {
    const read = (): unknown => readTorch(fileOf(name), { file: 'x.pt' });
    expect(read).toThrow(ModelFileError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^x\.pt: /);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['JSON', Buffer.from('{"a": 1}'), /^x\.pt: not a file of PyTorch: it is JSON or other text/],
    ['a page', Buffer.from('<html>'), /^x\.pt: a page of HTML in place of the file is not read: download it again/],
    [
      'a pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1'),
      /^x\.pt: a pointer of Git LFS in place of the file is not read: fetch the file/,
    ],
    ['HDF5', Uint8Array.of(0x89, 72, 68, 70, 13, 10, 26, 10), /it is an HDF5 file, which importKeras/],
    ['TFLite', Buffer.from('\x1c\0\0\0TFL3'), /a TensorFlow Lite model is not read: convert it with tf2onnx/],
    ['other bytes', Uint8Array.of(1, 2, 3), /not a file of PyTorch that can be read/],
  ])('of %s, says that it is not a file of PyTorch', (_, bytes, message) => {
    const read = (): unknown => readTorch(bytes, { file: 'x.pt' });
    expect(read).toThrow(ModelFileError);
    expect(read).toThrow(message);
  });
});
