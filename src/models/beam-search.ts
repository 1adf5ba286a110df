import { ArgumentError, expectList, shown } from '../checks/argument-error.ts';
import { expectNumber } from '../checks/number-ranges.ts';
import { checkOptions } from '../checks/options.ts';
import { yielder } from '../host/yielder.ts';
import { type BeamSearchOptions, optionNames, rulesOf } from './beam-options.ts';
import { type BeamDecoder, sourceOf } from './beam-sources.ts';
import { type BeamHypothesis, type Hypothesis, search } from './beams.ts';
import type { AnyModel } from './model.ts';

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
