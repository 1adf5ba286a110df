// What makes the next step of hypotheses: a stream, a model that reads all ids anew, or a decoder of the caller's own.
import { Tensor, tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectList, shown } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { NdArray } from '../data/array.ts';
import { Unary } from '../engine/abi.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import type { Stream } from '../streaming/stream.ts';
import type { BeamSearchOptions } from './beam-options.ts';
import type { BeamRules, BeamSource } from './beams.ts';
import { asSamples } from './generate.ts';
import type { AnyModel } from './model.ts';

/** A decoder that makes one step a call and carries states, for a beam search. */
export interface BeamDecoder {
  /** States before the first id, `[B, …]` f32 each, one row for each prompt. */
  readonly states?: readonly (Tensor | NdArray)[] | undefined;
  /**
   * What all steps read, such as the outputs of an encoder, `[B, …]` f32 each, one row for each prompt. A mask of a
   * tensor is kept.
   */
  readonly constants?: readonly (Tensor | NdArray)[] | undefined;
  /**
   * Makes one step of N hypotheses.
   *
   * @param ids `[N, 1]` i32, the last id of each.
   * @param states `[N, …]`, the states of each; tensors of the open step.
   * @param constants `[N, …]`, the constants of the prompt of each.
   * @returns the logits of the next id, `[N, V]` or `[N, 1, V]`, and the states after the step.
   */
  step(
    ids: Tensor,
    states: readonly Tensor[],
    constants: readonly Tensor[],
  ): readonly [logits: Tensor, states: readonly Tensor[]];
}

/** The source for a model or a decoder. Throws `ArgumentError` if an option does not go with it. */
export function sourceOf(
  model: AnyModel | BeamDecoder,
  prompts: readonly number[][],
  { width }: BeamRules,
  options: BeamSearchOptions,
): BeamSource {
  const { contextLength, inputs, weights = 'float32' } = options;
  if (contextLength !== undefined) expectNumber('beamSearch: contextLength', contextLength, 'an integer ≥ 1');
  if (typeof (model as AnyModel)?.predict === 'function') {
    const network = model as AnyModel;
    if (contextLength === undefined && !inputs) {
      try {
        return streamSource(network.stream({ batch: prompts.length * width, weights }), options);
      } catch (error) {
        if (!(error instanceof ArgumentError) || weights !== 'float32') throw error;
      }
    } else if (weights !== 'float32') {
      throw new ArgumentError(`beamSearch: weights expected 'float32' where ids are read anew, got '${weights}'`);
    }
    return rereadSource(network, options);
  }
  if (typeof (model as BeamDecoder)?.step !== 'function') {
    throw new ArgumentError(`beamSearch: model expected a Model or { step, states, constants }, got ${shown(model)}`);
  }
  for (const name of ['contextLength', 'inputs', 'weights'] as const) {
    if (options[name] === undefined) continue;
    throw new ArgumentError(`beamSearch: ${name} expected a Model, got a decoder with step()`);
  }
  return decoderSource(model as BeamDecoder, prompts.length, options);
}

/** ln p of rows of logits or probabilities, made by kernels so that every host gets the same bits. */
function logProbabilities(engine: Engine, given: Float32Array, classes: number, fromLogits: boolean): Float32Array {
  const { heap, memory, kernels } = engine;
  const { length } = given;
  const x = heap.allocate(4 * Math.max(length, 1));
  try {
    new Float32Array(memory.buffer, x, length).set(given);
    if (fromLogits && !kernels.all_finite(length, x)) {
      throw new ArgumentError('beamSearch: expected finite logits of the model');
    }
    if (fromLogits) kernels.log_softmax(length / classes, classes, x, x);
    else {
      if (!given.every((value) => value >= 0)) {
        throw new ArgumentError('beamSearch: expected probabilities of the model, each ≥ 0');
      }
      kernels.unary(length, Unary.Log, x, x);
    }
    return new Float32Array(memory.buffer, x, length).slice();
  } finally {
    heap.release(x);
  }
}

/** Runs a stream, whose rows are hypotheses. The rows that are not used read id 0. */
function streamSource(stream: Stream, { fromLogits = !stream.endsInSoftmax }: BeamSearchOptions): BeamSource {
  const { batch, outputWidth: classes } = stream;
  return {
    after(rows) {
      if (rows.some(({ parent }, i) => parent >= 0 && parent !== i)) {
        const states = stream.state.map((state) => {
          const width = state.length / batch;
          const next = new Float32Array(state.length);
          for (const [i, { parent }] of rows.entries()) {
            next.set(state.subarray(parent * width, (parent + 1) * width), i * width);
          }
          return next;
        });
        stream.setState(states);
      }
      const ids = Int32Array.from({ length: batch }, (_, i) => rows[i]?.ids.at(-1) ?? 0);
      const outputs = stream.step(ids).subarray(0, rows.length * classes);
      return { values: logProbabilities(stream.engine as Engine, outputs, classes, fromLogits), classes };
    },
    dispose: () => stream.dispose(),
  };
}

