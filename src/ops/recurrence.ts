import { tensorOf, type Weight } from '../autograd/parameter.ts';
import { isRecording, record, type Tape } from '../autograd/tape.ts';
import { ArgumentError, empty, expectF32, expectShape, formatShape, type Tensor } from '../autograd/tensor.ts';
import type { BackwardStep, Cell, ForwardStep } from '../cells/cell.ts';
import { Init, type Ptr } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';
import { type InputSide, inputSide } from './input-side.ts';
import { inOrder } from './layout.ts';
import { product } from './product.ts';

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
}

export interface RecurrenceResult {
  /** h of every step, `[T, B, H]`; undefined with `returnSequences: false`. */
  outputs: Tensor | undefined;
  /** States after the last step walked, each `[B, H]`, h first. */
  states: Tensor[];
}

interface Sizes {
  time: number;
  batch: number;
  inputs: number;
  units: number;
  /** Floats of all gates of one row, G·H. */
  width: number;
}

// Rows of the input projection made at a time: enough for full tiles, few enough that the steps find them in cache.
const PROJECTION_ROWS = 128;

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
 * @throws ArgumentError if a shape does not fit or T is 0.
 */
export function recurrence(
  cell: Cell,
  input: Tensor,
  weights: RecurrentWeights,
  options: RecurrenceOptions = {},
): RecurrenceResult {
  const { reverse = false, returnSequences = true } = options;
  const kernel = inOrder(tensorOf(weights.kernel), false);
  const recurrentKernel = inOrder(tensorOf(weights.recurrentKernel), false);
  const bias = weights.bias && inOrder(tensorOf(weights.bias), false);
  const sizes = checkShapes(cell, input, kernel, recurrentKernel, bias, options.initialState);
  const initialState = options.initialState?.map((state) => inOrder(state, false));
  const x = inOrder(input, false);
  const { engine } = x;
  const { time, batch, units, width } = sizes;
  const side = inputSide(x, kernel, bias);
  const inputs = [...side.tensors, recurrentKernel, ...(initialState ?? [])];
  const recording = isRecording(inputs);

  const stateFloats = batch * units;
  const outputs =
    returnSequences || recording ? empty([time, batch, units], { name: `${cell.name} h`, engine }) : undefined;
  // Without a backward pass to come a state needs one place, not one a step.
  const kept = cell.states.map((name, i) => {
    if (i === 0 && outputs) return outputs;
    return empty([recording ? time : 1, batch, units], { name: `${cell.name} ${name}`, engine });
  });
  const gates = recording ? engine.allocateScratch(time * batch * width) : 0;
  const saved = recording ? engine.allocateScratch(time * stateFloats * cell.saved) : 0;
  const stateAt = (state: number, t: number): Ptr => {
    const place = kept[state]!;
    return place.shape[0] === 1 ? place.ptr : place.ptr + 4 * t * stateFloats;
  };

  engine.scratch(() => {
    const chunk = Math.min(time, Math.max(1, Math.ceil(PROJECTION_ROWS / batch)));
    const projectInput = side.begin();
    const packedBlocks = cell.blocks.map((b) =>
      packWhole(engine, recurrentKernel, b.gate * units, b.gates * units, false),
    );
    const chunkGates = recording ? 0 : engine.allocateScratch(chunk * batch * width);
    const oneSaved = recording ? 0 : engine.allocateScratch(stateFloats * cell.saved);
    const start = cell.states.map((_, i) => initialState?.[i]?.ptr ?? zeroed(engine, stateFloats));
    const zeroBias = zeroed(engine, width);
    const scratch = engine.allocateScratch(stateFloats * cell.scratch);
    engine.parallel(batch, grainOf(sizes), ({ kernels, gemmScratch, from, to }) => {
      const rows = to - from;
      const stateOffset = 4 * from * units;
      const step: ForwardStep = {
        ...{ kernels, rows, units, gates: 0, saved: 0 },
        previous: start.map((at) => at + stateOffset),
        next: start.slice(),
        scratch: scratch + stateOffset * cell.scratch,
        project(block, left, at, stride, init) {
          const { gate, gates: count } = cell.blocks[block]!;
          const offset = cell.biases === 2 && bias ? bias.ptr + 4 * (width + gate * units) : zeroBias;
          const packed = packedBlocks[block]!;
          kernels.gemm(rows, count * units, units, left, units, 1, packed, at, stride, init, offset, gemmScratch);
        },
      };
      for (let first = 0; first < time; first += chunk) {
        const steps = Math.min(chunk, time - first);
        const low = reverse ? time - first - steps : first;
        const chunkAt = recording ? gates + 4 * low * batch * width : chunkGates;
        if (rows === batch) projectInput(kernels, gemmScratch, low * batch, steps * batch, chunkAt);
        for (let i = 0; i < steps; i++) {
          const t = reverse ? low + steps - 1 - i : low + i;
          step.gates = chunkAt + 4 * ((t - low) * batch + from) * width;
          if (rows < batch) projectInput(kernels, gemmScratch, t * batch + from, rows, step.gates);
          step.saved = (recording ? saved + 4 * t * stateFloats * cell.saved : oneSaved) + stateOffset * cell.saved;
          for (let s = 0; s < kept.length; s++) step.next[s] = stateAt(s, t) + stateOffset;
          cell.forward(step);
          for (let s = 0; s < kept.length; s++) step.previous[s] = step.next[s]!;
        }
      }
    });
  });

  const last = reverse ? 0 : time - 1;
  const states = kept.map((place) =>
    place.view([batch, units], false, place.name, place.shape[0] === 1 ? 0 : last * stateFloats),
  );
  if (recording) {
    record(inputs, outputs ? [outputs, ...states] : states, (tape) =>
      backward(tape, cell, sizes, {
        ...{ side, recurrentKernel, bias, gates, saved, kept, states },
        initial: initialState,
        reverse,
      }),
    );
  }
  return { outputs: returnSequences ? outputs : undefined, states };
}

