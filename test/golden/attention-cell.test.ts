// attentionCell against PyTorch: outputs, attention weights, states and all gradients as attention_cell.py stored them.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { valueAndGrad } from '../../src/autograd/tape.ts';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { init } from '../../src/engine/engine.ts';
import { gruCell } from '../../src/layers/rnn/gru.ts';
import { lstmCell } from '../../src/layers/rnn/lstm.ts';
import { rnn } from '../../src/layers/rnn/rnn.ts';
import { mul } from '../../src/ops/elementwise/elementwise.ts';
import { sum } from '../../src/ops/reduce.ts';
import { stack } from '../../src/ops/shapes/joins.ts';
import { type AttentionCellOptions, attentionCell } from '../../src/sequences/attention-cell.ts';
import { modes } from '../engine/modes.ts';
import { exchanged } from '../ops/cases/case.ts';
import { expectGradient, expectOutput } from './expect-close.ts';

interface Stored {
  shape: number[];
  values: number[];
}

interface AttentionCase extends Required<Pick<AttentionCellOptions, 'score' | 'query' | 'attentionUnits'>> {
  cell: 'gru' | 'lstm';
  units: number;
  scoreUnits: number;
  /** Steps of the memory of each sequence that count. */
  lengths: number[];
  /** x, memory, initial states h, c, a, and weights. */
  given: Record<string, Stored>;
  seeds: Stored;
  outputs: Stored;
  alignments: Stored;
  states: Stored[];
  gradients: Record<string, Stored>;
}

const { cases } = JSON.parse(readFileSync(new URL('attention-cell.json', import.meta.url), 'utf8')) as {
  cases: AttentionCase[];
};

const made = ({ values, shape }: Stored): Tensor => tensor(values, { shape });

describe.each(modes)('%s mode', (mode) => {
  beforeAll(async () => {
    await init({ mode });
  });

  test.each(cases)('attentionCell of $cell, score $score, query $query, matches PyTorch', (c) => {
    const { given, units } = c;
    const attend = attentionCell({
      ...{ score: c.score, query: c.query, units: c.scoreUnits, attentionUnits: c.attentionUnits },
      ...(c.score !== 'additive' && { scale: 1 }),
      cell: c.cell === 'gru' ? gruCell({ units }) : lstmCell({ units }),
    });
    const decode = rnn(attend, { returnSequences: true, returnState: true });
    const [x, memory] = [made(given.x!), made(given.memory!)];
    const names = ['h', 'c', 'a'].filter((name) => given[name]);
    const initialState = names.map((name) => made(given[name]!));
    if (c.lengths.some((length) => length < memory.shape[1]!)) {
      const steps = memory.shape[1]!;
      memory.mask = tensor(c.lengths.map((length) => Array.from({ length: steps }, (_, s) => +(s < length))));
    }
    decode(x, { initialState, constants: [memory] });
    const short = ({ name }: { name: string }): string =>
      name.replace(/^.*attention_cell\/(?:(?:gru|lstm)_cell\/)?/, '');
    for (const weight of decode.weights) weight.assign(given[short(weight)]!.values);

    for (const timeMajor of [false, true]) {
      const placed = (t: Tensor): Tensor => (timeMajor ? Object.assign(exchanged(t), { mask: t.mask }) : t);
      const [query, seen] = [placed(x), placed(memory)];
      const { grads } = valueAndGrad(() => {
        const [y, ...states] = decode(query, { initialState, constants: [seen] }) as [Tensor, ...Tensor[]];
        expectOutput('outputs', y.toArray(), c.outputs);
        expectOutput('attention', stack([...attend.alignments], 1).toArray(), c.alignments);
        for (const [i, state] of states.entries()) expectOutput(`state ${i}`, state.toArray(), c.states[i]!);
        return sum(mul(y, made(c.seeds)));
      }, [query, seen, ...initialState, ...decode.weights]);
      const keys = ['x', 'memory', ...names, ...decode.weights.map(short)];
      expect(keys.length).toBe(Object.keys(c.gradients).length);
      for (const [i, key] of keys.entries()) expectGradient(`d ${key}`, grads[i]!.toArray(), c.gradients[key]!);
    }
  });
});
