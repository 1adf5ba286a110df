// From one sequence to another. First come sums of three-digit numbers: one LSTM reads, its last states are the first
// states of another, which writes. Then English to French, descriptions of pictures (Multi30k): a GRU reads both ways,
// and another looks back at what was read for each word that it writes (attention). In training the writer reads the
// right answer so far (teacher forcing); afterwards a beam search keeps the five best beginnings.
//
// Settings were chosen by the 1,014 validation pairs. The test pairs are read once, at the end.
import {
  adam,
  attention,
  beamSearch,
  bidirectional,
  dense,
  dropout,
  embedding,
  gru,
  lstm,
  model,
  ops,
  progressText,
  RandomStream,
  schedules,
  setSeed,
  swapEmaWeights,
} from 'tapeloop';
import { loadLines, padSequences } from 'tapeloop/data';

export const about = 'Encoder and decoder: three-digit sums, and English to French with attention and beam search.';
const place = 'https://github.com/multi30k/dataset, data/task1/tok';
const parts = ['train', 'val', 'test_2016_flickr'];
const sides = ['en', 'fr'];
const fileOf = (part, side) => `multi30k/${part}.${side}.gz`;
export const files = Object.fromEntries(parts.flatMap((part) => sides.map((side) => [fileOf(part, side), place])));

const [padding, leftOut, edge] = [0, 1, 2];
const sequence = { shape: [null], dtype: 'i32' };

/** Encoder and decoder without attention: from the ids of a question and of an answer so far to the next logits. */
function summer(fromWords, toWords, { units }) {
  const read = (inputDim) => embedding({ inputDim, outputDim: units, embeddingsInitializer: 'randomNormal' });
  const layers = {
    ...{ question: read(fromWords), answer: read(toWords) },
    encode: lstm({ units, returnState: true }),
    decode: lstm({ units, returnSequences: true }),
    write: dense({ units: toWords }),
  };
  return model({ layers, inputs: { source: sequence, target: sequence } }, (x, each) => {
    const [, ...initialState] = each.encode(each.question(x.source));
    return each.write(each.decode(each.answer(x.target), { initialState }));
  });
}

/** The same with attention. */
export function translator(fromWords, toWords, { units, width, rates }) {
  // Vectors of length √width, as PyTorch's, are learned from sooner than Keras's short ones.
  const embeddingsInitializer = { name: 'randomNormal', stddev: 1 };
  const read = (inputDim, maskZero) => embedding({ inputDim, outputDim: width, maskZero, embeddingsInitializer });
  // What is read both ways has twice the numbers of one way. The writer has as many.
  const size = 2 * units;
  const layers = {
    ...{ source: read(fromWords, true), target: read(toWords, false) },
    ...{ dropWords: dropout({ rate: rates[0] }), dropMemory: dropout({ rate: rates[1] }) },
    dropOutput: dropout({ rate: rates[2] }),
    encode: bidirectional(gru({ units, returnSequences: true, returnState: true })),
    start: dense({ units: size, activation: 'tanh' }),
    decode: gru({ units: size, returnSequences: true, returnState: true }),
    // The score of a word that was read is q·W·m/√size (Luong et al. 2015): its key is W·m/√size. Without the root the
    // scores are so far apart from the start that the writer looks at one word alone, and hardly learns which.
    keys: dense({ units: size, useBias: false }),
    lookBack: attention({ returnAttentionScores: true }),
    join: dense({ units: size, activation: 'tanh' }),
    write: dense({ units: toWords }),
  };
  const encoded = (ids, { source, dropWords, dropMemory, encode, start, keys }) => {
    const [outputs, ...ends] = encode(dropWords(source(ids)));
    const memory = dropMemory(outputs);
    return [memory, ops.scale(keys(memory), size ** -0.5), start(ops.concatenate(ends))];
  };
  const decoded = (words, h, [memory, keys], { decode, lookBack, join }) => {
    const [queries, next] = decode(words, { initialState: [h] });
    const [contexts, alignments] = lookBack([queries, memory, keys]);
    return { outputs: join(ops.concatenate([contexts, queries])), alignments, next };
  };
  const both = (x, each) => {
    const [memory, keys, h] = encoded(x.source, each);
    return decoded(each.dropWords(each.target(x.target)), h, [memory, keys], each);
  };
  const inputs = { source: sequence, target: sequence };
  const whole = model({ layers, inputs }, (x, each) => each.write(each.dropOutput(both(x, each).outputs)));
  /** More of the same layers: what is read of a question, how its answer goes on, and where the writer looks. */
  const readers = () => ({
    encoder: model({ layers, inputs: sequence }, (ids, each) => {
      const [memory, keys, h] = encoded(ids, each);
      return [memory, keys, memory.mask, h];
    }),
    step(ids, [h], [memory, keys, mask]) {
      memory.mask = mask;
      const { outputs, next } = decoded(layers.target(ids), h, [memory, keys], layers);
      return [layers.write(outputs), [next]];
    },
    aligner: model({ layers, inputs }, (x, each) => both(x, each).alignments),
  });
  return { whole, readers };
}

