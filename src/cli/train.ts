import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildVocabulary, decodeIds, decodeUtf8, encodeText, TextError, textStreams } from '../data/text.ts';
import { FileError, readFileChecked, writeFileAtomic } from '../io/node-files.ts';
import { yielder } from '../train/fit.ts';
import { generateIds } from '../train/generate.ts';
import { type Model, NonFiniteLossError } from '../train/model.ts';
import { NonFiniteGradientError } from '../train/optimizers.ts';
import {
  buildCharModel,
  compileCharModel,
  hashIds,
  loadRun,
  type Run,
  runOptions,
  type SavedRun,
  saveRun,
  trainOnWindow,
  validate,
} from './char-model.ts';
import { type TrainOptions, UsageError } from './flags.ts';
import { LossLog } from './log.ts';
import { lossCurveSvg } from './loss-curve.ts';
import { Progress } from './progress.ts';

interface TrainCommand {
  file: string | undefined;
  options: TrainOptions;
  given: ReadonlySet<keyof TrainOptions>;
}

// The shape of a model is fixed once it exists; these flags must not contradict the file that is resumed.
const FIXED = ['cell', 'layers', 'hidden', 'embedding', 'dropout', 'seed'] as const;
const SAMPLE_LENGTH = 160;

/** Trains a character model on a text, from the start or from a saved model; returns the exit code. */
export async function train(command: TrainCommand): Promise<number> {
  const resumed = command.options.resume === undefined ? undefined : loadRun(command.options.resume);
  const options = resumed ? mergeOptions(resumed, command) : command.options;
  const text = await readText(command.file);
  const saved = resumed ?? startRun(text, options);
  const { model, vocabulary, run } = saved;
  run.options = runOptions(options);
  if (resumed) adoptOptions(model, options, command.given);

  const ids = encodeText(text, vocabulary);
  const cut = Math.floor(ids.length * options.split);
  const [trainIds, validationIds] = [ids.subarray(0, cut), ids.subarray(cut)];
  const streams = textStreams(trainIds, options);
  const hash = hashIds(ids);
  if (run.text === hash && run.position < streams.windows) streams.position = run.position;
  run.text = hash;
  const total = options.epochs === undefined ? options.steps! : options.epochs * streams.windows;
  if (run.step >= total) {
    throw new UsageError(
      `tapeloop train: ${options.resume} has made ${run.step} steps, expected --steps above that, got ${total}`,
    );
  }

  const paths = preparePaths(options);
  const log = options.log === undefined ? undefined : new LossLog(options.log);
  const progress = new Progress({ total, start: run.step, quiet: options.quiet });
  progress.line(
    `${options.layers} × ${options.cell} of ${options.hidden} on ${ids.length.toLocaleString('en-US')} characters (${vocabulary.length} distinct); ${streams.windows} steps an epoch`,
  );
  const interrupt = catchInterrupt();
  const startedAt = run.step;
  const breathe = yielder();
  const save = (): void => {
    run.position = streams.position;
    saveRun(paths.model, saved);
    writeFileAtomic(paths.curve, new TextEncoder().encode(lossCurveSvg({ ...run, title: 'Loss, nat per character' })));
  };
  let hasSaved = false;
  try {
    while (run.step < total && !interrupt.happened) {
      const loss = trainOnWindow(model, streams);
      run.step++;
      run.train.push([run.step, loss]);
      const evaluates = run.step % options.evalEvery === 0 || run.step === total;
      const valLoss = evaluates ? validate(model, validationIds, options) : undefined;
      if (valLoss !== undefined) run.validation.push([run.step, valLoss]);
      const measured = valLoss === undefined ? {} : { valLoss };
      const chars = (run.step - startedAt) * options.batch * options.time;
      progress.update({ step: run.step, loss, chars, ...measured });
      log?.write({ step: run.step, loss, charsPerSecond: progress.charsPerSecond, ...measured });
      if (evaluates) {
        save();
        hasSaved = true;
        if (run.step < total) progress.line(indent(sample(model, vocabulary, options, SAMPLE_LENGTH)));
      }
      await breathe();
    }
    progress.finish();
    if (interrupt.happened) save();
  } catch (error) {
    progress.finish();
    if (!(error instanceof NonFiniteLossError || error instanceof NonFiniteGradientError)) throw error;
    if (!hasSaved && !resumed) save();
    const kept = hasSaved || !resumed ? paths.model : options.resume;
    console.error(
      `tapeloop: training stopped at step ${run.step + 1}: ${error.message}; the last good model is ${kept}`,
    );
    return 1;
  } finally {
    log?.close();
    interrupt.release();
  }
  console.error(
    `${interrupt.happened ? `interrupted at step ${run.step}; ` : ''}model ${paths.model}, loss curve ${paths.curve}`,
  );
  if (interrupt.happened) return 130;
  process.stdout.write(`${sample(model, vocabulary, options, 3 * SAMPLE_LENGTH)}\n`);
  return 0;
}

