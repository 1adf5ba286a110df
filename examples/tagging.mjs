// What does a traveller ask for? Each word of a request gets a tag, which marks spans such as the city of departure (slot
// filling), and the whole request gets an intent. One bidirectional LSTM reads both. It sees words and their letters,
// so that it can guess at unseen words. A conditional random field (CRF) scores tags by their neighbours, too, and never
// gives I-x without a B-x before it. The same model without the CRF chooses each tag alone.
//
// A span is right if its first word, its last word and its kind are right (conlleval's rule). Settings were chosen on the
// 500 development requests, on which the printed losses are measured. The test requests are read once, at the end.
import {
  adam,
  bidirectional,
  concatenate,
  conv1d,
  dense,
  dropout,
  embedding,
  globalMaxPooling1d,
  lstm,
  model,
  progressText,
  RandomStream,
  schedules,
  setSeed,
  sparseCategoricalCrossentropy,
  timeDistributed,
} from 'tapeloop';
import { loadLines } from 'tapeloop/data';
import { allowedTags, crf, crfLoss } from 'tapeloop/sequences';

export const about = 'Slots and intents of air travel requests: BiLSTM with letters of words, and a CRF.';
const source = 'https://github.com/yvchen/JointSLU, data';
const parts = {
  train: 'atis/atis-2.train.w-intent.iob',
  validation: 'atis/atis-2.dev.w-intent.iob',
  test: 'atis/atis.test.w-intent.iob',
};
export const files = Object.fromEntries(Object.values(parts).map((file) => [file, source]));

/** Letters of a word that are read: the first and the last ones of a longer word. */
const letters = 12;

/** A line is BOS, words and EOS, a tab, then a tag for each of them but EOS, and the intent. */
function request(line) {
  const [text, labels] = line.split('\t').map((part) => part.trim().split(/\s+/));
  return { words: text.slice(1, -1), tags: labels.slice(1, -1), intent: labels.at(-1) };
}

/** Words as the table of words has them: lower case, 0 for every digit. */
const plain = (word) => word.toLowerCase().replace(/\d/g, '0');

/** From names to ids, in the order in which they first come; `first` come before. */
function idsOf(names, first = []) {
  return new Map([...new Set([...first, ...names])].map((name, id) => [name, id]));
}

/** Spans [first, last, kind] of tags. A span begins with B-x, or with I-x that does not go on a span of x. */
export function spans(tags) {
  const found = [];
  tags.forEach((tag, at) => {
    const kind = tag.slice(2);
    const open = found.at(-1);
    if (tag[0] === 'I' && open?.[1] === at - 1 && open[2] === kind) open[1] = at;
    else if (tag !== 'O') found.push([at, at, kind]);
  });
  return found;
}

/** Precision, recall and F1 of the spans of all requests. */
export function spanScores(wanted, given) {
  let [right, found, all] = [0, 0, 0];
  wanted.forEach((tags, i) => {
    const keys = spans(tags).map((span) => span.join());
    const own = spans(given[i]).map((span) => span.join());
    [right, found, all] = [right + own.filter((key) => keys.includes(key)).length, found + own.length, all + keys.length];
  });
  const [precision, recall] = [right / Math.max(found, 1), right / Math.max(all, 1)];
  return { precision, recall, f1: (2 * right) / Math.max(found + all, 1) };
}

function tagger({ words, signs, tags, intents }, { units, rate, isCrf }) {
  const layers = {
    word: embedding({ inputDim: words, outputDim: 100, maskZero: true }),
    letter: embedding({ inputDim: signs, outputDim: 25 }),
    shapes: timeDistributed(conv1d({ filters: 50, kernelSize: 3, padding: 'same', activation: 'relu' })),
    strongest: timeDistributed(globalMaxPooling1d()),
    join: concatenate(),
    drop: dropout({ rate }),
    read: bidirectional(lstm({ units, returnSequences: true })),
    score: dense({ units: tags.length }),
    ...(isCrf && { chain: crf({ allowed: allowedTags(tags), chainInitializer: 'zeros' }) }),
    gist: globalMaxPooling1d(),
    intent: dense({ units: intents }),
  };
  const inputs = { words: { shape: [null], dtype: 'i32' }, letters: { shape: [null, letters], dtype: 'i32' } };
  return model({ layers, inputs }, (x, each) => {
    const { word, letter, shapes, strongest, join, drop, read, score, chain, gist, intent } = each;
    const seen = drop(join([word(x.words), strongest(shapes(letter(x.letters)))]));
    const states = drop(read(seen));
    const scores = score(states);
    return { slots: isCrf ? chain(scores) : scores, intent: intent(gist(states)) };
  });
}

