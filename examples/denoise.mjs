// Noise out of speech, frame by frame with carried states, as live sound needs it. Two denoisers come as ONNX files:
//
// - DTLN (Westhausen and Meyer 2020) has two stages of two LSTMs each. The first reads the magnitudes of a spectrum and
//   gives a gain for each frequency; the second does the same on a basis of its own, from 512 samples to 512. The files
//   below are needed, `dtln-model-2/model_2.onnx` is not: without it only the first stage runs, and the log says so.
// - UL-UNAS (Rong et al. 2025) is convolutions and GRUs in one file: from the spectrum of a frame to a spectrum.
//
// Noise of our own random stream is laid on a recording of speech: white noise, and wind, which is deep and swells.
// SI-SDR (Le Roux et al. 2019) says in decibels how far the recording is above all else. The noises were chosen before
// either denoiser had run.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { RandomStream, tensor } from 'tapeloop';
import { irfft, istft, logMelSpectrogram, magnitude, readWav, rfft, stft, writeWav } from 'tapeloop/audio';
import { importOnnx, onnxSession } from 'tapeloop/onnx';

export const about = 'Two streaming denoisers from ONNX files on noisy speech: wavs and spectrograms before and after.';
const dtln = 'https://github.com/breizhn/DTLN, commit 1de1f15, pretrained_model';
const [first, second] = ['dtln-model-1/model_1.onnx', 'dtln-model-2/model_2.onnx'];
const unet = 'ulunas-stream-simple/ulunas_stream_simple.onnx';
const speech = 'vad-test-wav/test16k.wav';
export const files = {
  [first]: dtln,
  [unet]: 'https://github.com/Xiaobin-Rong/ul-unas, commit 00f7c70, ulunas_onnx/onnx_models',
  [speech]:
    "https://github.com/ricky0123/vad, commit 3fec174, test.wav, by scipy's resample_poly(x, 160, 441) as 16-bit PCM",
};

const sampleRate = 16_000;

/** States are the inputs behind the first one, and their next values the outputs behind the first one. */
function withStates(bytes) {
  const { inputs, outputs } = onnxSession(importOnnx(bytes));
  const states = Object.fromEntries(inputs.slice(1).map(({ name }, i) => [name, outputs[i + 1].name]));
  return onnxSession(importOnnx(bytes, { states }));
}

/** The first output for each frame of `data`, one behind the other. States go from frame to frame. */
function eachFrame(session, { data, size, shape }) {
  const [[input], [output]] = [session.inputs, session.outputs];
  const results = new Float32Array(data.length);
  session.reset();
  for (let at = 0; at < data.length; at += size) {
    const frame = { data: data.subarray(at, at + size), shape };
    results.set(session.run({ [input.name]: frame })[output.name].data, at);
  }
  return results;
}

const values = (given) => Float32Array.from(given.toArray());

/** DTLN: frames of 512 samples without a window, a new one every 128. The second stage may be missing. */
function byTwoStages(one, two) {
  const options = { nFft: 512, hopLength: 128, window: 'rectangular', center: false };
  return (noisy) => {
    const [before, length] = [384, 384 + Math.ceil(noisy.length / 128) * 128 + 384];
    const padded = Float32Array.from({ length }, (_, i) => noisy[i - before] ?? 0);
    const spectra = stft(tensor(padded), options);
    const gains = eachFrame(one, { data: values(magnitude(spectra)), size: 257, shape: [1, 1, 257] });
    let masked = tensor(
      values(spectra).map((value, i) => value * gains[i >> 1]),
      { shape: spectra.shape },
    );
    if (two) {
      const frames = irfft(masked, { n: 512 });
      const better = eachFrame(two, { data: values(frames), size: 512, shape: [1, 1, 512] });
      masked = rfft(tensor(better, { shape: frames.shape }));
    }
    return values(istft(masked, options)).subarray(before, before + noisy.length);
  };
}