/** The decoder of a batch of questions for `beamSearch`. What it reads of them is computed once. */
export function decoderOf({ encoder, step }, sources) {
  const [memory, keys, mask, h] = encoder.predict(sources, { batchSize: sources.length });
  return { states: [h], constants: [memory, keys, mask], step };
}

/** Cross-entropy with targets that give a share ε to all words alike (label smoothing). Padding has weight 0. */
const smoothed = (epsilon) => ({
  name: 'smoothed',
  targetDtype: 'i32',
  reads: 'logits',
  classes: 'exclusive',
  leavesOut: true,
  targetShape: (predictions) => predictions.slice(0, -1),
  weightShape: (predictions) => predictions.slice(0, -1),
  compute(y, logits, weights) {
    // −Σ t·ln p with t = (1 − ε)·onehot + ε/V is the plain loss + ε·(logit of the word − mean of all logits).
    const gap = ops.sub(ops.pickRows(logits, y), ops.mean(logits, { axis: -1 }));
    const loss = ops.softmaxCrossEntropy(logits, y, weights);
    return epsilon === 0 ? loss : ops.add(loss, ops.scale(ops.mean(ops.mul(gap, weights)), epsilon));
  },
  values: (y, logits) => ops.neg(ops.pickRows(ops.logSoftmax(logits), y)),
});

function shuffle(rows, random) {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = random.nextUint32() % (i + 1);
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
}

/** Batches of pairs of about one length, so that little of them is padding. Without `random` in a fixed order. */
function batchesOf(pairs, size, random) {
  const order = [...pairs];
  if (random) shuffle(order, random);
  const batches = [];
  for (let at = 0; at < order.length; at += 50 * size) {
    const pool = order.slice(at, at + 50 * size);
    pool.sort((a, b) => a.target.length - b.target.length || a.source.length - b.source.length);
    for (let from = 0; from < pool.length; from += size) batches.push(pool.slice(from, from + size));
  }
  if (random) shuffle(batches, random);
  const padded = (rows) => padSequences(rows, { padding: 'post', value: padding });
  return batches.map((batch) => ({
    x: { source: batch.map(({ source }) => source), target: padded(batch.map(({ target }) => [edge, ...target])) },
    y: padded(batch.map(({ target }) => [...target, edge])),
    sampleWeight: padded(batch.map(({ target }) => [...target.map(() => 1), 1])),
  }));
}

/**
 * BLEU-4 of a corpus (Papineni et al. 2002), each answer a list of words with one reference, as `multi-bleu.perl` and
 * `sacrebleu --tokenize none` without smoothing compute it.
 */
export function bleu(answers, references) {
  const [found, all] = [Array(4).fill(0), Array(4).fill(0)];
  const count = (words, n) => {
    const counts = new Map();
    for (let end = n; end <= words.length; end++) {
      const gram = words.slice(end - n, end).join(' ');
      counts.set(gram, (counts.get(gram) ?? 0) + 1);
    }
    return counts;
  };
  for (const [i, answer] of answers.entries()) {
    for (const n of found.keys()) {
      const right = count(references[i], n + 1);
      for (const [gram, times] of count(answer, n + 1)) {
        all[n] += times;
        found[n] += Math.min(times, right.get(gram) ?? 0);
      }
    }
  }
  const [length, wanted] = [answers, references].map((texts) => texts.reduce((sum, words) => sum + words.length, 0));
  const precision = found.reduce((sum, n, i) => sum + Math.log(n / Math.max(all[i], 1)) / 4, 0);
  return 100 * Math.exp(precision + Math.min(0, 1 - wanted / Math.max(length, 1)));
}

