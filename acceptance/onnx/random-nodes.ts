// node --import tsx acceptance/onnx/random-nodes.ts [COUNT] [SEED]
// Random LSTM, GRU and RNN nodes over their attributes, beside onnxruntime-node: outputs to 1e-5. Where the two differ,
// the float64 reference of test/onnx/reference decides: tapeloop is right within 1e-5 of the largest number of the
// output. States that grow from step to step make rounding errors grow with them.
// First: npm ci --prefix acceptance/onnx

import { RandomStream } from '../../src/index.ts';
import { readModelProto } from '../../src/onnx/format/messages.ts';
import { importOnnx, onnxSession } from '../../src/onnx.ts';
import { attribute, modelOf, type NodeSpec } from '../../test/onnx/model-of.ts';
import { inFloat64, initializersOf } from '../../test/onnx/reference/evaluate.ts';
import { Session } from './runtime.ts';

const [count, seed] = [Number(process.argv[2] ?? 2000), Number(process.argv[3] ?? 1)];
const random = new RandomStream(seed);
const pick = <T>(list: readonly T[]): T => list[random.nextUint32() % list.length]!;
const chance = (share: number): boolean => random.nextUniform() < share;
const between = (low: number, high: number): number => low + (random.nextUint32() % (high - low + 1));
const numbers = (size: number, scale = 1): Float32Array =>
  Float32Array.from({ length: size }, () => scale * (2 * random.nextUniform() - 1));

/** Activations, with whether they take alpha and beta. */
const activations = [
  ...['Sigmoid', 'Tanh', 'Relu', 'Softsign', 'Softplus'].map((name) => [name, false, false] as const),
  ...([
    ['Affine', true, true],
    ['LeakyRelu', true, false],
    ['ThresholdedRelu', true, false],
    ['ScaledTanh', true, true],
  ] as const),
  ...([
    ['HardSigmoid', true, true],
    ['Elu', true, false],
  ] as const),
];

function randomNode() {
  const op = pick(['LSTM', 'GRU', 'RNN'] as const);
  const gates = { LSTM: 4, GRU: 3, RNN: 1 }[op];
  const functions = { LSTM: 3, GRU: 2, RNN: 1 }[op];
  const direction = pick(['forward', 'reverse', 'bidirectional'] as const);
  const d = direction === 'bidirectional' ? 2 : 1;
  const [time, batch, inputs, units] = [between(1, 6), between(1, 4), between(1, 6), between(1, 7)];
  const attributes = [attribute('direction', direction), attribute('hidden_size', units)];
  if (chance(0.6)) {
    const chosen = Array.from({ length: d * functions }, () => pick(activations));
    attributes.push(
      attribute(
        'activations',
        chosen.map(([name]) => name),
      ),
    );
    const alphas = chosen.flatMap(([, takes]) => (takes ? [0.1 + 0.8 * random.nextUniform()] : []));
    const betas = chosen.flatMap(([, , takes]) => (takes ? [0.1 + 0.8 * random.nextUniform()] : []));
    if (alphas.length > 0) attributes.push(attribute('activation_alpha', alphas));
    if (betas.length > 0) attributes.push(attribute('activation_beta', betas));
  }
  if (chance(0.3)) attributes.push(attribute('clip', 0.3 + random.nextUniform()));
  if (op === 'LSTM' && chance(0.3)) attributes.push(attribute('input_forget', 1));
  if (op === 'GRU' && chance(0.5)) attributes.push(attribute('linear_before_reset', 1));
  const weights: Record<string, { dims: number[]; data: Float32Array }> = {
    W: { dims: [d, gates * units, inputs], data: numbers(d * gates * units * inputs, 0.6) },
    R: { dims: [d, gates * units, units], data: numbers(d * gates * units * units, 0.6) },
  };
  const optional: string[] = [];
  if (chance(0.7)) {
    weights.B = { dims: [d, 2 * gates * units], data: numbers(2 * d * gates * units, 0.6) };
    optional[0] = 'B';
  }
  const feeds: Record<string, { dims: number[]; data: Float32Array | Int32Array }> = {
    X: { dims: [time, batch, inputs], data: numbers(time * batch * inputs, 1.5) },
  };
  if (chance(0.4)) {
    feeds.lengths = { dims: [batch], data: Int32Array.from({ length: batch }, () => between(1, time)) };
    optional[1] = 'lengths';
  }
  const states = op === 'LSTM' ? ['h', 'c'] : ['h'];
  states.forEach((state, i) => {
    if (!chance(0.5)) return;
    feeds[state] = { dims: [d, batch, units], data: numbers(d * batch * units) };
    optional[2 + i] = state;
  });
  if (op === 'LSTM' && chance(0.3)) {
    weights.P = { dims: [d, 3 * units], data: numbers(3 * d * units, 0.6) };
    optional[4] = 'P';
  }
  const all = ['Y', 'Y_h', ...(op === 'LSTM' ? ['Y_c'] : [])];
  const kept = all.map((name) => (chance(0.75) ? name : ''));
  const outputs = kept.some((name) => name) ? kept : all;
  const node: NodeSpec = {
    op,
    inputs: ['X', 'W', 'R', ...Array.from(optional, (name) => name ?? '')],
    outputs,
    attributes,
  };
  return {
    node,
    feeds,
    bytes: modelOf({ nodes: [node], inputs: feeds, initializers: weights, outputs: outputs.filter((name) => name) }),
  };
}

type Arrays = Readonly<Record<string, { readonly dims: readonly number[]; readonly data: ArrayLike<number> }>>;

/** The outputs in float64. */
function exactly(bytes: Uint8Array, feeds: Arrays) {
  const proto = readModelProto(bytes);
  const given = Object.entries(feeds).map(
    ([name, { dims, data }]) => [name, { dims, data: Float64Array.from(data) }] as const,
  );
  return inFloat64(proto)(new Map([...initializersOf(proto), ...given]));
}

const apart = (a: number, b: number): number => Math.abs(a - b) / Math.max(1, Math.abs(b));

let [worst, failures, decided] = [0, 0, 0];
for (let i = 0; i < count; i++) {
  const { node, feeds, bytes } = randomNode();
  const name = `${i} ${JSON.stringify(node)}`;
  try {
    const expected = await Session.run(bytes, feeds);
    const model = importOnnx(bytes, { states: {} });
    const got = onnxSession(model).run(
      Object.fromEntries(Object.entries(feeds).map(([key, { dims, data }]) => [key, { data, shape: dims }])) as never,
    );
    let exact: ReturnType<typeof exactly> | undefined;
    for (const [key, { data }] of Object.entries(expected)) {
      for (let j = 0; j < data.length; j++) {
        const own = got[key]!.data[j]!;
        const difference = apart(own, data[j]!);
        if (difference <= 1e-5) {
          worst = Math.max(worst, difference);
          continue;
        }
        exact ??= exactly(bytes, feeds as never);
        const right = exact.get(key)!.data;
        const largest = right.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
        if (!(Math.abs(own - right[j]!) <= 1e-5 * largest))
          throw new Error(`${key}[${j}]: ${own}, not ${right[j]}; ONNX Runtime: ${data[j]}`);
      }
    }
    if (exact) decided++;
    model.dispose();
  } catch (error) {
    failures++;
    if (failures <= 20) console.log(`${(error as Error).message}\n  ${name}`);
  }
}
console.log(
  `${count} nodes, seed ${seed}: ${failures} wrong; ${decided} differ from ONNX Runtime and are right in float64; largest difference ${worst.toExponential(2)}`,
);
if (failures > 0) process.exitCode = 1;
