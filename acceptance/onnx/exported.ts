// node --import tsx acceptance/onnx/exported.ts [--only TEXT] [--save DIR]
// Exports the models of the tests and runs the files in ONNX Runtime, native and for the web. Prints a table of the
// largest differences, relative to 1 + |value|. The exit code is 1 if one is over 1e-5.
// First: npm ci --prefix acceptance/onnx
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { init } from '../../src/index.ts';
import { differenceOf, type Elements } from '../../src/onnx/export/infer.ts';
import { exportOnnx } from '../../src/onnx.ts';
import { exportedModels } from '../../test/onnx/exported-models.ts';
import { builtModel, type GivenInput, inputsOf } from '../../test/onnx/exported-runs.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, save: { type: 'string' } } });
await init();
if (values.save) mkdirSync(values.save, { recursive: true });
web.env.wasm.numThreads = 1;

/** Runs a file with states that start from zeros. */
async function outputsOf(ort: typeof native, bytes: Uint8Array, inputs: readonly GivenInput[]): Promise<Elements[]> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const feeds = Object.fromEntries(
    session.inputNames.map((name, i) => {
      const given = inputs[i];
      if (given) return [name, new ort.Tensor(given.isIds ? 'int32' : 'float32', given.data, [...given.shape])];
      const { shape } = session.inputMetadata[i] as { readonly shape: readonly (number | string)[] };
      const full = [inputs[0]!.shape[0]!, ...(shape.slice(1) as number[])];
      return [name, new ort.Tensor('float32', new Float32Array(full.reduce((a, b) => a * b, 1)), full)];
    }),
  );
  const results = await session.run(feeds);
  await session.release();
  return session.outputNames.map((name) => {
    const { dims, data } = results[name]!;
    return { shape: dims, data: data as Float32Array };
  });
}

let failed = 0;
console.log('| model | bytes | onnxruntime-node | onnxruntime-web |\n| --- | --- | --- | --- |');
const chosen = exportedModels.filter(({ name }) => name.includes(values.only ?? ''));
for (const each of chosen) {
  const { model, outputs } = builtModel(each);
  const bytes = exportOnnx(model, each.options);
  if (values.save) writeFileSync(`${values.save}/${each.name.replaceAll(/\W+/g, '-')}.onnx`, bytes);
  const cells: string[] = [];
  for (const ort of [native, web as unknown as typeof native]) {
    try {
      const results = await outputsOf(ort, bytes, inputsOf(each));
      const worst = Math.max(...outputs.map((y, i) => differenceOf(y, results[i]!)));
      if (!(worst <= 1e-5)) failed++;
      cells.push(worst.toExponential(1));
    } catch (error) {
      failed++;
      cells.push((error as Error).message.slice(0, 120));
    }
  }
  console.log(`| ${each.name} | ${bytes.length} | ${cells.join(' | ')} |`);
}
console.log(`\n${chosen.length} models, ${failed} differences over 1e-5.`);
if (failed > 0) process.exitCode = 1;