/** The attention of an answer as a picture: a row for each of its words, a column for each word of the question. */
function attentionSvg(question, answer, weightOf) {
  const [cell, left, top] = [28, 130, 120];
  const [width, height] = [left + cell * question.length + 20, top + cell * answer.length + 20];
  const text = (word) => word.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const columns = question.map((word, s) => {
    const at = `${left + cell * (s + 0.6)} ${top - 8}`;
    return `<text transform="translate(${at}) rotate(-60)">${text(word)}</text>`;
  });
  const rows = answer.map((word, t) => {
    const y = top + cell * t;
    const squares = question.map((_, s) => {
      const [x, share] = [left + cell * s, weightOf(t, s).toFixed(3)];
      return `<rect x="${x}" y="${y}" width="${cell - 1}" height="${cell - 1}" fill-opacity="${share}"/>`;
    });
    return `<text x="${left - 8}" y="${y + 19}" text-anchor="end">${text(word)}</text>${squares.join('')}`;
  });
  const frame = `<rect x="${left}" y="${top}" width="${cell * question.length}" height="${cell * answer.length}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="14">
<rect width="100%" height="100%" fill="#fff"/>
${frame} fill="none" stroke="#bbb"/>
<g fill="#222">
${[...columns, ...rows].join('\n')}
</g>
</svg>
`;
}

/**
 * Numbers the words that occur `least` times, the most frequent first. Id 0 is padding, 1 a word that is left out, 2
 * the edge before and after an answer.
 */
