// Shakespeare, character by character: which character is next? The text is cut into 32 streams, which are read in
// parallel in windows. States are carried from window to window, gradients are not (truncated backpropagation through
// time). The last tenth of the text validates.
import {
  adam,
  buildVocabulary,
  decodeIds,
  dense,
  dropout,
  embedding,
  encodeText,
  generateIds,
  lstm,
  ndarray,
  schedules,
  sequential,
  setSeed,
  sparseCategoricalCrossentropy,
  textStreams,
} from 'tapeloop';
import { loadText } from 'tapeloop/data';

export const about = 'A character model of tiny Shakespeare, which then writes by itself.';
export const files = {
  'tinyshakespeare.txt': 'https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt',
};

function characterModel(vocabularySize, { layers, units, rate = 0 }) {
  const drop = () => (rate > 0 ? [dropout({ rate })] : []);
  const recurrent = () => [lstm({ units, returnSequences: true, stateful: true }), ...drop()];
  // Vectors of unit variance, as in PyTorch: they learn faster than Keras's, which start within ±0.05.
  const embeddingsInitializer = { name: 'randomNormal', stddev: 1 };
  return sequential([
    embedding({ inputDim: vocabularySize, outputDim: 64, embeddingsInitializer }),
    ...Array.from({ length: layers }, recurrent).flat(),
    dense({ units: vocabularySize }),
  ]);
}

export async function run({ data, seed, log, quick = false }) {
  const text = await loadText(`${data}/tinyshakespeare.txt`);
  const vocabulary = buildVocabulary(text);
  const ids = encodeText(text, vocabulary);
  const cut = Math.floor(0.9 * ids.length);

  /**
   * Trains for `steps` windows. Returns the loss on the validation text at several steps: `[[step, loss], …]`.
   */
  function learn(name, { time: whole, steps, every, learningRate, ...sizes }) {
    const time = quick ? 10 : whole;
    setSeed(seed);
    const model = characterModel(vocabulary.length, sizes);
    model.compile({
      optimizer: adam({ learningRate, globalClipNorm: 5 }),
      loss: sparseCategoricalCrossentropy({ fromLogits: true }),
    });
    const [batch, shape] = [32, [32, time]];
    const validate = () =>
      model.withFreshStates(() => {
        const streams = textStreams(ids.subarray(cut), { batch, time });
        let total = 0;
        for (let i = 0; i < streams.windows; i++) {
          const { x, y } = streams.next();
          total += model.evaluate(ndarray(x, shape), ndarray(y, shape)).loss;
        }
        return total / streams.windows;
      });
    const streams = textStreams(ids.subarray(0, cut), { batch, time });
    const last = quick ? 2 : steps;
    const curve = [];
    for (let step = 1; step <= last; step++) {
      const { x, y, first } = streams.next();
      if (first) model.resetStates();
      const { loss } = model.trainOnBatch(ndarray(x, shape), ndarray(y, shape));
      if (step % every > 0 && step < last) continue;
      curve.push([step, validate()]);
      log(`${name}, step ${step}: loss ${loss.toFixed(4)}, validation ${curve.at(-1)[1].toFixed(4)}`);
    }
    const prompt = encodeText('\n', vocabulary);
    const written = generateIds(model, { prompt, length: quick ? 9 : 300, temperature: 0.8, seed });
    log(decodeIds([...written], vocabulary));
    model.dispose();
    return curve;
  }

  const cosine = (decaySteps) => schedules.cosineDecay({ initialLearningRate: 0.003, decaySteps });
  const small = learn('1 × 128', { layers: 1, units: 128, time: 50, steps: 2500, every: 500, learningRate: 0.002 });
  const two = { layers: 2, units: 256, time: 100, every: 250 };
  const large = learn('2 × 256', { ...two, steps: 1500, learningRate: cosine(1500) });
  const dropped = learn('2 × 256, dropout', { ...two, rate: 0.4, steps: 5500, learningRate: cosine(5500) });
  return [
    { metric: 'validation loss, 1 × 128, 2,500 steps', value: small.at(-1)[1], near: [1.66, 0.02] },
    { metric: 'validation loss, 2 × 256, 1,500 steps', value: large.at(-1)[1], atMost: 1.54 },
    {
      metric: 'validation loss, 2 × 256 with dropout, at its best',
      value: Math.min(...dropped.map(([, loss]) => loss)),
      atMost: 1.48,
    },
  ];
}
