import { tensorOf, type Weight } from '../autograd/parameter.ts';
import { isRecording, record, type Tape } from '../autograd/tape.ts';
import { empty, expectF32, expectShape, type Tensor } from '../autograd/tensor.ts';
import { type Cell, stateWidth } from '../cells/cell.ts';
import { ArgumentError, expectCount, expectList, expectType } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { formatShape, sizeOf } from '../checks/shape.ts';
import type { Ptr } from '../engine/abi.ts';
import type { Part } from '../engine/threads.ts';
import { hideMasked } from './elementwise/select.ts';
import { beginProbe } from './hidden-probe.ts';
import { deferredByChunks, deferredHidden, hiddenGradients } from './recurrence/hidden-gradients.ts';
import { type InputSide, inputSide } from './recurrence/input-side.ts';
import { type RecurrentProducts, RecurrentSide } from './recurrence/recurrent-side.ts';
import {
  beginBackward,
  beginForward,
  GATES_BACKWARD,
  GATES_FORWARD,
  grainOf,
  LEAST_ROWS,
  placeOf,
  type Scan,
  type Segment,
  type Sizes,
  type StepBuffer,
  spanOf,
  timeOf,
} from './recurrence/scan.ts';
import {
  allocateMissing,
  type SavedState,
  type ScanResiduals,
  segmentOf,
  startOf,
  stepRangesOf,
} from './recurrence/segments.ts';
import { StepMask } from './recurrence/step-mask.ts';
import { inOrder } from './shapes/layout.ts';

export interface RecurrentWeights {
  /** `[I, G·H]` */
  kernel: Weight;
  /** `[H, G·H]`; `[P, G·H]` for a cell that projects. */
  recurrentKernel: Weight;
  /** `[G·H]`, or `[2, G·H]` for a cell with two biases. */
  bias?: Weight | undefined;
  /** The weights that `extraWeights` of the cell names. */
  extra?: Readonly<Record<string, Weight>> | undefined;
}

export interface RecurrenceOptions {
  /**
   * One tensor for each state of the cell, in the shapes of the returned `states`. Default: zeros. Gradients flow to
   * them.
   */
  initialState?: readonly Tensor[] | undefined;
  /** Whether steps run from the last to the first. The output of step t is at t in both cases. Default false. */
  reverse?: boolean | undefined;
  /** Whether to return `outputs`. Default true. */
  returnSequences?: boolean | undefined;
  /**
   * `[T, B]` f32. Where it is 0, the row makes no step: states and output stay those of the step before, and no
   * gradient reaches x or a weight, even if x is NaN there. In reverse each sequence then starts at its own last step.
   */
  mask?: Tensor | undefined;
  /**
   * Dropout masks `[G, B, I]` f32, one for each gate, the same at all steps: gate g reads x∘mask_g. The caller has
   * multiplied them by 1/(1 − rate). No gradient flows to them.
   */
  inputDropout?: Tensor | undefined;
  /**
   * Dropout masks `[G, B, H]` f32, `[G, B, P]` if the cell projects: gate g is computed from (h_{t−1}∘mask_g)·U_g. The
   * rest is the same as for `inputDropout`.
   */
  recurrentDropout?: Tensor | undefined;
  /**
   * Keeps states for backward only at every k-th step. Backward computes the steps between them again, k at a time.
   * Beside the outputs this takes memory for T/k + k steps and costs one more forward pass. The gradients are the same
   * to the bit. k = √T needs least memory.
   */
  checkpointEvery?: number | undefined;
}

export interface RecurrenceResult {
  /** h of every step, `[T, B, H]`, `[T, B, P]` if the cell projects; undefined with `returnSequences: false`. */
  outputs: Tensor | undefined;
  /** States after the last step of the scan, h first, each `[B, H]`; h is `[B, P]` if the cell projects. */
  states: Tensor[];
}

const optionNames = {
  initialState: 1,
  reverse: true,
  returnSequences: true,
  mask: 1,
  inputDropout: 1,
  recurrentDropout: 1,
  checkpointEvery: 1,
};
const weightNames = { kernel: 1, recurrentKernel: 1, bias: 1, extra: 1 };

