// The types that an app uses, compiled strictly with the declarations of the package checked too, as a module and as CommonJS.
import { adam, dense, encodeModel, init, lstm, ops, sequential, type Tensor, tensor } from 'tapeloop';
import { buildCharModel } from 'tapeloop/characters';
import { loadCsv, windows } from 'tapeloop/data';
import * as lean from 'tapeloop/lean';
import { loadModel, saveModel } from 'tapeloop/node';
import { plotHistory } from 'tapeloop/plot';
import { loadStream } from 'tapeloop/stream';

const model = sequential([lstm({ units: 4, returnSequences: true, inputShape: [null, 2] }), dense({ units: 1 })]);
model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'mse', metrics: ['mae'] });
const bytes: Uint8Array = encodeModel(model);
const x: Tensor = ops.square(tensor([[1, 2]]));

export async function run(): Promise<number | undefined> {
  await init({ mode: 'reproducible' });
  const table = await loadCsv(bytes);
  const series = windows(table.numbers('load'), { inputSteps: 2 });
  const { history } = await model.fit(series.x, series.y, { epochs: 2 });
  const stream = await loadStream(bytes);
  stream.step([1, 2]);
  saveModel(model, 'a.safetensors');
  return history.loss?.[0];
}

export { buildCharModel, lean, loadModel, plotHistory, x };
