// Which taken-apart recurrences are recognized, and that their parameters stay those of the file.
import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../src/autograd/tensor.ts';
import { decodeModel, encodeModel, engine, ops, valueAndGrad } from '../../src/index.ts';
import { readModelProto } from '../../src/onnx/format/messages.ts';
import { Value } from '../../src/onnx/graph/value.ts';
import { OnnxGraph } from '../../src/onnx/onnx-graph.ts';
import { importOnnx, onnxSession } from '../../src/onnx.ts';
import { cellCases } from './cell-cases.ts';

describe('recurrences in parts', () => {
  test.each(cellCases)('$name', ({ bytes, recognized, feeds }) => {
    const model = importOnnx(bytes, { states: {} });
    const cells = onnxSession(model).recognized;
    expect(cells.map(({ op, units, form }) => `${op} ${units} ${form}`)).toEqual(recognized);
    const held = readModelProto(bytes).graph!.initializer!.filter(
      ({ dataType, dims }) => dataType === 1 && (dims ?? []).length > 0,
    );
    expect(model.weights.map(({ name }) => name.split('/').at(-1)).sort()).toEqual(held.map(({ name }) => name).sort());
    const given = Object.fromEntries(
      Object.entries(feeds).map(([name, { data, dims }]) => [name, { data, shape: dims }]),
    );
    const { model: again } = decodeModel(encodeModel(model));
    expect(onnxSession(again).recognized).toEqual(cells);
    const [a, b] = [model, again].map((each) => onnxSession(each).run(given as never));
    expect(b).toEqual(a);
  });
});

describe('gradients reach the initializers of the file', () => {
  test.each(cellCases.filter(({ recognized }) => recognized.length > 0))('$name', ({ bytes, feeds, outputs }) => {
    const graph = new OnnxGraph(readModelProto(bytes), { states: {} });
    graph.build({});
    const given = (): Map<string, Value> =>
      new Map(
        Object.entries(feeds).map(
          ([name, { data, dims }]) => [name, Value.ofTensor(tensor(data as Float32Array, { shape: dims }))] as const,
        ),
      );
    const lossOf = (): Tensor =>
      outputs.map((name) => ops.sum(ops.square(graph.run(given()).get(name)!.tensor))).reduce((a, b) => ops.add(a, b));
    const { grads } = valueAndGrad(lossOf, graph.weights);
    const lossNow = (): number => engine().step(() => lossOf().item());
    const h = 2 ** -8;
    graph.weights.forEach((weight, w) => {
      const values = weight.toArray();
      const got = grads[w]!.toArray();
      for (const i of [values.length >> 1, values.length - 1]) {
        const at = (step: number): number => {
          weight.assign(values.map((value, j) => (i === j ? value + step : value)));
          return lossNow();
        };
        const expected = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
        weight.assign(values);
        expect(Math.abs(got[i]! - expected)).toBeLessThanOrEqual(4e-3 * Math.max(1, Math.abs(expected)));
      }
    });
  });
});
