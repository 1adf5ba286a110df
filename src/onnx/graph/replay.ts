// Runs of a graph that only repeat the kernel calls of an earlier run: for small frames the code that makes the calls
// takes several times as long as the kernels.
import { copies } from '../../autograd/parameter.ts';
import { openTape } from '../../autograd/tape.ts';
import { empty } from '../../autograd/tensor.ts';
import { engine as currentEngine, type Engine } from '../../engine/engine.ts';
import { Recording } from '../../engine/recording.ts';
import type { RunContext } from './node.ts';
import { Source, Value } from './value.ts';
import { versionOf } from './weights.ts';

/** Makes an output of a repeated run. */
type Output = (inputs: readonly Value[]) => Value;

/** The last run: its plan, where its inputs were, and what repeats it. */
interface LastRun {
  readonly plan: object;
  readonly engine: Engine;
  readonly place: string;
  readonly replay?: { readonly recording: Recording; readonly outputs: readonly Output[] };
}

/**
 * The runs of one graph. A run with its inputs at the addresses of the run before, and with the same weights, is
 * recorded. Later ones repeat the recording, with the same bits. Every other run drops it, because operators may then
 * keep their weights elsewhere.
 */
export class Replays {
  #last: LastRun | undefined;
  /** Plans that read what they compute, such as a loop with a condition. */
  readonly #refused = new WeakSet<object>();

  /** Makes the next run one that is not repeated. */
  drop(): void {
    this.#last = undefined;
  }

  /** Computes the outputs by `run`, or as an earlier run of the same plan did. */
  run(
    plan: object,
    inputs: readonly Value[],
    context: RunContext,
    run: (context: RunContext) => readonly Value[],
  ): readonly Value[] {
    const last = this.#last;
    this.#last = undefined;
    const engine = currentEngine();
    const place = this.#refused.has(plan) ? undefined : placeOf(engine, inputs, context);
    if (place === undefined) return run(context);
    if (last?.plan !== plan || last.place !== place || last.engine !== engine) {
      const outputs = run(context);
      // The run itself may have packed weights.
      this.#last = { plan, engine, place: placeOf(engine, inputs, context)! };
      return outputs;
    }
    if (last.replay?.recording.fits) {
      last.replay.recording.repeat();
      this.#last = last;
      return last.replay.outputs.map((output) => output(inputs));
    }
    const { result, recording } = Recording.of(engine, (refuse) => {
      const uniform = (): number => {
        refuse();
        return context.uniform();
      };
      const values = run({ ...context, uniform });
      return values.map((value) => ({ value, output: outputOf(value, inputs, engine) }));
    });
    if (recording)
      this.#last = { plan, engine, place, replay: { recording, outputs: result.map(({ output }) => output) } };
    else this.#refused.add(plan);
    return result.map(({ value }) => value);
  }
}

/** What a run depends on beside the elements of its inputs. Undefined if it cannot be repeated. */
function placeOf(engine: Engine, inputs: readonly Value[], context: RunContext): string | undefined {
  if (openTape() || context.training || engine.openStep === 0) return undefined;
  const places: (number | boolean)[] = [copies.written, versionOf(context.parameters)];
  for (const value of inputs) {
    // A constant is part of the plan.
    if (value.source === Source.Constant) continue;
    if (value.isHost) return undefined;
    const { tensor } = value;
    if (tensor.engine !== engine) return undefined;
    places.push(tensor.ptr, tensor.timeMajor);
  }
  return places.join();
}

/** What makes an output again, after the recorded run has made `value`. */
function outputOf(value: Value, inputs: readonly Value[], engine: Engine): Output {
  const input = inputs.indexOf(value);
  if (input >= 0) return (given) => given[input]!;
  if (value.source !== Source.Input || value.isHost) return () => value;
  const { ptr, shape, timeMajor, name } = value.tensor;
  return () => {
    // A view of a tensor of the open step ends with the step.
    const anchor = empty([1], { engine });
    return Value.ofTensor(anchor.view(shape, timeMajor, name, (ptr - anchor.ptr) / 4), value.type);
  };
}
