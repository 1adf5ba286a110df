// From an image to a word, letter by letter (one to many). The image of a handwritten digit becomes the first state of
// an LSTM, which spells the name of the digit. In training the LSTM reads the right letters; afterwards it reads the
// letters that it has written itself. The last 5,000 training images validate.
import {
  adam,
  dense,
  embedding,
  lstm,
  model,
  ndarray,
  progressText,
  schedules,
  setSeed,
  sparseCategoricalCrossentropy,
} from 'tapeloop';
import { loadIdx } from 'tapeloop/data';

export const about = 'An image of a digit to its name, spelled letter by letter.';
const source = 'https://storage.googleapis.com/cvdf-datasets/mnist';
const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
export const files = Object.fromEntries(names.map((name) => [`mnist/${name}-ubyte.gz`, `${source}/${name}-ubyte.gz`]));

const words = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
// There is a full stop before and after each word.
const letters = ['.', ...new Set(words.join(''))];
const steps = 6;
const idsOf = (text) => Array.from({ length: steps }, (_, i) => letters.indexOf(text[i] ?? '.'));

export async function run({ data, seed, log, quick = false }) {
  const [images, labels, testImages, testLabels] = await Promise.all(
    Object.keys(files).map((file) => loadIdx(`${data}/${file}`)),
  );
  const flat = ({ data, shape: [count] }) =>
    ndarray(
      Float32Array.from(data, (pixel) => pixel / 255),
      [count, 784],
    );
  const spellings = Array.from(labels.data, (digit) => words[digit]);
  const truth = Array.from(testLabels.data, (digit) => words[digit]);

  setSeed(seed);
  const captioner = model(
    {
      layers: {
        ...{ look: dense({ units: 256, activation: 'relu' }), see: dense({ units: 128, activation: 'relu' }) },
        ...{ toHidden: dense({ units: 128, activation: 'tanh' }), toCell: dense({ units: 128 }) },
        read: embedding({ inputDim: letters.length, outputDim: 16 }),
        spell: lstm({ units: 128, returnSequences: true }),
        write: dense({ units: letters.length }),
      },
      inputs: { image: { shape: [784] }, word: { shape: [steps], dtype: 'i32' } },
    },
    ({ image, word }, { look, see, toHidden, toCell, read, spell, write }) => {
      const seen = see(look(image));
      return write(spell(read(word), { initialState: [toHidden(seen), toCell(seen)] }));
    },
  );
  const [epochs, batchSize] = [quick ? 1 : 12, 100];
  const decaySteps = (epochs * labels.shape[0]) / batchSize;
  const learningRate = schedules.cosineDecay({ initialLearningRate: 0.001, decaySteps });
  const loss = sparseCategoricalCrossentropy({ fromLogits: true });
  captioner.compile({ optimizer: adam({ learningRate }), loss, metrics: ['accuracy'] });
  const progress = progressText((line, isLast) => isLast && log(line));
  const input = spellings.map((word) => idsOf(`.${word}`));
  await captioner.fit({ image: flat(images), word: input }, spellings.map(idsOf), {
    ...{ epochs, batchSize, validationSplit: 1 / 12, callbacks: [progress] },
  });

  // Greedy decoding: the likeliest letter of one place is the input of the next place.
  const image = flat(testImages);
  const written = truth.map(() => idsOf('.'));
  const spelled = truth.map(() => '');
  for (let i = 0; i < steps; i++) {
    const { data } = captioner.predict({ image, word: written }, { batchSize: 500 });
    for (const [n, word] of written.entries()) {
      const at = (n * steps + i) * letters.length;
      const logits = data.subarray(at, at + letters.length);
      const letter = logits.indexOf(Math.max(...logits));
      if (i + 1 < steps) word[i + 1] = letter;
      spelled[n] += letters[letter];
    }
  }
  const said = spelled.map((word) => word.split('.')[0]);
  const wrong = said.flatMap((word, n) => (word === truth[n] ? [] : [`${truth[n]} → ${word}`]));
  log(`some that went wrong: ${wrong.slice(0, 8).join(', ')}`);
  return [
    { metric: 'exact words on test images', value: 1 - wrong.length / said.length, atLeast: 0.97 },
    { metric: 'words that are no digit', value: said.filter((word) => !words.includes(word)).length },
  ];
}