interface Saved {
  side: InputSide;
  recurrentKernel: Tensor;
  bias: Tensor | undefined;
  /** Activated gates `[T, B, G·H]`, which become their gradients. */
  gates: Ptr;
  saved: Ptr;
  /** Every state at every step, `[T, B, H]`. */
  kept: Tensor[];
  states: Tensor[];
  initial: readonly Tensor[] | undefined;
  reverse: boolean;
}

function backward(tape: Tape, cell: Cell, sizes: Sizes, s: Saved): void {
  const { engine } = s.recurrentKernel;
  const { kernels } = engine;
  const { time, batch, units, width } = sizes;
  const stateFloats = batch * units;
  const rows = time * batch;
  const first = s.reverse ? time - 1 : 0;
  const last = s.reverse ? 0 : time - 1;
  const before = (t: number): number => (s.reverse ? t + 1 : t - 1);

  const dOutputs = tape.gradientOf(s.kept[0]!);
  const dInitial = cell.states.map((_, i) => s.initial?.[i] && tape.intoZeroed(s.initial[i]!));

  engine.scratch(() => {
    const initial = cell.states.map((_, i) => s.initial?.[i]?.ptr ?? zeroed(engine, stateFloats));
    // Where ∂L/∂h_t gathers: in the outputs' own gradient, or, where only the last state was used, in two places in turn.
    const turns = dOutputs ? [] : [zeroed(engine, stateFloats), zeroed(engine, stateFloats)];
    const dHiddenAt = (t: number): Ptr => (dOutputs ? dOutputs + 4 * t * stateFloats : turns[t & 1]!);
    const dFinal = tape.gradientOf(s.states[0]!);
    if (dFinal) kernels.axpy(stateFloats, 1, dFinal, dHiddenAt(last));
    const dStates = s.states.slice(1).map((state) => {
      const at = zeroed(engine, stateFloats);
      const given = tape.gradientOf(state);
      if (given) kernels.axpy(stateFloats, 1, given, at);
      return at;
    });
    const packedBack = cell.blocks.map((b) =>
      packWhole(engine, s.recurrentKernel, b.gate * units, b.gates * units, true),
    );
    const dBeforeFirst = dInitial[0] ?? zeroed(engine, stateFloats);
    const scratch = engine.allocateScratch(stateFloats * cell.scratch);
    engine.parallel(batch, grainOf(sizes), ({ kernels, gemmScratch, from, to }) => {
      const partRows = to - from;
      const stateOffset = 4 * from * units;
      const step: BackwardStep = {
        ...{ kernels, rows: partRows, units, gates: 0, saved: 0, dHidden: 0, dHiddenPrevious: 0 },
        dStates: dStates.map((at) => at + stateOffset),
        previous: initial.slice(),
        next: initial.slice(),
        scratch: scratch + stateOffset * cell.scratch,
        projectBack(block, left, stride, at, init) {
          const k = cell.blocks[block]!.gates * units;
          kernels.gemm(partRows, units, k, left, stride, 1, packedBack[block]!, at, units, init, 0, gemmScratch);
        },
      };
      for (let i = time - 1; i >= 0; i--) {
        const t = s.reverse ? time - 1 - i : i;
        const isFirst = t === first;
        step.gates = s.gates + 4 * (t * batch + from) * width;
        step.saved = s.saved + 4 * t * stateFloats * cell.saved + stateOffset * cell.saved;
        step.dHidden = dHiddenAt(t) + stateOffset;
        step.dHiddenPrevious = (isFirst ? dBeforeFirst : dHiddenAt(before(t))) + stateOffset;
        if (!dOutputs && !isFirst) kernels.fill(partRows * units, 0, step.dHiddenPrevious);
        for (let j = 0; j < s.kept.length; j++) {
          const base = s.kept[j]!.ptr;
          step.next[j] = base + 4 * t * stateFloats + stateOffset;
          step.previous[j] = (isFirst ? initial[j]! : base + 4 * before(t) * stateFloats) + stateOffset;
        }
        cell.backward(step);
      }
    });
    dStates.forEach((at, j) => {
      const to = dInitial[j + 1];
      if (to) kernels.axpy(stateFloats, 1, at, to);
    });
  });

  const dBias = s.bias && tape.into(s.bias);
  s.side.backward(tape, s.gates, dBias);
  if (dBias && cell.biases === 2) {
    for (const block of cell.blocks) {
      const { at, stride } = gradientOfBlock(cell, block, s, units);
      const to = dBias.ptr + 4 * (width + block.gate * units);
      kernels.col_sum(rows, block.gates * units, at, stride, to, dBias.accumulate);
    }
  }
  // Not before the input side's: one tensor may be both kernels, and whoever comes first starts its gradient.
  const dRecurrent = tape.into(s.recurrentKernel);
  if (dRecurrent) {
    for (const block of cell.blocks) {
      const { at, stride } = gradientOfBlock(cell, block, s, units);
      const to = { c: dRecurrent.ptr + 4 * block.gate * units, rsC: width };
      const shape = { m: units, n: block.gates * units, rsA: 1, csA: units, rsB: stride, csB: 1, ...to };
      if (block.input === 'saved') {
        product(engine, { ...shape, k: rows, a: s.saved, b: at, init: dRecurrent.accumulate });
        continue;
      }
      // h before each step: the outputs one step earlier, and the initial state (whose product is 0 unless given).
      const later = (time - 1) * batch;
      const shifted = s.reverse ? { a: stateFloats, b: 0 } : { a: 0, b: batch * stride };
      const h = s.kept[0]!.ptr;
      product(engine, { ...shape, k: later, a: h + 4 * shifted.a, b: at + 4 * shifted.b, init: dRecurrent.accumulate });
      if (s.initial) {
        const b = at + 4 * first * batch * stride;
        product(engine, { ...shape, k: batch, a: s.initial[0]!.ptr, b, init: Init.Accumulate });
      }
    }
  }
}

