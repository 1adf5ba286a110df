// The worker writes with a character model and trains it on a text. Both are generators, so the caller decides how far
// they run.
import { adam, encodeText, generateIds, ndarray, sparseCategoricalCrossentropy, textStreams } from 'tapeloop';

const [batch, time] = [16, 40];

/** Yields the characters that continue `options.prompt`, one by one. */
export function* write({ model, vocabulary }, options) {
  for (const id of generateIds(model, options)) yield vocabulary[id];
}

/**
 * Cuts a text into windows and leaves out characters that the model does not know. Throws TextError if the text has
 * less than one window.
 */
export function windowsOf(text, vocabulary) {
  const known = new Set(vocabulary);
  const ids = encodeText([...text].filter((character) => known.has(character)).join(''), vocabulary);
  return textStreams(ids, { batch: Math.max(1, Math.min(batch, Math.floor((ids.length - 1) / time))), time });
}

/** Trains for `steps` windows and yields the loss of each. */
export function* train(model, windows, steps) {
  const loss = sparseCategoricalCrossentropy({ fromLogits: true });
  model.compile({ optimizer: adam({ learningRate: 0.003, globalClipNorm: 1 }), loss });
  for (let step = 1; step <= steps; step++) {
    const { x, y, first } = windows.next();
    if (first) model.resetStates();
    const [shapedX, shapedY] = [x, y].map((ids) => ndarray(ids, [windows.batch, time]));
    yield { step, loss: model.trainOnBatch(shapedX, shapedY).loss };
  }
}
