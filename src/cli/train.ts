import { mkdtempSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  buildCharModel,
  compileCharModel,
  encodeNamed,
  startId,
  trainOnWindow,
  validate,
} from '../characters/char-model.ts';
import { addPoint, type CharRun, hashIds, type Run } from '../characters/run.ts';
import type { RunOptions } from '../characters/run-options.ts';
import { NonFiniteGradientError, NonFiniteLossError } from '../checks/divergence.ts';
import {
  buildVocabulary,
  decodeIds,
  decodeUtf8,
  encodeText,
  TextError,
  type TextStreams,
  textStreams,
} from '../data/text/text.ts';
import { engine, init } from '../engine/engine.ts';
import { yielder } from '../host/yielder.ts';
import { FileError } from '../io/file-error.ts';
import { makeFolder, readFileChecked, writeFileAtomic } from '../io/node-files.ts';
import { generateIds } from '../models/generate.ts';
import type { Model } from '../models/model.ts';
import { type TrainOptions, UsageError } from './flags.ts';
import { LossLog } from './log.ts';
import { lossCurveSvg } from './loss-curve.ts';
import { Progress } from './progress.ts';
import { loadRun, saveRun } from './saved-run.ts';

interface TrainCommand {
  file: string | undefined;
  options: TrainOptions;
  given: ReadonlySet<keyof TrainOptions>;
}

// The architecture of a resumed model cannot change. On the command line these flags must equal the saved ones.
const MODEL_KEYS = ['cell', 'layers', 'hidden', 'embedding', 'dropout', 'seed'] as const;
// If these and the text are unchanged, a resumed run reads the same windows. It then keeps its position and states.
const WINDOW_KEYS = ['batch', 'time', 'split'] as const;
const SAMPLE_LENGTH = 160;

// Options of this process alone, which the model file does not record.
const UNRECORDED: readonly string[] = ['out', 'resume', 'log', 'quiet', 'wide'];

/** The options that the model file records. */
function runOptions(options: TrainOptions): RunOptions {
  const recorded = Object.entries(options).filter(([name]) => !UNRECORDED.includes(name));
  return Object.fromEntries(recorded) as unknown as RunOptions;
}

/** The part of a run that this process trains. */
interface Session {
  saved: CharRun;
  options: TrainOptions;
  streams: TextStreams;
  validationIds: Int32Array;
  /** Numbers of the steps before the first and at the end, counted from the start of the whole run. */
  startedAt: number;
  total: number;
  paths: { model: string; curve: string };
  log: LossLog | undefined;
  progress: Progress;
  /** The step of the model that this process saved last. */
  savedStep: number | undefined;
}

/** Trains a character model on a text, from the start or from a saved model. Returns the exit code. */
export async function train(command: TrainCommand): Promise<number> {
  if (command.options.wide) await init({ wide: true });
  const session = await openSession(command);
  const { saved, options, streams, startedAt, total, paths, progress } = session;
  const stop = catchSignals();
  const passes = ((total - startedAt) / streams.windows).toFixed(1);
  progress.line(
    `run    steps ${startedAt + 1} to ${total} of ${options.batch} × ${options.time} characters, ${passes} passes over the text`,
  );
  try {
    await trainSteps(session, stop);
    progress.finish();
    if (options.wide) progress.line(`engine ${engine().build}`);
    if (session.savedStep !== saved.run.step) save(session);
  } catch (error) {
    progress.finish();
    if (!(error instanceof NonFiniteLossError || error instanceof NonFiniteGradientError)) throw error;
    console.error(`tapeloop: ${stopMessage(session, error)}`);
    return 1;
  } finally {
    session.log?.close();
    stop.release();
  }
  if (stop.exitCode !== undefined && saved.run.step < total) {
    progress.line(`interrupted at step ${saved.run.step}, saved; to go on: --resume ${paths.model}`);
    return stop.exitCode;
  }
  progress.line(`model ${paths.model}, loss curve ${paths.curve}`);
  process.stdout.write(`${sample(saved, options, 3 * SAMPLE_LENGTH)}\n`);
  return 0;
}

