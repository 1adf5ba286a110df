// The page: a plucked string through a .nam capture, with a switch between dry and wet.
import { ampNode } from './amp-node.js';

const [start, wet, file, status] = ['start', 'wet', 'file', 'status'].map((id) => document.getElementById(id));

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
let amp;
let source;

/** Puts a capture in front of the loudspeakers, or says why it is none. */
async function load(capture, name) {
  const next = await ampNode(context, capture, './bundle/processor.js');
  next.onprocessorerror = () => {
    status.textContent = `${name} is not a capture that runs here; the console says why`;
  };
  amp?.disconnect();
  source?.disconnect();
  amp = next;
  amp.parameters.get('wet').value = wet.checked ? 1 : 0;
  amp.connect(context.destination);
  status.textContent = `${name}: ${context.sampleRate} samples a second`;
}

start.onclick = async () => {
  start.disabled = true;
  context ??= new AudioContext({ sampleRate: 48_000 });
  await context.resume();
  const [own] = file.files;
  if (own) await load(new Uint8Array(await own.arrayBuffer()), own.name);
  else if (!amp) await load(new Uint8Array(await (await fetch('./amp.nam')).arrayBuffer()), 'amp.nam');
  source?.stop();
  source = pluck(context);
  source.connect(amp);
  source.start();
  start.disabled = false;
};
// A fade of 20 ms, so that the switch does not click.
wet.onchange = () => amp?.parameters.get('wet').setTargetAtTime(wet.checked ? 1 : 0, context.currentTime, 0.02);
