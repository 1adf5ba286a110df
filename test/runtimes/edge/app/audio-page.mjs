// The audio example without its buttons: learns the effect, renders noise through the worklet as fast as it can, then
// plays in real time.
import { encodeModel } from 'tapeloop';
import { distort, learn } from './examples/audio-worklet/effect.js';
import { recurrentNode } from './examples/audio-worklet/recurrent-node.js';

const rate = 48_000;
const RENDERED_SECONDS = 10;
// Some three seconds.
const PLAYED_BLOCKS = 1125;
const LATE_BLOCKS = 400;
const PATIENCE_MS = 20_000;
// Others may have the machine for a while, so the best of some rounds counts.
const ROUNDS = 6;

/** Repeatable noise, loud and soft. */
function noise(length) {
  let state = 1;
  return Float32Array.from({ length }, (_, t) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (0.2 + 0.6 * ((t >> 12) & 1)) * (state / 2 ** 31 - 1);
  });
}

async function render(model, x) {
  const context = new OfflineAudioContext(1, x.length, rate);
  const buffer = context.createBuffer(1, x.length, rate);
  buffer.copyToChannel(x, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  const node = await recurrentNode(context, model, './processor.js');
  source.connect(node).connect(context.destination);
  source.start();
  const start = performance.now();
  const rendered = (await context.startRendering()).getChannelData(0);
  return { rendered, milliseconds: performance.now() - start };
}

/**
 * Plays one processor in real time until it has had so many blocks, and counts what the host had to leave out
 * meanwhile.
 */
async function play(name, model, blocks) {
  const context = new AudioContext({ sampleRate: rate });
  await context.audioWorklet.addModule('./timed-processor.js');
  const options = { channelCount: 1, channelCountMode: 'explicit', outputChannelCount: [1] };
  const node = new AudioWorkletNode(context, name, { ...options, processorOptions: { model: encodeModel(model) } });
  new ConstantSourceNode(context, { offset: 0 }).connect(node).connect(context.destination);
  await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 3000))]);
  if (context.state !== 'running') return { missing: `its audio context is ${context.state}, without a sound device` };
  const timesOf = () =>
    new Promise((resolve) => {
      node.port.onmessage = ({ data }) => resolve(data);
      node.port.postMessage('times');
    });
  const started = performance.now();
  const whilePatient = async (isOver) => {
    while (!(await isOver()) && performance.now() < started + PATIENCE_MS) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  // Chromium brings its count up to date once a second.
  const dropsSoFar = async () => {
    const stats = context.playbackStats;
    const counted = stats?.totalDuration;
    if (stats) await whilePatient(() => stats.totalDuration > counted);
    return stats?.underrunEvents;
  };
  await whilePatient(async () => (await timesOf()).blocks > 0);
  const dropped = await dropsSoFar();
  const before = await timesOf();
  await whilePatient(async () => (await timesOf()).blocks >= before.blocks + blocks);
  const after = await timesOf();
  const drops = dropped === undefined ? undefined : (await dropsSoFar()) - dropped;
  await context.close();
  return {
    blocks: after.blocks - before.blocks,
    due: (after.frame - before.frame) / 128,
    perBlock: (after.milliseconds - before.milliseconds) / (after.blocks - before.blocks),
    longest: after.longest,
    lacks: after.lacks,
    drops,
  };
}

/**
 * The model and an empty processor in turns, until a round of the model's drops nothing: on a machine that others crowd
 * blocks are dropped whatever is in them. And one that must be late, to see that a dropped block is counted.
 */
async function playInTurns(model) {
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) {
    const round = { model: await play('model', model, PLAYED_BLOCKS) };
    rounds.push(round);
    if (!round.model.drops) break;
    round.empty = await play('empty', model, PLAYED_BLOCKS);
  }
  const { missing, drops } = rounds[0].model;
  return { rounds, late: missing || drops === undefined ? undefined : await play('late', model, LATE_BLOCKS) };
}

async function run() {
  const losses = [];
  const model = await learn((_, loss) => losses.push(loss));
  const x = noise(RENDERED_SECONDS * rate);
  const { rendered, milliseconds } = await render(model, x);
  const stream = model.stream({ maxSteps: 128 });
  let different = 0;
  for (let at = 0; at < x.length; at += 128) {
    const y = stream.steps(x.subarray(at, at + 128), 128);
    for (let i = 0; i < 128; i++) if (!Object.is(y[i], rendered[at + i])) different++;
  }
  const error = (a, b) => Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length);
  const effect = distort(x);
  return {
    losses: [losses[0], losses.at(-1)],
    different,
    relativeError: error(rendered, effect) / error(effect, new Float32Array(effect.length)),
    perBlock: (milliseconds * 128) / x.length,
    played: await playInTurns(model),
  };
}

const result = await run().catch((error) => ({ error: `${error.name}: ${error.message}` }));
await fetch('/result', { method: 'POST', body: JSON.stringify(result) });
