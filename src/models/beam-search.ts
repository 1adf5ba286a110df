import { Tensor, tensor } from '../autograd/tensor.ts';
import { ArgumentError, expectList, shown } from '../checks/argument-error.ts';
import { expectChoice } from '../checks/choices.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions, type Names } from '../checks/options.ts';
import { NdArray } from '../data/array.ts';
import type { RaggedArray } from '../data/ragged.ts';
import { Unary } from '../engine/abi.ts';
import { engine as currentEngine, type Engine } from '../engine/engine.ts';
import { power } from '../engine/float64.ts';
import { yielder } from '../host/yielder.ts';
import type { WeightFormat } from '../streaming/program.ts';
import type { Stream } from '../streaming/stream.ts';
import type { Data } from '../train/feeds/checked-data.ts';
import { type BeamHypothesis, type BeamRules, type BeamSource, type Hypothesis, search } from './beams.ts';
import { asSamples } from './generate.ts';
import type { AnyModel } from './model.ts';

/** How a beam search chooses. */
export interface BeamSearchOptions {
  /** Number of hypotheses that are kept at each step. Default 5. 1 takes the likeliest id at each step. */
  width?: number | undefined;
  /** Number of hypotheses that are returned for each prompt. Default 1. */
  nBest?: number | undefined;
  /** The largest number of ids of a hypothesis, the stop id included. Default 100. */
  maxLength?: number | undefined;
  /** The least number of ids before a stop id. Default 0. */
  minLength?: number | undefined;
  /** Ids that end a hypothesis. They are not part of the output. Default none. */
  stopIds?: readonly number[] | undefined;
  /**
   * α: hypotheses are compared by ln p / penalty. Default 0, by ln p alone, which prefers short ones. Above 0 it
   * prefers longer ones.
   */
  lengthPenalty?: number | undefined;
  /** Penalty of n ids, the stop id included: `power`, n^α; `gnmt`, ((5 + n)/6)^α (Wu et al. 2016). Default `power`. */
  lengthPenaltyForm?: 'power' | 'gnmt' | undefined;
  /**
   * Number of groups that the hypotheses are divided into. Each group is searched by itself, and avoids the ids that
   * the groups before it take at the same step (Vijayakumar et al. 2016). It divides `width`. Default 1.
   */
  groups?: number | undefined;
  /** λ: what an id costs each time that a group before has taken it at this step, in nats. Default 0.5. */
  diversityPenalty?: number | undefined;
  /** n: no n ids in a row occur twice in a prompt and what follows it. Default 0: they may. */
  noRepeatNgramSize?: number | undefined;
  /**
   * Whether the search of a prompt ends once `width` hypotheses have ended. Default false: it ends once no other
   * hypothesis can get among them, which with a length penalty takes longer.
   */
  earlyStopping?: boolean | undefined;
  /** Whether the model gives logits rather than probabilities. Default true, unless its last activation is softmax. */
  fromLogits?: boolean | undefined;
  /** Number of the last ids that a model reads again for each next id; see `generate`. For models only. */
  contextLength?: number | undefined;
  /**
   * Makes the inputs of a model from ids `[N, T]`, if the ids are not its only input. `prompts` has the index of the
   * prompt of each of the N rows. For models only.
   */
  inputs?: ((ids: NdArray | RaggedArray, prompts: readonly number[]) => Data) | undefined;
  /** Format of the weights in a stream. Default `float32`. For models only. */
  weights?: WeightFormat | undefined;
}

const optionNames: Names<BeamSearchOptions> = {
  width: 1,
  nBest: 1,
  maxLength: 1,
  minLength: 1,
  stopIds: 1,
  lengthPenalty: 1,
  lengthPenaltyForm: 1,
  groups: 1,
  diversityPenalty: 1,
  noRepeatNgramSize: 1,
  earlyStopping: true,
  fromLogits: true,
  contextLength: 1,
  inputs: 1,
  weights: 1,
};

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

/**
 * Searches for the likeliest ids that follow each prompt, by keeping the `width` best beginnings at every step.
 *
 * score = Σ_t ln p(id_t) / penalty(n), over the n ids after the prompt, the stop id included
 *
 * A language model runs step by step as a stream; the states of the hypotheses that stay are carried. A model that
 * cannot run so reads all ids anew at each step, as in `generate`. An encoder–decoder gives its decoder as a
 * `BeamDecoder`, which reads each id once. With `width` 1 the result is that of `generate` with `temperature` 0. The
 * host handles events between steps.
 *
 * @param model a language model, ids `[B, T]` i32 to logits `[B, T, V]` or `[B, V]`; or a decoder.
 * @param prompts B lists of ids in [0, V), each with one id or more.
 * @param options width, length penalty, ends, and what the hypotheses may hold.
 * @returns for each prompt its `nBest` hypotheses, the best first; fewer if no more were found. Where no id may follow,
 *   because n-grams would repeat, the hypotheses so far are the result.
 * @throws ArgumentError if an option is unknown or out of range, `groups` does not divide `width`, `model` is neither a
 *   model nor a decoder, a prompt is empty, an id is outside the vocabulary, a state or constant does not have one row
 *   for each prompt, `step` returns something else, or logits are not finite.
 * @see Vijayakumar et al. 2016 (groups), https://arxiv.org/abs/1610.02424; Wu et al. 2016 (gnmt)
 *
 * @example
 * const prompt = encodeText('the ', vocabulary);
 * const [[best]] = await beamSearch(languageModel, [prompt], { width: 3, maxLength: 5 });
 * decodeIds(best.ids, vocabulary).length; // 5
 */