export async function run({ data, seed, log, quick = false }) {
  const load = async (file) => (await loadLines(`${data}/${file}`)).map(request);
  const [train, validation] = [await load(parts.train), await load(parts.validation)];
  const all = train.flatMap(({ words }) => words);
  const counts = new Map();
  for (const word of all) counts.set(plain(word), (counts.get(plain(word)) ?? 0) + 1);
  // Id 0 is padding, 1 is what training has not seen.
  const tables = {
    words: idsOf(all.map(plain), ['', '?']),
    signs: idsOf(all.join('').toLowerCase(), ['', '?']),
    tags: idsOf(train.flatMap(({ tags }) => tags)),
    intents: idsOf(train.map(({ intent }) => intent)),
  };
  const tagNames = [...tables.tags.keys()];
  const intentNames = [...tables.intents.keys()];

  function encode(requests, random) {
    const isHidden = (word) => random && random.nextUint32() / 2 ** 32 < (counts.get(word) === 1 ? 0.5 : 0.03);
    const wordId = (word) => (isHidden(word) ? 1 : (tables.words.get(word) ?? 1));
    const ends = (word) => (word.length > letters ? word.slice(0, letters / 2) + word.slice(-letters / 2) : word);
    const signs = (word) =>
      Array.from({ length: letters }, (_, i) => {
        const sign = ends(word.toLowerCase())[i];
        return sign === undefined ? 0 : (tables.signs.get(sign) ?? 1);
      });
    return {
      words: requests.map(({ words }) => words.map((word) => wordId(plain(word)))),
      letters: requests.map(({ words }) => words.map(signs)),
    };
  }
  /** A tag or an intent that training has not seen counts as the first one in the loss, and as wrong in the scores. */
  const targets = (requests) => ({
    slots: requests.map(({ tags }) => tags.map((tag) => tables.tags.get(tag) ?? 0)),
    intent: requests.map(({ intent }) => tables.intents.get(intent) ?? 0),
  });

  async function learn(name, { isCrf, epochs, batchSize, learningRate: initialLearningRate, ...how }) {
    setSeed(seed);
    const random = new RandomStream(seed);
    const sizes = { words: tables.words.size, signs: tables.signs.size, tags: tagNames, intents: intentNames.length };
    const net = tagger(sizes, { isCrf, ...how });
    const learningRate = schedules.cosineDecay({
      initialLearningRate,
      decaySteps: epochs * Math.ceil(train.length / batchSize),
    });
    const each = sparseCategoricalCrossentropy({ fromLogits: true });
    net.compile({
      optimizer: adam({ learningRate, globalClipNorm: 5 }),
      loss: { slots: isCrf ? crfLoss() : each, intent: each },
      // A request has some 11 words: the cross-entropy of a tag alone is as large as that of a request divided by them.
      lossWeights: { slots: isCrf ? 1 : 11, intent: 1 },
      metrics: ['accuracy'],
    });
    // Words are hidden anew in each epoch, so that the model learns what an unseen word may be.
    function* batches() {
      const order = shuffled(train.length, random);
      for (let from = 0; from < order.length; from += batchSize) {
        const chosen = Array.from(order.slice(from, from + batchSize), (i) => train[i]);
        yield { x: encode(chosen, random), y: targets(chosen) };
      }
    }
    const progress = progressText((line, isLast) => isLast && log(`${name}: ${line}`));
    await net.fit(batches, { epochs: quick ? 1 : epochs, callbacks: [progress] });
    return net;
  }

  function shuffled(count, random) {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = random.nextUint32() % (i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  /** The scores of a model on requests. */
  function measure(net, requests) {
    const given = { slots: [], intent: [] };
    for (let from = 0; from < requests.length; from += 64) {
      const chosen = requests.slice(from, from + 64);
      const { slots, intent } = net.predict(encode(chosen), { batchSize: 64 });
      const [, steps, width] = slots.shape;
      chosen.forEach(({ words }, i) => {
        given.slots.push(words.map((_, t) => tagNames[highest(slots.data, (i * steps + t) * width, width)]));
        given.intent.push(intentNames[highest(intent.data, i * intentNames.length, intentNames.length)]);
      });
    }
    const right = requests.filter(({ intent }, i) => intent === given.intent[i]).length;
    const scores = spanScores(
      requests.map(({ tags }) => tags),
      given.slots,
    );
    return { ...scores, intents: right / requests.length, given };
  }

  const settings = JSON.parse(process.env.TAG ?? '{}');
  const how = { units: 100, rate: 0.5, epochs: 30, batchSize: 16, learningRate: 0.002, ...settings };
  for (const isCrf of settings.only ? [settings.only === 'crf'] : [true, false]) {
    const net = await learn(isCrf ? 'CRF' : 'alone', { ...how, isCrf });
    const { given, ...scores } = measure(net, validation);
    log(JSON.stringify({ isCrf, settings, ...scores }));
  }
  return [];
}

const highest = (values, from, width) => {
  const row = values.subarray(from, from + width);
  return row.indexOf(Math.max(...row));
};
