import type { Profiler } from '../engine/profile.ts';
import type { Stream } from '../streaming/stream.ts';
import type { emptyOutputs } from './empty-outputs.ts';
import type { addProgress } from './fit-progress.ts';
import type { StepPredictor } from './step-predictor.ts';
import type { warnOfSamples } from './warnings.ts';

/** Parts of training that a small app can do without. Each is undefined until it is registered. */
export const optionalParts: {
  Profiler?: typeof Profiler;
  addProgress?: typeof addProgress;
  emptyOutputs?: typeof emptyOutputs;
  warnOfSamples?: typeof warnOfSamples;
  stepwise?: { Stream: typeof Stream; StepPredictor: typeof StepPredictor };
} = {};
