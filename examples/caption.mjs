// An image in, a word out, letter by letter (one to many): what is seen of a handwritten digit becomes the first state of an LSTM, which
// spells the digit's name. It trains with the right letters as input, and is then left to read what it has written itself.
// The last 5,000 training images validate.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { adam, dense, embedding, lstm, model, ndarray, setSeed, sparseCategoricalCrossentropy } from 'tapeloop';

export const about = 'An image of a digit to its name, spelled letter by letter.';
const source = 'https://storage.googleapis.com/cvdf-datasets/mnist';
const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
export const files = Object.fromEntries(names.map((name) => [`mnist/${name}-ubyte.gz`, `${source}/${name}-ubyte.gz`]));

const words = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
// A full stop stands before each word and after it.
const letters = ['.', ...new Set(words.join(''))];
const steps = 6;
const idsOf = (text) => Array.from({ length: steps }, (_, i) => letters.indexOf(text[i] ?? '.'));

export async function run({ data, seed, log, quick = false }) {
  // An idx file: four bytes, the last of them the number of axes; four bytes an axis; the values.
  const idx = (name) => {
    const bytes = gunzipSync(readFileSync(`${data}/mnist/${name}-ubyte.gz`));
    return bytes.subarray(4 + 4 * bytes[3]);
  };
  const part = (name) => {
    const pixels = Float32Array.from(idx(`${name}-images-idx3`), (pixel) => pixel / 255);
    return { image: ndarray(pixels, [pixels.length / 784, 784]), digits: Array.from(idx(`${name}-labels-idx1`)) };
  };
  const [train, test] = [part('train'), part('t10k')];

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
  const optimizer = adam();
  captioner.compile({ optimizer, loss: sparseCategoricalCrossentropy({ fromLogits: true }), metrics: ['accuracy'] });

  const epochs = quick ? 1 : 12;
  const onEpochBegin = (epoch) => {
    optimizer.learningRate = 0.001 * (0.5 + 0.5 * Math.cos((Math.PI * epoch) / epochs));
  };
  const onEpochEnd = (epoch, { loss, val_accuracy: held }) =>
    log(`epoch ${epoch + 1}: loss ${loss.toFixed(4)}, validation ${(100 * held).toFixed(2)}% of letters`);
  const input = train.digits.map((digit) => idsOf(`.${words[digit]}`));
  const target = train.digits.map((digit) => idsOf(words[digit]));
  await captioner.fit({ image: train.image, word: input }, target, {
    ...{ epochs, batchSize: 100, validationSplit: 1 / 12, callbacks: [{ onEpochBegin, onEpochEnd }] },
  });

  // Greedy: each round makes the likeliest letter of one place the input of the next.
  const written = test.digits.map(() => idsOf('.'));
  const spelled = test.digits.map(() => '');
  for (let i = 0; i < steps; i++) {
    const { data } = captioner.predict({ image: test.image, word: written }, { batchSize: 500 });
    for (const [n, word] of written.entries()) {
      const at = (n * steps + i) * letters.length;
      const logits = data.subarray(at, at + letters.length);
      const letter = logits.indexOf(Math.max(...logits));
      if (i + 1 < steps) word[i + 1] = letter;
      spelled[n] += letters[letter];
    }
  }
  const said = spelled.map((word) => word.slice(0, word.indexOf('.')));
  const right = said.filter((word, n) => word === words[test.digits[n]]).length;
  const wrong = said.flatMap((word, n) =>
    word === words[test.digits[n]] ? [] : [`${words[test.digits[n]]} → ${word}`],
  );
  log(`some that went wrong: ${wrong.slice(0, 8).join(', ')}`);
  return [
    { metric: 'exact words on test images', value: right / said.length, atLeast: 0.97 },
    { metric: 'words that are no digit', value: said.filter((word) => !words.includes(word)).length },
  ];
}
