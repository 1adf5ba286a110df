// The progress of training: on a terminal one line that is redrawn in place, in a file or a pipe a new line from time
// to time.
import { StatusLine, type TextStream } from '../io/status-line.ts';

export interface ProgressOptions {
  /** Number of the last step. */
  total: number;
  /** Steps that are already done when the run begins, for a resumed run. */
  start?: number | undefined;
  /** Whether to write nothing. */
  quiet?: boolean | undefined;
  stream?: TextStream | undefined;
  /** The time in milliseconds. */
  now?: (() => number) | undefined;
}

export interface ProgressReport {
  /** Steps done, counted like `total`. */
  step: number;
  loss: number;
  /** Number of characters trained on since the run began. */
  chars: number;
  /** The validation loss, if the step ended with a validation. */
  valLoss?: number;
}

const REDRAW_MS = 100;
const PLAIN_LINE_MS = 5000;
const RATE_WINDOW_MS = 10_000;
const BAR_WIDTH = 24;

export class Progress {
  readonly #total: number;
  readonly #quiet: boolean;
  readonly #stream: TextStream;
  readonly #status: StatusLine;
  readonly #now: () => number;
  #samples: { time: number; step: number; chars: number }[];
  #shownAt: number;
  // The step of the last line that stays.
  #keptStep: number | undefined;
  #last: ProgressReport | undefined;
  #valLoss: number | undefined;

  constructor({
    total,
    start = 0,
    quiet = false,
    stream = process.stderr,
    now = () => performance.now(),
  }: ProgressOptions) {
    this.#total = total;
    this.#quiet = quiet;
    this.#stream = stream;
    this.#status = new StatusLine(stream);
    this.#now = now;
    this.#shownAt = now();
    this.#samples = [{ time: this.#shownAt, step: start, chars: 0 }];
  }

  /** Mean characters per second over the last ten seconds or so; 0 before the first step. */
  get charsPerSecond(): number {
    return this.#rate('chars');
  }

  /** Called after every step. Most calls write nothing and are cheap. */
  update(report: ProgressReport): void {
    const time = this.#now();
    this.#sample(time, report);
    this.#last = report;
    this.#valLoss = report.valLoss ?? this.#valLoss;
    if (this.#quiet) return;
    const evaluated = report.valLoss !== undefined;
    const waited = time - this.#shownAt;
    // A line with a validation loss stays. On a terminal the progress line continues below it.
    if (evaluated || (!this.#stream.isTTY && waited >= PLAIN_LINE_MS)) this.#keep(time);
    else if (waited >= REDRAW_MS) this.#redraw(time);
  }

  /** Writes a line that stays, above the bar if there is one. */
  line(text: string): void {
    if (this.#quiet) return;
    this.#status.above(text);
  }

  /** Writes the line of the last step, followed by a newline. */
  finish(): void {
    if (this.#quiet || this.#last === undefined || this.#last.step === this.#keptStep) return;
    this.#keep(this.#now());
  }

  #sample(time: number, { step, chars }: ProgressReport): void {
    this.#samples.push({ time, step, chars });
    // The oldest sample is the last one before the rate window, so there is always a time span to measure.
    let old = 0;
    while (old + 2 < this.#samples.length && this.#samples[old + 1].time <= time - RATE_WINDOW_MS) old++;
    if (old > 0) this.#samples.splice(0, old);
  }

  #rate(of: 'step' | 'chars'): number {
    const first = this.#samples[0];
    const last = this.#samples[this.#samples.length - 1];
    return last.time > first.time ? (1000 * (last[of] - first[of])) / (last.time - first.time) : 0;
  }

  #keep(time: number): void {
    this.#keptStep = this.#last!.step;
    this.#shownAt = time;
    this.#status.keep(this.#fittingText());
  }

  #redraw(time: number): void {
    if (!this.#stream.isTTY) return;
    const text = this.#fittingText();
    const done = Math.round(BAR_WIDTH * Math.min(1, this.#last!.step / this.#total));
    const bar = `[${'='.repeat(done)}${' '.repeat(BAR_WIDTH - done)}] `;
    this.#shownAt = time;
    this.#status.draw(bar.length + text.length <= this.#status.width ? bar + text : text);
  }

  /** As many parts as fit into one line. A longer line would wrap and could not be redrawn in place. */
  #fittingText(): string {
    const parts = this.#parts();
    while (parts.length > 1 && parts.join('  ').length > this.#status.width) parts.pop();
    return parts.join('  ').slice(0, this.#status.width);
  }

  /** The parts of the line, the most important one first. */
  #parts(): string[] {
    const { step, loss } = this.#last!;
    const parts = [`step ${step}/${this.#total}`, `loss ${loss.toFixed(4)}`];
    if (this.#valLoss !== undefined) parts.push(`val ${this.#valLoss.toFixed(4)}`);
    const rate = this.#rate('step');
    const left = step >= this.#total ? 0 : rate > 0 ? (this.#total - step) / rate : undefined;
    parts.push(`${left === undefined ? '-:--' : clock(left)} left`);
    parts.push(`${Math.round(this.charsPerSecond).toLocaleString('en-US')} chars/s`);
    return parts;
  }
}

/** Seconds as m:ss or h:mm:ss. */
function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${pad(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}
