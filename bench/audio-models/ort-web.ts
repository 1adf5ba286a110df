// The models of run.ts as ONNX files in ONNX Runtime Web, with their states as inputs and outputs. First:
// npm ci --prefix bench/peers
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { WaveNetArray } from '../../src/audio-models.ts';
import {
  activation,
  concatenate,
  conv1d,
  dense,
  type Layer,
  lstm,
  type Model,
  model,
  ops,
  sequential,
  type Tensor,
} from '../../src/index.ts';
import type { AnyModel } from '../../src/models/model.ts';
import { exportOnnx } from '../../src/onnx.ts';

interface OrtTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}
interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
}

const peers = createRequire(new URL('../peers/package.json', import.meta.url));
const ort = await import(pathToFileURL(peers.resolve('onnxruntime-web')).href);
ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';
export const ortVersion: string = ort.env.versions.web;

/** Runs blocks of samples, with the states of the block before. */
export type RunBlock = (x: Float32Array) => Promise<Float32Array>;

/** A session whose inputs but the first are states, which the outputs but the first replace. */
async function stateful(file: Uint8Array, shapes: readonly (readonly number[])[]): Promise<RunBlock> {
  const session: Session = await ort.InferenceSession.create(file, { executionProviders: ['wasm'] });
  const [input, ...states] = session.inputNames as [string, ...string[]];
  const [output, ...next] = session.outputNames as [string, ...string[]];
  const zeros = (shape: readonly number[]): Float32Array => new Float32Array(shape.reduce((size, n) => size * n, 1));
  let kept: OrtTensor[] = shapes.map((shape) => new ort.Tensor('float32', zeros(shape), shape));
  return async (x) => {
    const feeds = Object.fromEntries(states.map((name, i) => [name, kept[i]!]));
    const results = await session.run({ ...feeds, [input]: new ort.Tensor('float32', x, [1, x.length, 1]) });
    kept = next.map((name) => results[name]!);
    return results[output]!.data;
  };
}

const valuesOf = (from: Model, name: string): Float32Array =>
  from.weights.find((weight) => weight.name.endsWith(`/${name}`))!.toArray() as Float32Array;

/** The LSTM of a capture and its head, from states of zeros. */
export function ortLstm(capture: Model): Promise<RunBlock> {
  const made = sequential([lstm({ units: 16, returnSequences: true, inputShape: [null, 1] }), dense({ units: 1 })]);
  made.predict([[[0]]]);
  for (const [i, name] of ['kernel', 'recurrentKernel', 'bias'].entries()) {
    made.weights[i]!.assign(valuesOf(capture, `lstm/${name}`));
  }
  made.weights[3]!.assign(capture.weights.at(-2)!.toArray());
  made.weights[4]!.assign(capture.weights.at(-1)!.toArray());
  const state = [1, 16];
  return stateful(exportOnnx(made, { states: true }), [state, state]);
}

/** A WaveNet whose convolutions read the steps before a block from inputs, and give those of the next block out. */
export function ortWaveNet(capture: Model, arrays: readonly WaveNetArray[], headScale: number, block: number) {
  const layers: Record<string, Layer<never, never>> = {};
  const add = (name: string, layer: unknown): string => {
    layers[name] = layer as never;
    return name;
  };
  const plain = (name: string, units: number, useBias: boolean): string => add(name, dense({ units, useBias }));
  const shapes: number[][] = [];
  arrays.forEach(({ channels, dilations, kernelSize, headSize, headBias = false }, i) => {
    plain(`${i}_rechannel`, channels, false);
    dilations.forEach((dilationRate, j) => {
      add(`${i}_${j}_conv`, conv1d({ filters: channels, kernelSize: kernelSize as number, dilationRate }));
      add(`${i}_${j}_join`, concatenate({ axis: 1 }));
      add(`${i}_${j}_act`, activation({ activation: 'tanh' }));
      plain(`${i}_${j}_mixin`, channels, false);
      plain(`${i}_${j}_out`, channels, true);
      shapes.push([((kernelSize as number) - 1) * dilationRate, channels]);
    });
    plain(`${i}_head`, headSize, headBias);
  });
  type Call = (x: unknown) => Tensor;
  const made = model(
    { layers, inputs: [{ shape: [block, 1] }, ...shapes.map((shape) => ({ shape }))] } as never,
    (([x, ...states]: Tensor[], at: Record<string, Call>) => {
      const next: Tensor[] = [];
      let [y, head] = [x!, undefined as Tensor | undefined];
      arrays.forEach(({ dilations }, i) => {
        y = at[`${i}_rechannel`]!(y);
        dilations.forEach((_, j) => {
          const own = (name: string): Call => at[`${i}_${j}_${name}`]!;
          const state = states[next.length]!;
          const whole = own('join')([state, y]);
          next.push(ops.slice(whole, { axis: 1, from: block, to: block + state.shape[1]! }));
          const a = own('act')(ops.add(own('conv')(whole), own('mixin')(x)));
          head = head ? ops.add(head, a) : a;
          y = ops.add(y, own('out')(a));
        });
        head = at[`${i}_head`]!(head);
      });
      return [ops.scale(head!, headScale), ...next];
    }) as never,
  ) as unknown as AnyModel;
  made.predict([[block, 1], ...shapes].map((shape) => zeros([1, ...shape])) as never);
  const names: Readonly<Record<string, string>> = {
    'conv/kernel': 'kernel',
    'conv/bias': 'bias',
    'mixin/kernel': 'mixin',
  };
  for (const weight of made.weights) {
    const [, array, layer, name] = /^(\d+)_(?:(\d+)_)?(.+)$/.exec(weight.name)!;
    const inner = names[name!] ?? name!.replace('out/kernel', 'outKernel').replace('out/bias', 'outBias');
    const outer = name!.replace('head/kernel', 'headKernel').replace('head/bias', 'headBias').replace('/kernel', '');
    weight.assign(valuesOf(capture, layer === undefined ? `${array}/${outer}` : `${array}/${layer}/${inner}`));
  }
  return stateful(
    exportOnnx(made),
    shapes.map((shape) => [1, ...shape]),
  );
}

const zeros = (shape: readonly number[]): unknown =>
  shape.length === 0 ? 0 : Array.from({ length: shape[0]! }, () => zeros(shape.slice(1)));