/** UL-UNAS: Hann windows of 512 samples, a new one every 256. */
function bySpectra(session) {
  const options = { nFft: 512, hopLength: 256 };
  return (noisy) => {
    const spectra = stft(tensor(noisy), options);
    const data = eachFrame(session, { data: values(spectra), size: 514, shape: [1, 257, 1, 2] });
    return values(istft(tensor(data, { shape: spectra.shape }), { ...options, length: noisy.length }));
  };
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Scale-invariant ratio of signal to distortion in dB: what of `estimate` is a multiple of `clean`, and the rest. */
export function siSdr(estimate, clean) {
  const scale = dot(estimate, clean) / dot(clean, clean);
  const wanted = clean.map((value) => scale * value);
  const rest = estimate.map((value, i) => value - wanted[i]);
  return 10 * Math.log10(dot(wanted, wanted) / dot(rest, rest));
}

/** Noises by the index of the sample, from a random stream. */
const noises = {
  white: (random) => () => random.nextNormal(),
  wind(random) {
    let low = 0;
    return (i) => {
      low = 0.98 * low + 0.2 * random.nextNormal();
      return (low + 0.1 * random.nextNormal()) * (1.2 + Math.sin((2 * Math.PI * 0.5 * i) / sampleRate));
    };
  },
};

/** Speech with noise that is `snr` dB below it. */
function mixed(clean, noise, snr) {
  const added = clean.map((_, i) => noise(i));
  const scale = Math.sqrt(dot(clean, clean) / (dot(added, added) * 10 ** (snr / 10)));
  return clean.map((value, i) => value + scale * added[i]);
}

// From loud to quiet.
const colours = '#fcfdbf #fecf92 #fe9f6d #f7705c #de4968 #b73779 #8c2981 #641a80 #3b0f70 #150e37'.split(' ');

/** Log-mel spectrograms below each other. A colour is 6 dB. */
function spectrograms(sounds) {
  const [bands, cell, left, head] = [64, 2.5, 10, 26];
  const tall = head + bands * cell;
  const options = { sampleRate, nFft: 512, hopLength: 256, nMels: bands };
  const panels = Object.entries(sounds).map(([name, samples], n) => {
    const levels = logMelSpectrogram(tensor(samples), options);
    const [frames, decibels] = [levels.shape[0], values(levels).map((value) => (10 / Math.LN10) * value)];
    const loudest = Math.max(...decibels);
    const paths = colours.map(() => '');
    for (let band = 0; band < bands; band++) {
      const level = (t) => Math.floor((loudest - decibels[t * bands + band]) / 6);
      for (let [t, end] = [0, 0]; t < frames; t = end) {
        while (end < frames && level(end) === level(t)) end++;
        if (level(t) < colours.length) paths[level(t)] += `M${t} ${bands - band - 0.5}h${end - t}`;
      }
    }
    const lines = paths.map((path, i) => `<path d="${path}" stroke="${colours[i]}"/>`);
    return `<text x="${left}" y="${n * tall + 18}">${name}</text>
<g transform="translate(${left} ${n * tall + head}) scale(${cell})" stroke-width="1.05">
<rect width="${frames}" height="${bands}"/>
${lines.join('\n')}
</g>`;
  });
  const size = `width="830" height="${panels.length * tall + 10}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif">
<rect width="100%" height="100%" fill="#fff"/>
${panels.join('\n')}
</svg>
`;
}

export async function run({ data, seed, log, draw, quick = false }) {
  const load = async (file) => withStates(await readFile(`${data}/${file}`));
  const one = await load(first);
  const two = existsSync(`${data}/${second}`) ? await load(second) : undefined;
  if (!two) log(`${second} is not there, so DTLN runs with its first stage alone`);
  const denoisers = { [two ? 'DTLN' : 'DTLN, stage 1']: byTwoStages(one, two), 'UL-UNAS': bySpectra(await load(unet)) };
  const clean = readWav(await readFile(`${data}/${speech}`)).channels[0].subarray(0, quick ? 4000 : undefined);
  const outcomes = [];
  for (const [kind, noiseOf] of Object.entries(noises)) {
    const noisy = mixed(clean, noiseOf(new RandomStream(seed)), 5);
    const sounds = { clean, noisy };
    outcomes.push({ metric: `${kind}: SI-SDR of the noisy speech, dB`, value: siSdr(noisy, clean) });
    for (const [name, denoise] of Object.entries(denoisers)) {
      sounds[name] = denoise(noisy);
      const gain = siSdr(sounds[name], clean) - siSdr(noisy, clean);
      outcomes.push({ metric: `${kind}: gain of ${name}, dB`, value: gain, atLeast: 5 });
      log(`${kind}: ${name} gains ${gain.toFixed(1)} dB`);
    }
    draw(`denoise-${kind}.svg`, spectrograms(sounds));
    for (const [name, samples] of Object.entries(sounds)) {
      const file = `denoise-${kind}-${name.toLowerCase().replace(/\W+/g, '-')}.wav`;
      draw(file, writeWav({ sampleRate, channels: [samples] }));
    }
  }
  return outcomes;
}
