// node --import tsx acceptance/onnx/random-graphs.ts [COUNT] [SEED]
// Random graphs of 3 to 12 nodes over the operators that are not recurrent, operator sets 7 to 21, beside
// onnxruntime-node: every value of every graph to 1e-5 of the largest one, and equal integers. Graph i has the seed
// SEED + i. First: npm ci --prefix acceptance/onnx
import { importOnnx, onnxSession } from '../../src/onnx.ts';
import { Drawing, sizeOf } from './random/drawing.ts';
import { type Draw, elementwiseDraws, largest } from './random/elementwise.ts';
import { shapeDraws } from './random/shapes.ts';
import { sumDraws } from './random/sums.ts';
import { Session } from './runtime.ts';

const [count, first] = [Number(process.argv[2] ?? 500), Number(process.argv[3] ?? 1)];
const draws = [...elementwiseDraws, ...shapeDraws, ...sumDraws];
const total = draws.reduce((sum, [weight]) => sum + weight, 0);

function randomDraw(drawing: Drawing): Draw {
  let left = drawing.uniform(0, total);
  return draws.find(([weight]) => (left -= weight) < 0)?.[1] ?? draws[0]![1];
}

/** Values that are too large or too many lead nowhere. */
function isTame(drawing: Drawing): boolean {
  const value = drawing.values.at(-1)!;
  return value.type !== 'float32' || (largest(value) <= 300 && sizeOf(value.dims) <= 3000);
}

function drawn(seed: number): Drawing {
  const drawing = new Drawing(seed);
  const shapes = [[2, 4, 6, 5], [1, 3, 5, 4], [2, 3, 8], [3, 4], [5], [2, 3, 4], []];
  for (let i = drawing.between(1, 2); i > 0; i--) {
    drawing.input(drawing.floats(drawing.pick(shapes)), -1.5, 1.5);
    if (drawing.chance(0.3)) drawing.input(drawing.floats(drawing.pick(shapes), 0.2, 2), 0.2, 2);
  }
  const nodes = drawing.between(3, 12);
  for (let attempts = 0; drawing.nodeCount < nodes && attempts < 400; attempts++) {
    if (!isTame(drawing)) drawing.values.pop();
    randomDraw(drawing)(drawing);
  }
  return drawing;
}

let [worst, wrong, refusedThere, compared, seed] = [0, 0, 0, 0, first];
const operators = new Map<string, number>();
for (; compared < count; seed++) {
  const drawing = drawn(seed);
  const { bytes, feeds, outputs, nodes } = drawing.finish();
  const expected = await Session.run(bytes, feeds).catch((error: Error) => {
    refusedThere++;
    if (process.env.VERBOSE) console.log(`seed ${seed}, refused there: ${error.message.slice(0, 300)}`);
    return undefined;
  });
  if (!expected) continue;
  compared++;
  for (const { op } of nodes) operators.set(op, (operators.get(op) ?? 0) + 1);
  try {
    const model = importOnnx(bytes, { states: {} });
    const got = onnxSession(model).run(
      Object.fromEntries(Object.entries(feeds).map(([key, { dims, data }]) => [key, { data, shape: dims }])) as never,
    );
    for (const name of outputs) {
      const [mine, theirs] = [got[name]!, expected[name]!];
      const fail = (why: string): never => {
        const node = nodes.find((each) => each.outputs.includes(name));
        throw new Error(`${name} ${why}; ${JSON.stringify(node)}`);
      };
      if (mine.shape.join() !== theirs.dims.join()) fail(`has shape [${mine.shape}], not [${theirs.dims}]`);
      const values = Array.from(theirs.data, Number);
      const scale = Math.max(1, ...values.filter(Number.isFinite).map(Math.abs));
      const isFloat = theirs.data instanceof Float32Array;
      values.forEach((value, i) => {
        const own = Number(mine.data[i]);
        if (own === value || (Number.isNaN(own) && Number.isNaN(value))) return;
        const difference = Math.abs(own - value) / scale;
        if (!(difference <= (isFloat ? 1e-5 : 0))) fail(`[${i}] is ${own}, not ${value}`);
        worst = Math.max(worst, difference);
      });
    }
    model.dispose();
  } catch (error) {
    wrong++;
    if (wrong <= 40)
      console.log(`seed ${seed}, operator set ${drawing.opset}: ${(error as Error).message.slice(0, 600)}`);
  }
}
const nodes = [...operators.values()].reduce((sum, n) => sum + n, 0);
console.log(
  `${count} graphs of ${nodes} nodes and ${operators.size} operators, seeds ${first} to ${seed - 1}: ${wrong} wrong; largest difference ${worst.toExponential(2)}; ${refusedThere} more graphs refused by ONNX Runtime`,
);
if (process.env.VERBOSE)
  console.log(
    [...operators]
      .sort()
      .map(([op, n]) => `${op} ${n}`)
      .join(', '),
  );
if (wrong > 0) process.exitCode = 1;
