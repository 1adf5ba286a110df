import { tensorOf, type Weight } from '../autograd/parameter.ts';
import { isRecording, record, type Tape } from '../autograd/tape.ts';
import { ArgumentError, empty, expectF32, expectShape, formatShape, type Tensor } from '../autograd/tensor.ts';
import type { Cell } from '../cells/cell.ts';
import type { Ptr } from '../engine/abi.ts';
import { inputSide } from './input-side.ts';
import { inOrder } from './layout.ts';
import { RecurrentSide, type Stretch } from './recurrent-side.ts';
import {
  beginBackward,
  beginForward,
  grainOf,
  placeOf,
  type Scan,
  type Segment,
  type Sizes,
  type Strip,
  spanOf,
  timeOf,
} from './scan.ts';
import { StepMask } from './step-mask.ts';

export interface RecurrentWeights {
  /** `[I, G·H]` */
  kernel: Weight;
  /** `[H, G·H]` */
  recurrentKernel: Weight;
  /** `[G·H]`, or `[2, G·H]` for a cell with two biases. */
  bias?: Weight | undefined;
}

export interface RecurrenceOptions {
  /** One `[B, H]` per state of the cell; zeros without it. Gradients flow to it. */
  initialState?: readonly Tensor[] | undefined;
  /** Walks from the last step to the first; outputs stay at their own time. Default false. */
  reverse?: boolean;
  /** Whether `outputs` is wanted. Default true. */
  returnSequences?: boolean;
  /**
   * `[T, B]` f32. Where it is 0 a row makes no step: its states, and so its output, stay those of the step before, and no
   * gradient reaches x or a weight. A scan in reverse then walks each sequence back from its own end. x must be finite there.
   */
  mask?: Tensor | undefined;
  /**
   * Masks `[G, B, I]` f32, one a gate, constant over time: gate g reads x∘mask_g. Whoever draws them has scaled them by
   * 1/(1 − rate). No gradient flows to them.
   */
  inputDropout?: Tensor | undefined;
  /** Masks `[G, B, H]` f32, likewise: gate g is made from (h_{t−1}∘mask_g)·U_g. */
  recurrentDropout?: Tensor | undefined;
  /**
   * Keeps states for the backward pass at every k-th step alone and makes the steps between them again, k at a time: memory for
   * T/k + k steps beside the outputs, for one more forward pass. The gradients are the same to the bit. k = √T needs least.
   */
  checkpointEvery?: number | undefined;
}

export interface RecurrenceResult {
  /** h of every step, `[T, B, H]`; undefined with `returnSequences: false`. */
  outputs: Tensor | undefined;
  /** States after the last step walked, each `[B, H]`, h first. */
  states: Tensor[];
}

/**
 * The scan over time: (h_t, …) = cell(x_t·W + b, h_{t−1}, …), one tape entry for the unrolled sequence.
 *
 * Forward multiplies the input side of many steps at once and the recurrent side step by step, with weights packed once.
 * Backward walks the steps from the end, leaves every ∂L/∂h_t in the gradient of `outputs`, and makes the gradients of
 * W, U and x from all steps in one product each. T, B, I, H, G: time, batch, input size, units, gates.
 *
 * @param cell the fused cell.
 * @param input x `[T, B, I]` f32.
 * @param weights W `[I, G·H]`, U `[H, G·H]`, b.
 * @returns tensors of the open step (outside a step: the caller's to `dispose`).
 * @throws ArgumentError if a shape does not fit, T is 0 or `checkpointEvery` is no positive integer.
 * @see keras.layers.RNN (mask; dropout and recurrent_dropout as in implementation 1)
 */
