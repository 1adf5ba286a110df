// The worker of the comparison. An RNN and an LSTM of the same size learn the same text. From time to time it measures
// how far back the gradient of each reaches.
import { buildVocabulary, encodeText, type Layer, type Model, type TextStreams, textStreams } from 'tapeloop';
import { buildCharModel, runDefaults, trainOnWindow } from 'tapeloop/characters';
import type { FlowCurves, FlowRequest, FromFlow } from '../protocol.ts';
import { gradientFlow } from './gradient-flow.ts';
import { readText } from './text-source.ts';

const BATCH = 16;
/** Steps that the gradient is followed back. */
const REACH = 100;
const STEPS = 600;
const STEPS_BETWEEN = 30;

const tell = (message: FromFlow): void =>
  (self as unknown as { postMessage(message: FromFlow): void }).postMessage(message);

interface Network {
  model: Model;
  streams: TextStreams;
  loss: number;
}

function makeNetwork(cell: 'rnn' | 'lstm', hidden: number, ids: Int32Array, vocabulary: number): Network {
  const model = buildCharModel({ ...runDefaults, cell, hidden, embedding: 32 }, vocabulary);
  return { model, streams: textStreams(ids, { batch: BATCH, time: REACH }), loss: Number.NaN };
}

function train(network: Network): void {
  for (let i = 0; i < STEPS_BETWEEN; i++) network.loss = trainOnWindow(network.model, network.streams);
}

async function compare({ source, units }: FlowRequest): Promise<void> {
  const text = await readText(source);
  const vocabulary = buildVocabulary(text);
  const ids = encodeText(text, vocabulary);
  const rnn = makeNetwork('rnn', units, ids, vocabulary.length);
  const lstm = makeNetwork('lstm', units, ids, vocabulary.length);
  const { x, y } = textStreams(ids, { batch: BATCH, time: REACH }).next();
  const [probe, targets] = [x.slice(), Int32Array.from({ length: BATCH }, (_, b) => y[(b + 1) * REACH - 1]!)];
  const flowOf = ({ model }: Network) => {
    const [first, recurrent, last] = model.layers as Layer[];
    return gradientFlow({ embedding: first!, recurrent: recurrent!, dense: last! }, probe, targets);
  };
  for (let step = 0; ; step += STEPS_BETWEEN) {
    const [ofRnn, ofLstm] = [flowOf(rnn), flowOf(lstm)];
    const curves: FlowCurves = { step, rnn: ofRnn.hidden, lstm: ofLstm.hidden, cellState: ofLstm.cellState };
    const losses = step > 0 ? { rnn: rnn.loss, lstm: lstm.loss } : undefined;
    tell({ type: 'curves', curves, losses, done: step === STEPS });
    if (step === STEPS) return;
    train(rnn);
    train(lstm);
  }
}

self.onmessage = ({ data }: MessageEvent<FlowRequest>) => {
  compare(data).catch((error: Error) => tell({ type: 'problem', text: error.message }));
};