function vocabularyOf(texts, least) {
  const counts = new Map();
  for (const word of texts.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
  const kept = [...counts].filter(([, count]) => count >= least);
  kept.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const words = ['', '?', '\n', ...kept.map(([word]) => word)];
  const ids = new Map(words.map((word, id) => [word, id]));
  return { words, idsOf: (text) => text.map((word) => ids.get(word) ?? leftOut) };
}

/** Trains on batches of pairs of ids. The learning rate rises over the first steps and then falls to almost nothing. */
async function learn(
  net,
  pairs,
  { name, seed, log, epochs, size, rate, warmup = 0, smoothing = 0, emaMomentum, validation },
) {
  const random = new RandomStream(seed);
  const steps = epochs * Math.ceil(pairs.length / size);
  const warmupSteps = Math.min(warmup, Math.floor(steps / 4));
  const learningRate = schedules.cosineDecay({
    ...{ initialLearningRate: warmupSteps > 0 ? 1e-5 : rate, decaySteps: steps - warmupSteps, alpha: 0.02 },
    ...(warmupSteps > 0 && { warmupTarget: rate, warmupSteps }),
  });
  const average = emaMomentum && { useEma: true, emaMomentum };
  net.compile({
    optimizer: adam({ learningRate, globalClipNorm: 1, ...average }),
    loss: smoothed(smoothing),
    weightedMetrics: ['accuracy'],
  });
  const progress = progressText((line, isLast) => isLast && log(`${name}: ${line}`));
  await net.fit(() => batchesOf(pairs, size, random), {
    epochs,
    validationData: () => batchesOf(validation, size),
    callbacks: [...(average ? [swapEmaWeights()] : []), progress],
  });
}

/** Sums of numbers as text, read and written from the last digit, as in adding by hand. Returns the share of right ones. */
async function sums({ seed, log, quick }) {
  setSeed(seed);
  const random = new RandomStream(seed);
  const drawn = new Map();
  while (drawn.size < (quick ? 300 : 50_000)) {
    const [a, b] = [random.nextUint32() % 1000, random.nextUint32() % 1000];
    // 1+2 and 2+1 count as one sum, so training has not seen a test sum in the other order.
    drawn.set(Math.min(a, b) * 1000 + Math.max(a, b), [`${a}+${b}`, `${a + b}`]);
  }
  const texts = [...drawn.values()].map((pair) => pair.map((text) => [...text].reverse()));
  const [from, to] = [0, 1].map((side) =>
    vocabularyOf(
      texts.map((pair) => pair[side]),
      1,
    ),
  );
  const pairs = texts.map(([sum, result]) => ({ source: from.idsOf(sum), target: to.idsOf(result) }));
  const [end, start] = [0.9, 0.92].map((share) => Math.floor(share * pairs.length));
  const net = summer(from.words.length, to.words.length, { units: 128 });
  const settings = { name: 'sums', seed, log, epochs: quick ? 1 : 6, size: 64, rate: 0.003 };
  await learn(net, pairs.slice(0, end), { ...settings, validation: pairs.slice(end, start) });

  const asked = pairs.slice(start);
  const inputs = (target, prompts) => ({ source: prompts.map((i) => asked[i].source), target });
  const options = { width: 1, stopIds: [edge], maxLength: 5, inputs };
  const answers = await beamSearch(
    net,
    asked.map(() => [edge]),
    options,
  );
  const right = asked.filter(({ target }, i) => answers[i][0].ids.join() === target.join());
  log(`sums: ${right.length} of ${asked.length} exact`);
  return right.length / asked.length;
}

/** Translates questions, lists of ids. Returns for each the ids of the best answer. */
export async function answersOf(models, sources, options) {
  const order = [...sources.keys()].sort((a, b) => sources[a].length - sources[b].length);
  const answers = [];
  for (let at = 0; at < order.length; at += 64) {
    const batch = order.slice(at, at + 64);
    const decoder = decoderOf(
      models,
      batch.map((i) => sources[i]),
    );
    const prompts = batch.map(() => [edge]);
    const found = await beamSearch(decoder, prompts, { stopIds: [edge], maxLength: 50, ...options });
    for (const [n, [best]] of found.entries()) answers[batch[n]] = best.ids;
  }
  return answers;
}

/**
 * Translates texts, lists of words. Returns for each the words of the answer, and its attention by place in the answer
 * and in the question. A word that is left out of the vocabulary becomes the word that the writer looked at.
 */
export async function translate(models, texts, [from, to], options) {
  const sources = texts.map(from.idsOf);
  const answers = await answersOf(models, sources, options);
  return answers.map((ids, i) => {
    const { data, shape } = models.aligner.predict({ source: [sources[i]], target: [[edge, ...ids]] });
    const weightOf = (t, s) => data[t * shape[2] + s];
    const lookedAt = (t) => texts[i].reduce((best, _, s) => (weightOf(t, s) > weightOf(t, best) ? s : best), 0);
    const words = ids.map((id, t) => (id === leftOut ? texts[i][lookedAt(t)] : to.words[id]));
    return { words, weightOf };
  });
}

async function french({ data, seed, log, draw, quick }) {
  setSeed(seed);
  const texts = await Promise.all(
    parts.map((part) => Promise.all(sides.map((side) => loadLines(`${data}/${fileOf(part, side)}`)))),
  );
  const [train, validation, test] = texts.map((pair) =>
    pair.map((lines) => lines.map((text) => text.trim().split(/\s+/))),
  );
  const vocabularies = [2, 3].map((least, side) => vocabularyOf(train[side], least));
  const [from, to] = vocabularies;
  const pairsOf = ([english, answers]) =>
    english.map((text, i) => ({ source: from.idsOf(text), target: to.idsOf(answers[i]) }));
  const size = quick ? 8 : 256;
  const { whole, readers } = translator(from.words.length, to.words.length, {
    units: size,
    width: size,
    rates: [0.3, 0.1, 0.3],
  });
  const settings = { epochs: quick ? 1 : 12, size: 32, rate: 0.0014, warmup: 600, smoothing: 0.1, emaMomentum: 0.999 };
  const own = { name: 'French', seed, log, validation: pairsOf(validation) };
  await learn(whole, pairsOf(train), { ...settings, ...own });
  return judge({ log, draw }, readers(), { validation, test }, vocabularies);
}

/** BLEU of the translations; shows some of them, and draws what the writer looked at. */
export async function judge({ log, draw }, models, { validation, test }, vocabularies) {
  const beam = { width: 5, lengthPenalty: 1.4, earlyStopping: true };
  const score = async ([english, answers], options) => {
    const found = await translate(models, english, vocabularies, options);
    return [
      bleu(
        found.map(({ words }) => words),
        answers,
      ),
      found,
    ];
  };
  const [onValidation] = await score(validation, beam);
  log(`French: BLEU-4 ${onValidation.toFixed(2)} on validation`);
  const [onTest, found] = await score(test, beam);
  const [greedy] = await score(test, { width: 1 });
  const [english, answers] = test;
  for (let i = 0; i < english.length; i += 100) {
    log(`${english[i].join(' ')} → ${found[i].words.join(' ')} (${answers[i].join(' ')})`);
  }
  for (const i of [0, 1, 2].filter((i) => i < english.length)) {
    draw(`translate-${i + 1}.svg`, attentionSvg(english[i], found[i].words, found[i].weightOf));
  }
  return { onValidation, onTest, greedy };
}

export async function run(options) {
  const right = await sums(options);
  const { onValidation, onTest, greedy } = await french(options);
  return [
    { metric: 'sums of unseen numbers, exact', value: right, atLeast: 0.99 },
    { metric: 'English to French, BLEU-4 on validation', value: onValidation },
    { metric: 'English to French, BLEU-4 on test_2016, greedy', value: greedy },
    { metric: 'English to French, BLEU-4 on test_2016, beam 5', value: onTest, atLeast: 52 },
  ];
}
