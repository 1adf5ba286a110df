// The program of every host: it reads bytes as data, trains, saves, loads, streams, and returns a hash of the weights.
// It uses nothing of its host.

/** A wave of integer steps, so that no host's sine has a say in it. */
const csv = `load\n${Array.from({ length: 120 }, (_, i) => Math.abs(((i * 7) % 48) - 24) + ((i * 5) % 3)).join('\n')}\n`;

/** FNV-1a of all bytes, as 8 hexadecimal digits. */
function hashOf(arrays) {
  let hash = 0x811c9dc5;
  for (const array of arrays) {
    for (const byte of new Uint8Array(array.buffer, array.byteOffset, array.byteLength)) {
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}

async function trained(tapeloop, data) {
  const { dense, gru, lstm, sequential, setSeed } = tapeloop;
  setSeed(5);
  const table = await data.loadCsv(Uint8Array.from(csv, (character) => character.charCodeAt(0)));
  const scale = data.standardize(table.numbers('load'));
  const { x, y } = data.windows(scale.transform(table.numbers('load')), { inputSteps: 8 });
  const model = sequential([
    lstm({ units: 12, returnSequences: true, inputShape: [null, 1] }),
    gru({ units: 8 }),
    dense({ units: 1 }),
  ]);
  model.compile({ optimizer: 'adam', loss: 'mse' });
  const { history } = await model.fit(x, y, { epochs: 20, batchSize: 16, validationSplit: 0.1 });
  if (!(history.loss.at(-1) < history.loss[0] / 2)) throw new Error(`it does not learn: ${history.loss}`);
  return { model, x };
}

export async function train(tapeloop, data) {
  await tapeloop.init({ mode: 'reproducible' });
  const { model, x } = await trained(tapeloop, data);
  const hash = hashOf(model.weights.map((weight) => weight.toArray()));
  const loaded = tapeloop.decodeModel(tapeloop.encodeModel(model)).model;
  if (hashOf([loaded.predict(x).data]) !== hashOf([model.predict(x).data]))
    throw new Error('the file gives another model');

  await tapeloop.init({ mode: 'reproducible', threads: 2 });
  const { threads } = tapeloop.engine();
  const again = await trained(tapeloop, data);
  const hashThreads = hashOf(again.model.weights.map((weight) => weight.toArray()));
  tapeloop.engine().stopThreads();
  const { build } = await tapeloop.init();
  return { hash, hashThreads, threads, build };
}
