// From one sequence to another: one LSTM reads, and its last states are the first states of another LSTM, which writes.
// In training the writer reads the right answer so far (teacher forcing); afterwards it reads what it has written
// itself. First come sums of three-digit numbers, read and written from the last digit, as in adding by hand. Then
// English to French, where the writer also looks back at the question (attention).
//
// An English sentence has up to dozens of translations. So the test is a tenth of all English sentences with all their
// translations. Another tenth validates; settings were chosen on it.
import {
  adam,
  attention,
  concatenate,
  dense,
  dropout,
  earlyStopping,
  embedding,
  lstm,
  model,
  progressText,
  RandomStream,
  schedules,
  setSeed,
  sparseCategoricalCrossentropy,
} from 'tapeloop';
import { loadPairs, shuffle, textVectorization } from 'tapeloop/data';

export const about = 'Encoder and decoder: three-digit sums, and English to French with attention.';
export const files = { 'fra-eng.txt': 'https://www.manythings.org/anki (an English and a French sentence a line)' };

const units = 128;

/** From the ids of a question and of the answer so far to the logits of the next word at every step. */
function translator(fromWords, toWords, { attends, rate = 0 }) {
  const embeddingsInitializer = { name: 'randomNormal', stddev: 0.5 };
  const read = (inputDim) => embedding({ inputDim, outputDim: units, embeddingsInitializer });
  const layers = {
    ...{ question: read(fromWords), answer: read(toWords), drop: dropout({ rate }) },
    encode: lstm({ units, returnSequences: true, returnState: true }),
    decode: lstm({ units, returnSequences: true }),
    ...(attends && { look: attention(), join: concatenate(), think: dense({ units, activation: 'tanh' }) }),
    write: dense({ units: toWords }),
  };
  const words = { shape: [null], dtype: 'i32' };
  return model({ layers, inputs: { question: words, answer: words } }, (x, each) => {
    const { question, answer, drop, encode, decode, look, join, think, write } = each;
    const [memory, ...states] = encode(drop(question(x.question)));
    const heard = decode(drop(answer(x.answer)), { initialState: states });
    return write(drop(attends ? think(join([heard, look([heard, memory])])) : heard));
  });
}

/**
 * BLEU-4 of answers (Papineni et al. 2002). An answer is a list of words; its references are one or more lists of
 * words.
 */
function bleu(answers, references) {
  const [found, all] = [
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ];
  let [length, wanted] = [0, 0];
  const count = (words, n) => {
    const counts = new Map();
    for (let end = n; end <= words.length; end++) {
      const gram = words.slice(end - n, end).join(' ');
      counts.set(gram, (counts.get(gram) ?? 0) + 1);
    }
    return counts;
  };
  for (const [i, answer] of answers.entries()) {
    length += answer.length;
    // If two references are equally near in length, the shorter one counts.
    const lengths = references[i].map((words) => words.length).sort((a, b) => a - b);
    const off = lengths.map((n) => Math.abs(n - answer.length));
    wanted += lengths[off.indexOf(Math.min(...off))];
    for (const n of found.keys()) {
      const right = references[i].map((words) => count(words, n + 1));
      for (const [gram, times] of count(answer, n + 1)) {
        all[n] += times;
        found[n] += Math.min(times, Math.max(...right.map((counts) => counts.get(gram) ?? 0)));
      }
    }
  }
  const precision = found.reduce((sum, n, i) => sum + Math.log(n / Math.max(all[i], 1)) / 4, 0);
  return Math.exp(precision + Math.min(0, 1 - wanted / Math.max(length, 1)));
}

