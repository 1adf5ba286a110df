// Functions of the package by name, and the arguments that inputs write for them as JSON.
import * as audio from '../../src/audio.ts';
import * as audioModels from '../../src/audio-models.ts';
import * as characters from '../../src/characters.ts';
import * as data from '../../src/data.ts';
import * as images from '../../src/images.ts';
import * as main from '../../src/index.ts';
import * as keras from '../../src/keras.ts';
import * as onnx from '../../src/onnx.ts';
import * as plot from '../../src/plot.ts';
import * as sequences from '../../src/sequences.ts';
import * as stateSpace from '../../src/state-space.ts';
import * as tfjs from '../../src/tfjs.ts';
import * as torch from '../../src/torch.ts';
import type { Plain } from './target.ts';
import { made } from './values.ts';

type Anything = (...args: never[]) => unknown;

const isClass = (value: Anything): boolean => /^class\b/.test(Function.prototype.toString.call(value));

/** Functions, but no classes, of an entry and of the namespaces in it, by name. */
function functionsOf(entry: object, prefix = ''): [string, Anything][] {
  return Object.entries(entry).flatMap(([name, value]): [string, Anything][] => {
    if (typeof value === 'function') return isClass(value) ? [] : [[prefix + name, value]];
    return Object.prototype.toString.call(value) === '[object Module]' ? functionsOf(value, `${name}.`) : [];
  });
}

/** Every public function that does not touch files. */
export const functions: ReadonlyMap<string, Anything> = new Map(
  [main, audio, images, sequences, stateSpace, onnx, audioModels, tfjs, keras, torch, data, characters, plot].flatMap(
    (entry) => functionsOf(entry),
  ),
);

/** Functions that a caller may hand in. */
const given: Readonly<Record<string, unknown>> = {
  identity: (x: unknown) => x,
  zero: () => 0,
  nothing: () => undefined,
  text: () => 'text',
  NaN: () => Number.NaN,
  list: () => [],
  sink: () => ({ write() {} }),
  // A constant 0 alone has a gradient, of zeros.
  scalar: () => main.tensor(0),
  sum: (x: main.Tensor) => main.ops.sum(x),
  loss: (_: main.Tensor, prediction: main.Tensor) => main.ops.mean(main.ops.square(prediction), { axis: -1 }),
};

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Small values of both signs; whole numbers 0 and 1 as i32. */
export function valuesOf(shape: readonly number[], dtype: unknown): Float32Array | Int32Array {
  const count = sizeOf(shape);
  if (dtype === 'i32') return Int32Array.from({ length: count }, (_, i) => i % 2);
  return Float32Array.from({ length: count }, (_, i) => ((i * 7) % 11) / 10 - 0.5);
}

/** What a tag with a shape, a name or arguments stands for. */
function whole(tag: string, { shape = [], dtype, name, args = [] }: { [key: string]: Plain }): unknown {
  const axes = shape as number[];
  switch (tag) {
    case 'tensor':
      return main.tensor(valuesOf(axes, dtype), { shape: axes, dtype: dtype === 'i32' ? 'i32' : 'f32' });
    case 'parameter':
      return new main.Parameter('given', axes, valuesOf(axes, 'f32'));
    case 'ndarray':
      return main.ndarray(valuesOf(axes, dtype), axes);
    case 'ragged':
      return main.ragged([[1, 2, 3], [4]]);
    case 'given':
      return given[String(name)];
    case 'cell':
      return main.cells[String(name) as keyof typeof main.cells];
    case 'element':
      return { textContent: '' };
    case 'key':
      return { low: 1, high: 2 };
    case 'call':
      return functions.get(String(name))?.(...((argumentsOf(args) ?? []) as never[]));
    default:
      return undefined;
  }
}

/** The arguments that an input writes. */
export const argumentsOf = (args: Plain | undefined): unknown[] =>
  Array.isArray(args) ? args.map((each) => made(each, whole)) : [];
