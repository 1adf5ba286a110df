/** The entries of the package that run everywhere: each is a file of src. `node` is one for hosts with files. */
export const entries = [
  'index',
  'lean',
  'audio',
  'images',
  'sequences',
  'state-space',
  'audio-models',
  'audio-stream',
  'onnx',
  'stream',
  'data',
  'characters',
  'plot',
] as const;