/** Prepares a session. All errors in the command are found here, before the first step. */
async function openSession(command: TrainCommand): Promise<Session> {
  const resumed = command.options.resume === undefined ? undefined : loadRun(command.options.resume);
  const options = resumed ? mergeOptions(resumed, command) : command.options;
  const { ids, vocabulary } = await readText(command, resumed);
  const cut = Math.floor(ids.length * options.split);
  expectEnough(cut, options, command.file);
  const streams = textStreams(ids.subarray(0, cut), { batch: options.batch, time: options.time });
  const total = options.epochs === undefined ? options.steps! : options.epochs * streams.windows;
  const startedAt = resumed?.run.step ?? 0;
  if (startedAt >= total) {
    throw new UsageError(
      `tapeloop train: ${options.resume} has made ${startedAt} steps, expected --steps or --epochs to go beyond, got ${total}`,
    );
  }
  const paths = preparePaths(options);
  const log = options.log === undefined ? undefined : new LossLog(options.log);
  const progress = new Progress({ total, start: startedAt, quiet: options.quiet });
  progress.line(
    `text   ${grouped(ids.length)} characters, ${vocabulary.length} distinct; ${grouped(ids.length - cut)} of them to validate`,
  );

  const saved = resumed ?? startRun(vocabulary, options);
  const { model, run } = saved;
  const text = await hashIds(ids);
  const keepsPosition = run.text === text && WINDOW_KEYS.every((key) => run.options[key] === options[key]);
  if (keepsPosition && run.position < streams.windows) streams.position = run.position;
  else model.resetStates();
  if (resumed) adoptOptions(model, options, command.given);
  run.options = runOptions(options);
  run.text = text;
  const parameters = model.weights.reduce((sum, weight) => sum + weight.size, 0);
  const layers = options.layers === 1 ? '1 layer' : `${options.layers} layers`;
  progress.line(`model  ${options.cell}, ${layers} of ${options.hidden} units, ${grouped(parameters)} parameters`);
  if (resumed && !keepsPosition) {
    progress.line("start  from the text's beginning: the text, --batch, --time or --split is another");
  }
  const validationIds = ids.subarray(cut);
  return { saved, options, streams, validationIds, startedAt, total, paths, log, progress, savedStep: undefined };
}

async function trainSteps(session: Session, stop: Stop): Promise<void> {
  const { saved, options, streams, validationIds, startedAt, total, log, progress } = session;
  const { model, run } = saved;
  const yieldToHost = yielder();
  const goOn = async (): Promise<boolean> => {
    await yieldToHost();
    return stop.exitCode === undefined;
  };
  const evaluate = async (): Promise<number | undefined> => {
    const loss = await validate(model, validationIds, options, { goOn });
    if (loss !== undefined) addPoint(run.validation, [run.step, loss]);
    return loss;
  };
  // The saved run was interrupted during a validation. The validation is repeated.
  if (startedAt > 0 && startedAt % options.evalEvery === 0 && run.validation.at(-1)?.[0] !== startedAt)
    await evaluate();
  while (run.step < total && (await goOn())) {
    const loss = trainOnWindow(model, streams);
    run.step++;
    addPoint(run.train, [run.step, loss]);
    const evaluates = run.step % options.evalEvery === 0 || run.step === total;
    const valLoss = evaluates ? await evaluate() : undefined;
    const measured = valLoss === undefined ? {} : { valLoss };
    const chars = (run.step - startedAt) * options.batch * options.time;
    progress.update({ step: run.step, loss, chars, ...measured });
    log?.write({ step: run.step, loss, charsPerSecond: progress.charsPerSecond, ...measured });
    if (!evaluates) continue;
    save(session);
    if (run.step < total && !options.quiet) progress.line(indent(sample(saved, options, SAMPLE_LENGTH)));
  }
}

function save(session: Session): void {
  const { saved, streams, paths } = session;
  saved.run.position = streams.position;
  saveRun(paths.model, saved);
  session.savedStep = saved.run.step;
  const curve = lossCurveSvg({ ...saved.run, title: 'Loss, nat per character' });
  writeFileAtomic(paths.curve, new TextEncoder().encode(curve));
}

/**
 * The message for training that has diverged. It names the file of the last good model, and saves one if there is none.
 */
function stopMessage(session: Session, error: Error): string {
  const { saved, options, paths, startedAt } = session;
  if (session.savedStep === undefined && options.resume === undefined) save(session);
  const kept = session.savedStep === undefined ? options.resume : paths.model;
  const reason = error.message.replace(/ at step \d+$/, '');
  return `training stopped at step ${saved.run.step + 1}: ${reason}; ${kept} holds the last good model, of step ${session.savedStep ?? startedAt}`;
}

interface Text {
  ids: Int32Array;
  vocabulary: readonly string[];
}

