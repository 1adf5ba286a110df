import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { Parameter } from '../../src/autograd/parameter.ts';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { DeadTensorError } from '../../src/checks/dead-tensor-error.ts';
import { ndarray } from '../../src/data/array.ts';
import { engine, init } from '../../src/engine/engine.ts';
import { dense } from '../../src/layers/dense.ts';
import { embedding } from '../../src/layers/embedding.ts';
import { lstm } from '../../src/layers/rnn/lstm.ts';
import { timeDistributed } from '../../src/layers/time-distributed.ts';
import { sequential } from '../../src/models/model.ts';
import { StreamProgram } from '../../src/streaming/program.ts';
import { modes } from '../engine/modes.ts';
import { expectSameBits } from '../kernels/compare.ts';
import { INPUTS, make, makeOfIds, stacks, TIME, values } from './stacks.ts';

/** [B, T, F] as [T, B, F]. */
function timeMajor(x: ArrayLike<number>, batch: number, time: number): Float32Array {
  const width = x.length / (batch * time);
  return Float32Array.from({ length: x.length }, (_, i) => {
    const [t, b, f] = [Math.floor(i / (batch * width)), Math.floor(i / width) % batch, i % width];
    return x[(b * time + t) * width + f]!;
  });
}

for (const mode of modes) {
  describe(`stream in ${mode} mode`, async () => {
    await init({ mode });
    for (const name of Object.keys(stacks)) {
      for (const batch of [1, 3]) {
        const x = values(batch * TIME * INPUTS);

        test(`${name}, B=${batch}, step by step gives the bits of the whole sequence`, () => {
          const model = make(name);
          const whole = timeMajor(model.predict(ndarray(x, [batch, TIME, INPUTS])).data, batch, TIME);
          const stream = model.stream({ batch });
          const inputs = timeMajor(x, batch, TIME);
          const size = batch * INPUTS;
          const steps = Array.from({ length: TIME }, (_, t) => [
            ...stream.step(inputs.subarray(t * size, (t + 1) * size)),
          ]);
          expect(steps.flat()).toEqual([...whole]);
        });
      }
    }

    test.each(['lstm', 'gru, reset after', 'gru, reset before', 'simpleRnn relu without bias'])(
      '%s, 2,000 silent steps after noise, leaves no subnormal state',
      (name) => {
        const stream = sequential(stacks[name]!()).stream({ maxSteps: 2000 });
        stream.steps(values(TIME * INPUTS), TIME);
        expect(stream.state.flatMap((state) => [...state]).some((x) => x !== 0)).toBe(true);
        stream.steps(new Float32Array(2000 * INPUTS), 2000);
        const subnormal = stream.state.flatMap((state) => [...state]).filter((x) => x !== 0 && Math.abs(x) < 2 ** -126);
        expect(subnormal).toEqual([]);
      },
    );

    test('stream, several steps in one call, gives the bits of single steps', () => {
      const model = make('deep stack with dropout, activations and softmax');
      const inputs = values(TIME * INPUTS);
      const one = model.stream();
      const single = Array.from({ length: TIME }, (_, t) => [
        ...one.step(inputs.subarray(t * INPUTS, (t + 1) * INPUTS)),
      ]);
      const many = model.stream({ maxSteps: TIME });
      expect([...many.steps(inputs.subarray(0, 4 * INPUTS), 4), ...many.steps(inputs.subarray(4 * INPUTS), 2)]).toEqual(
        single.flat(),
      );
    });

    test('stream, state taken and set, goes on as if not interrupted; reset starts anew', () => {
      const model = make('lstm');
      const stream = model.stream();
      const x = values(INPUTS);
      const first = [...stream.step(x)];
      const state = stream.state;
      const second = [...stream.step(x)];
      expect(second).not.toEqual(first);
      stream.setState(state);
      expect([...stream.step(x)]).toEqual(second);
      stream.reset();
      expect([...stream.step(x)]).toEqual(first);
    });

    test('stream, weights changed after it was made, uses the new ones', () => {
      const model = make('lstm');
      const stream = model.stream();
      const x = values(INPUTS);
      const before = [...stream.step(x)];
      for (const weight of model.weights) weight.assign(weight.toArray().map((w) => w / 2));
      stream.reset();
      expect([...stream.step(x)]).not.toEqual(before);
      expect([...stream.step(x)].length).toBe(before.length);
      stream.reset();
      expect([...stream.step(x)]).toEqual([...model.predict(ndarray(x, [1, 1, INPUTS])).data]);
    });

    test('stream, an embedding in front, takes ids', () => {
      const model = makeOfIds();
      const ids = [3, 9, 0, 3];
      const whole = model.predict(ndarray(Int32Array.from(ids), [1, 4])).data;
      const stream = model.stream();
      expect(ids.flatMap((id) => [...stream.step([id])])).toEqual([...whole]);
      expect(() => stream.step([10])).toThrow('expected ids in [0, 10), got 10 at 0');
    });

    test('stream, memory grown meanwhile, still writes to views that are alive', () => {
      const model = make('lstm');
      const stream = model.stream();
      const x = values(INPUTS);
      const before = [...stream.step(x)];
      const { memory, heap } = engine();
      const size = memory.buffer.byteLength;
      const block = heap.allocate(size);
      expect(memory.buffer.byteLength).toBeGreaterThan(size);
      stream.reset();
      expect([...stream.step(x)]).toEqual(before);
      heap.release(block);
    });

    test('stream, memory grown by its own first step, answers by a view that is alive', () => {
      const x = values(INPUTS);
      const model = make('lstm');
      const expected = [...model.stream().step(x)];
      const stream = model.stream();
      const { memory, heap } = engine();
      const { buffer } = memory;
      // As where the heap is full but for less than the program takes.
      const { allocate } = heap;
      const blocks: number[] = [];
      heap.allocate = (bytes) => {
        blocks.push(allocate.call(heap, memory.buffer.byteLength));
        return allocate.call(heap, bytes);
      };
      try {
        expect([...stream.step(x)]).toEqual(expected);
      } finally {
        heap.allocate = allocate;
        for (const block of blocks) heap.release(block);
      }
      expect(memory.buffer).not.toBe(buffer);
    });

    test('stream, a thousand steps, allocate no memory', () => {
      const stream = make('lstm').stream();
      const x = values(INPUTS);
      stream.step(x);
      const { heap, memory, arena } = engine();
      const before = [heap.usedBytes, memory.buffer.byteLength, arena.heldBytes];
      for (let i = 0; i < 1000; i++) stream.step(x);
      expect([heap.usedBytes, memory.buffer.byteLength, arena.heldBytes]).toEqual(before);
    });

    test('stream, an input that is not finite, is refused and leaves the state', () => {
      const stream = make('lstm').stream();
      stream.step(values(INPUTS));
      const state = stream.state;
      expect(() => stream.step([1, 2, Number.NaN, 4, 5])).toThrow('expected finite numbers');
      expect(stream.state).toEqual(state);
    });

    test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e39])(
      'stream, a state of %d, is refused and leaves the state',
      (bad) => {
        const stream = make('lstm').stream();
        stream.step(values(INPUTS));
        const { state } = stream;
        const given = state.map((each, i) => Array.from(each, (value, at) => (i === 1 && at === 2 ? bad : 2 * value)));
        expect(() => stream.setState(given)).toThrow(new ArgumentError('stream: states[1] expected finite numbers'));
        expect(stream.state).toEqual(state);
      },
    );

    test('stream, wrong lengths and options, say what was expected', () => {
      const model = make('lstm');
      const stream = model.stream({ batch: 2, maxSteps: 3 });
      expect(() => stream.step([1])).toThrow('expected 10 values for [1, 2, 5], got 1');
      expect(() => stream.steps(values(40), 4)).toThrow('n expected 1 to maxSteps = 3, got 4');
      expect(() => stream.setState([])).toThrow('states expected 2 arrays, got 0');
      for (const none of [undefined, null]) {
        expect(() => stream.step(none as never)).toThrow('expected 10 values for [1, 2, 5], got undefined');
        expect(() => stream.setState(none as never)).toThrow('states expected 2 arrays, got undefined');
        expect(() => stream.setState([none, none] as never)).toThrow('states[0] expected');
      }
      expect(() => model.stream({ batch: 0 })).toThrow('batch expected an integer ≥ 1, got 0');
    });

    test('stream, a recurrent layer within TimeDistributed or an embedding behind a layer, is refused', () => {
      const perStep = sequential([timeDistributed(lstm({ units: 3 }), { inputShape: [null, 4, 2] })]);
      expect(() => perStep.stream()).toThrow(
        'time_distributed: a TimeDistributed recurrent layer cannot run step by step',
      );
      const late = sequential([dense({ units: 1, inputShape: [2] }), embedding({ inputDim: 3, outputDim: 2 })]);
      expect(() => late.stream()).toThrow("'embedding/embeddings' expected ids, not a layer's output");
    });

    test('stream, disposed of, gives its memory back and says so when it is used', () => {
      const model = make('gru, reset after');
      const before = engine().heap.usedBytes;
      const stream = model.stream();
      stream.step(values(INPUTS));
      expect(engine().heap.usedBytes).toBeGreaterThan(before);
      stream.dispose();
      stream.dispose();
      expect(engine().heap.usedBytes).toBe(before);
      const uses: [string, () => unknown][] = [
        ['step', () => stream.step(values(INPUTS))],
        ['steps', () => stream.steps(values(INPUTS), 1)],
        ['reset', () => stream.reset()],
        ['state', () => stream.state],
        ['setState', () => stream.setState([])],
      ];
      for (const [name, use] of uses) expect(use, name).toThrow(new DeadTensorError('stream: it was disposed of'));
    });

    const withWeights = Object.keys(stacks).filter((name) => make(name).weights.length > 0);

    test.each([...withWeights, 'ids'])('stream of %s, its model disposed of, throws DeadTensorError', (name) => {
      for (const weights of ['float32', 'int8'] as const) {
        for (const batch of [1, 4]) {
          const model = name === 'ids' ? makeOfIds() : make(name);
          const stream = model.stream({ batch, weights });
          const input = name === 'ids' ? [1, 2, 3, 4].slice(0, batch) : values(batch * INPUTS);
          stream.step(input);
          const states = stream.state;
          model.dispose();
          for (let i = 0; i < 2; i++) expect(() => stream.step(input)).toThrow(DeadTensorError);
          expect(stream.state).toEqual(states);
          stream.dispose();
          expect(() => model.stream()).toThrow(DeadTensorError);
        }
      }
    });

    test('stream, one weight of its model disposed of, names it', () => {
      const model = make('lstm');
      const stream = model.stream();
      const bias = model.weights.find(({ name }) => name.endsWith('/bias'))!;
      bias.dispose();
      expect(() => stream.step(values(INPUTS))).toThrow(
        `tensor '${bias.name}' ${JSON.stringify(bias.shape).replaceAll(',', ', ')} was disposed of`,
      );
    });

    test('stream, layers of which one expects other features than it gets, is refused', () => {
      const program = new StreamProgram(engine(), 1, 5);
      const kernel = new Parameter('kernel', [4, 2]);
      expect(() => program.dense({ kernel })).toThrow(new ArgumentError('stream: a layer expected 4 features, got 5'));
      program.dispose();
    });

    test('stream, one sequence of a batch reset, starts that one anew and leaves the others', () => {
      const model = make('lstm');
      const [stream, fresh] = [model.stream({ batch: 3 }), model.stream({ batch: 3 })];
      const x = values(3 * INPUTS);
      stream.step(x);
      const before = stream.state;
      stream.reset(1);
      stream.state.forEach((state, i) => {
        const width = state.length / 3;
        expect(state.subarray(width, 2 * width).every((value) => value === 0)).toBe(true);
        for (const row of [0, 2]) {
          const [from, to] = [row * width, (row + 1) * width];
          expectSameBits(state.subarray(from, to), before[i]!.subarray(from, to), `state ${i}`);
        }
      });
      const { outputWidth } = stream;
      expectSameBits(
        stream.step(x).slice(outputWidth, 2 * outputWidth),
        fresh.step(x).slice(outputWidth, 2 * outputWidth),
        'output',
      );
      for (const sequence of [-1, 3, 0.5, Number.NaN, '1' as unknown as number]) {
        expect(() => stream.reset(sequence)).toThrow(
          new ArgumentError(
            `stream: sequence expected 0 to 2, got ${typeof sequence === 'string' ? `'${sequence}'` : sequence}`,
          ),
        );
      }
    });
  });
}

test('stream, its model forgotten, holds the weights that it reads in place', async () => {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const start = () => {
    const model = makeOfIds();
    return { stream: model.stream(), weights: model.weights.map((weight) => new WeakRef(weight)) };
  };
  const { stream, weights } = start();
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(weights.filter((weight) => weight.deref() === undefined)).toEqual([]);
  stream.dispose();
});
