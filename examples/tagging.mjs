// What does a traveller ask for? Each word of a request gets a tag, which marks spans such as the city of departure
// (slot filling), and the whole request gets an intent. One bidirectional LSTM reads both. It sees words and their
// letters, so that it can guess at unseen words. A conditional random field (CRF) scores tags by their neighbours, too,
// and never gives I-x without a B-x before it. The same model without the CRF chooses each tag alone.
//
// Intents hang on few words, and not on which city it is. So two small models read them once more from the outline of a
// request: each span that the tagger finds becomes one word, its kind. The scores of all three are added.
//
// A span is right if its first word, its last word and its kind are right (conlleval's rule). Settings of the tagger
// were chosen by a model that has not seen the 500 development requests, those for outlines by cross-validation on
// requests unlike those of training. The models that are tested learn from all 4,978 requests, and the test requests
// are read once, at the end.
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
    [right, found, all] = [
      right + own.filter((key) => keys.includes(key)).length,
      found + own.length,
      all + keys.length,
    ];
  });
  const [precision, recall] = [right / Math.max(found, 1), right / Math.max(all, 1)];
  return { precision, recall, f1: (2 * right) / Math.max(found + all, 1) };
}

/**
 * Words of a request, with the kind of each span in the span's place: from <city_name> to <city_name>. The kind is the
 * last part of its name, so `fromloc.city_name` is a city, too.
 */
export function outline(words, tags) {
  const left = words.map(plain);
  for (const [first, last, kind] of spans(tags).reverse()) {
    left.splice(first, last - first + 1, `<${kind.split('.').at(-1)}>`);
  }
  return left;
}

/** Reads words and their letters, scores tags and intents. */
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
    intent: dense({ units: intents.length }),
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

/** Reads outlines, by an LSTM or three words at a time, and scores intents. */
function outlineReader({ words, intents }, { isRecurrent }) {
  const layers = {
    word: embedding({ inputDim: words, outputDim: 64, maskZero: true }),
    drop: dropout({ rate: 0.3 }),
    read: isRecurrent
      ? bidirectional(lstm({ units: 50, returnSequences: true }))
      : conv1d({ filters: 100, kernelSize: 3, padding: 'same', activation: 'relu' }),
    strongest: globalMaxPooling1d(),
    score: dense({ units: intents.length }),
  };
  return model({ layers, inputs: { shape: [null], dtype: 'i32' } }, (x, { word, drop, read, strongest, score }) => {
    const seen = drop(word(x));
    const found = read(seen);
    found.mask = seen.mask; // a convolution ends it; with it, padding is never the strongest
    return score(drop(strongest(found)));
  });
}

