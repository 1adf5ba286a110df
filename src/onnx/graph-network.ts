import type { Tensor } from '../autograd/tensor.ts';
import { ArgumentError } from '../checks/argument-error.ts';
import { leavesOf, mapNested, type Nested } from '../data/nested.ts';
import { engine } from '../engine/engine.ts';
import type { LayerConfig } from '../io/model-file.ts';
import type { BatchShape } from '../layers/base/batch-shape.ts';
import { type InputSpec, isInputSpec } from '../layers/base/input-spec.ts';
import type { Layer } from '../layers/base/layer.ts';
import { Sequential } from '../layers/base/sequential.ts';
import type { StepProgram, StreamProgram } from '../streaming/program.ts';
import { GraphProgram } from './graph-program.ts';
import type { OnnxGraph } from './onnx-graph.ts';

/** A graph as the whole of a model: a stack of one layer, with the inputs and outputs of that layer. */
export class GraphNetwork extends Sequential {
  /** The class name under which a saved model has it. */
  static readonly savedAs = 'OnnxModel';
  readonly #graph: OnnxGraph;

  constructor([graph]: readonly [OnnxGraph], name?: string) {
    super([graph as unknown as Layer<Tensor, Tensor>], name);
    this.#graph = graph;
  }

  override addToStream(program: StreamProgram, layers: readonly unknown[] = []): StepProgram | undefined {
    const { rows, weights } = program;
    if (layers.length !== 1) {
      super.addToStream(program);
      return undefined;
    }
    if (weights !== 'float32')
      throw new ArgumentError(`stream: weights of ${this.name} expected 'float32', got '${weights}'`);
    const own = this.programOf(rows);
    program.dispose();
    return own;
  }

  /** The graph step by step, for so many sequences side by side. */
  programOf(rows: number): GraphProgram {
    return new GraphProgram(this.#graph, this.weights[0]?.tensor.engine ?? engine(), rows);
  }

  override config(): LayerConfig {
    return { ...super.config(), className: GraphNetwork.savedAs };
  }

  override get inputs(): Nested<InputSpec> {
    return this.#graph.inputs;
  }

  /** The shapes of a batch, if the file says them all. */
  get declaredShapes(): Nested<BatchShape> | undefined {
    const { inputs } = this;
    if (!leavesOf<InputSpec>(inputs, isInputSpec).every(({ shape }) => shape)) return undefined;
    return mapNested<InputSpec, BatchShape>(inputs, isInputSpec, ({ shape }) => [null, ...shape!]);
  }

  override sublayerShapes(): (BatchShape | undefined)[] {
    const { declaredShapes } = this;
    return [declaredShapes && (this.#graph.outputShapes(declaredShapes) as BatchShape)];
  }
}
