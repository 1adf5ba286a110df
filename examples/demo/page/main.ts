// The page. It shows the messages of the training worker and sends it the user's commands. It computes nothing itself.
import 'uplot/dist/uPlot.min.css';
import '../style.css';
import type { FromTrainer, RunState, ToTrainer } from '../protocol.ts';
import { takeDrops } from './drop.ts';
import { byId, download, grouped } from './elements.ts';
import { FlowView } from './flow-view.ts';
import { askBeforeLoss } from './loss-dialog.ts';
import { LossView } from './loss-view.ts';
import { MemoryView } from './memory-view.ts';
import { SamplesView } from './samples-view.ts';
import { SettingsForm } from './settings-form.ts';
import { TextChoice } from './text-choice.ts';

const worker = new Worker(new URL('./training-worker.js', import.meta.url), { type: 'module' });
const send = (message: ToTrainer): void => worker.postMessage(message);

const settings = new SettingsForm((temperature) => send({ type: 'temperature', temperature }));
const text = new TextChoice((source) => send({ type: 'text', source }));
const loss = new LossView();
const samples = new SamplesView();
const memory = new MemoryView((layer, read) => send({ type: 'inspect', layer, text: read }));
new FlowView(() => ({ source: text.source, units: Math.min(settings.value.hidden, 128) }));

const runButton = byId<HTMLButtonElement>('run');
const status = byId('status');
let state: 'empty' | 'starting' | 'paused' | 'running' = 'empty';
/** The network of the last visit, until the user continues or discards it. */
let earlier: string | undefined;

function showState(next: typeof state, run: RunState | undefined): void {
  state = next;
  runButton.textContent = { empty: 'Start', starting: 'Starting …', paused: 'Resume', running: 'Pause' }[next];
  for (const id of ['save', 'discard']) byId<HTMLButtonElement>(id).disabled = !run;
  settings.showModel(run);
  if (run) {
    const threads = run.threads === 1 ? 'one thread' : `${run.threads} threads`;
    const parameters = `${grouped(run.parameters)} parameters, ${run.vocabulary} different characters`;
    status.textContent = `${next === 'running' ? `Learning on ${threads}` : 'Paused'}: ${parameters}.`;
    loss.vocabulary = run.vocabulary;
    memory.setModel(run.cell, run.layers);
    showEarlier(undefined);
  } else if (next === 'empty') status.textContent = 'Ready.';
}

function showProblem(problem: string | undefined): void {
  const box = byId('problem');
  box.hidden = problem === undefined;
  box.textContent = problem ?? '';
}

function showEarlier(network: { label: string; savedAt: number } | undefined): void {
  earlier = network?.label;
  byId('earlier').hidden = !network;
  if (!network) return;
  const when = new Date(network.savedAt).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
  byId('earlier-text').textContent = `There is a network from your last visit: ${network.label}, kept ${when}.`;
}

/**
 * Asks whether a new network may replace the present one or that of the last visit. The user may save it to a file
 * first.
 */
async function mayReplace(): Promise<boolean> {
  const lost = earlier
    ? `The network of your last visit (${earlier}) is kept in this browser. The next one takes its place.`
    : 'The network there is will be gone.';
  const choice = earlier || state === 'paused' || state === 'running' ? await askBeforeLoss(lost) : 'lose';
  if (choice === 'stay') return false;
  if (choice === 'save') send({ type: 'save' });
  return true;
}

type Handlers = { [T in FromTrainer['type']]: (message: Extract<FromTrainer, { type: T }>) => void };

const handlers: Handlers = {
  hello({ earlier, source }) {
    if (source && state === 'empty') text.show(source);
    showEarlier(earlier);
    // Before this message it is unknown whether a network could be lost.
    for (const id of ['run', 'load']) byId<HTMLButtonElement>(id).disabled = false;
  },
  state: ({ status, run }) => showState(status, run),
  history({ train, validation }) {
    samples.clear();
    memory.clear();
    loss.replace(train, validation);
  },
  progress: ({ points, validation, charactersPerSecond }) => loss.add(points, validation, charactersPerSecond),
  sample({ step, text }) {
    samples.add(step, text);
    memory.ask();
  },
  inspection: ({ inspection }) => memory.show(inspection),
  saved({ bytes, name }) {
    status.textContent = `Saved as ${name}.`;
    download(name, bytes, 'application/octet-stream');
  },
  autosaved: ({ step }) => showStorage(`Kept in this browser at step ${grouped(step)}.`),
  storage: ({ problem }) => showStorage(`Not kept: ${problem}. Training goes on; “Save” gives you a file.`),
  notice({ text }) {
    status.textContent = text;
  },
  problem(message) {
    if (state === 'starting') showState('empty', undefined);
    showProblem(message.text);
  },
};

function showStorage(words: string): void {
  const line = byId('storage');
  line.hidden = false;
  // The page says this once, not at every save.
  line.setAttribute('aria-live', line.textContent?.slice(0, 8) === words.slice(0, 8) ? 'off' : 'polite');
  line.textContent = words;
}

async function openModel(file: File): Promise<void> {
  showProblem(undefined);
  if (!(await mayReplace())) return;
  send({ type: 'load', file, threads: settings.value.threads });
}

worker.onmessage = ({ data }: MessageEvent<FromTrainer>) =>
  (handlers[data.type] as (message: FromTrainer) => void)(data);
worker.onerror = (event) => showProblem(`The training worker could not start: ${event.message ?? 'no reason given'}`);

byId('controls').addEventListener('submit', async (event) => {
  event.preventDefault();
  showProblem(undefined);
  if (state === 'running') send({ type: 'pause' });
  else if (state === 'paused') send({ type: 'resume' });
  else if (state === 'empty' && (await mayReplace())) {
    send({ type: 'text', source: text.source });
    send({ type: 'start', settings: settings.value });
    showState('starting', undefined);
  }
});
byId('save').addEventListener('click', () => send({ type: 'save' }));
byId('discard').addEventListener('click', async () => {
  showProblem(undefined);
  if (!(await mayReplace())) return;
  samples.clear();
  memory.clear();
  loss.replace([], []);
  send({ type: 'discard' });
});
byId('restore').addEventListener('click', () => send({ type: 'restore', threads: settings.value.threads }));
byId('forget').addEventListener('click', () => {
  showEarlier(undefined);
  send({ type: 'forget' });
});
const modelFile = byId<HTMLInputElement>('model-file');
byId('load').addEventListener('click', () => modelFile.click());
modelFile.addEventListener('change', () => {
  const [file] = modelFile.files ?? [];
  modelFile.value = '';
  if (file) openModel(file);
});
takeDrops((file) => (file.name.endsWith('.safetensors') ? openModel(file) : text.open(file)));
// The browser may end a page that is hidden.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') send({ type: 'autosave' });
});
