// node --import tsx acceptance/onnx/exported.ts [--only TEXT] [--save DIR]
// Exports the models of the tests and runs the files in ONNX Runtime. Prints the largest difference of each, relative to
// 1 + |value|. The exit code is 1 if one is over 1e-5.
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { init } from '../../src/index.ts';
import { exportOnnx } from '../../src/onnx.ts';
import { exportedModels } from '../../test/onnx/exported-models.ts';
import { builtModel, differenceOf, inputsOf } from '../../test/onnx/exported-runs.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, save: { type: 'string' } } });
await init();
if (values.save) mkdirSync(values.save, { recursive: true });
let failed = 0;
for (const each of exportedModels.filter(({ name }) => name.includes(values.only ?? ''))) {
  try {
    const inputs = inputsOf(each);
    const { model, outputs } = builtModel(each);
    const bytes = exportOnnx(model, each.options);
    if (values.save) writeFileSync(`${values.save}/${each.name.replaceAll(/\W+/g, '-')}.onnx`, bytes);
    const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
    const feeds = Object.fromEntries(
      session.inputNames.map((name, i) => {
        const given = inputs[i];
        if (given) return [name, new ort.Tensor(given.isIds ? 'int32' : 'float32', given.data, [...given.shape])];
        // A state starts from zeros.
        const { shape } = session.inputMetadata[i] as { shape: (number | string)[] };
        const full = [inputs[0]!.shape[0]!, ...(shape.slice(1) as number[])];
        return [name, new ort.Tensor('float32', new Float32Array(full.reduce((a, b) => a * b, 1)), full)];
      }),
    );
    const results = await session.run(feeds);
    const found = outputs.map((y, i) => {
      const { dims, data } = results[session.outputNames[i]!]!;
      return differenceOf(y, { shape: dims, data: data as Float32Array });
    });
    await session.release();
    const worst = Math.max(...found);
    if (!(worst <= 1e-5)) failed++;
    console.log(`${worst <= 1e-5 ? 'ok ' : 'BAD'} ${worst.toExponential(1)} ${each.name}`);
  } catch (error) {
    failed++;
    console.log(`ERR ${each.name}: ${values.only ? (error as Error).stack : (error as Error).message}`);
  }
}
console.log(`${exportedModels.length} models, ${failed} differ`);
if (failed > 0) process.exitCode = 1;
