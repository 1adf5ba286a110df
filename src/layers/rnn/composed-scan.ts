import { filled, type Tensor } from '../../autograd/tensor.ts';
import { select } from '../../ops/elementwise/select.ts';
import { beginProbe, type HiddenProbe } from '../../ops/hidden-probe.ts';
import { stack } from '../../ops/shapes/joins.ts';
import { inOrder } from '../../ops/shapes/layout.ts';
import { timeStep } from '../../ops/shapes/slices.ts';
import type { StateSpec } from '../base/carried-states.ts';
import type { UnrollOptions, UnrollResult } from './recurrent.ts';

export interface StepResult {
  /** Output, `[B, O]`. */
  readonly output: Tensor;
  /** New states, with the widths of the states before the step. */
  readonly states: readonly Tensor[];
}

/** Maps x_t `[B, I]` and the states before the step to the output and the states after the step. */
export type Step = (x: Tensor, states: readonly Tensor[]) => StepResult;

/**
 * Scans over time with a step made of ops.
 *
 * A masked row keeps its states and repeats its last output, or zeros before its first step. A step is skipped if all
 * its rows are masked.
 *
 * @param input x `[B, T, I]`, in either memory order.
 */
export function composedScan(
  input: Tensor,
  step: Step,
  widths: { states: readonly StateSpec[]; output: number },
  options: UnrollOptions,
): UnrollResult {
  const x = inOrder(input, true);
  const [batch, time] = x.shape as [number, number];
  const kept = options.mask && keptRows(options.mask);
  let states = options.initialState ?? widths.states.map(({ width }) => filled([batch, width], 0, x.engine));
  let output: Tensor | undefined;
  const outputs: Tensor[] = [];
  const probe = beginProbe(time);
  for (let i = 0; i < time; i++) {
    const t = options.reverse ? time - 1 - i : i;
    const rows = kept?.[t] ?? batch;
    if (rows > 0) {
      const unprobed = step(timeStep(x, t), states);
      const result = probe ? withProbe(probe, unprobed, t) : unprobed;
      if (rows === batch) ({ output, states } = result);
      else {
        const mask = timeStep(options.mask!, t);
        const before = states;
        output = select(mask, result.output, output ?? 0);
        states = result.states.map((state, s) => select(mask, state, before[s]!));
      }
    }
    if (options.returnSequences) outputs[t] = output!;
  }
  output ??= filled([batch, widths.output], 0, x.engine);
  for (let t = 0; t < outputs.length; t++) outputs[t] ??= filled(output.shape, 0, x.engine);
  return { outputs: options.returnSequences ? stack(outputs, 1) : undefined, last: output, states };
}

/** The same result, but with an output whose gradient the probe reads. */
function withProbe(probe: HiddenProbe, { output, states }: StepResult, t: number): StepResult {
  const seen = probe.watch(output, t);
  return { output: seen, states: states.map((state) => (state === output ? seen : state)) };
}

/** Number of unmasked rows in each step, for a mask `[B, T]`. */
function keptRows(mask: Tensor): number[] {
  const [batch, time] = mask.shape as [number, number];
  const values = mask.toArray();
  const counts = new Array<number>(time).fill(0);
  for (let b = 0; b < batch; b++) for (let t = 0; t < time; t++) if (values[b * time + t] !== 0) counts[t]!++;
  return counts;
}
