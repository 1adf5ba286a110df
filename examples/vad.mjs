// When does somebody speak? A voice detector comes as an ONNX file, reads a recording in frames of 32 ms, and carries
// its states from one to the next. Two versions of Silero VAD, of different exporters, run by the same code: both take
// 512 new samples behind the last 64 of before, and give the probability of speech.
//
// The recording is read at 16,000 samples a second as another program has resampled it, and once more as it was
// recorded (44,100 a second, 8 bits), resampled here. `test16k.ref.json` has what ONNX Runtime 1.30 gives for the first
// file and the version v6. No setting was chosen on this recording: the rules for spans are Silero's.
import { readFile } from 'node:fs/promises';
import { readWav, resample } from 'tapeloop/audio';
import { importOnnx, onnxSession } from 'tapeloop/onnx';

export const about = 'A voice detector from an ONNX file: the spans of speech in a recording, printed and drawn.';
const ricky = 'https://github.com/ricky0123/vad, commit 3fec174, test.wav';
const models = ['silero-vad-half/silero_vad_half.onnx', 'silero-vad-v6-faster-whisper/silero_vad_v6.onnx'];
export const files = {
  [models[0]]: 'https://github.com/snakers4/silero-vad, commit 806dcba, src/silero_vad/data',
  [models[1]]: 'https://github.com/SYSTRAN/faster-whisper, commit 65882ee, faster_whisper/assets',
  'vad-test-wav/test.wav': ricky,
  'vad-test-wav/test16k.wav': `${ricky}, by scipy's resample_poly(x, 160, 441) as 16-bit PCM`,
  'vad-test-wav/test16k.ref.json': 'onnxruntime of silero_vad_v6.onnx on test16k.wav, frames of 64 + 512 samples',
};

const [rate, context, hop] = [16_000, 64, 512];
const seconds = (frames) => (frames * hop) / rate;

/** The probability of speech in each frame. The last one is filled with zeros. */
function detect(session, samples) {
  session.reset();
  const [{ name }] = session.outputs;
  return Array.from({ length: Math.ceil(samples.length / hop) }, (_, n) => {
    const data = Float32Array.from({ length: context + hop }, (_, i) => samples[n * hop + i - context] ?? 0);
    return session.run({ input: { data, shape: [1, data.length] } })[name].data[0];
  });
}

/**
 * Spans of speech in seconds, by Silero's rules: one begins at a probability of 0.5 and ends where it stays below 0.35
 * for 100 ms. It has to last 250 ms, and gets 30 ms on each side.
 */
export function spansOf(chances) {
  const spans = [];
  let [begin, end] = [-1, -1];
  for (let n = 0; n <= chances.length; n++) {
    const chance = chances[n] ?? 0;
    if (begin < 0 && chance >= 0.5) begin = n;
    if (chance >= 0.35) end = n + 1;
    const isOver = n === chances.length || seconds(n + 1 - end) >= 0.1;
    if (begin < 0 || !isOver || chance >= 0.35) continue;
    if (seconds(end - begin) >= 0.25) {
      spans.push([Math.max(0, seconds(begin) - 0.03), Math.min(seconds(chances.length), seconds(end) + 0.03)]);
    }
    begin = -1;
  }
  return spans;
}

/** The largest distance of two edges, in seconds; infinite if there are more spans in one list. */
export function farthest(spans, others) {
  if (spans.length !== others.length) return Number.POSITIVE_INFINITY;
  return Math.max(0, ...spans.flatMap((span, n) => span.map((edge, i) => Math.abs(edge - others[n][i]))));
}

/** The waveform with its spans shaded, and below it the probabilities. */
function picture(samples, curves, spans) {
  const [width, left, total] = [900, 50, samples.length / rate];
  const x = (time) => (left + (time / total) * (width - left - 20)).toFixed(1);
  const columns = Array.from({ length: width - left - 20 }, (_, column) => {
    const [from, to] = [column, column + 1].map((c) => Math.floor((c / (width - left - 20)) * samples.length));
    const part = samples.subarray(from, Math.max(to, from + 1));
    const [low, high] = [Math.min(...part), Math.max(...part)];
    return `M${left + column} ${(110 - 90 * high).toFixed(1)}V${(110.5 - 90 * low).toFixed(1)}`;
  });
  const shades = spans.map(
    ([from, to]) => `<rect x="${x(from)}" y="20" width="${(x(to) - x(from)).toFixed(1)}" height="310"/>`,
  );
  const lines = Object.entries(curves).map(([name, chances], n) => {
    const points = chances.map((chance, i) => `${x(seconds(i + 0.5))},${(330 - 110 * chance).toFixed(1)}`);
    const stroke = ['#06c', '#d60'][n];
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${stroke}" stroke-width="1.5"/>
<text x="${left + 8}" y="${240 + 16 * n}" fill="${stroke}">${name}</text>`;
  });
  const ticks = Array.from({ length: Math.floor(total) + 1 }, (_, time) => {
    return `<text x="${x(time)}" y="350" text-anchor="middle">${time} s</text>`;
  });
  const levels = [0, 0.5, 1].map((level) => {
    const y = 330 - 110 * level;
    const text = `<text x="${left - 8}" y="${y + 4}" text-anchor="end">${level}</text>`;
    return `<path d="M${left} ${y}H${width - 20}" stroke="#ccc"/>${text}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="365" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<g fill="#bde5c8">${shades.join('')}</g>
<path d="${columns.join('')}" stroke="#555"/>
${[...levels, ...ticks, ...lines].join('\n')}
</svg>
`;
}

export async function run({ data, log, draw }) {
  const load = async (file) => onnxSession(importOnnx(await readFile(`${data}/${file}`)));
  const [half, v6] = await Promise.all(models.map(load));
  const sound = async (file) => readWav(await readFile(`${data}/vad-test-wav/${file}`));
  const [given, recorded] = await Promise.all(['test16k.wav', 'test.wav'].map(sound));
  const samples = given.channels[0];

  const chances = detect(half, samples);
  const spans = spansOf(chances);
  for (const [from, to] of spans) log(`speech from ${from.toFixed(2)} to ${to.toFixed(2)} s`);

  const byV6 = detect(v6, samples);
  const reference = JSON.parse(await readFile(`${data}/vad-test-wav/test16k.ref.json`, 'utf8'));
  const right = reference.silero_vad_v6_faster_whisper_512_with_64_context;
  const differences = right.map((chance, n) => Math.abs(chance - byV6[n]));
  const resampled = detect(half, resample(recorded.channels[0], recorded.sampleRate, rate));
  draw('vad.svg', picture(samples, { half: chances, v6: byV6 }, spans));
  return [
    { metric: 'v6, largest difference from ONNX Runtime', value: Math.max(...differences), atMost: 1e-4 },
    { metric: 'spans of speech', value: spans.length },
    { metric: 'edges, half against v6, seconds apart', value: farthest(spans, spansOf(byV6)), atMost: 0.1 },
    { metric: 'edges, resampled here, seconds apart', value: farthest(spans, spansOf(resampled)), atMost: 0.05 },
  ];
}
