import type { LossPoint } from '../protocol.ts';
import { Chart } from './chart.ts';
import { byId, grouped } from './elements.ts';

// More points than any screen has pixels.
const MOST_POINTS = 6000;

/** The loss curve and the numbers above it. */
export class LossView {
  readonly #chart = new Chart(byId('loss-chart'), {
    x: 'step',
    y: 'loss, nat a character',
    height: 200,
    empty: {
      words: 'After Start the loss falls here, step by step.',
      x: [0, 1000],
      y: [0, 5],
      sketches: [(x) => 0.3 + 0.55 * Math.exp(-6 * x)],
    },
    lines: [
      { label: 'training', colour: 'accent', width: 1, alpha: 0.7 },
      { label: 'unseen text', colour: 'warm', width: 2.5, points: true },
      { label: 'guessing evenly', colour: 'soft', width: 1, dash: [4, 4] },
    ],
  });
  #steps: number[] = [];
  #train: (number | null)[] = [];
  #validation: (number | null)[] = [];
  #recent: number | undefined;
  /** ln V, the loss of guessing evenly among V characters. */
  #evenly = 0;

  set vocabulary(size: number) {
    this.#evenly = Math.log(size);
    this.#draw();
  }

  replace(train: readonly LossPoint[], validation: readonly LossPoint[]): void {
    const measured = new Map(validation);
    const trained = new Map(train);
    this.#steps = [...new Set([...trained.keys(), ...measured.keys()])].sort((a, b) => a - b);
    this.#train = this.#steps.map((step) => trained.get(step) ?? null);
    this.#validation = this.#steps.map((step) => measured.get(step) ?? null);
    this.#recent = train.at(-1)?.[1];
    byId('speed').textContent = '–';
    this.#tellNumbers(validation.at(-1));
    this.#draw();
  }

  add(points: readonly LossPoint[], validation: LossPoint | undefined, charactersPerSecond: number): void {
    for (const [step, loss] of points) {
      this.#put(step, loss, null);
      this.#recent = this.#recent === undefined ? loss : 0.9 * this.#recent + 0.1 * loss;
    }
    if (validation) this.#put(validation[0], null, validation[1]);
    if (charactersPerSecond > 0) byId('speed').textContent = grouped(charactersPerSecond);
    this.#tellNumbers(validation);
    this.#draw();
  }

  #put(step: number, train: number | null, validation: number | null): void {
    if (this.#steps.at(-1) !== step) {
      this.#steps.push(step);
      this.#train.push(null);
      this.#validation.push(null);
    }
    const last = this.#steps.length - 1;
    this.#train[last] ??= train;
    this.#validation[last] ??= validation;
    if (this.#steps.length <= MOST_POINTS) return;
    const kept = this.#steps.map((_, i) => i % 2 === 0 || this.#validation[i] !== null || i === last);
    this.#steps = this.#steps.filter((_, i) => kept[i]);
    this.#train = this.#train.filter((_, i) => kept[i]);
    this.#validation = this.#validation.filter((_, i) => kept[i]);
  }

  #tellNumbers(validation: LossPoint | undefined): void {
    const step = this.#steps.at(-1);
    byId('step').textContent = step === undefined ? '–' : grouped(step);
    byId('loss').textContent = this.#recent === undefined ? '–' : this.#recent.toFixed(3);
    if (!validation) {
      if (step === undefined) for (const id of ['validation', 'perplexity']) byId(id).textContent = '–';
      return;
    }
    byId('validation').textContent = validation[1].toFixed(3);
    byId('perplexity').textContent = Math.exp(validation[1]).toFixed(1);
    byId('loss-chart').setAttribute(
      'aria-label',
      `Loss curve. At step ${validation[0]}: ${this.#recent?.toFixed(2) ?? 'no'} nat a character on the text it trains on, ${validation[1].toFixed(2)} on unseen text; guessing evenly costs ${this.#evenly.toFixed(2)}.`,
    );
  }

  #draw(): void {
    const evenly = this.#evenly > 0 ? this.#evenly : null;
    this.#chart.set([this.#steps, this.#train, this.#validation, this.#steps.map(() => evenly)]);
  }
}
