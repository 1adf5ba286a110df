// The entry `tapeloop/audio`: from samples to features and back.
export { type FftNorm, type FftOptions, irfft, rfft } from './audio/fft/transform.ts';
export { type ReadWavOptions, readWav, type Sound, type WavFormat, type WavSound } from './audio/files/read-wav.ts';
export { type WriteWavOptions, writeWav } from './audio/files/write-wav.ts';
export type { FrameOptions } from './audio/framing.ts';
export { type IstftOptions, istft } from './audio/istft.ts';
export {
  type LogMelOptions,
  logMelSpectrogram,
  type MelFilterOptions,
  type MelScale,
  type MelSpectrogramOptions,
  melFilters,
  melSpectrogram,
} from './audio/mel.ts';
export { resample } from './audio/resample.ts';
export {
  amplitudeToDb,
  type DecibelOptions,
  type MagnitudeOptions,
  magnitude,
  powerToDb,
} from './audio/spectra.ts';
export { type PadMode, type StftOptions, stft } from './audio/stft.ts';
export { type IstftStream, istftStream } from './audio/streams/istft-stream.ts';
export { type StftStream, type StftStreamOptions, stftStream } from './audio/streams/stft-stream.ts';
export { type AudioWindow, type AudioWindowOptions, audioWindow, type WindowName } from './audio/windows.ts';
