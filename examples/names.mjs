// From which of 18 languages is a surname? The order of letters says more than a bag of letters. Names are lists of
// unequal length and need no padding. Half of the names are Russian, so always guessing Russian has a high accuracy.
// The example therefore also gives the mean over languages, which class weights improve.
//
// Some names are many times in a file. Here each counts once in a language, so training has not seen a test name. Two
// tenths of the names of each language test, and one tenth validates. Settings were chosen on the validation names.
import {
  adam,
  bidirectional,
  dense,
  dropout,
  embedding,
  gru,
  progressText,
  schedules,
  sequential,
  setSeed,
} from 'tapeloop';
import { loadLines, shuffle, textVectorization } from 'tapeloop/data';

export const about = 'Surnames of unequal length to 18 languages: letters in a row beside letters in a bag.';
const languages =
  'Arabic Chinese Czech Dutch English French German Greek Irish Italian Japanese Korean Polish Portuguese Russian Scottish Spanish Vietnamese'.split(
    ' ',
  );
const source = 'https://github.com/spro/practical-pytorch, data/names';
export const files = Object.fromEntries(languages.map((language) => [`names/${language}.txt`, source]));

const bag = (letters) => [dense({ units: 18, activation: 'softmax', inputShape: [letters] })];
const row = (letters) => [
  embedding({ inputDim: letters, outputDim: 32 }),
  bidirectional(gru({ units: 64 })),
  dropout({ rate: 0.5 }),
  dense({ units: 18, activation: 'softmax' }),
];

export async function run({ data, seed, log, quick = false }) {
  const parts = { train: [], validation: [], test: [] };
  for (const [label, language] of languages.entries()) {
    const lines = await loadLines(`${data}/names/${language}.txt`);
    const [names] = shuffle([[...new Set(lines.map((line) => line.trim()))]], { seed });
    const part = (i) => ['test', 'test', 'validation'][i % 10] ?? 'train';
    names.forEach((name, i) => parts[part(i)].push({ name, label }));
  }
  const { train, validation, test } = parts;
  const labels = (part) => part.map(({ label }) => label);
  const count = (part) => languages.map((_, label) => part.filter((each) => each.label === label).length);
  const [trained, tested] = [count(train), count(test)];
  const outcomes = [];

  /** Reports the accuracy over all test names, and the mean of the accuracies of the languages. */
  function report(name, answers, bound = {}) {
    const right = count(test.filter(({ label }, n) => answers[n] === label));
    const mean = right.reduce((sum, n, label) => sum + n / tested[label], 0) / languages.length;
    const value = right.reduce((a, b) => a + b) / test.length;
    outcomes.push({ metric: `test accuracy, ${name}`, value, ...bound });
    outcomes.push({ metric: `mean of languages, ${name}`, value: mean });
    return value;
  }

  async function learn(name, layers, { outputMode, epochs, learningRate: initialLearningRate, classWeight, bound }) {
    setSeed(seed);
    const letters = textVectorization({ split: 'character', standardize: null, outputMode });
    letters.adapt(train.map(({ name }) => name));
    const inputs = (part) => letters[outputMode === 'int' ? 'sequences' : 'encode'](part.map(({ name }) => name));
    const model = sequential(layers(letters.vocabulary.length));
    const learningRate = schedules.cosineDecay({ initialLearningRate, decaySteps: (epochs * train.length) / 32 });
    model.compile({ optimizer: adam({ learningRate }), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
    const progress = progressText((line, isLast) => isLast && log(`${name}: ${line}`));
    await model.fit(inputs(train), labels(train), {
      ...{ epochs: quick ? 1 : epochs, classWeight, callbacks: [progress] },
      validationData: [inputs(validation), labels(validation)],
    });
    const chances = model.predict(inputs(test), { batchSize: 256 }).toNested();
    return report(
      name,
      chances.map((each) => each.indexOf(Math.max(...each))),
      bound,
    );
  }

  const majority = trained.indexOf(Math.max(...trained));
  report(`always ${languages[majority]}`, labels(test).fill(majority));
  const counted = await learn('bag of letters', bag, { outputMode: 'count', epochs: 20, learningRate: 0.01 });
  const read = { outputMode: 'int', epochs: 12, learningRate: 0.003 };
  await learn('GRU', row, { ...read, bound: { atLeast: Number(counted.toFixed(4)) } });
  const classWeight = Object.fromEntries(trained.map((n, label) => [label, train.length / (languages.length * n)]));
  await learn('GRU, languages weighted alike', row, { ...read, classWeight });
  return outcomes;
}
