// From a picture to a sentence that says what is where (Show, attend and tell; Xu et al. 2015). A scene is two or three
// handwritten digits on a canvas of 64 × 64 pixels. Convolutions make a map of 8 × 8 places of it. A GRU writes the
// sentence word by word, and for each word it looks at the map (attention). Afterwards a beam search keeps the three
// best beginnings.
//
// Each scene has one right sentence. The digits are named in the order of x + y of their centres, from the top left to
// the bottom right. Between two of them the sentence says whether the first is further to the left or further above:
// "a seven left of a three above a two". Scenes in which that is hard to tell are not shown.
//
// The last 5,000 training images make scenes for validation, on which the settings were chosen. The test images make
// the scenes that are used once, at the end.
import {
  adam,
  beamSearch,
  dense,
  dropout,
  embedding,
  gruCell,
  model,
  ndarray,
  ops,
  progressText,
  RandomStream,
  rnn,
  schedules,
  setSeed,
  sparseCategoricalCrossentropy,
  tensor,
} from 'tapeloop';
import { loadIdx } from 'tapeloop/data';
import { batchNormalization, conv2d, maxPooling2d } from 'tapeloop/images';
import { attentionCell } from 'tapeloop/sequences';

export const about = 'Scenes of two or three handwritten digits to sentences that say what is where.';
const source = 'https://storage.googleapis.com/cvdf-datasets/mnist';
const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
export const files = Object.fromEntries(names.map((name) => [`mnist/${name}-ubyte.gz`, `${source}/${name}-ubyte.gz`]));

const digits = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const words = ['.', 'a', 'an', 'left', 'of', 'above', ...digits];
/** The longest sentence has three digits and twice "left of"; then comes a full stop. */
const [side, cells, steps] = [64, 8, 11];

/** Digits that are cut to their ink, at most 28 × 28 pixels. A row moves by `slant` pixels more than the one below it. */
function cutOut({ data, shape: [count, height, width] }, labels, slant = 0) {
  const moves = Array.from({ length: height }, (_, y) => Math.round(slant * (height / 2 - y)));
  return Array.from({ length: count }, (_, n) => {
    const at = (y, x) => {
      const from = x - moves[y];
      return from >= 0 && from < width ? data[(n * height + y) * width + from] : 0;
    };
    const lines = (length, hasInk) => {
      const inked = Array.from({ length }, (_, i) => i).filter(hasInk);
      return [inked[0], inked.at(-1) + 1];
    };
    const across = Array.from({ length: Math.max(height, width) }, (_, i) => i);
    const [top, bottom] = lines(height, (y) => across.some((x) => at(y, x) > 0));
    const [left, right] = lines(width, (x) => across.some((y) => at(y, x) > 0));
    return { digit: labels.data[n], at, top, left, height: bottom - top, width: right - left };
  });
}

/** A scene: its pixels from 0 to 1, its digits with their boxes in the order of the sentence, and the sentence. */
export function sceneOf(pool, random, counts = [2, 3]) {
  for (;;) {
    const placed = Array.from({ length: counts[random.nextUint32() % counts.length] }, () => {
      const ink = pool[random.nextUint32() % pool.length];
      const x = random.nextUint32() % (side - ink.width + 1);
      const y = random.nextUint32() % (side - ink.height + 1);
      return { ink, x, y, centre: [x + ink.width / 2, y + ink.height / 2] };
    });
    const rank = ({ centre: [x, y] }) => x + y;
    placed.sort((a, b) => rank(a) - rank(b));
    const areApart = (a, b) =>
      Math.max(a.x, b.x) - Math.min(a.x + a.ink.width, b.x + b.ink.width) >= 2 ||
      Math.max(a.y, b.y) - Math.min(a.y + a.ink.height, b.y + b.ink.height) >= 2;
    const pairs = placed.flatMap((a, i) => placed.slice(i + 1).map((b) => [a, b]));
    if (!pairs.every(([a, b]) => areApart(a, b) && rank(b) - rank(a) >= 12)) continue;
    const moves = placed.slice(1).map(({ centre: [x, y] }, i) => [x - placed[i].centre[0], y - placed[i].centre[1]]);
    if (!moves.every(([x, y]) => Math.abs(x - y) >= 12)) continue;

    const pixels = new Float32Array(side * side);
    for (const { ink, x, y } of placed) {
      for (let i = 0; i < ink.height * ink.width; i++) {
        const [row, column] = [Math.floor(i / ink.width), i % ink.width];
        pixels[(y + row) * side + x + column] = ink.at(ink.top + row, ink.left + column) / 255;
      }
    }
    const relations = moves.map(([x, y]) => (x > y ? 'left of' : 'above'));
    const parts = placed.map(({ ink: { digit } }, i) => [digit === 8 ? 'an' : 'a', digits[digit], relations[i]]);
    return { pixels, placed, text: parts.flat().filter(Boolean).join(' ') };
  }
}