export function recurrence(
  cell: Cell,
  input: Tensor,
  weights: RecurrentWeights,
  options: RecurrenceOptions = {},
): RecurrenceResult {
  const { reverse = false, returnSequences = true } = options;
  const given = operandsOf(input, weights, options);
  const sizes = checkShapes(cell, given, options.checkpointEvery);
  const { x, kernel, recurrentKernel, bias, initialState } = given;
  const { engine } = x;
  const { time, batch, units, width } = sizes;
  const recurrentBias = bias && cell.biases === 2 ? bias.ptr + 4 * width : 0;
  const scan: Scan = {
    ...{ engine, cell, sizes, reverse },
    mask: given.mask && new StepMask(given.mask),
    input: inputSide({ x, kernel, bias, dropout: given.inputDropout, reverse }),
    recurrent: new RecurrentSide({
      ...{ cell, kernel: recurrentKernel, bias: recurrentBias, dropout: given.recurrentDropout, batch, reverse },
    }),
  };
  const inputs = [...scan.input.tensors, recurrentKernel, ...(initialState ?? [])];
  const recording = isRecording(inputs);
  const length = recording ? Math.min(time, options.checkpointEvery ?? time) : time;
  const keepsAll = recording && length === time;

  const stateFloats = batch * units;
  const outputs =
    returnSequences || keepsAll ? empty([time, batch, units], { name: `${cell.name} h`, engine }) : undefined;
  const kept = cell.states.map((name, i): Kept => {
    if (i === 0 && outputs) return { at: outputs, everyStep: true };
    // Without a backward pass to come a state needs one place, not one a step; with checkpoints, one a segment.
    const places = keepsAll ? time : Math.ceil(time / length);
    return { at: empty([places, batch, units], { name: `${cell.name} ${name}`, engine }), everyStep: keepsAll };
  });
  const whole = (at: Ptr, floats: number): Strip => ({ at, low: 0, floats });
  const walk: Walk = {
    ...{ scan, length, kept, initial: initialState },
    gates: keepsAll ? whole(engine.allocateScratch(time * batch * width), batch * width) : undefined,
    saved: keepsAll
      ? whole(engine.allocateScratch(time * stateFloats * cell.saved), stateFloats * cell.saved)
      : undefined,
  };

  engine.scratch(() => {
    const start = startOf(walk);
    const forward = beginForward(scan, keepsAll);
    engine.parallel(batch, grainOf(sizes, time), (part) => {
      for (let from = 0; from < time; from += length) forward(part, segmentOf(walk, from, start));
    });
  });

  const last = timeOf(scan, time - 1);
  const states = kept.map(({ at, everyStep }) =>
    at.view([batch, units], false, at.name, (everyStep ? last : at.shape[0]! - 1) * stateFloats),
  );
  if (recording) {
    record(inputs, outputs ? [outputs, ...states] : states, (tape) =>
      backward(tape, walk, { recurrentKernel, bias, states }),
    );
  }
  return { outputs: returnSequences ? outputs : undefined, states };
}

/** A scan that has been walked forward, in segments of `length` steps. */
interface Walk {
  scan: Scan;
  length: number;
  kept: Kept[];
  initial: readonly Tensor[] | undefined;
  /** Of every step, where they were kept. */
  gates: Strip | undefined;
  saved: Strip | undefined;
}

/** A state `[T, B, H]` of every step, by time, or of the last step of every segment, as they were walked. */
interface Kept {
  at: Tensor;
  everyStep: boolean;
}

/** Addresses of the states before the first step: the given ones, or zeros in scratch. */
function startOf({ scan, initial }: Walk): Ptr[] {
  const { batch, units } = scan.sizes;
  return scan.cell.states.map((_, i) => initial?.[i]?.ptr ?? scan.engine.zeroedScratch(batch * units));
}

/** The segment that starts with the step walked as `from`, as it is walked forward. */
function segmentOf({ scan, length, kept, gates, saved }: Walk, from: number, start: Ptr[]): Segment {
  const { time, batch, units } = scan.sizes;
  const floats = batch * units;
  const placeOfSegment = (at: Tensor, index: number): Ptr => at.ptr + 4 * index * floats;
  const index = from / length;
  return {
    ...{ from, to: Math.min(from + length, time), gates, saved },
    states: kept.map(({ at, everyStep }) =>
      everyStep ? { at: at.ptr, low: 0, floats } : { at: placeOfSegment(at, index), low: 0, floats: 0 },
    ),
    start: kept.map(({ at, everyStep }, s) => {
      if (from === 0) return start[s]!;
      return placeOfSegment(at, everyStep ? timeOf(scan, from - 1) : index - 1);
    }),
  };
}

