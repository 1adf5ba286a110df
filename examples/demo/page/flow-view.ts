import type { FlowCurves, FlowRequest, FromFlow } from '../protocol.ts';
import { Chart } from './chart.ts';
import { byId } from './elements.ts';

// A smaller gradient has no effect on float32 weights and on learning.
const FLOOR = 1e-12;
const DASH = [3, 4];

/** The comparison of gradient flow. It has its own worker, which ends with it. */
export class FlowView {
  readonly #request: () => FlowRequest;
  readonly #button = byId<HTMLButtonElement>('compare');
  readonly #status = byId('compare-status');
  readonly #chart = new Chart(byId('flow-chart'), {
    x: 'characters back',
    y: 'norm of the gradient',
    logarithmic: true,
    empty: {
      words: 'Here one will see how far back both gradients reach.',
      x: [0, 100],
      y: [FLOOR, 1],
      sketches: [(x) => Math.max(0, 1 - 2.4 * x), (x) => 1 - 0.3 * x],
    },
    lines: [
      { label: 'RNN ∂L/∂h, untrained', colour: 'warm', width: 1, dash: DASH },
      { label: 'RNN ∂L/∂h, now', colour: 'warm', width: 2.5 },
      { label: 'LSTM ∂L/∂h, untrained', colour: 'accent', width: 1, dash: DASH },
      { label: 'LSTM ∂L/∂h, now', colour: 'accent', width: 2.5 },
      { label: 'LSTM ∂L/∂c, now', colour: 'ink', width: 1.5 },
    ],
  });
  #worker: Worker | undefined;
  #first: FlowCurves | undefined;

  constructor(request: () => FlowRequest) {
    this.#request = request;
    this.#button.addEventListener('click', () => (this.#worker ? this.#end('Stopped.') : this.#begin()));
  }

  #begin(): void {
    this.#first = undefined;
    this.#worker = new Worker(new URL('./gradient-worker.js', import.meta.url), { type: 'module' });
    this.#worker.onmessage = ({ data }: MessageEvent<FromFlow>) => {
      if (data.type === 'problem') this.#end(`It could not be compared: ${data.text}`);
      else this.#show(data);
    };
    this.#worker.onerror = (event) => this.#end(`It could not be compared: ${event.message}`);
    this.#button.textContent = 'Stop comparing';
    this.#status.textContent = 'Making both networks …';
    this.#worker.postMessage(this.#request());
  }

  #end(status: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#button.textContent = 'Compare an RNN with an LSTM';
    this.#status.textContent = status;
  }

  #show({ curves, losses, done }: Extract<FromFlow, { type: 'curves' }>): void {
    this.#first ??= curves;
    const back = curves.rnn.map((_, i) => i);
    // The axis goes backward from the last step, where the gradient starts.
    const line = (norms: number[]) => norms.toReversed().map((norm) => (norm > FLOOR ? norm : null));
    this.#chart.set([
      back,
      ...[this.#first.rnn, curves.rnn, this.#first.lstm, curves.lstm, curves.cellState].map(line),
    ] as Parameters<Chart['set']>[0]);
    const told = losses ? `, loss ${losses.rnn.toFixed(2)} (RNN) and ${losses.lstm.toFixed(2)} (LSTM)` : '';
    this.#status.textContent = `Step ${curves.step} of each${told}.`;
    const summary = `${reach('The RNN’s', curves.rnn)} ${reach('The LSTM’s', curves.lstm)}`;
    byId('flow-summary').textContent = summary;
    byId('flow-chart').setAttribute('aria-label', `Gradient flow after ${curves.step} steps. ${summary}`);
    if (done) this.#end(`Done after ${curves.step} steps of each${told}.`);
  }
}

/** How many characters back the gradient has a thousandth of its size. */
function reach(whose: string, norms: number[]): string {
  const backward = norms.toReversed();
  const found = backward.findIndex((norm) => norm < backward[0]! / 1000);
  if (found < 0) return `${whose} gradient keeps more than a thousandth over all ${norms.length} characters.`;
  return `${whose} gradient falls below a thousandth ${found} characters back.`;
}