const scenesOf = (pool, random, count, counts) => Array.from({ length: count }, () => sceneOf(pool, random, counts));

/** Pictures `[B, 64, 64, 1]`. */
const picturesOf = (scenes) => {
  const data = new Float32Array(scenes.length * side * side);
  for (const [i, { pixels }] of scenes.entries()) data.set(pixels, i * side * side);
  return ndarray(data, [scenes.length, side, side, 1]);
};

/** The ids of a sentence, with full stops to the end. */
const idsOf = (text) => {
  const ids = text.split(' ').map((word) => words.indexOf(word));
  return Array.from({ length: steps + 1 }, (_, i) => ids[i] ?? 0);
};

/** Reads the words before each word of the sentence; writes that word. */
const batchOf = (scenes) => {
  const sentences = scenes.map(({ text }) => idsOf(text));
  return { x: { picture: picturesOf(scenes), word: sentences.map((ids) => [0, ...ids.slice(0, -1)]) }, y: sentences };
};

/** The model, and two more of its layers: what the writer reads of a picture, and where it looks. */
export function captioner({ channels, features, units }) {
  const attend = attentionCell({ cell: gruCell({ units }), score: 'general' });
  const convolution = (filters, kernelSize, strides = 1) =>
    conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false });
  const layers = {
    edges: convolution(channels[0], 5, 2),
    ...{ strokes: convolution(channels[1], 3), shapes: convolution(channels[2], 3) },
    around: convolution(channels[3], 3),
    ...{ even1: batchNormalization(), even2: batchNormalization() },
    ...{ even3: batchNormalization(), even4: batchNormalization() },
    halve: maxPooling2d(),
    // As large as what the convolutions make, so that it is heard beside it.
    place: embedding({
      inputDim: cells * cells,
      outputDim: channels[3],
      embeddingsInitializer: { name: 'randomNormal', stddev: 0.5 },
    }),
    see: dense({ units: features, activation: 'relu' }),
    start: dense({ units, activation: 'tanh' }),
    read: embedding({ inputDim: words.length, outputDim: 32 }),
    decode: rnn(attend, { returnSequences: true, returnState: true }),
    ...{ dropMap: dropout({ rate: 0.1 }), dropOutput: dropout({ rate: 0.2 }) },
    write: dense({ units: words.length }),
  };
  const places = Int32Array.from({ length: cells * cells }, (_, i) => i);
  /** The map of a picture, `[B, 64, features]`, and the first states. */
  const encoded = (picture, each) => {
    const edges = ops.relu(each.even1(each.edges(picture)));
    const strokes = each.halve(ops.relu(each.even2(each.strokes(edges))));
    const shapes = each.halve(ops.relu(each.even3(each.shapes(strokes))));
    const seen = ops.relu(each.even4(each.around(shapes)));
    const [batch] = seen.shape;
    // Each place of the map gets a vector of its own, since convolutions do not know where they are.
    const place = each.place(tensor(places, { shape: [1, cells * cells] }));
    const map = each.dropMap(each.see(ops.add(ops.reshape(seen, [batch, cells * cells, -1]), place)));
    const h = each.start(ops.reshape(map, [batch, -1]));
    return [map, h, ops.zeros([batch, units])];
  };
  const decoded = ({ picture, word }, each) => {
    const [map, ...initialState] = encoded(picture, each);
    return each.decode(each.read(word), { initialState, constants: [map] })[0];
  };
  const picture = { shape: [side, side, 1] };
  const inputs = { picture, word: { shape: [null], dtype: 'i32' } };
  const whole = model({ layers, inputs }, (x, each) => each.write(each.dropOutput(decoded(x, each))));
  const readers = () => ({
    layers,
    encoder: model({ layers, inputs: picture }, (x, each) => {
      const [map, ...states] = encoded(x, each);
      return [map, attend.keysOf(map), ...states];
    }),
    aligner: model({ layers, inputs }, (x, each) => {
      decoded(x, each);
      return ops.stack(attend.alignments, 1);
    }),
  });
  return { whole, readers };
}

