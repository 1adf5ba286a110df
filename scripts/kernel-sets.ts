/** The modules of kernels: the prefix of their files, and the folder of src that loads them. */
export const kernelSets = [
  { prefix: '', folder: 'engine/loading' },
  // What streams need, for a page that only runs a model.
  { prefix: 'stream-', folder: 'streaming' },
  // What the entries need that not every app imports.
  { prefix: 'extra-', folder: 'engine/extra' },
  // What tapeloop/audio alone needs.
  { prefix: 'audio-', folder: 'audio/kernels' },
  // What tapeloop/audio-stream needs: a whole build, for streams that run in blocks.
  { prefix: 'block-', folder: 'audio-models/kernels' },
  // What tapeloop/bench needs, to measure the host.
  { prefix: 'bench-', folder: 'bench/kernels' },
];