async function readText({ file }: TrainCommand, resumed: CharRun | undefined): Promise<Text> {
  const text = file === undefined ? await ownText() : decodeUtf8(readFileChecked(file), file);
  const name = file ?? "tapeloop's own text";
  if (text === '') throw new TextError(`${name}: expected text, got an empty file`);
  const found = buildVocabulary(text);
  if (resumed) {
    const { vocabulary, run } = resumed;
    const isOwn = found.join('') === vocabulary.join('') && (await hashIds(encodeText(text, vocabulary))) === run.text;
    if (file === undefined && !isOwn) {
      throw new UsageError(`tapeloop train: FILE expected, the text to go on with, as the model holds none; got none`);
    }
    return { ids: encodeNamed(text, vocabulary, name), vocabulary };
  }
  if (found.length < 2) {
    throw new TextError(`${name}: expected two distinct characters or more, got ${JSON.stringify(found[0])} alone`);
  }
  return { ids: encodeText(text, found), vocabulary: found };
}

async function ownText(): Promise<string> {
  return (await import('./default-text.gen.ts')).defaultText;
}

/** Throws the error of `textStreams` in terms of the command line, before a model is built. */
function expectEnough(length: number, { batch, time, split }: TrainOptions, file: string | undefined): void {
  const needed = batch * time + 1;
  if (length >= needed) return;
  throw new TextError(
    `${file ?? "tapeloop's own text"}: expected ${needed} characters or more to train on, for --batch ${batch} --time ${time}; got ${length}, with --split ${split}`,
  );
}

function startRun(vocabulary: readonly string[], options: TrainOptions): CharRun {
  const run: Run = { options: runOptions(options), step: 0, position: 0, text: '', train: [], validation: [] };
  return { model: buildCharModel(options, vocabulary.length), vocabulary, run };
}

/** The options of the saved run, replaced by those on the command line. */
function mergeOptions({ run }: CharRun, { options, given }: TrainCommand): TrainOptions {
  for (const key of MODEL_KEYS) {
    if (given.has(key) && options[key] !== run.options[key]) {
      throw new UsageError(
        `tapeloop train: --${key} expected ${run.options[key]}, as the resumed model has it, got ${options[key]}`,
      );
    }
  }
  const merged: TrainOptions = { ...options, ...run.options, out: dirname(options.resume!) };
  for (const key of given) Object.assign(merged, { [key]: options[key] });
  const counted =
    (['steps', 'epochs'] as const).find((key) => given.has(key)) ?? (run.options.epochs ? 'epochs' : 'steps');
  merged[counted === 'steps' ? 'epochs' : 'steps'] = undefined;
  return merged;
}

/** Applies a new learning rate or clip from the command line. The optimizer's state stays. */
function adoptOptions(model: Model, options: TrainOptions, given: ReadonlySet<keyof TrainOptions>): void {
  if (given.has('lr')) model.optimizer.learningRate = options.lr;
  if (!given.has('clip')) return;
  const { optimizer } = model;
  const values = new Map([...optimizer.state(model.weights)].map(([name, slot]) => [name, slot.toArray()]));
  // This frees the state of the old optimizer.
  compileCharModel(model, options);
  const fresh = model.optimizer;
  for (const [name, slot] of fresh.state(model.weights)) slot.set(values.get(name)!);
  fresh.steps = optimizer.steps;
}

/** Creates the folder and checks that it is writable, before training starts. */
function preparePaths({ out }: TrainOptions): { model: string; curve: string } {
  makeFolder(out);
  try {
    rmdirSync(mkdtempSync(join(out, '.tapeloop-')));
  } catch (error) {
    throw new FileError(out, 'write to', error);
  }
  return { model: join(out, 'model.safetensors'), curve: join(out, 'loss.svg') };
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

interface Stop {
  /** The exit code of the process after a signal; undefined before. */
  readonly exitCode: number | undefined;
  release(): void;
}

/**
 * Catches the first Ctrl-C, kill or hangup, so that the training loop ends after its step. A second one ends the
 * process as usual.
 */
function catchSignals(): Stop {
  let exitCode: number | undefined;
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const release = (): void => {
    for (const name of names) process.off(name, note);
  };
  const note = (name: NodeJS.Signals): void => {
    exitCode = SIGNALS[name as keyof typeof SIGNALS];
    release();
  };
  for (const name of names) process.on(name, note);
  return {
    get exitCode() {
      return exitCode;
    },
    release,
  };
}

function sample({ model, vocabulary }: CharRun, { seed }: TrainOptions, length: number): string {
  const prompt = [startId(vocabulary)];
  return decodeIds([...generateIds(model, { prompt, length, temperature: 0.8, seed })], vocabulary);
}

/** Indents sample text. Control characters are replaced, because they would control the terminal. */
const indent = (text: string): string => text.replace(/[^\n\P{Cc}]/gu, '·').replace(/^/gm, '    ');

const grouped = (value: number): string => value.toLocaleString('en-US');
