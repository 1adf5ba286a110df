import { readFileSync } from 'node:fs';
import type { Parameter } from '../../../src/autograd/parameter.ts';
import { valueAndGrad } from '../../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../../src/autograd/tensor.ts';
import { training } from '../../../src/bench/models/training.ts';
import { Init } from '../../../src/engine/abi.ts';
import { type Engine, init } from '../../../src/engine/engine.ts';
import { convLstm2d } from '../../../src/images/conv-lstm.ts';
import { conv2d } from '../../../src/images/conv2d.ts';
import type { Layer } from '../../../src/layers/base/layer.ts';
import { gru } from '../../../src/layers/rnn/gru.ts';
import { lstm } from '../../../src/layers/rnn/lstm.ts';
import { sequential } from '../../../src/models/model.ts';
import { mul } from '../../../src/ops/elementwise/elementwise.ts';
import { sum } from '../../../src/ops/reduce.ts';
import { crfLogLikelihood } from '../../../src/sequences/crf-ops.ts';
import { type Case, CHECKED_STEPS, imagesOf, inputOf, operandsOf, RESET_BEFORE, tagsOf } from '../cases.ts';
import { type WeightSpec, weightValues } from '../numbers.ts';
import type { OpenEngine, Task } from '../protocol.ts';

/** The bias of a GRU may have only the first half of the numbers. */
const assign = (weight: Parameter, spec: WeightSpec) => weight.assign(weightValues(spec).subarray(0, weight.size));

function train(what: Case, variant: string | undefined): Task {
  const { model, x, y } = training(what.model!, variant !== RESET_BEFORE);
  what.weights.forEach((spec, i) => assign(model.weights[i]!, spec));
  const run = () => model.trainOnBatch(x, y);
  return {
    run,
    check() {
      const first = run();
      return Float32Array.of(first.loss!, first.gradientNorm!, run().loss!);
    },
  };
}

function infer(engine: Engine, what: Case, variant: string | undefined): Task {
  const { cell, hidden: units, batch, time, inputs } = what;
  const resetAfter = variant !== RESET_BEFORE;
  const layer = (
    cell === 'lstm' ? lstm({ units, returnSequences: true }) : gru({ units, returnSequences: true, resetAfter })
  ) as Layer;
  layer.build([batch, time, inputs]);
  what.weights.forEach((spec, i) => assign(layer.weights[i]!, spec));
  const x = tensor(inputOf(what), { shape: [batch, time, inputs] });
  return {
    run: () => engine.step(() => layer(x).ptr),
    check: () => engine.step(() => layer(x).toArray() as Float32Array),
  };
}

function images(engine: Engine, what: Case): Task {
  const { kind, input, filters, kernelSize, trains } = what.image!;
  const options = { filters, kernelSize, padding: 'same' } as const;
  const layer = (kind === 'conv2d' ? conv2d(options) : convLstm2d({ ...options, returnSequences: true })) as Layer;
  layer.build(input);
  layer.weights.forEach((weight, i) => assign(weight, what.weights[i]!));
  const x = tensor(imagesOf(what.image!), { shape: input });
  const { shape, ...last } = what.weights.at(-1)!;
  const dy = tensor(weightValues({ shape, ...last }), { shape });
  const outputs = (): Tensor[] => {
    if (!trains) return [layer(x)];
    let y: Tensor | undefined;
    const { grads } = valueAndGrad(() => {
      y = layer(x);
      return sum(mul(y, dy));
    }, [x, ...layer.weights]);
    return [y!, ...grads];
  };
  return {
    run: () => engine.step(() => outputs()[0]!.ptr),
    check: () => engine.step(() => Float32Array.from(outputs().flatMap((each) => Array.from(each.toArray())))),
  };
}

function crf(engine: Engine, what: Case): Task {
  const { batch, time } = what;
  const operands = what.weights.map((spec) => tensor(weightValues(spec), { shape: spec.shape }));
  const [emissions, transitions, start, end] = operands as [Tensor, Tensor, Tensor, Tensor];
  const tags = tensor(tagsOf(what), { shape: [batch, time] });
  const both = () => {
    let each: Tensor | undefined;
    const { grads } = valueAndGrad(() => {
      each = crfLogLikelihood(emissions, tags, { transitions, start, end });
      return sum(each);
    }, operands);
    return [each!, ...grads];
  };
  return {
    run: () => engine.step(() => both()[0]!.ptr),
    check: () => engine.step(() => Float32Array.from(both().flatMap((each) => Array.from(each.toArray())))),
  };
}

function step(what: Case): Task {
  const { hidden: units, inputs } = what;
  const model = sequential([lstm({ units, returnSequences: true, inputShape: [null, inputs] }) as Layer]);
  what.weights.forEach((spec, i) => assign(model.weights[i]!, spec));
  const stream = model.stream();
  const x = inputOf(what);
  const run = () => stream.step(x);
  return {
    run,
    check() {
      for (let i = 1; i < CHECKED_STEPS; i++) run();
      return run().slice();
    },
  };
}

/** The time includes packing B, as in the other engines. */
function gemm(engine: Engine, what: Case): Task {
  const { size: n, layout } = what;
  const { kernels, heap, gemmScratch } = engine;
  const [a, b, c] = [0, 1, 2].map(() => heap.allocate(4 * n * n)) as [number, number, number];
  const packed = heap.allocate(4 * kernels.gemm_packed_size(n, n));
  operandsOf(what).forEach((values, i) => engine.f32([a, b][i]!, n * n).set(values));
  const [rsA, csA] = layout[0] === 'N' ? [n, 1] : [1, n];
  const [rsB, csB] = layout[1] === 'N' ? [n, 1] : [1, n];
  const run = () => {
    kernels.gemm_pack_b(n, n, b, rsB, csB, packed);
    kernels.gemm(n, n, n, a, rsA, csA, packed, c, n, Init.Zero, 0, gemmScratch);
  };
  return {
    run,
    check() {
      run();
      return engine.f32(c, n * n).slice();
    },
  };
}

/** How long the engine may time its tiles before anything is measured. */
const PROBE_MS = 1000;

/** Opens tapeloop, with V8's wide vectors if `wide`. */
export const openTapeloop =
  (wide: boolean): OpenEngine =>
  async ({ threads }) => {
    const engine = await init(wide ? { threads, wide } : { threads });
    for (const end = performance.now() + PROBE_MS; performance.now() < end; ) engine.step(() => {});
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    return {
      version: `${version} (${engine.build})`,
      prepare(what, variant) {
        if (what.kind === 'train' || what.kind === 'chars') return train(what, variant);
        if (what.kind === 'infer') return infer(engine, what, variant);
        if (what.kind === 'images') return images(engine, what);
        if (what.kind === 'crf') return crf(engine, what);
        if (what.kind === 'step') return step(what);
        if (what.kind === 'gemm') return gemm(engine, what);
        throw new Error(`tapeloop: no case of kind ${what.kind}`);
      },
    };
  };

export default openTapeloop(false);
