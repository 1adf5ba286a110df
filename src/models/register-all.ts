import { nearestName } from '../checks/nearest-name.ts';
import { setHint } from '../checks/options.ts';
import { registerActivations } from '../layers/activations/activations.ts';
import { moreActivations } from '../layers/activations/more-activations.ts';
import { constraintByName } from '../layers/constraints/by-name.ts';
import { registerConstraints } from '../layers/constraints/constraint.ts';
import { unrollComposed } from '../layers/rnn/composed-step.ts';
import { gruStep } from '../layers/rnn/gru.ts';
import { registerComposedSteps } from '../layers/rnn/keras-recurrent.ts';
import { lstmStep } from '../layers/rnn/lstm.ts';
import { simpleRnnStep } from '../layers/rnn/simple-rnn.ts';
import { losses, shortLossNames } from '../losses/all.ts';
import { lossTable } from '../losses/by-name.ts';
import { metrics, shortMetricNames } from '../metrics/all.ts';
import { metricTable } from '../metrics/by-name.ts';
import { optimizers } from '../optimizers/all.ts';
import { optimizerTable } from '../optimizers/by-name.ts';
import { schedules } from '../optimizers/schedules/all.ts';
import { scheduleTable } from '../optimizers/schedules/schedule.ts';
import { setRefusedOption } from '../streaming/refusal.ts';
import { Stream } from '../streaming/stream.ts';
import { unsupportedOption } from '../streaming/unsupported-option.ts';
import { emptyOutputs } from '../train/empty-outputs.ts';
import { optionalRefusals } from '../train/feeds/optional-refusals.ts';
import { optionalResets } from '../train/feeds/optional-resets.ts';
import { refusals } from '../train/feeds/refusals.ts';
import { resets } from '../train/feeds/resets.ts';
import { addProgress } from '../train/fit-progress.ts';
import { optionalParts } from '../train/optional-parts.ts';
import { StepPredictor } from '../train/step-predictor.ts';
import { warnOfSamples } from '../train/warnings.ts';
import { addMethods } from './methods.ts';

/**
 * Lets every model run step by step: `model.stream()`, `predict` with int8 weights, and text generation.
 *
 * `tapeloop` calls it on load. An app of `tapeloop/lean` that streams calls it once.
 *
 * @example
 * allowStreams();
 * const stream = model.stream();
 * stream.step(new Float32Array(2)); // the output after one time step
 */
export function allowStreams(): void {
  optionalParts.stepwise = { Stream, StepPredictor };
}

/**
 * Registers everything that has a name: losses, metrics, optimizers, schedules, constraints and all activations,
 * including those for which recurrent layers have no fused kernels. The names then work in options and in files.
 *
 * It also turns on the progress display of `fit` and its checks for probable mistakes, lets models run step by step
 * (`allowStreams`), and adds the convenience methods (`addMethods`). An app that calls it contains all of this code.
 */
export function registerAllNames(): void {
  setHint(nearestName);
  setRefusedOption(unsupportedOption);
  registerActivations(moreActivations);
  registerConstraints(constraintByName);
  registerComposedSteps({
    unroll: unrollComposed,
    steps: { lstm: lstmStep, gru: gruStep, simpleRnn: simpleRnnStep },
  });
  Object.assign(optionalParts, { addProgress, emptyOutputs, warnOfSamples });
  optionalRefusals.refusals = refusals;
  optionalResets.resets = resets;
  allowStreams();
  addMethods();
  lossTable.fill(losses, shortLossNames);
  metricTable.fill(metrics, shortMetricNames);
  optimizerTable.fill(optimizers);
  scheduleTable.fill(schedules);
}