/**
 * Runs a fused cell over all steps of a sequence. The whole scan is one tape entry.
 *
 * (h_t, …) = cell(x_t·W + b, h_{t−1}, …) for t = 0 … T−1
 *
 * Forward computes x·W + b for many steps at once and h·U step by step, with weights that are packed once. Backward
 * runs the steps from the end; the gradients of W and U are one product each over all steps. The gradients of x and of
 * `outputs` may be deferred: they are computed when they are needed.
 *
 * Sizes: time T, batch B, input size I, units H, projected size P, gates G.
 *
 * @param cell one of `cells`.
 * @param input x `[T, B, I]` f32.
 * @param weights.kernel W `[I, G·H]` f32.
 * @param weights.recurrentKernel U `[H, G·H]` f32; `[P, G·H]` if the cell projects.
 * @param weights.bias b `[G·H]` f32, or `[2, G·H]` for a cell with two biases; default none.
 * @param weights.extra the extra weights of the cell, by name.
 * @param options initial states, direction, masks and checkpoints; see `RecurrenceOptions`.
 * @returns `outputs` `[T, B, H]` and `states` `[B, H]`, tensors of the open step (outside a step: the caller's to
 *   `dispose`).
 * @throws ArgumentError if `cell` is not a cell, a tensor does not have the stated shape or is not f32, T is 0, an
 *   extra weight is missing or unknown, `checkpointEvery` is not a positive integer, or an option is unknown.
 * @see keras.layers.RNN (mask; dropout and recurrent_dropout as in implementation 1)
 *
 * @example
 * const weights = { kernel: ops.ones([2, 16]), recurrentKernel: ops.ones([4, 16]) };
 * const { outputs } = ops.recurrence(cells.lstm, ops.ones([5, 1, 2]), weights); // [T, B, I] = [5, 1, 2]
 * outputs.shape; // [5, 1, 4]
 */
export function recurrence(
  cell: Cell,
  input: Tensor,
  weights: RecurrentWeights,
  options: RecurrenceOptions = {},
): RecurrenceResult {
  checkOptions('recurrence', options, optionNames);
  expectCount('recurrence: cell.gates', cell?.gates);
  for (const part of ['forward', 'backward'] as const) expectType(`recurrence: cell.${part}`, cell[part], 'a function');
  for (const part of ['saved', 'scratch'] as const) expectType(`recurrence: cell.${part}`, cell[part], 'a number');
  const blocks = expectList('recurrence: cell.blocks', cell.blocks);
  if (!expectList('recurrence: cell.states', cell.states).length || !blocks.length || typeof blocks[0] !== 'object')
    throw new ArgumentError('recurrence: cell.states and cell.blocks expected one or more, as those of cells have');
  checkOptions('recurrence: weights', weights, weightNames);
  if (options.initialState !== undefined) expectList('recurrence: initialState', options.initialState);
  return scanOf(cell, input, weights, options);
}

/** `recurrence` for layers. The caller has checked the kinds of the cell and the options. @internal */
export function scanOf(
  cell: Cell,
  input: Tensor,
  weights: RecurrentWeights,
  options: RecurrenceOptions,
): RecurrenceResult {
  const given = operandsOf(cell, input, weights, options);
  const sizes = checkShapes(cell, given, options.checkpointEvery);
  const { kernel, recurrentKernel, extra, bias } = given;
  const { reverse = false } = options;
  const x = hideMasked(given.x, given.mask);
  const recurrentBias = bias && cell.biases === 2 ? bias.ptr + 4 * sizes.width : 0;
  const sides: ScanSides = {
    input: inputSide({ x, kernel, bias, dropout: given.inputDropout, reverse }),
    recurrent: new RecurrentSide({
      cell,
      sizes,
      kernel: recurrentKernel,
      extra,
      bias: recurrentBias,
      dropout: given.recurrentDropout,
      reverse,
    }),
  };
  return scanWith(cell, sizes, given, sides, options);
}

/** The products of a scan: those of the input, and those of h. */
export interface ScanSides {
  readonly input: InputSide;
  readonly recurrent: RecurrentProducts;
}

