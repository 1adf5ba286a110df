// The common part of onnxruntime-web and onnxruntime-node, which have the same API.
import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-common';
import { type Case, CHECKED_STEPS, inputOf, operandsOf } from '../cases.ts';
import { swapAxes } from '../numbers.ts';
import type { PeerEngine, Task } from '../protocol.ts';
import { gemmModel, recurrentModel } from './onnx-model.ts';

export interface Ort {
  /** Whether a run can write to tensors of the caller. */
  preallocates: boolean;
  create(model: Uint8Array): Promise<InferenceSession>;
  tensor(values: Float32Array, shape: number[]): TypedTensor<'float32'>;
}

const values = (tensor: Tensor | undefined): Float32Array => tensor!.data as Float32Array;
const zeros = (ort: Ort, shape: number[]) => ort.tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

async function infer(ort: Ort, what: Case): Promise<Task> {
  const { batch, time, inputs, hidden } = what;
  const session = await ort.create(recurrentModel(what, { states: false }));
  const feeds = { X: ort.tensor(swapAxes(inputOf(what), batch, time, inputs), [time, batch, inputs]) };
  const fetches = ort.preallocates ? { Y: zeros(ort, [time, 1, batch, hidden]) } : { Y: null };
  const run = () => session.run(feeds, fetches);
  return {
    run,
    async check() {
      return swapAxes(values((await run()).Y).slice() as Float32Array<ArrayBuffer>, time, batch, hidden);
    },
  };
}

async function step(ort: Ort, what: Case): Promise<Task> {
  const { inputs, hidden } = what;
  const session = await ort.create(recurrentModel(what, { states: true }));
  const X = ort.tensor(inputOf(what), [1, 1, inputs]);
  const make = () => ({ h: zeros(ort, [1, 1, hidden]), c: zeros(ort, [1, 1, hidden]) });
  let from = make();
  let to = make();
  // With preallocated outputs, two pairs of states alternate.
  const run = async () => {
    const fetches = ort.preallocates ? { h_next: to.h, c_next: to.c } : { h_next: null, c_next: null };
    const { h_next: h, c_next: c } = await session.run({ X, ...from }, fetches);
    if (ort.preallocates) [from, to] = [to, from];
    else from = { h: h as typeof from.h, c: c as typeof from.c };
  };
  return {
    run,
    async check() {
      for (let i = 0; i < CHECKED_STEPS; i++) await run();
      return values(from.h).slice();
    },
  };
}

async function gemm(ort: Ort, what: Case): Promise<Task> {
  const shape = [what.size, what.size];
  const session = await ort.create(gemmModel(what));
  const [A, B] = operandsOf(what).map((operand) => ort.tensor(operand, shape));
  const feeds = { A: A!, B: B! };
  const fetches = ort.preallocates ? { C: zeros(ort, shape) } : { C: null };
  return {
    run: () => session.run(feeds, fetches),
    check: async () => values((await session.run(feeds, fetches)).C).slice(),
  };
}

export const ortEngine = (ort: Ort, version: string): PeerEngine => ({
  version,
  prepare(what) {
    if (what.kind === 'infer') return infer(ort, what);
    if (what.kind === 'step') return step(ort, what);
    if (what.kind === 'gemm') return gemm(ort, what);
    throw new Error('onnxruntime exports no TrainingSession: it runs models and trains none');
  },
});
