// The entry `tapeloop/characters`: the character model of the command line and of the demo page.
export {
  buildCharModel,
  compileCharModel,
  encodeNamed,
  startId,
  trainOnWindow,
  type ValidateOptions,
  validate,
} from './characters/char-model.ts';
export { addPoint, type CharRun, decodeRun, encodeRun, hashIds, type LossPoint, type Run } from './characters/run.ts';
export { type CharCell, type CharModelOptions, type RunOptions, runDefaults } from './characters/run-options.ts';