/** Tensors of a scan. */
export interface ScanOperands {
  readonly kernel: Tensor;
  readonly recurrentKernel: Tensor;
  readonly extra: readonly Tensor[];
  readonly bias: Tensor | undefined;
  readonly initialState: readonly Tensor[] | undefined;
  /** `[T, B]` */
  readonly mask: Tensor | undefined;
}

/** `recurrence` with any products. The operands are checked, and row-major. @internal */
export function scanWith(
  cell: Cell,
  sizes: Sizes,
  given: ScanOperands,
  { input, recurrent }: ScanSides,
  { reverse = false, returnSequences = true, checkpointEvery }: RecurrenceOptions,
): RecurrenceResult {
  const { recurrentKernel, extra, initialState } = given;
  const { engine } = recurrentKernel;
  const { time, batch, units, hidden, width } = sizes;
  const inputs = [...input.tensors, recurrentKernel, ...extra, ...(initialState ?? [])];
  const recording = isRecording(inputs);
  const scan: Scan = {
    engine,
    cell,
    sizes,
    reverse,
    isInference: !recording,
    mask: given.mask && new StepMask(given.mask),
    input,
    recurrent,
    extra: extra.map((weight) => weight.ptr),
  };
  const probe = recording ? beginProbe(time) : undefined;
  const length = recording && !probe ? Math.min(time, checkpointEvery ?? time) : time;
  const keepsAll = recording && length === time;

  const outputs =
    returnSequences || keepsAll ? empty([time, batch, hidden], { name: `${cell.name} h`, engine }) : undefined;
  const kept = cell.states.map((state, s): SavedState => {
    if (s === 0 && outputs) return { at: outputs, everyStep: true };
    // Without backward a state needs one place in all; with checkpoints it needs one for each segment.
    const places = keepsAll ? time : Math.ceil(time / length);
    const name = `${cell.name} ${state}`;
    return { at: empty([places, batch, stateWidth(s, sizes)], { name, engine }), everyStep: keepsAll };
  });
  const buffer = (floats: number): StepBuffer | undefined =>
    keepsAll ? { at: engine.allocateScratch(time * floats), low: 0, floats } : undefined;
  const [gates, saved] = [buffer(batch * width), buffer(batch * units * cell.saved)];
  const residuals: ScanResiduals = { scan, length, kept, initial: initialState, gates, saved, probe };

  engine.scratch(() => {
    const start = startOf(residuals);
    const forward = beginForward(scan, keepsAll);
    const run = (part: Part): void => {
      for (let from = 0; from < time; from += length) forward(part, segmentOf(residuals, from, start));
    };
    engine.parallel(batch, grainOf(sizes, time, sizes.inputs + GATES_FORWARD), run, LEAST_ROWS);
  });

  const last = timeOf(scan, time - 1);
  const states = kept.map(({ at, everyStep }, s) => {
    const shape = [batch, stateWidth(s, sizes)] as const;
    return at.view(shape, false, at.name, (everyStep ? last : at.shape[0]! - 1) * sizeOf(shape));
  });
  if (recording) {
    record(inputs, outputs ? [outputs, ...states] : states, (tape) => backward(tape, residuals, given, states), {
      acceptsDeferred: true,
    });
  }
  return { outputs: returnSequences ? outputs : undefined, states };
}