export async function beamSearch(
  model: AnyModel | BeamDecoder,
  prompts: readonly ArrayLike<number>[],
  options: BeamSearchOptions = {},
): Promise<Hypothesis[][]> {
  const steps = beamSteps(model, prompts, options);
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
  }
}

/**
 * The same search as `beamSearch`, followed as it goes. After each step of a prompt it yields the hypotheses that have
 * ended at this step, and then the likeliest of those that go on, which may still change.
 *
 * @param model a language model or a decoder, as in `beamSearch`.
 * @param prompts B lists of ids in [0, V), each with one id or more.
 * @param options the options of `beamSearch`.
 * @returns an async iterator over hypotheses with the index of their prompt, `sequence`; it returns what `beamSearch`
 *   does. Leaving the loop early frees its memory.
 * @throws ArgumentError, at the first hypothesis, as `beamSearch`.
 *
 * @example
 * const prompt = encodeText('the ', vocabulary);
 * for await (const { ids, isFinished } of beamSteps(languageModel, [prompt], { maxLength: 3 })) {
 *   console.log(isFinished, decodeIds(ids, vocabulary));
 * }
 */
export async function* beamSteps(
  model: AnyModel | BeamDecoder,
  prompts: readonly ArrayLike<number>[],
  options: BeamSearchOptions = {},
): AsyncGenerator<BeamHypothesis, Hypothesis[][], void> {
  checkOptions('beamSearch', options, optionNames);
  const rules = rulesOf(options);
  const lists = promptsOf(prompts);
  const source = sourceOf(model, lists, rules, options);
  const yieldToHost = yielder();
  try {
    const steps = search(source, lists, rules);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      yield value;
      await yieldToHost();
    }
  } finally {
    source.dispose();
  }
}

function rulesOf(options: BeamSearchOptions): BeamRules {
  const { width = 5, nBest = 1, maxLength = 100, minLength = 0, stopIds = [], groups = 1 } = options;
  const { lengthPenalty = 0, lengthPenaltyForm = 'power', diversityPenalty = 0.5 } = options;
  const { noRepeatNgramSize = 0, earlyStopping = false } = options;
  for (const [name, value] of Object.entries({ width, nBest, groups, maxLength })) {
    expectNumber(`beamSearch: ${name}`, value, 'an integer ≥ 1');
  }
  for (const [name, value] of Object.entries({ minLength, noRepeatNgramSize })) {
    expectNumber(`beamSearch: ${name}`, value, 'an integer ≥ 0');
  }
  expectNumber('beamSearch: lengthPenalty', lengthPenalty, 'a finite number');
  expectNumber('beamSearch: diversityPenalty', diversityPenalty, '≥ 0');
  expectChoice('beamSearch', 'lengthPenaltyForm', lengthPenaltyForm, ['power', 'gnmt']);
  if (!stopIds?.includes) expectList('beamSearch: stopIds', stopIds);
  for (const id of stopIds) expectNumber('beamSearch: stopIds', id, 'an integer ≥ 0');
  if (minLength > maxLength) {
    throw new ArgumentError(`beamSearch: minLength expected at most maxLength = ${maxLength}, got ${minLength}`);
  }
  if (nBest > width) throw new ArgumentError(`beamSearch: nBest expected at most width = ${width}, got ${nBest}`);
  if (width % groups !== 0) {
    throw new ArgumentError(`beamSearch: groups expected to divide width = ${width}, got ${groups}`);
  }
  return {
    ...{ width, nBest, maxLength, minLength, groups, noRepeatNgramSize, earlyStopping },
    stopIds: Array.from(new Set(stopIds)),
    diversityPenalty: groups > 1 ? diversityPenalty : 0,
    penaltyOf: (n) => power(lengthPenaltyForm === 'gnmt' ? (5 + n) / 6 : n, lengthPenalty),
  };
}

function promptsOf(prompts: readonly ArrayLike<number>[]): number[][] {
  expectList('beamSearch: prompts', prompts);
  if (prompts.length === 0) throw new ArgumentError('beamSearch: prompts expected one or more, got none');
  return prompts.map((prompt) => {
    if (typeof prompt === 'number') {
      throw new ArgumentError(`beamSearch: prompts expected lists of ids, got ${prompt}`);
    }
    const got = typeof prompt === 'string' ? shown(prompt) : prompt?.length >= 1 ? '' : 'none';
    if (got) throw new ArgumentError(`beamSearch: prompt expected one id or more, got ${got}`);
    const ids = Array.from(prompt, Number);
    for (const id of ids) expectNumber('beamSearch: ids of prompts', id, 'an integer ≥ 0');
    return ids;
  });
}

function sourceOf(
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