/** Writes a sentence for each scene. Returns it with the weights of its words, `weightOf(word, place)`. */
export async function describe({ encoder, aligner, layers: { read, decode, write } }, scenes) {
  const answers = [];
  for (let from = 0; from < scenes.length; from += 100) {
    const pictures = picturesOf(scenes.slice(from, from + 100));
    const [map, keys, ...states] = encoder.predict(pictures, { batchSize: 100 });
    const decoder = {
      states,
      constants: [map, keys],
      step(ids, initialState, constants) {
        const [y, ...next] = decode(read(ids), { initialState, constants });
        return [write(y), next];
      },
    };
    const prompts = Array.from({ length: pictures.shape[0] }, () => [0]);
    const found = await beamSearch(decoder, prompts, { width: 3, stopIds: [0], maxLength: steps + 1 });
    const written = found.map(([best]) => best.ids);
    const word = written.map((ids) => Array.from({ length: steps + 1 }, (_, i) => (i > 0 && ids[i - 1]) || 0));
    const { data } = aligner.predict({ picture: pictures, word }, { batchSize: 100 });
    for (const [n, ids] of written.entries()) {
      const weightOf = (t, place) => data[(n * (steps + 1) + t) * cells * cells + place];
      answers.push({ text: ids.map((id) => words[id]).join(' '), weightOf });
    }
  }
  return answers;
}

/** For each digit that a sentence names, whether the place that it looks at most touches that digit. */
function looksOf({ placed }, { text, weightOf }) {
  const named = text.split(' ').flatMap((word, t) => (digits.includes(word) ? [t] : []));
  const all = Array.from({ length: cells * cells }, (_, i) => i);
  return named.map((t, i) => {
    const peak = all.reduce((best, place) => (weightOf(t, place) > weightOf(t, best) ? place : best), 0);
    const [x, y] = [peak % cells, Math.floor(peak / cells)].map((n) => (n * side) / cells);
    const size = side / cells;
    const it = placed[i];
    return !!it && x < it.x + it.ink.width && x + size > it.x && y < it.y + it.ink.height && y + size > it.y;
  });
}

