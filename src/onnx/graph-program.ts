import { empty, type Tensor, tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { sizeOf } from '../checks/shape.ts';
import type { Place } from '../compiled/program.ts';
import type { Ptr } from '../engine/abi.ts';
import type { Engine } from '../engine/engine.ts';
import { type ConstantWrite, type KernelCall, Recording } from '../engine/recording.ts';
import type { State, StepProgram } from '../streaming/program.ts';
import { swapAxes } from './batch-axis.ts';
import type { GraphState } from './graph/states.ts';
import { Value } from './graph/value.ts';
import type { OnnxGraph } from './onnx-graph.ts';

/** A recorded step. */
export interface RecordedStep {
  readonly input: Place;
  readonly output: Place;
  readonly states: readonly { readonly given: Place; readonly next: Place }[];
  /** Undefined if what a step does depends on what it computes. */
  readonly calls: readonly (KernelCall | ConstantWrite)[] | undefined;
}

/** A graph step by step: each run takes one frame, with the states of the run before. */
export class GraphProgram implements StepProgram {
  readonly states: State[];
  readonly inputWidth: number;
  readonly width: number;
  readonly idLimit = 0;
  readonly endsInSoftmax = false;
  readonly #graph: OnnxGraph;
  readonly #engine: Engine;
  readonly #rows: number;
  readonly #frame: readonly number[];
  readonly #own: readonly GraphState[];
  readonly #buffers: Ptr[] = [];

  /** Throws `ArgumentError` if the graph has no states, several outputs, or a state that has no rows. */
  constructor(graph: OnnxGraph, engine: Engine, rows: number) {
    this.#graph = graph;
    this.#engine = engine;
    this.#rows = rows;
    const { given, shown } = graph;
    const states = graph.graphStates();
    if (states.length === 0) {
      const kept = graph.recurrentNodes.slice(0, 3).map((name) => `'${name}'`);
      const inside = kept.length > 0 ? `; ${kept.join(', ')} keep${kept.length > 1 ? '' : 's'} its state inside` : '';
      throw new ArgumentError(
        `stream: ${graph.name} expected states as inputs and outputs, got none${inside}. Name them with importOnnx(bytes, { states: { h: 'hn' } }), or run whole sequences with onnxSession or predict`,
      );
    }
    if (given.length !== 1 || shown.length !== 1) {
      const names = (list: typeof given): string => list.map(({ name }) => `'${name}'`).join(', ');
      throw new ArgumentError(
        `stream: expected one input and one output beside the states, got ${names(given)} and ${names(shown)}; onnxSession takes and gives several, and constants: {…} of importOnnx fixes an input`,
      );
    }
    this.#own = states;
    this.#frame = graph.frameShape(rows);
    this.states = states.map(({ width }) => {
      const ptr = this.allocate(rows * width);
      engine.kernels.fill(rows * width, 0, ptr);
      return { ptr, size: rows * width };
    });
    this.inputWidth = sizeOf(this.#frame) / rows;
    try {
      this.width = engine.step(() => this.#compute(new Float32Array(sizeOf(this.#frame))).shown.size) / rows;
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  allocate(count: number): Ptr {
    const at = this.#engine.heap.allocate(4 * count);
    this.#buffers.push(at);
    return at;
  }

  #view(ptr: Ptr, count: number): Float32Array {
    return new Float32Array(this.#engine.memory.buffer, ptr, count);
  }

  #compute(frame: Float32Array) {
    const x = tensor(frame, { shape: this.#frame, name: 'frame' });
    const rows = this.#own.map((state, i) => {
      const { ptr, size } = this.states[i]!;
      return tensor(this.#view(ptr, size).slice(), { shape: [this.#rows, state.width], name: state.name });
    });
    return this.#stepOf(x, rows);
  }

  /** The output and the next states, for a frame and the states as tensors. */
  #stepOf(x: Tensor, states: readonly Tensor[]): { shown: Tensor; next: Tensor[] } {
    const { given, shown } = this.#graph;
    const [input, output] = [given[0]!, shown[0]!];
    const feeds = new Map([[input.name, Value.ofTensor(swapAxes(x, this.#graph.batchAxisOf(input.name)), input.type)]]);
    this.#own.forEach((state, i) => void feeds.set(state.name, state.given(states[i]!)));
    const outputs = this.#graph.run(feeds, { batch: this.#rows });
    return {
      shown: swapAxes(outputs.get(output.name)!.tensor, this.#graph.batchAxisOf(output.name)),
      next: this.#own.map((state) => state.rows(outputs.get(state.next)!)),
    };
  }

  run(steps: number, input: Ptr, inputBytes: number, output: Ptr): void {
    const size = this.#rows * this.width;
    for (let step = 0; step < steps; step++) {
      this.#engine.step(() => {
        const frame = this.#view(input + step * inputBytes, sizeOf(this.#frame)).slice();
        const { shown, next } = this.#compute(frame);
        const y = shown.toArray();
        if (y.length !== size) throw new ArgumentError(`stream: expected outputs of ${size} numbers, got ${y.length}`);
        this.#view(output + 4 * step * size, size).set(y);
        next.forEach((rows, i) => this.#view(this.states[i]!.ptr, this.states[i]!.size).set(rows.toArray()));
      });
    }
  }

  /** What one step does to linear memory, with the places of its input, output and states. */
  record(): RecordedStep {
    const engine = this.#engine;
    return engine.step(() => {
      const x = empty(this.#frame, { engine });
      const states = this.#own.map(({ width }) => empty([this.#rows, width], { engine }));
      for (const { ptr, size } of [x, ...states]) engine.kernels.fill(size, 0, ptr);
      // The first run packs the weights.
      this.#stepOf(x, states);
      const { result, recording } = Recording.of(engine, () => this.#stepOf(x, states));
      return {
        input: placeOf(x),
        output: placeOf(result.shown),
        states: states.map((given, i) => ({ given: placeOf(given), next: placeOf(result.next[i]!) })),
        calls: recording?.calls,
      };
    });
  }

  dispose(): void {
    for (const at of this.#buffers.splice(0)) this.#engine.heap.release(at);
    this.states.length = 0;
  }
}

function placeOf({ ptr, size, timeMajor, shape }: Tensor): Place {
  if (timeMajor && shape[0] !== 1 && shape[1] !== 1) {
    throw new ArgumentError(`compileStream: expected row-major outputs, got [${shape.join(', ')}] by time`);
  }
  return { at: ptr, size };
}
