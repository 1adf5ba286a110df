import { decodeIds, generateIds, init, NonFiniteLossError, yielder } from 'tapeloop';
import { type CharRun, decodeRun, startId } from 'tapeloop/characters';
import type { FromTrainer, LossPoint, RunState, Settings, TextSource } from '../protocol.ts';
import { cellOf, inspectText } from './inspect.ts';
import { type AttachedText, attachText, fileOf, measure, newRun, trainStep } from './run.ts';
import { readText } from './text-source.ts';

// Training pauses for messages at most this often, and sends news as often.
const SLICE_MS = 60;
// Time between two samples with their validation.
const SAMPLE_MS = 1500;
const SAMPLE_LENGTH = 280;
/** Characters of the newest sample that the heat map shows. */
const INSPECTED_LENGTH = 96;

/**
 * Makes or loads one model at a time, trains it in slices, draws samples and inspects it. It reports through `tell`.
 */
export class Trainer {
  temperature = 0.8;
  readonly #tell: (message: FromTrainer, transfer?: Transferable[]) => void;
  #source: TextSource = { kind: 'code' };
  #current: CharRun | undefined;
  #threads = 1;
  /** The text, prepared for the run, and its source. */
  #text: (AttachedText & { source: TextSource }) | undefined;
  /** A new object for each start of training, by which a loop knows whether it is still the current one. */
  #running: object | undefined;
  #sample = '';
  #samples = 0;

  constructor(tell: (message: FromTrainer, transfer?: Transferable[]) => void) {
    this.#tell = tell;
  }

  get current(): CharRun | undefined {
    return this.#current;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get source(): TextSource {
    return this.#source;
  }

  set source(source: TextSource) {
    this.#source = source;
  }

