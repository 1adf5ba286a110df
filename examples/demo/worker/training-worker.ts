// The worker that trains. It receives messages and sends news. All computing is here, so the page never waits.
import { browserStore, type StorageError } from 'tapeloop';
import type { FromTrainer, TextSource, ToTrainer } from '../protocol.ts';
import { Trainer } from './trainer.ts';

const AUTOSAVE_MS = 10_000;
// A longer text stays in its file.
const LARGEST_KEPT_TEXT = 32 * 2 ** 20;

const scope = self as unknown as {
  postMessage(message: FromTrainer, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToTrainer>) => void) | null;
};
const tell = (message: FromTrainer, transfer?: Transferable[]): void => scope.postMessage(message, transfer);
const trainer = new Trainer(tell);

interface KeptModel {
  bytes: Uint8Array<ArrayBuffer>;
  /** Of a file that it is saved as. */
  name: string;
  label: string;
  savedAt: number;
}

const tellProblem = ({ message }: StorageError): void =>
  tell({ type: 'storage', problem: message.replace(/^browserStore '.*?': /, '') });
const keptModel = browserStore<KeptModel>('demo/model', tellProblem);
const keptSource = browserStore<TextSource>('demo/source', tellProblem);
/** The step at which the present model was last stored. */
let savedStep: number | undefined;

async function handle(message: ToTrainer): Promise<void> {
  switch (message.type) {
    case 'text':
      trainer.source = message.source;
      return keepText(message.source);
    case 'start':
      savedStep = undefined;
      return trainer.start(message.settings);
    case 'pause':
      trainer.pause();
      return autosave();
    case 'resume':
      return trainer.resume();
    case 'discard':
      trainer.discard();
      await keptModel.remove();
      return;
    case 'temperature':
      trainer.temperature = message.temperature;
      return;
    case 'save': {
      const model = trainer.current ? { bytes: trainer.encode(), name: trainer.fileName() } : await keptModel.read();
      if (model) tell({ type: 'saved', bytes: model.bytes, name: model.name }, [model.bytes.buffer]);
      return;
    }
    case 'load': {
      const { file, threads } = message;
      await trainer.load(new Uint8Array(await file.arrayBuffer()), file.name, threads);
      savedStep = undefined;
      return autosave();
    }
    case 'restore': {
      const kept = await keptModel.read();
      if (!kept) return;
      await trainer.load(kept.bytes, 'the model of the last visit', message.threads);
      savedStep = trainer.current!.run.step;
      return trainer.resume();
    }
    case 'forget':
      await keptModel.remove();
      return;
    case 'autosave':
      return autosave();
    case 'inspect':
      return trainer.inspect(message.layer, message.text);
  }
}

async function autosave(): Promise<void> {
  if (!trainer.current) return;
  const { step } = trainer.current.run;
  if (step === savedStep) return;
  const kept = { bytes: trainer.encode(), name: trainer.fileName(), label: trainer.label(), savedAt: Date.now() };
  if (!(await keptModel.write(kept))) return;
  savedStep = step;
  tell({ type: 'autosaved', step });
}

async function keepText(source: TextSource): Promise<void> {
  if (source.kind === 'file' && source.file.size > LARGEST_KEPT_TEXT) return;
  await keptSource.write(source);
}

async function greet(): Promise<void> {
  const [model, source] = [await keptModel.read(), await keptSource.read()];
  if (source) trainer.source = source;
  tell({ type: 'hello', earlier: model && { label: model.label, savedAt: model.savedAt }, source });
}

// Messages are handled one after the other: a start must be finished before the pause that follows it.
let queue = greet();
scope.onmessage = ({ data }) => {
  queue = queue.then(() => handle(data)).catch((error: Error) => tell({ type: 'problem', text: error.message }));
};
setInterval(() => {
  if (trainer.isRunning) queue = queue.then(autosave);
}, AUTOSAVE_MS);