/** In scratch, `undefined` turned into room: what a segment's steps must keep for the walk back. */
function roomFor({ scan, length, kept, gates, saved }: Walk): (segment: Segment) => Segment {
  const { engine, cell, sizes, reverse } = scan;
  const { time, batch, units, width } = sizes;
  const room = (floats: number): Strip => ({ at: engine.allocateScratch(length * floats), low: 0, floats });
  const rooms = {
    gates: gates ?? room(batch * width),
    saved: saved ?? room(batch * units * cell.saved),
    states: kept.map(({ everyStep }) => (everyStep ? undefined : room(batch * units))),
  };
  return (segment) => {
    const low = reverse ? time - segment.to : segment.from;
    return {
      ...segment,
      gates: gates ?? { ...rooms.gates, low },
      saved: saved ?? { ...rooms.saved, low },
      states: rooms.states.map((strip, s) => (strip ? { ...strip, low } : segment.states[s]!)),
    };
  };
}

interface BackwardOperands {
  recurrentKernel: Tensor;
  bias: Tensor | undefined;
  states: readonly Tensor[];
}

function backward(tape: Tape, walk: Walk, { recurrentKernel, bias, states }: BackwardOperands): void {
  const { scan, length, kept, initial } = walk;
  const { engine, cell, sizes, mask } = scan;
  const { kernels } = engine;
  const { time, batch, units } = sizes;
  const floats = batch * units;
  const isWhole = !mask || (mask.low === 0 && mask.high === time);

  const dOutputs = kept[0]!.everyStep ? tape.gradientOf(kept[0]!.at) : 0;
  const dInitial = cell.states.map((_, i) => initial?.[i] && tape.intoZeroed(initial[i]!));
  const dBias = bias && tape.into(bias);
  // The input side's first: one tensor may be both kernels, and whoever comes first starts its gradient.
  const inputBegin = scan.input.beginBackward(tape, dBias, isWhole);
  const dRecurrent = tape.into(recurrentKernel);

  engine.scratch(() => {
    const start = startOf(walk);
    const turns = dOutputs ? [] : [engine.zeroedScratch(floats), engine.zeroedScratch(floats)];
    const hiddenAt = (t: number): Ptr => (dOutputs ? dOutputs + 4 * t * floats : turns[t & 1]!);
    const dFinal = tape.gradientOf(states[0]!);
    if (dFinal) kernels.axpy(floats, 1, dFinal, hiddenAt(timeOf(scan, time - 1)));
    const others = states.slice(1).map((state) => {
      const at = engine.zeroedScratch(floats);
      const given = tape.gradientOf(state);
      if (given) kernels.axpy(floats, 1, given, at);
      return at;
    });
    const first = dInitial[0] ?? engine.zeroedScratch(floats);
    const walkForward = walk.gates ? undefined : beginForward(scan, true);
    const walkBack = beginBackward(scan, { hiddenAt, inTurn: !dOutputs, first, others });
    const keep = roomFor(walk);
    const inputGradients = inputBegin();
    const recurrentGradients = scan.recurrent.gradients(dRecurrent, cell.biases === 2 ? dBias : undefined);

    for (let from = Math.floor((time - 1) / length) * length; from >= 0; from -= length) {
      const segment = keep(segmentOf(walk, from, start));
      engine.parallel(batch, grainOf(sizes, segment.to - from), (part) => {
        walkForward?.(part, segment);
        walkBack(part, segment);
      });
      const { low, high } = spanOf(scan, segment);
      inputGradients.add(low, Math.max(high - low, 0), placeOf(segment.gates!, low));
      for (const stretch of stretchesOf(walk, segment)) recurrentGradients.add(stretch);
    }
    inputGradients.end();
    recurrentGradients.end();
    others.forEach((at, j) => {
      const to = dInitial[j + 1];
      if (to) kernels.axpy(floats, 1, at, to);
    });
  });
}

/**
 * The steps of a segment that are not left out, from the last one walked to the first, as they stand side by side with the h
 * before them: all that have theirs in the segment, and the first, whose h came from before.
 */
