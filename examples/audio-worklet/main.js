// The page: learns the effect, then plays a plucked string through it.
import { learn } from './effect.js';
import { recurrentNode } from './recurrent-node.js';

const [start, through, status] = ['start', 'through', 'status'].map((id) => document.getElementById(id));

/** A string by Karplus and Strong: noise in a circular buffer that is smoothed in each round. */
function pluck(context, frequency = 110, seconds = 4) {
  const buffer = context.createBuffer(1, seconds * context.sampleRate, context.sampleRate);
  const data = buffer.getChannelData(0);
  const period = Math.round(context.sampleRate / frequency);
  for (let t = 0; t < data.length; t++) {
    data[t] = t <= period ? 0.6 * (2 * Math.random() - 1) : 0.498 * (data[t - period] + data[t - period - 1]);
  }
  return new AudioBufferSourceNode(context, { buffer });
}

let context;
let effect;
let source;

function connect() {
  source?.disconnect();
  source?.connect(through.checked ? effect : context.destination);
}

start.onclick = async () => {
  start.disabled = true;
  if (!effect) {
    context = new AudioContext();
    const model = await learn((epoch, loss) => {
      status.textContent = `learning: epoch ${epoch + 1}, error ${loss.toExponential(1)}`;
    });
    effect = await recurrentNode(context, model, './bundle/processor.js');
    effect.onprocessorerror = () => {
      status.textContent = 'the audio thread has given up; its console says why';
    };
    effect.connect(context.destination);
    status.textContent = `${context.sampleRate} samples a second go through 16 LSTM units`;
  }
  await context.resume();
  source?.stop();
  source = pluck(context);
  connect();
  source.start();
  start.textContent = 'Pluck';
  start.disabled = false;
};
through.onchange = connect;
