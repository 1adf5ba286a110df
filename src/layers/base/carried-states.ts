import { empty, expectF32, expectShape, persistent, type Tensor } from '../../autograd/tensor.ts';
import { ArgumentError, expectCount, isFloat32, shown } from '../../checks/argument-error.ts';
import type { Shape } from '../../checks/shape.ts';
import type { Engine } from '../../engine/engine.ts';
import { disposeOnUndo, openTransaction, recordChange, type Transaction } from '../../engine/transaction.ts';
import { inOrder } from '../../ops/shapes/layout.ts';

/** One state of a recurrence: its name, and its width, the count of numbers for each sequence. */
export interface StateSpec {
  readonly name: string;
  readonly width: number;
  /** Shape of the state of one sequence, as the caller gives it. Default `[width]`. @internal */
  readonly shape?: Shape;
}

/**
 * Throws `ArgumentError`, which names the layer, unless `states` has one f32 tensor `[batch, …shape]` for each state.
 */
export function expectStates(
  layer: { readonly stateSpecs: readonly StateSpec[]; describe(): string },
  states: readonly Tensor[],
  batch: number,
): void {
  const what = `${layer.describe()}: initialState`;
  const specs = layer.stateSpecs;
  if (!Array.isArray(states) || states.length !== specs.length) {
    const names = specs.map(({ name }) => name).join(', ');
    throw new ArgumentError(
      `${what} expected ${specs.length} tensors (${names}), got ${states?.length ?? shown(states)}`,
    );
  }
  specs.forEach(({ width, shape = [width] }, i) => {
    expectF32(`${what}[${i}]`, states[i]);
    expectShape(`${what}[${i}]`, states[i].shape, [batch, ...shape]);
  });
}

/** The states that a stateful layer carries from one batch to the next. Values are carried, gradients are not. */
export class CarriedStates {
  readonly specs: readonly StateSpec[];
  readonly #describe: () => string;
  #held: readonly Tensor[] | undefined;
  // The transaction that can restore the values of `#held`.
  #savedBy: Transaction | undefined;

  constructor(specs: readonly StateSpec[], describe: () => string) {
    this.specs = specs;
    this.#describe = describe;
  }

  /** Copies of the states, `[B, width]` each; undefined before the first batch and after `reset`. */
  get values(): Float32Array[] | undefined {
    return this.#held?.map((state) => state.toArray() as Float32Array);
  }

  /** Number of sequences in a batch; undefined before the first batch. */
  get batch(): number | undefined {
    return this.#held?.[0]?.shape[0];
  }

  /**
   * Sets the states that the next batch starts from. Throws `ArgumentError` unless there is one array for each state,
   * with `batch`·width finite values.
   */
  set(states: readonly ArrayLike<number>[], batch: number): void {
    expectCount(`${this.#describe()}: batch`, batch);
    if (states?.length !== this.specs.length) {
      throw new ArgumentError(
        `${this.#describe()}: states expected ${this.specs.length} arrays, got ${states?.length}`,
      );
    }
    this.specs.forEach(({ width }, i) => {
      const length = states[i]?.length;
      if (length !== batch * width) {
        throw new ArgumentError(
          `${this.#describe()}: states[${i}] expected ${batch * width} values for [${batch}, ${width}], got ${length}`,
        );
      }
      const bad = Array.from(states[i]!).find((value) => !isFloat32(value));
      if (bad !== undefined) {
        throw new ArgumentError(`${this.#describe()}: states[${i}] expected finite numbers, got ${bad}`);
      }
    });
    this.#expectBatch(batch);
    this.#writable(batch).forEach((state, i) => state.set(states[i]!));
  }

  /**
   * Copies of the states that a batch starts from; undefined for zeros. Throws `ArgumentError` if the batch differs in
   * size from the batch before. Does not change the states.
   */
  begin(batch: number): readonly Tensor[] | undefined {
    this.#expectBatch(batch);
    // Copies, because the backward pass reads them after `keep` has written the next ones.
    return this.#held?.map(({ engine, name, shape, size, ptr }) => {
      const copy = empty(shape, { name, engine });
      engine.kernels.scale(size, 1, ptr, copy.ptr);
      return copy;
    });
  }

  /** Keeps the last states of a batch. `begin` has checked its size. */
  keep(states: readonly Tensor[]): void {
    const [{ shape, engine }] = states as [Tensor];
    this.#writable(shape[0]!, engine).forEach(({ ptr, size }, i) => {
      engine.kernels.scale(size, 1, inOrder(states[i]!, false).ptr, ptr);
    });
  }

  /** Makes the next batch start from zeros. */
  reset(): void {
    this.#replace(undefined);
  }

  #expectBatch(batch: number): void {
    if (!this.#held || this.batch === batch) return;
    throw new ArgumentError(
      `${this.#describe()}: stateful, so every batch expected ${this.batch} samples as the first, got ${batch}; call resetStates() to start anew`,
    );
  }

  #allocate(batch: number, engine?: Engine): Tensor[] {
    return this.specs.map(({ name, width }) =>
      disposeOnUndo(
        persistent([batch, width], { name: `${this.#describe()} carried ${name}`, ...(engine && { engine }) }),
      ),
    );
  }

  /** Buffers to write the states of a batch into. The open transaction can restore the values that they have now. */
  #writable(batch: number, engine?: Engine): readonly Tensor[] {
    const held = this.#held;
    if (!held || this.batch !== batch) this.#replace(this.#allocate(batch, engine));
    else if (this.#savedBy !== openTransaction() || !this.#savedBy) {
      const values = this.values!;
      this.#savedBy = openTransaction();
      recordChange(
        () => {
          this.#savedBy = undefined;
          if (this.#held === held) held.forEach((state, i) => state.set(values[i]!));
        },
        () => {
          this.#savedBy = undefined;
        },
      );
    }
    return this.#held!;
  }

  #replace(next: readonly Tensor[] | undefined): void {
    const held = this.#held;
    const dispose = (states: readonly Tensor[] = []): void => {
      for (const state of states) state.dispose();
    };
    this.#held = next;
    recordChange(
      () => {
        if (this.#held !== next) return;
        dispose(next);
        this.#held = held;
      },
      () => dispose(held),
    );
  }

  /** Suspends the states, so that the next batch starts from zeros. The returned function restores them. */
  suspend(): () => void {
    const [held, savedBy] = [this.#held, this.#savedBy];
    this.#held = undefined;
    return () => {
      for (const state of this.#held ?? []) state.dispose();
      [this.#held, this.#savedBy] = [held, savedBy];
    };
  }
}