function stretchesOf({ scan, initial }: Walk, segment: Segment): Stretch[] {
  const { low, high } = spanOf(scan, segment);
  const first = timeOf(scan, segment.from);
  const hidden = segment.states[0]!;
  const stretch = (from: number, to: number, before: Ptr): Stretch => ({
    ...{ steps: Math.max(to - from, 0), hidden: before },
    gates: placeOf(segment.gates!, from),
    saved: placeOf(segment.saved!, from),
  });
  const [from, to] = scan.reverse ? [low, Math.min(high, first)] : [Math.max(low, first + 1), high];
  const inner = stretch(from, to, placeOf(hidden, scan.reverse ? from + 1 : from - 1));
  if (first < low || first >= high) return [inner];
  return [inner, stretch(first, first + 1, segment.from === 0 && !initial ? 0 : segment.start[0]!)];
}

interface Operands {
  x: Tensor;
  kernel: Tensor;
  recurrentKernel: Tensor;
  bias: Tensor | undefined;
  initialState: Tensor[] | undefined;
  mask: Tensor | undefined;
  inputDropout: Tensor | undefined;
  recurrentDropout: Tensor | undefined;
}

/** What was given, row-major. */
function operandsOf(x: Tensor, weights: RecurrentWeights, options: RecurrenceOptions): Operands {
  const rowMajor = (t: Tensor | undefined): Tensor | undefined => t && inOrder(t, false);
  const { mask, inputDropout, recurrentDropout } = options;
  return {
    x: inOrder(x, false),
    kernel: inOrder(tensorOf(weights.kernel), false),
    recurrentKernel: inOrder(tensorOf(weights.recurrentKernel), false),
    bias: rowMajor(weights.bias && tensorOf(weights.bias)),
    initialState: options.initialState?.map((state) => inOrder(state, false)),
    ...{ mask: rowMajor(mask), inputDropout: rowMajor(inputDropout), recurrentDropout: rowMajor(recurrentDropout) },
  };
}

function checkShapes(cell: Cell, given: Operands, checkpointEvery: number | undefined): Sizes {
  const what = `recurrence(${cell.name})`;
  const { x, kernel, recurrentKernel, bias, initialState, mask, inputDropout, recurrentDropout } = given;
  const [time, batch, inputs] = x.shape as [number, number, number];
  if (x.shape.length !== 3 || time === 0 || x.dtype !== 'f32') {
    throw new ArgumentError(`${what}: input expected [T, B, I] f32 with T ≥ 1, got ${formatShape(x.shape)} ${x.dtype}`);
  }
  for (const [name, t] of Object.entries({ kernel, recurrentKernel, bias, mask, inputDropout, recurrentDropout })) {
    if (t) expectF32(`${what}: ${name}`, t);
  }
  initialState?.forEach((state, i) => expectF32(`${what}: initialState[${i}]`, state));
  const units = recurrentKernel.shape[0] ?? 0;
  const width = cell.gates * units;
  expectShape(`${what}: recurrentKernel`, recurrentKernel.shape, [units, width]);
  expectShape(`${what}: kernel`, kernel.shape, [inputs, width]);
  if (bias) expectShape(`${what}: bias`, bias.shape, cell.biases === 2 ? [2, width] : [width]);
  if (initialState) {
    if (initialState.length !== cell.states.length) {
      throw new ArgumentError(
        `${what}: initialState expected ${cell.states.length} tensors (${cell.states.join(', ')}), got ${initialState.length}`,
      );
    }
    initialState.forEach((state, i) => expectShape(`${what}: initialState[${i}]`, state.shape, [batch, units]));
  }
  if (mask) expectShape(`${what}: mask`, mask.shape, [time, batch]);
  if (inputDropout) expectShape(`${what}: inputDropout`, inputDropout.shape, [cell.gates, batch, inputs]);
  if (recurrentDropout) expectShape(`${what}: recurrentDropout`, recurrentDropout.shape, [cell.gates, batch, units]);
  if (checkpointEvery !== undefined && !(Number.isInteger(checkpointEvery) && checkpointEvery > 0)) {
    throw new ArgumentError(`${what}: checkpointEvery expected a positive integer, got ${checkpointEvery}`);
  }
  return { time, batch, inputs, units, width };
}