/** Fewest rows of a batch that repay the 20 µs of handing them to another thread. */
const grainOf = ({ time, units, width }: Sizes): number => Math.max(2, Math.ceil(2e6 / (time * units * width)));

/** Where backward left ∂L/∂(input·U_block), every step. */
function gradientOfBlock(
  cell: Cell,
  block: Cell['blocks'][number],
  s: Saved,
  units: number,
): { at: Ptr; stride: number } {
  if (block.gradient === 'saved') return { at: s.saved, stride: cell.saved * units };
  return { at: s.gates + 4 * block.gate * units, stride: cell.gates * units };
}

/** Columns [from, from + count) of a matrix, or their transpose, packed in scratch as the right operand of `gemm`. */
function packWhole(engine: Engine, matrix: Tensor, from: number, count: number, transposed: boolean): Ptr {
  const { kernels } = engine;
  const [rows, columns] = matrix.shape as [number, number];
  const [k, n] = transposed ? [count, rows] : [rows, count];
  const packed = engine.allocateScratch(kernels.gemm_packed_size(k, n));
  const [rs, cs] = transposed ? [1, columns] : [columns, 1];
  kernels.gemm_pack_b(k, n, matrix.ptr + 4 * from, rs, cs, packed);
  return packed;
}

function zeroed(engine: Engine, count: number): Ptr {
  const at = engine.allocateScratch(count);
  engine.kernels.fill(count, 0, at);
  return at;
}

function checkShapes(
  cell: Cell,
  x: Tensor,
  kernel: Tensor,
  recurrentKernel: Tensor,
  bias: Tensor | undefined,
  initialState: readonly Tensor[] | undefined,
): Sizes {
  const what = `recurrence(${cell.name})`;
  const [time, batch, inputs] = x.shape as [number, number, number];
  if (x.shape.length !== 3 || time === 0 || x.dtype !== 'f32') {
    throw new ArgumentError(`${what}: input expected [T, B, I] f32 with T ≥ 1, got ${formatShape(x.shape)} ${x.dtype}`);
  }
  for (const [name, t] of Object.entries({ kernel, recurrentKernel, bias })) if (t) expectF32(`${what}: ${name}`, t);
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
  return { time, batch, inputs, units, width };
}