  /** Makes a new model if there is none, and trains it on the chosen text. */
  async start({ cell, layers, hidden, threads, temperature }: Settings): Promise<void> {
    if (this.#current) return;
    this.temperature = temperature;
    const source = this.#source;
    const text = await readText(source);
    this.#threads = await startEngine(threads);
    const run = newRun(text, { cell, layers, hidden });
    try {
      this.#text = { ...(await attachText(run, text)), source };
    } catch (error) {
      run.model.dispose();
      throw error;
    }
    this.#open(run);
    await this.#look();
    this.#go();
  }

  /** Continues training the present model on the chosen text. */
  async resume(): Promise<void> {
    if (!this.#current || this.#running) return;
    if (this.#text?.source !== this.#source) {
      const source = this.#source;
      const attached = await attachText(this.#current, await readText(source));
      this.#text = { ...attached, source };
      if (!attached.continues && this.#current.run.step > 0) {
        const notice = 'The text is not the one the model stopped in, so it is read from its beginning.';
        this.#tell({ type: 'notice', text: notice });
      }
    }
    this.#go();
  }

  pause(): void {
    this.#running = undefined;
    this.#tellState();
  }

  discard(): void {
    this.#running = undefined;
    this.#current?.model.dispose();
    this.#current = undefined;
    this.#text = undefined;
    this.#tellState();
  }

  /** Replaces the present model with the model of a file. The present model stays if the file is invalid. */
  async load(bytes: Uint8Array, name: string, threads: number): Promise<void> {
    // A model needs the engine in which it was made. The old model must keep its engine if the file cannot be read.
    decodeRun(bytes, name).model.dispose();
    this.discard();
    this.#threads = await startEngine(threads);
    this.#open(decodeRun(bytes, name));
    this.#tellState();
    this.#takeSample();
  }

  #open(run: CharRun): void {
    this.#current = run;
    this.#samples = 0;
    const { train, validation } = run.run;
    this.#tell({ type: 'history', train, validation });
  }

  encode(): Uint8Array<ArrayBuffer> {
    return fileOf(this.#current!);
  }

  label(): string {
    const { cell, layers, hidden } = this.#current!.run.options;
    return `${cell.toUpperCase()}, ${layers === 1 ? '' : `${layers} layers of `}${hidden} units, step ${this.#current!.run.step}`;
  }

  fileName(): string {
    const { cell, layers, hidden } = this.#current!.run.options;
    return `tapeloop-${cell}-${layers}x${hidden}-step-${this.#current!.run.step}.safetensors`;
  }

  /** Inspects a layer while it reads `text` or the newest sample. */
  inspect(layer: number, text: string | undefined): void {
    if (!this.#current) return;
    const { model, vocabulary, run } = this.#current;
    const idOf = new Map(vocabulary.map((character, id) => [character, id]));
    const all = [...(text || this.#sample)].slice(0, INSPECTED_LENGTH);
    const characters = all.filter((character) => idOf.has(character));
    const skipped = [...new Set(all.filter((character) => !idOf.has(character)))];
    if (characters.length === 0) return;
    const index = Math.min(layer, run.options.layers - 1);
    const ids = characters.map((character) => idOf.get(character)!);
    const quantities = inspectText(model, ids, index);
    const { step, options } = run;
    const { cell, hidden } = options;
    this.#tell({
      type: 'inspection',
      inspection: { ...{ step, cell, characters, skipped, quantities }, layer: index, units: hidden },
    });
  }

  #go(): void {
    const mine = {};
    this.#running = mine;
    this.#tellState();
    this.#loop(mine).catch((error: Error) => {
      if (this.#running !== mine) return;
      if (error.name === 'WorkerError') {
        // The engine has lost its other threads.
        this.#threads = 1;
        this.#tell({ type: 'notice', text: 'A thread was lost; training goes on with one.' });
        this.#go();
        return;
      }
      this.pause();
      const lost = error instanceof NonFiniteLossError ? ' The model is as it was before that step.' : '';
      this.#tell({ type: 'problem', text: `Training stopped: ${error.message}.${lost}` });
    });
  }

  async #loop(mine: object): Promise<void> {
    const run = this.#current!;
    const { streams } = this.#text!;
    const { batch, time } = run.run.options;
    const yieldToHost = yielder();
    let sampled = performance.now();
    while (this.#running === mine) {
      const points: LossPoint[] = [];
      const began = performance.now();
      let now = began;
      while (now - began < SLICE_MS) {
        points.push(trainStep(run, streams));
        now = performance.now();
      }
      const charactersPerSecond = (1000 * points.length * batch * time) / (now - began);
      this.#tell({ type: 'progress', points, validation: undefined, charactersPerSecond });
      // The first samples come soon, because a model changes most at the start.
      if (now - sampled > Math.min(SAMPLE_MS, 300 * this.#samples)) {
        await this.#look();
        sampled = performance.now();
      }
      await yieldToHost();
    }
  }

  /** Measures the model on the validation text and draws a sample. */
  async #look(): Promise<void> {
    const validation = this.#text && (await measure(this.#current!, this.#text.validationIds));
    if (validation) this.#tell({ type: 'progress', points: [], validation, charactersPerSecond: 0 });
    this.#takeSample();
  }

  #takeSample(): void {
    const { model, vocabulary, run } = this.#current!;
    const prompt = [startId(vocabulary)];
    const options = { prompt, length: SAMPLE_LENGTH, temperature: this.temperature, seed: run.step };
    this.#sample = decodeIds([...generateIds(model, options)], vocabulary);
    this.#samples++;
    this.#tell({ type: 'sample', step: run.step, text: this.#sample });
  }

  #tellState(): void {
    const status = this.#running ? 'running' : this.#current ? 'paused' : 'empty';
    this.#tell({ type: 'state', status, run: this.#runState() });
  }

  #runState(): RunState | undefined {
    if (!this.#current) return undefined;
    const { model, vocabulary, run } = this.#current;
    const recurrent = model.layers.filter(cellOf);
    return {
      cell: run.options.cell,
      layers: recurrent.length,
      hidden: run.options.hidden,
      vocabulary: vocabulary.length,
      parameters: model.weights.reduce((sum, { size }) => sum + size, 0),
      threads: this.#threads,
      step: run.step,
    };
  }
}

/** Starts an engine with as many threads as the browser permits. Returns their number. */
async function startEngine(threads: number): Promise<number> {
  try {
    return (await init({ threads })).threads;
  } catch (error) {
    if (threads === 1) throw error;
    return (await init()).threads;
  }
}
