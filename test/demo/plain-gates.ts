// Gates and states of a character model's recurrent layers, step by step in float64. The page's heat map must show
// these values.
import type { Model } from 'tapeloop';
import { generate, project, sigmoid } from '../reference/vector.ts';

export type PlainQuantities = Record<string, Float64Array[]>;

type Step = (x: Float64Array) => Record<string, Float64Array>;

/** Every quantity of recurrent layer `index`, a row a character of `ids`. */
export function plainGates(model: Model, ids: readonly number[], index: number): PlainQuantities {
  const [table, ...others] = model.layers.map((layer) =>
    layer.weights.map(({ shape, toArray }, i) => ({
      shape,
      values: Float64Array.from(toArray.call(layer.weights[i])),
    })),
  );
  const width = table[0].shape[1];
  let sequence: Float64Array[] = ids.map((id) => table[0].values.slice(id * width, (id + 1) * width));
  for (let i = 0; ; i++) {
    const [kernel, recurrentKernel, bias] = others[i];
    const weights = { kernel: kernel.values, recurrentKernel: recurrentKernel.values, bias: bias.values };
    const units = recurrentKernel.shape[0];
    const step = steppers[kernel.shape[1] / units](weights, units);
    const rows = sequence.map(step);
    const quantities = Object.fromEntries(Object.keys(rows[0]).map((name) => [name, rows.map((row) => row[name])]));
    if (i === index) return quantities;
    sequence = quantities.h;
  }
}

interface Weights {
  kernel: Float64Array;
  recurrentKernel: Float64Array;
  bias: Float64Array;
}

// By number of gates.
const steppers: Record<number, (weights: Weights, units: number) => Step> = {
  1: ({ kernel, recurrentKernel, bias }, units) => {
    let h: Float64Array = new Float64Array(units);
    return (x) => {
      const [input, recurrent] = [project(x, kernel, 0, units), project(h, recurrentKernel, 0, units)];
      h = generate(units, (u) => Math.tanh(input[u] + recurrent[u] + bias[u]));
      return { h };
    };
  },
  3: ({ kernel, recurrentKernel, bias }, units) => {
    let h: Float64Array = new Float64Array(units);
    return (x) => {
      const inputs = [0, 1, 2].map((gate) => project(x, kernel, gate, units));
      const recurrents = [0, 1, 2].map((gate) => project(h, recurrentKernel, gate, units));
      const input = (gate: number, u: number): number => inputs[gate][u] + bias[gate * units + u];
      const recurrent = (gate: number, u: number): number => recurrents[gate][u] + bias[(3 + gate) * units + u];
      const z = generate(units, (u) => sigmoid(input(0, u) + recurrent(0, u)));
      const r = generate(units, (u) => sigmoid(input(1, u) + recurrent(1, u)));
      const g = generate(units, (u) => Math.tanh(input(2, u) + r[u] * recurrent(2, u)));
      h = generate(units, (u) => z[u] * h[u] + (1 - z[u]) * g[u]);
      return { z, r, g, h };
    };
  },
  4: ({ kernel, recurrentKernel, bias }, units) => {
    let [h, c]: Float64Array[] = [new Float64Array(units), new Float64Array(units)];
    return (x) => {
      const inputs = [0, 1, 2, 3].map((gate) => project(x, kernel, gate, units));
      const recurrents = [0, 1, 2, 3].map((gate) => project(h, recurrentKernel, gate, units));
      const gate = (index: number, f: (x: number) => number): Float64Array =>
        generate(units, (u) => f(inputs[index][u] + recurrents[index][u] + bias[index * units + u]));
      const [i, f, g, o] = [gate(0, sigmoid), gate(1, sigmoid), gate(2, Math.tanh), gate(3, sigmoid)];
      c = generate(units, (u) => f[u] * c[u] + i[u] * g[u]);
      h = generate(units, (u) => o[u] * Math.tanh(c[u]));
      return { i, f, o, g, c, h };
    };
  },
};