function backward(
  tape: Tape,
  residuals: ScanResiduals,
  { kernel, recurrentKernel, extra, bias }: ScanOperands,
  states: readonly Tensor[],
): void {
  const { scan, length, kept, initial, probe } = residuals;
  const { engine, cell, sizes, mask } = scan;
  const { kernels } = engine;
  const { time } = sizes;
  const outputs = kept[0]!.everyStep ? kept[0]!.at : undefined;
  // With a probe, ∂L/∂h_t is summed in the gradient of the outputs, even if they are not returned.
  if (probe) tape.intoZeroed(outputs!);
  const deferred = outputs && deferredByChunks(scan, tape.deferredFor(outputs));
  const dOutputs = outputs && !deferred ? tape.gradientOf(outputs) : 0;
  const dStates = states.map((state) => tape.gradientOf(state));
  const dInitial = cell.states.map((_, i) => initial?.[i] && tape.intoZeroed(initial[i]!));
  const dBias = bias && tape.into(bias);
  // The input side comes first. If one tensor is both kernels, the input side starts its gradient. The recurrent side
  // then computes its sum separately and adds it at the end, so that the segments of both do not mix in one sum.
  const isWhole = !mask || (mask.low === 0 && mask.high === time);
  const defersX = isWhole && residuals.gates !== undefined;
  const inputBegin = scan.input.beginBackward(tape, dBias, defersX);
  const dRecurrent = tape.into(recurrentKernel);
  const dExtra = extra.map((weight) => tape.intoZeroed(weight) ?? 0);

  engine.scratch(() => {
    const start = startOf(residuals);
    const hidden = deferred ? deferredHidden(scan, deferred) : hiddenGradients(scan, length, dOutputs);
    const others = states.slice(1).map(({ size }) => engine.zeroedScratch(size));
    const first = dInitial[0] ?? engine.zeroedScratch(states[0]!.size);
    const runForward = residuals.gates ? undefined : beginForward(scan, true);
    const addBuffers = allocateMissing(residuals);
    // With one segment the sums begin after its backward steps. Until then the gradient of U has room for packed U.
    const room = residuals.gates && dRecurrent?.accumulate === 0 ? dRecurrent.ptr : 0;
    const inputGradients = inputBegin();
    const apart = dRecurrent && recurrentKernel === kernel ? engine.zeroedScratch(recurrentKernel.size) : 0;
    const recurrentGradients = scan.recurrent.gradients({
      kernel: apart ? { ptr: apart, accumulate: 1 } : dRecurrent,
      extra: dExtra,
      bias: cell.biases === 2 ? dBias : undefined,
    });

    for (let from = Math.floor((time - 1) / length) * length; from >= 0; from -= length) {
      const segment = addBuffers(segmentOf(residuals, from, start));
      hidden.enter(segment);
      if (segment.to === time) {
        for (const [s, state] of states.entries()) {
          const to = s === 0 ? hidden.at(timeOf(scan, time - 1)) : others[s - 1]!;
          if (dStates[s]) kernels.axpy(state.size, 1, dStates[s], to);
        }
      }
      // The scratch of the backward steps is released here, and the sums use it again.
      engine.scratch(() => {
        const runBackward = beginBackward(scan, { hidden, first, others, room });
        const run = (part: Part): void => {
          runForward?.(part, segment);
          runBackward(part, segment);
        };
        engine.parallel(sizes.batch, grainOf(sizes, segment.to - from, GATES_BACKWARD), run, LEAST_ROWS);
      });
      const { low, high } = spanOf(scan, segment);
      inputGradients.add(low, Math.max(high - low, 0), placeOf(segment.gates!, low));
      for (const range of stepRangesOf(residuals, segment, hidden.at)) recurrentGradients.add(range);
      addWeightGradients(scan, segment, dExtra);
    }
    inputGradients.end();
    recurrentGradients.end();
    if (apart) kernels.axpy(recurrentKernel.size, 1, apart, dRecurrent!.ptr);
    others.forEach((at, j) => {
      const to = dInitial[j + 1];
      if (to) kernels.axpy(states[j + 1]!.size, 1, at, to);
    });
  });
  if (defersX) scan.input.defer(tape, residuals.gates!.at);
  probe?.addAll(outputs!, dOutputs, mask);
}

interface Operands {
  x: Tensor;
  kernel: Tensor;
  recurrentKernel: Tensor;
  extra: Tensor[];
  bias: Tensor | undefined;
  initialState: Tensor[] | undefined;
  mask: Tensor | undefined;
  inputDropout: Tensor | undefined;
  recurrentDropout: Tensor | undefined;
}

/** Adds the gradients of the extra weights of the cell, from the last step of the scan to the first. */
function addWeightGradients(scan: Scan, segment: Segment, dExtra: readonly Ptr[]): void {
  const { cell, engine, sizes } = scan;
  if (!cell.addWeightGradients) return;
  const { units, hidden, batch: rows } = sizes;
  const { low, high } = spanOf(scan, segment);
  for (let i = segment.to - 1; i >= segment.from; i--) {
    const t = timeOf(scan, i);
    if (t < low || t >= high) continue;
    const next = segment.states.map((buffer) => placeOf(buffer, t));
    const previous =
      i === segment.from ? segment.start : segment.states.map((buffer) => placeOf(buffer, timeOf(scan, i - 1)));
    const gates = placeOf(segment.gates!, t);
    cell.addWeightGradients({ kernels: engine.kernels, rows, units, hidden, gates, previous, next, dExtra });
  }
}

