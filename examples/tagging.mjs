// What does a traveller ask for? Each word of a request gets a tag, which marks spans such as the city of departure
// (slot filling), and the whole request gets an intent. One bidirectional LSTM reads both. It sees words and their
// letters, so that it can guess at unseen words. A conditional random field (CRF) scores tags by their neighbours, too,
// and never gives I-x without a B-x before it. The same model without the CRF chooses each tag alone.
//
// A span is right if its first word, its last word and its kind are right (conlleval's rule). Settings were chosen by a
// model that has not seen the 500 development requests. The models that are tested learn from all 4,978 requests, and
// the test requests are read once, at the end.
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

/** The table of words, letters, tags and intents of requests, and how requests become inputs and targets. */
function encoder(requests) {
  const all = requests.flatMap(({ words }) => words);
  const counts = new Map();
  for (const word of all) counts.set(plain(word), (counts.get(plain(word)) ?? 0) + 1);
  // Id 0 is padding, 1 is what training has not seen.
  const words = idsOf(all.map(plain), ['', '?']);
  const signs = idsOf(all.join('').toLowerCase(), ['', '?']);
  const tags = idsOf(requests.flatMap((each) => each.tags));
  const intents = idsOf(requests.map(({ intent }) => intent));
  const spelled = new Map();
  const spell = (word) => {
    const ends = word.length > letters ? word.slice(0, letters / 2) + word.slice(-letters / 2) : word;
    const ids = Array.from({ length: letters }, (_, i) => (i < ends.length ? (signs.get(ends[i]) ?? 1) : 0));
    spelled.set(word, ids);
    return ids;
  };
  // In training, words are hidden by chance: rare ones often. So the model learns what an unseen word may be.
  const isHidden = (word, random) => random.nextUint32() / 2 ** 32 < (counts.get(word) === 1 ? 0.5 : 0.03);
  const wordId = (word, random) => (random && isHidden(word, random) ? 1 : (words.get(word) ?? 1));
  return {
    sizes: { words: words.size, signs: signs.size, tags: [...tags.keys()], intents: [...intents.keys()] },
    inputs: (chosen, random) => ({
      words: chosen.map((each) => each.words.map((word) => wordId(plain(word), random))),
      letters: chosen.map((each) =>
        each.words.map((word) => spelled.get(word.toLowerCase()) ?? spell(word.toLowerCase())),
      ),
    }),
    targets: (chosen) => ({
      slots: chosen.map((each) => each.tags.map((tag) => tags.get(tag))),
      intent: chosen.map(({ intent }) => intents.get(intent)),
    }),
  };
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

export async function run({ data, seed, log, quick = false }) {
  const load = async (file) => (await loadLines(`${data}/${file}`)).map(request).slice(0, quick ? 64 : undefined);
  const [train, validation, test] = await Promise.all(Object.values(parts).map(load));
  const [epochs, batchSize] = [quick ? 1 : 15, 32];

  /** Trains a tagger. Returns what measures it on other requests. */
  async function learn(name, requests, isCrf) {
    setSeed(seed);
    const random = new RandomStream(seed);
    const { sizes, inputs, targets } = encoder(requests);
    const net = tagger(sizes, { units: 100, rate: 0.5, isCrf });
    const decaySteps = epochs * Math.ceil(requests.length / batchSize);
    const learningRate = schedules.cosineDecay({ initialLearningRate: 0.004, decaySteps });
    const each = sparseCategoricalCrossentropy({ fromLogits: true });
    net.compile({
      optimizer: adam({ learningRate, globalClipNorm: 5 }),
      loss: { slots: isCrf ? crfLoss() : each, intent: each },
      // The loss of a CRF is that of a whole request, of some 11 words.
      lossWeights: { slots: isCrf ? 1 : 11, intent: 1 },
      metrics: ['accuracy'],
    });
    function* batches() {
      for (const chosen of batchesOf(requests, batchSize, random)) {
        yield { x: inputs(chosen, random), y: targets(chosen) };
      }
    }
    const progress = progressText((line, isLast) => isLast && log(`${name}: ${line}`));
    await net.fit(batches, { epochs, callbacks: [progress] });

    return (asked) => {
      const given = [];
      let right = 0;
      for (let from = 0; from < asked.length; from += 64) {
        const chosen = asked.slice(from, from + 64);
        const { slots, intent } = net.predict(inputs(chosen), { batchSize: 64 });
        const [, steps, width] = slots.shape;
        chosen.forEach(({ words, intent: wanted }, i) => {
          given.push(words.map((_, t) => sizes.tags[highest(slots.data, (i * steps + t) * width, width)]));
          const { length } = sizes.intents;
          if (sizes.intents[highest(intent.data, i * length, length)] === wanted) right++;
        });
      }
      const scores = spanScores(
        asked.map(({ tags }) => tags),
        given,
      );
      return { ...scores, intents: right / asked.length, given };
    };
  }

  const chosen = (await learn('CRF, validation', train, true))(validation);
  log(`validation: slot F1 ${chosen.f1.toFixed(4)}, intents ${chosen.intents.toFixed(4)}`);
  const all = [...train, ...validation];
  const chained = (await learn('CRF', all, true))(test);
  test.slice(0, 400).forEach(({ words, tags }, i) => {
    if (i % 100 === 0)
      log(words.map((word, t) => (tags[t] === 'O' ? word : `${word}/${chained.given[i][t]}`)).join(' '));
  });
  const alone = (await learn('without CRF', all, false))(test);
  return [
    { metric: 'slot F1, CRF', value: chained.f1, atLeast: 0.95 },
    { metric: 'intents, CRF', value: chained.intents, atLeast: 0.97 },
    { metric: 'slot F1, without CRF', value: alone.f1 },
    { metric: 'intents, without CRF', value: alone.intents },
    { metric: 'slot F1 on validation, CRF', value: chosen.f1 },
    { metric: 'intents on validation, CRF', value: chosen.intents },
  ];
}

const highest = (values, from, width) => {
  const row = values.subarray(from, from + width);
  return row.indexOf(Math.max(...row));
};