export async function run({ data, seed, log, quick = false }) {
  /**
   * Trains on pairs. Returns a function that answers questions; each word is the likeliest after the words before it.
   */
  async function learn(name, { train, validation, split, maxTokens, epochs, ...how }) {
    setSeed(seed);
    const edge = '\n';
    const [from, to] = [0, 1].map((side) => {
      const words = textVectorization({ standardize: null, split: (text) => [edge, ...split(text), edge], maxTokens });
      words.adapt(train.map((pair) => pair[side]));
      return words;
    });
    const batch = (pairs) => {
      const [question, answer] = [from, to].map((words, side) => words.sequences(pairs.map((pair) => pair[side])));
      return [{ question, answer: answer.map((ids) => ids.slice(0, -1)) }, answer.map((ids) => ids.slice(1))];
    };
    const net = translator(from.vocabulary.length, to.vocabulary.length, how);
    const decaySteps = epochs * Math.ceil(train.length / 64);
    const learningRate = schedules.cosineDecay({ initialLearningRate: 0.003, decaySteps });
    // Id 1 stands for every word outside the vocabulary. The model must not learn to write it.
    const loss = sparseCategoricalCrossentropy({ fromLogits: true, ignoreClass: 1 });
    net.compile({ optimizer: adam({ learningRate, globalClipNorm: 1 }), loss, metrics: ['accuracy'] });
    const progress = progressText((line, isLast) => isLast && log(`${name}: ${line}`));
    const best = earlyStopping({ patience: epochs, restoreBestWeights: true });
    const [x, y] = batch(train);
    const validationData = batch(validation);
    await net.fit(x, y, { epochs: quick ? 1 : epochs, batchSize: 64, validationData, callbacks: [best, progress] });

    const most = Math.max(...y.map(({ length }) => length));
    return (questions) => {
      const question = from.sequences(questions);
      const edgeId = to.vocabulary.indexOf(edge);
      const answer = question.map(() => [edgeId]);
      const isEnded = (ids) => ids.includes(edgeId, 1);
      for (let step = 0; step < most && !answer.every(isEnded); step++) {
        const { data } = net.predict({ question, answer }, { batchSize: 256 });
        const width = to.vocabulary.length;
        for (const [n, ids] of answer.entries()) {
          const logits = data.subarray(((n + 1) * (step + 1) - 1) * width, (n + 1) * (step + 1) * width);
          ids.push(logits.indexOf(Math.max(...logits)));
        }
      }
      return answer.map((ids) => ids.slice(1, [...ids, edgeId].indexOf(edgeId, 1)).map((id) => to.vocabulary[id]));
    };
  }

  const random = new RandomStream(seed);
  const sums = new Map();
  while (sums.size < (quick ? 300 : 50_000)) {
    const [a, b] = [random.nextUint32() % 1000, random.nextUint32() % 1000];
    // 1+2 and 2+1 count as one sum, so training has not seen a test sum in the other order.
    sums.set(Math.min(a, b) * 1000 + Math.max(a, b), [`${a}+${b}`, `${a + b}`]);
  }
  const drawn = [...sums.values()];
  const part = (rows, from, to) => rows.slice(from * rows.length, to * rows.length);
  const add = await learn('sums', {
    ...{ train: part(drawn, 0, 0.9), validation: part(drawn, 0.9, 0.92), split: (text) => [...text].reverse() },
    ...{ epochs: 6, rate: 0 },
  });
  const asked = part(drawn, 0.92, 1);
  const digits = add(asked.map(([sum]) => sum));
  const right = asked.filter(([, sum], i) => digits[i].reverse().join('') === sum);
  log(`sums: ${right.length} of ${asked.length} exact`);

  const sentences = await loadPairs(`${data}/fra-eng.txt`, { incomplete: 'skip' });
  const [english] = shuffle([[...new Set(sentences.map(([sentence]) => sentence))]], { seed });
  const translations = (from, to) => {
    const chosen = new Set(part(english, from, to));
    return sentences.filter(([sentence]) => chosen.has(sentence));
  };
  // Words keep their apostrophe, and marks are words: j' ai faim !
  const split = (text) => text.toLowerCase().match(/[\p{L}\p{N}-]+['’]?|\S/gu);
  const [train, validation, test] = [translations(0, 0.8), translations(0.8, 0.9), translations(0.9, 1)];
  const french = await learn('French', {
    train,
    validation,
    split,
    maxTokens: 5000,
    epochs: 8,
    attends: true,
    rate: 0.3,
  });
  const held = [...new Set(test.map(([sentence]) => sentence))];
  const answers = french(held);
  const references = held.map((sentence) => test.filter(([each]) => each === sentence).map(([, each]) => split(each)));
  const exact = answers.filter((words, i) => references[i].some((each) => each.join(' ') === words.join(' ')));
  for (let i = 0; i < held.length; i += 100) log(`${held[i]} → ${answers[i].join(' ')}`);
  return [
    { metric: 'sums of unseen numbers, exact', value: right.length / asked.length, atLeast: 0.99 },
    { metric: 'unseen English sentences, French exact', value: exact.length / held.length },
    { metric: 'unseen English sentences, BLEU-4', value: bleu(answers, references) },
  ];
}