/** The operands, row-major. */
function operandsOf(cell: Cell, x: Tensor, weights: RecurrentWeights, options: RecurrenceOptions): Operands {
  const rowMajor = (t: Tensor | undefined): Tensor | undefined => t && inOrder(t, false);
  const { mask, inputDropout, recurrentDropout } = options;
  const names = cell.extraWeights?.map(({ name }) => name) ?? [];
  const got = Object.keys(weights.extra ?? {});
  if (names.length !== got.length || !names.every((name) => got.includes(name))) {
    const list = (all: string[]): string => all.join(', ') || 'nothing';
    throw new ArgumentError(`recurrence(${cell.name}): extra weights expected ${list(names)}, got ${list(got)}`);
  }
  return {
    x: inOrder(x, false),
    kernel: inOrder(tensorOf(weights.kernel), false),
    recurrentKernel: inOrder(tensorOf(weights.recurrentKernel), false),
    extra: names.map((name) => inOrder(tensorOf(weights.extra![name]!), false)),
    bias: rowMajor(weights.bias && tensorOf(weights.bias)),
    initialState: options.initialState?.map((state) => inOrder(state, false)),
    mask: rowMajor(mask),
    inputDropout: rowMajor(inputDropout),
    recurrentDropout: rowMajor(recurrentDropout),
  };
}

function checkShapes(cell: Cell, given: Operands, checkpointEvery: number | undefined): Sizes {
  const what = `recurrence(${cell.name})`;
  const { x, kernel, recurrentKernel, extra, bias, initialState, mask, inputDropout, recurrentDropout } = given;
  const [time, batch, inputs] = x.shape as [number, number, number];
  if (x.shape.length !== 3 || time === 0 || x.dtype !== 'f32') {
    throw new ArgumentError(`${what}: input expected [T, B, I] f32 with T ≥ 1, got ${formatShape(x.shape)} ${x.dtype}`);
  }
  for (const [name, t] of Object.entries({ kernel, recurrentKernel, bias, mask, inputDropout, recurrentDropout })) {
    if (t) expectF32(`${what}: ${name}`, t);
  }
  initialState?.forEach((state, i) => expectF32(`${what}: initialState[${i}]`, state));
  const hidden = recurrentKernel.shape[0] ?? 0;
  const units = cell.projects ? Math.floor((recurrentKernel.shape[1] ?? 0) / cell.gates) : hidden;
  const width = cell.gates * units;
  expectShape(`${what}: recurrentKernel`, recurrentKernel.shape, [hidden, width]);
  expectShape(`${what}: kernel`, kernel.shape, [inputs, width]);
  cell.extraWeights?.forEach(({ name, shape }, i) => {
    expectF32(`${what}: ${name}`, extra[i]!);
    expectShape(`${what}: ${name}`, extra[i]!.shape, shape({ units, hidden }));
  });
  if (bias) expectShape(`${what}: bias`, bias.shape, cell.biases === 2 ? [2, width] : [width]);
  if (initialState) {
    if (initialState.length !== cell.states.length) {
      throw new ArgumentError(
        `${what}: initialState expected ${cell.states.length} tensors (${cell.states.join(', ')}), got ${initialState.length}`,
      );
    }
    initialState.forEach((state, i) =>
      expectShape(`${what}: initialState[${i}]`, state.shape, [batch, stateWidth(i, { units, hidden })]),
    );
  }
  if (mask) expectShape(`${what}: mask`, mask.shape, [time, batch]);
  if (inputDropout) expectShape(`${what}: inputDropout`, inputDropout.shape, [cell.gates, batch, inputs]);
  if (recurrentDropout) expectShape(`${what}: recurrentDropout`, recurrentDropout.shape, [cell.gates, batch, hidden]);
  if (checkpointEvery !== undefined) expectCount(`${what}: checkpointEvery`, checkpointEvery);
  return { time, batch, inputs, units, hidden, width };
}
