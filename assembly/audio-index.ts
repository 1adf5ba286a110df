// The kernels of tapeloop/audio, as a further module on the memory of the first. `AudioKernels` of
// src/audio/kernels/audio-kernels.ts has their types and contracts. They have no static data: the first module has its
// own at the same addresses.

export { irfft, rfft } from './audio/real-fft';
