// node --import tsx acceptance/onnx/golden.ts > test/golden/onnx.json
// The outputs of onnxruntime-node for the graphs of test/onnx/cases.ts, more-cases.ts and opset-cases.ts. First: npm ci --prefix acceptance/onnx
import { graphCases } from '../../test/onnx/cases.ts';
import { moreCases } from '../../test/onnx/more-cases.ts';
import { opsetCases } from '../../test/onnx/opset-cases.ts';
import { Session } from './runtime.ts';

const golden: Record<string, Record<string, { dims: readonly number[]; data: number[] }>> = {};
for (const { name, bytes, feeds } of [...graphCases, ...moreCases, ...opsetCases]) {
  const outputs = await Session.run(bytes, feeds).catch((error: Error) => {
    throw new Error(`${name}: ${error.message}`);
  });
  golden[name] = Object.fromEntries(
    Object.entries(outputs).map(([key, { dims, data }]) => [
      key,
      { dims, data: Array.from(data, (x) => Number(Number(x).toPrecision(8))) },
    ]),
  );
}
console.log(
  `{\n${Object.entries(golden)
    .map(([name, each]) => ` ${JSON.stringify(name)}: ${JSON.stringify(each)}`)
    .join(',\n')}\n}`,
);