/** Runs a model that reads all ids of each hypothesis anew. */
function rereadSource(model: AnyModel, options: BeamSearchOptions): BeamSource {
  const { contextLength = Number.POSITIVE_INFINITY, inputs = (ids) => ids } = options;
  return {
    after(rows) {
      const texts = rows.map(({ ids }) => Int32Array.from(ids.slice(Math.max(0, ids.length - contextLength))));
      const x = inputs(
        asSamples(texts),
        rows.map(({ prompt }) => prompt),
      );
      const y = model.withFreshStates(() => model.predict(x));
      if (!(y instanceof NdArray))
        throw new ArgumentError('beamSearch: model expected to have one output, got several');
      const [count, ...shape] = y.shape;
      if (count !== rows.length) {
        throw new ArgumentError(`beamSearch: inputs expected ${rows.length} rows for the ids, got ${count}`);
      }
      const classes = shape.at(-1)!;
      const rowSize = shape.reduce((size, n) => size * n, 1);
      const outputs = new Float32Array(rows.length * classes);
      for (let i = 0; i < rows.length; i++) {
        const at = i * rowSize + (shape.length === 1 ? 0 : texts[i]!.length - 1) * classes;
        outputs.set(y.data.subarray(at, at + classes) as Float32Array, i * classes);
      }
      const { fromLogits = model.network.outputActivation !== 'softmax' } = options;
      return { values: logProbabilities(model.engine, outputs, classes, fromLogits), classes };
    },
    dispose: () => {},
  };
}

/** An array with one row for each prompt or hypothesis, outside linear memory. */
interface Rows {
  readonly data: Float32Array;
  /** Shape of a row. */
  readonly shape: readonly number[];
  readonly mask?: Rows | undefined;
}

function rowsOf(what: string, given: Tensor | NdArray, count: number): Rows {
  if (!(given instanceof Tensor || given instanceof NdArray)) {
    throw new ArgumentError(`beamSearch: ${what} expected a tensor or an array, got ${shown(given)}`);
  }
  const [rows, ...shape] = given.shape;
  if (rows !== count) throw new ArgumentError(`beamSearch: ${what} expected ${count} rows, got ${rows ?? 'a number'}`);
  const data = Float32Array.from(given instanceof Tensor ? given.toArray() : given.data);
  const mask = given instanceof Tensor ? given.mask : undefined;
  return { data, shape, mask: mask && rowsOf(`the mask of ${what}`, mask, count) };
}

/** The given rows as a tensor: of the open step in a step, else one to dispose of. */
function gathered({ data, shape, mask }: Rows, places: readonly number[], engine: Engine): Tensor {
  const width = shape.reduce((size, n) => size * n, 1);
  const values = new Float32Array(places.length * width);
  for (const [i, at] of places.entries()) values.set(data.subarray(at * width, (at + 1) * width), i * width);
  const x = tensor(values, { shape: [places.length, ...shape], engine });
  if (mask) x.mask = gathered(mask, places, engine);
  return x;
}

/** Runs the caller's decoder. Constants are copied for each hypothesis only when the rows of a prompt change. */
function decoderSource(decoder: BeamDecoder, prompts: number, { fromLogits = true }: BeamSearchOptions): BeamSource {
  const { states = [], constants = [] } = decoder;
  expectList('beamSearch: states', states);
  expectList('beamSearch: constants', constants);
  const { engine } = ([...states, ...constants].find((x) => x instanceof Tensor) as Tensor) ?? {
    engine: currentEngine(),
  };
  const initial = states.map((state, i) => rowsOf(`states[${i}]`, state, prompts));
  const shared = constants.map((constant, i) => rowsOf(`constants[${i}]`, constant, prompts));
  let carried = initial;
  let placed = '';
  let copies: Tensor[] = [];
  const release = (): void => {
    for (const { mask, ...copy } of copies.map((x) => ({ mask: x.mask, dispose: () => x.dispose() }))) {
      mask?.dispose();
      copy.dispose();
    }
    copies = [];
  };
  return {
    after(rows) {
      const owners = rows.map(({ prompt }) => prompt);
      if (shared.length > 0 && placed !== owners.join()) {
        release();
        copies = shared.map((constant) => gathered(constant, owners, engine));
        placed = owners.join();
      }
      const parents = rows.map(({ parent, prompt }) => (parent < 0 ? prompt : parent));
      return engine.step(() => {
        const ids = tensor(
          Int32Array.from(rows, (row) => row.ids.at(-1)!),
          { shape: [rows.length, 1], dtype: 'i32', engine },
        );
        const before = carried.map((state) => gathered(state, parents, engine));
        const [logits, next] = Array.from(Object(decoder.step(ids, before, copies)));
        if (!(logits instanceof Tensor) || logits.shape[0] !== rows.length || !Array.isArray(next)) {
          throw new ArgumentError(`beamSearch: step expected to return [logits, states] of ${rows.length} rows`);
        }
        carried = next.map((state, i) => rowsOf(`states[${i}] of step`, state, rows.length));
        const classes = logits.size / rows.length;
        const values = logProbabilities(engine, logits.toArray() as Float32Array, classes, fromLogits);
        return { values, classes };
      });
    },
    dispose: release,
  };
}