/** Scenes with their sentences: for each word a picture, bright where it looks. */
function drawing(scenes, answers) {
  const scale = 1.5;
  const [panel, gap, label] = [side * scale, 8, 20];
  const rows = scenes.map(({ pixels }, row) => {
    const ink = Array.from(pixels, (value, i) => {
      const place = `x="${i % side}" y="${Math.floor(i / side)}"`;
      return value > 0.1 ? `<rect ${place} width="1" height="1" fill-opacity="${value.toFixed(2)}"/>` : '';
    });
    const { text, weightOf } = answers[row];
    const panels = `${text} .`.split(' ').map((word, t) => {
      const lights = Array.from({ length: cells * cells }, (_, place) => {
        const [x, y] = [place % cells, Math.floor(place / cells)].map((n) => (n * side) / cells);
        const weight = weightOf(t, place);
        const size = side / cells;
        return weight < 0.01
          ? ''
          : `<rect x="${x}" y="${y}" width="${size}" height="${size}" fill="#f60" fill-opacity="${(0.8 * weight).toFixed(3)}"/>`;
      });
      const frame = `<rect width="${side}" height="${side}" fill="#fff" stroke="#bbb" stroke-width="0.7"/>`;
      return `<g transform="translate(${gap + t * (panel + gap)} ${gap + row * (panel + label + gap)})">
<text x="${panel / 2}" y="14" text-anchor="middle">${word}</text>
<g transform="translate(0 ${label}) scale(${scale})">${frame}<use href="#scene${row}"/>${lights.join('')}</g></g>`;
    });
    return `<defs><g id="scene${row}">${ink.join('')}</g></defs>\n${panels.join('\n')}`;
  });
  const width = gap + (steps + 1) * (panel + gap);
  const height = gap + scenes.length * (panel + label + gap);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="14">
<rect width="100%" height="100%" fill="#f4f4f4"/>
${rows.join('\n')}
</svg>
`;
}

export async function run({ data, seed, log, draw, quick = false }) {
  const [images, labels, testImages, testLabels] = await Promise.all(
    Object.keys(files).map((file) => loadIdx(`${data}/${file}`)),
  );
  const pool = cutOut(images, labels);
  const first = (list) => list.slice(0, (11 / 12) * list.length);
  const heldPool = pool.slice((11 / 12) * pool.length);
  // Training sees each digit upright as it is, and leaning to both sides.
  const trainPool = [pool, cutOut(images, labels, 0.2), cutOut(images, labels, -0.2)].flatMap(first);
  const random = new RandomStream(seed);
  const held = scenesOf(heldPool, new RandomStream(seed + 1), quick ? 20 : 1000);

  setSeed(seed);
  const { whole, readers } = captioner({ channels: [16, 32, 64, 64], features: 64, units: 128 });
  const [epochs, batches, batchSize] = quick ? [1, 2, 10] : [40, 150, 64];
  const learningRate = schedules.cosineDecay({ initialLearningRate: 0.003, decaySteps: epochs * batches });
  const loss = sparseCategoricalCrossentropy({ fromLogits: true });
  whole.compile({ optimizer: adam({ learningRate, globalClipNorm: 1 }), loss, metrics: ['accuracy'] });
  // The first 150 batches show one digit alone. Before the convolutions can tell digits apart there is nothing to
  // look for, and before the writer looks at digits there is little to learn for the convolutions.
  let shown = 0;
  function* training() {
    for (let i = 0; i < batches; i++) {
      const counts = shown++ < 150 ? [1] : [2, 3];
      yield batchOf(scenesOf(trainPool, random, batchSize, counts));
    }
  }
  const { x, y } = batchOf(held);
  const progress = progressText((line, isLast) => isLast && log(line));
  await whole.fit(training, { epochs, validationData: [x, y], callbacks: [progress] });

  const models = readers();
  const share = (list) => list.filter(Boolean).length / Math.max(list.length, 1);
  const measured = async (scenes) => {
    const answers = await describe(models, scenes);
    const isRight = scenes.map(({ text }, i) => text === answers[i].text);
    return {
      answers,
      isRight,
      exact: share(isRight),
      looks: share(scenes.flatMap((it, i) => looksOf(it, answers[i]))),
    };
  };
  const validated = await measured(held);
  log(`validation: ${(100 * validated.exact).toFixed(2)}% exact, ${(100 * validated.looks).toFixed(2)}% looks`);

  const tests = scenesOf(cutOut(testImages, testLabels), new RandomStream(seed + 2), quick ? 20 : 2000);
  const tested = await measured(tests);
  const wrong = tests.flatMap(({ text }, i) => (tested.isRight[i] ? [] : [`${text} → ${tested.answers[i].text}`]));
  log(`some that went wrong:\n${wrong.slice(0, 6).join('\n')}`);
  draw('caption.svg', drawing(tests.slice(0, 6), tested.answers.slice(0, 6)));
  return [
    { metric: 'exact sentences, validation scenes', value: validated.exact },
    { metric: 'exact sentences, unseen scenes of test digits', value: tested.exact, atLeast: 0.95 },
    { metric: 'the peak of attention on the named digit', value: tested.looks, atLeast: 0.9 },
  ];
}
