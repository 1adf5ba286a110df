// The example amp without its buttons: renders noise through a capture as fast as it can, dry and wet, then plays for a
// second in real time.
import { namStream } from 'tapeloop/audio-stream';
import { captures } from './captures.js';
import { ampNode } from './examples/amp/amp-node.js';

const rate = 48_000;

/** Repeatable noise. */
function noise(length) {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 0.4 * (state / 2 ** 31 - 1);
  });
}

async function render(capture, x, wet) {
  const context = new OfflineAudioContext(1, x.length, rate);
  const buffer = context.createBuffer(1, x.length, rate);
  buffer.copyToChannel(x, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  const node = await ampNode(context, capture, './processor.js');
  node.parameters.get('wet').value = wet;
  source.connect(node).connect(context.destination);
  source.start();
  const start = performance.now();
  const rendered = (await context.startRendering()).getChannelData(0);
  return { rendered, milliseconds: performance.now() - start };
}

/** Blocks that the context had to leave out in a second of playing; undefined where it does not count them. */
async function play(capture) {
  const context = new AudioContext({ sampleRate: rate });
  const node = await ampNode(context, capture, './processor.js');
  new OscillatorNode(context).connect(node).connect(context.destination);
  await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 3000))]);
  if (context.state !== 'running') return undefined;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const before = context.playbackStats?.underrunEvents;
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const after = context.playbackStats?.underrunEvents;
  await context.close();
  return before === undefined ? undefined : after - before;
}

async function measure([name, capture]) {
  const x = noise(4 * rate);
  const stream = namStream(capture, { maxSteps: 128 });
  for (let t = 0; t < rate / 10; t += 128) stream.steps(new Float32Array(128), 128);
  const rounds = [];
  for (let i = 0; i < 5; i++) rounds.push(await render(capture, x, 1));
  let different = 0;
  for (let at = 0; at < x.length; at += 128) {
    const y = stream.steps(x.subarray(at, at + 128), 128);
    for (let i = 0; i < 128; i++) if (y[i] !== rounds[0].rendered[at + i]) different++;
  }
  const { rendered: dry } = await render(capture, x, 0);
  const perBlock = rounds.map(({ milliseconds }) => (milliseconds * 128) / x.length).sort((a, b) => a - b);
  return {
    ...{ name, different, dry: dry.filter((value, i) => value !== x[i]).length },
    ...{ least: perBlock[0], median: perBlock[2], dropped: await play(capture) },
  };
}

async function run() {
  const results = [];
  for (const each of Object.entries(captures)) results.push(await measure(each));
  return results;
}

const result = await run().catch((error) => ({ error: `${error.name}: ${error.message}` }));
await fetch('/result', { method: 'POST', body: JSON.stringify(result) });