async function readText(file: string | undefined): Promise<string> {
  if (file !== undefined) return decodeUtf8(readFileChecked(file), file);
  const { defaultText } = await import('./default-text.gen.ts');
  return defaultText;
}

function startRun(text: string, options: TrainOptions): SavedRun {
  const vocabulary = buildVocabulary(text);
  if (vocabulary.length < 2) {
    throw new TextError(`the text expected two distinct characters or more, got ${vocabulary.length}`);
  }
  // Before any weight is made: a text that is too short needs no model.
  textStreams(encodeText(text, vocabulary).subarray(0, Math.floor([...text].length * options.split)), options);
  const run: Run = { options: runOptions(options), step: 0, position: 0, text: '', train: [], validation: [] };
  return { model: buildCharModel(options, vocabulary.length), vocabulary, run };
}

/** The saved run's options, with those on the command line in their place. */
function mergeOptions({ run }: SavedRun, { options, given }: TrainCommand): TrainOptions {
  for (const key of FIXED) {
    if (given.has(key) && options[key] !== run.options[key]) {
      throw new UsageError(
        `tapeloop train: --${key} expected ${run.options[key]}, as the resumed model has it, got ${options[key]}`,
      );
    }
  }
  const merged: TrainOptions = { ...options, ...run.options };
  for (const key of given) Object.assign(merged, { [key]: options[key] });
  if (given.has('steps')) merged.epochs = undefined;
  if (given.has('epochs')) merged.steps = undefined;
  return merged;
}

/** A new learning rate or clip on the command line takes effect; the optimizer's state stays. */
function adoptOptions(model: Model, options: TrainOptions, given: ReadonlySet<keyof TrainOptions>): void {
  if (given.has('lr')) model.compiled.optimizer.learningRate = options.lr;
  if (given.has('clip')) {
    const { optimizer } = model.compiled;
    const state = optimizer.state(model.weights);
    compileCharModel(model, options);
    const fresh = model.compiled.optimizer;
    for (const [name, slot] of fresh.state(model.weights)) slot.set(state.get(name)!.toArray());
    fresh.iterations = optimizer.iterations;
    optimizer.dispose();
  }
  // Streams of another number have no states to go on with.
  if (given.has('batch')) model.resetStates();
}

function preparePaths({ out }: TrainOptions): { model: string; curve: string } {
  try {
    mkdirSync(out, { recursive: true });
  } catch (error) {
    throw new FileError(out, 'make', error);
  }
  return { model: join(out, 'model.safetensors'), curve: join(out, 'loss.svg') };
}

/** Notes the first Ctrl-C, so that the loop can end after its step; a second one ends the process as usual. */
function catchInterrupt(): { readonly happened: boolean; release(): void } {
  let happened = false;
  const note = (): void => {
    happened = true;
  };
  process.once('SIGINT', note);
  return {
    get happened() {
      return happened;
    },
    release: () => process.off('SIGINT', note),
  };
}

function sample(model: Model, vocabulary: readonly string[], { seed }: TrainOptions, length: number): string {
  const start = Math.max(vocabulary.indexOf('\n'), 0);
  return decodeIds([...generateIds(model, { prompt: [start], length, temperature: 0.8, seed })], vocabulary);
}

const indent = (text: string): string => text.replace(/^/gm, '    ');
