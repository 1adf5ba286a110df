// The cost of type-checking a small app. This test notices a change that makes types much more expensive.
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const app = `
import { adam, dense, embedding, lstm, model, sequential, type Callback } from 'tapeloop';
import { windows } from 'tapeloop/data';
const { x, y } = windows([1, 2, 3, 4, 5], { inputSteps: 2 });
const small = sequential([lstm({ units: 4, returnSequences: true }), dense({ units: 1 })]);
small.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'mse', metrics: ['mae'] });
const tracker: Callback = { onEpochEnd: (epoch, logs) => console.log(epoch, logs.loss) };
const history = await small.fit(x, y, { epochs: 2, callbacks: [tracker] });
const [y1, h, c] = [small.predict(x).toNested(), ...history.history.loss!];
const pair = model(
  { layers: { e: embedding({ inputDim: 5, outputDim: 2 }), d: dense({ units: 1 }) }, inputs: { dtype: 'i32', shape: [null] } },
  (ids, { e, d }) => [d(e(ids)), d(e(ids))],
);
export const all = [y1, h, c, pair.predict([[1, 2]])];
`;

test('a small app, checks without errors and within its budget of instantiations', () => {
  const name = `${root}app.mts`;
  const options: ts.CompilerOptions = {
    strict: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: [],
    noEmit: true,
    skipDefaultLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (file, ...rest) =>
    file === name ? ts.createSourceFile(file, app, ts.ScriptTarget.ES2022) : getSourceFile.call(host, file, ...rest);
  host.fileExists = (file) => file === name || fileExists.call(host, file);
  host.readFile = (file) => (file === name ? app : readFile.call(host, file));
  const program = ts.createProgram([name], options, host);
  const errors = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
  expect(errors).toEqual([]);
  const { getInstantiationCount } = program as ts.Program & { getInstantiationCount(): number };
  // 10% over what it was when this was set.
  expect(getInstantiationCount.call(program)).toBeLessThan(2_100);
});