/** How words become ids: 0 is padding, 1 is a word that training has not seen. */
function tableOf(texts) {
  const counts = new Map();
  for (const word of texts.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
  const ids = idsOf(counts.keys(), ['', '?']);
  // In training, words are hidden by chance: rare ones often. So the model learns what an unseen word may be.
  const isHidden = (word, random) => random.nextUint32() / 2 ** 32 < (counts.get(word) === 1 ? 0.5 : 0.03);
  const read = (word, random) => (random && isHidden(word, random) ? 1 : (ids.get(word) ?? 1));
  return { size: ids.size, read: (words, random) => words.map((word) => read(word, random)) };
}

/** How words become their first and last letters. */
function spellingOf(texts) {
  const signs = idsOf(texts.flat().join('').toLowerCase(), ['', '?']);
  const spell = (word) => {
    const ends = word.length > letters ? word.slice(0, letters / 2) + word.slice(-letters / 2) : word;
    return Array.from({ length: letters }, (_, i) => (i < ends.length ? (signs.get(ends[i]) ?? 1) : 0));
  };
  return { size: signs.size, read: (words) => words.map((word) => spell(word.toLowerCase())) };
}

/** Batches of requests of similar length, in random order. */
function* batchesOf(requests, size, random) {
  const order = requests.map((each) => [each, each.words.length + (random.nextUint32() % 3)]);
  const sorted = order.sort((a, b) => a[1] - b[1] || (random.nextUint32() % 2 ? 1 : -1)).map(([each]) => each);
  const starts = Array.from({ length: Math.ceil(sorted.length / size) }, (_, i) => i * size);
  while (starts.length > 0) {
    const [from] = starts.splice(random.nextUint32() % starts.length, 1);
    yield sorted.slice(from, from + size);
  }
}

/** Trains a model with a learning rate that falls to 0. `encode` makes inputs and targets of requests. */
async function train(net, requests, { initialLearningRate, epochs, loss, lossWeights, encode, random, log }) {
  const batchSize = 32;
  const decaySteps = epochs * Math.ceil(requests.length / batchSize);
  const optimizer = adam({
    learningRate: schedules.cosineDecay({ initialLearningRate, decaySteps }),
    globalClipNorm: 5,
  });
  net.compile({ optimizer, loss, lossWeights, metrics: ['accuracy'] });
  function* batches() {
    for (const chosen of batchesOf(requests, batchSize, random)) yield encode(chosen);
  }
  await net.fit(batches, { epochs, callbacks: [progressText((line, isLast) => isLast && log(line))] });
}

const crossentropy = sparseCategoricalCrossentropy({ fromLogits: true });
const intentsOf = (requests) => idsOf(requests.map(({ intent }) => intent));

/** Learns slots and intents. Returns what gives tags of other requests, and scores of intents. */
async function learnRequests(requests, { seed, isCrf, log, epochs = 15 }) {
  setSeed(seed);
  const random = new RandomStream(seed);
  const table = tableOf(requests.map(({ words }) => words.map(plain)));
  const spelling = spellingOf(requests.map(({ words }) => words));
  const [tagIds, intentIds] = [idsOf(requests.flatMap(({ tags }) => tags)), intentsOf(requests)];
  const [tags, intents] = [[...tagIds.keys()], [...intentIds.keys()]];
  const sizes = { words: table.size, signs: spelling.size, tags, intents };
  const net = tagger(sizes, { units: 100, rate: 0.5, isCrf });
  const inputs = (chosen, noise) => ({
    words: chosen.map(({ words }) => table.read(words.map(plain), noise)),
    letters: chosen.map(({ words }) => spelling.read(words)),
  });
  const targets = (chosen) => ({
    slots: chosen.map((each) => each.tags.map((tag) => tagIds.get(tag))),
    intent: chosen.map(({ intent }) => intentIds.get(intent)),
  });
  await train(net, requests, {
    initialLearningRate: 0.004,
    epochs,
    loss: { slots: isCrf ? crfLoss() : crossentropy, intent: crossentropy },
    // The loss of a CRF is that of a whole request, of some 11 words.
    lossWeights: { slots: isCrf ? 1 : 11, intent: 1 },
    encode: (chosen) => ({ x: inputs(chosen, random), y: targets(chosen) }),
    random,
    log,
  });
  return (asked) => {
    const { slots, intent } = net.predict(inputs(asked), { batchSize: 64 });
    const [rows, scores] = [slots.toNested(), intent.toNested()];
    return asked.map(({ words }, i) => ({ tags: words.map((_, t) => tags[highest(rows[i][t])]), scores: scores[i] }));
  };
}

/** Learns intents from outlines by the right tags. Returns what gives scores of other outlines. */
async function learnOutlines(requests, { seed, isRecurrent, log, epochs = 12 }) {
  setSeed(seed);
  const random = new RandomStream(seed);
  const outlineOf = ({ words, tags }) => outline(words, tags);
  const table = tableOf(requests.map(outlineOf));
  const ids = intentsOf(requests);
  const net = outlineReader({ words: table.size, intents: [...ids.keys()] }, { isRecurrent });
  const encode = (chosen) => ({
    x: chosen.map((each) => table.read(outlineOf(each), random)),
    y: chosen.map(({ intent }) => ids.get(intent)),
  });
  await train(net, requests, { initialLearningRate: 0.003, epochs, loss: crossentropy, encode, random, log });
  return (outlines) => net.predict(outlines.map((words) => table.read(words))).toNested();
}

/** What models give to requests, and how good it is. Intents have the highest sum of the models' scores. */
function measure(asked, { answer, readers, intents }) {
  const given = answer(asked);
  const outlines = asked.map(({ words }, i) => outline(words, given[i].tags));
  const own = given.map(({ scores }) => scores);
  const all = [own, ...readers.map((read) => read(outlines))];
  const sums = own.map((row, i) => row.map((_, k) => all.reduce((sum, scores) => sum + scores[i][k], 0)));
  const rightOnes = (scores) => asked.filter(({ intent }, i) => intents[highest(scores[i])] === intent).length;
  const tags = given.map((each) => each.tags);
  const { f1 } = spanScores(
    asked.map((each) => each.tags),
    tags,
  );
  return { tags, f1, ownIntents: rightOnes(own) / asked.length, intents: rightOnes(sums) / asked.length };
}

export async function run({ data, seed, log, quick = false }) {
  const load = async (file) => (await loadLines(`${data}/${file}`)).map(request).slice(0, quick ? 64 : undefined);
  const [training, validation, test] = await Promise.all(Object.values(parts).map(load));
  const options = (name) => ({ seed, log: (line) => log(`${name}: ${line}`), ...(quick && { epochs: 1 }) });

  /** Learns outlines, then taggers with and without CRF; the function that it returns measures one. */
  async function learn(requests, part = '') {
    const intents = [...intentsOf(requests).keys()];
    const readers = [];
    for (const kind of ['convolution', 'LSTM']) {
      const isRecurrent = kind === 'LSTM';
      readers.push(await learnOutlines(requests, { ...options(`outlines, ${kind}${part}`), isRecurrent }));
    }
    return async (asked, name) => {
      const answer = await learnRequests(requests, { ...options(`${name}${part}`), isCrf: name === 'CRF' });
      return measure(asked, { answer, readers, intents });
    };
  }

  const chosen = await (await learn(training, ', validation'))(validation, 'CRF');
  log(`validation: slot F1 ${chosen.f1.toFixed(4)}, intents ${chosen.intents.toFixed(4)}`);
  const score = await learn([...training, ...validation]);
  const chained = await score(test, 'CRF');
  test.slice(0, 400).forEach(({ words, tags }, i) => {
    if (i % 100 === 0)
      log(words.map((word, t) => (tags[t] === 'O' ? word : `${word}/${chained.tags[i][t]}`)).join(' '));
  });
  const alone = await score(test, 'without CRF');
  return [
    { metric: 'slot F1, CRF', value: chained.f1, atLeast: 0.95 },
    { metric: 'intents, CRF', value: chained.intents, atLeast: 0.97 },
    { metric: 'intents, CRF, without outlines', value: chained.ownIntents },
    { metric: 'slot F1, without CRF', value: alone.f1 },
    { metric: 'intents, without CRF', value: alone.intents },
    { metric: 'slot F1 on validation, CRF', value: chosen.f1 },
    { metric: 'intents on validation, CRF', value: chosen.intents },
    { metric: 'intents on validation, CRF, without outlines', value: chosen.ownIntents },
  ];
}

const highest = (row) => row.indexOf(Math.max(...row));
