// Video with memory. First, what comes next: two handwritten digits fly through a frame of 64×64 and bounce off its
// walls, and a ConvLSTM that has seen ten frames draws the next ten. Patches of 4×4 pixels are channels, as in Shi et
// al. 2015, so that it sees 16×16 places. Second, which way: a digit goes round seven places of a circle, 1, 2 or 3
// places a frame, clockwise or not. All six motions show the same seven frames, so only their order tells them apart.
// The last 5,000 training digits make the videos for validation. The test digits are used once.
import {
  adam,
  binaryCrossentropy,
  concatenate,
  dense,
  flatten,
  lstm,
  model,
  ndarray,
  ops,
  RandomStream,
  schedules,
  sequential,
  setSeed,
  sparseCategoricalCrossentropy,
  timeDistributed,
} from 'tapeloop';
import { loadIdx } from 'tapeloop/data';
import { conv2d, convLstm2d, maxPooling2d } from 'tapeloop/images';

export const about = 'Video: the next frames of moving digits by ConvLSTM, and which of six motions a clip shows.';
const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
export const files = Object.fromEntries(
  names
    .filter((name) => name.includes('images'))
    .map((name) => [`mnist/${name}-ubyte.gz`, `https://storage.googleapis.com/cvdf-datasets/mnist/${name}-ubyte.gz`]),
);

const [SIDE, DIGIT, FRAMES, PATCH] = [64, 28, 10, 4];
const CELLS = SIDE / PATCH;

/** The range of digits [from, to) of a file as an array of images of 28×28, pixels from 0 to 1. */
const digitsOf = ({ data, shape: [count] }, from = 0, to = count) =>
  Array.from({ length: to - from }, (_, i) =>
    Float32Array.from(
      data.subarray((from + i) * DIGIT * DIGIT, (from + i + 1) * DIGIT * DIGIT),
      (pixel) => pixel / 255,
    ),
  );

/** Draws an image of `size`×`size` at a place of a square frame; the brighter pixel counts. */
function paste(frame, side, image, size, left, top) {
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = (top + y) * side + left + x;
      frame[at] = Math.max(frame[at], image[y * size + x]);
    }
  }
}

/** Places of a pixel in a frame whose 4×4 patches are channels, `[CELLS, CELLS, PATCH²]`, by its place in a plain one. */
const patched = Int32Array.from({ length: SIDE * SIDE }, (_, at) => {
  const [y, x] = [Math.floor(at / SIDE), at % SIDE];
  const cell = Math.floor(y / PATCH) * CELLS + Math.floor(x / PATCH);
  return cell * PATCH * PATCH + (y % PATCH) * PATCH + (x % PATCH);
});

/** A digit at a random place, with a random direction and a speed of 2 to 5 pixels a frame. `next` moves it. */
function flight(random, image) {
  const room = SIDE - DIGIT;
  const [angle, speed] = [2 * Math.PI * random.nextUniform(), 2 + 3 * random.nextUniform()];
  const place = [room * random.nextUniform(), room * random.nextUniform()];
  const step = [speed * Math.cos(angle), speed * Math.sin(angle)];
  const next = () => {
    for (const axis of [0, 1]) {
      place[axis] += step[axis];
      const beyond = place[axis] < 0 ? place[axis] : Math.max(place[axis] - room, 0);
      if (beyond !== 0) step[axis] = -step[axis];
      place[axis] -= 2 * beyond;
    }
  };
  return { image, place, next };
}

/** Videos of two flying digits: the frames to see and those that follow, each `[count, FRAMES, CELLS, CELLS, PATCH²]`. */
function flights(random, digits, count) {
  const size = SIDE * SIDE;
  const halves = [0, 1].map(() =>
    ndarray(new Float32Array(count * FRAMES * size), [count, FRAMES, CELLS, CELLS, PATCH * PATCH]),
  );
  const frame = new Float32Array(size);
  for (let video = 0; video < count; video++) {
    const movers = [0, 1].map(() => flight(random, digits[random.nextUint32() % digits.length]));
    for (let t = 0; t < 2 * FRAMES; t++) {
      frame.fill(0);
      for (const { image, place, next } of movers) {
        paste(frame, SIDE, image, DIGIT, Math.round(place[0]), Math.round(place[1]));
        next();
      }
      const pixels = halves[t < FRAMES ? 0 : 1].data;
      const at = (video * FRAMES + (t % FRAMES)) * size;
      for (let i = 0; i < size; i++) pixels[at + patched[i]] = frame[i];
    }
  }
  return halves;
}

/** Mean binary cross-entropy of guesses, which are kept `epsilon` away from 0 and 1. */
function entropy(truth, guess, epsilon = 1e-7) {
  let total = 0;
  for (let i = 0; i < truth.length; i++) {
    const p = Math.min(Math.max(guess[i], epsilon), 1 - epsilon);
    total -= truth[i] * Math.log(p) + (1 - truth[i]) * Math.log(1 - p);
  }
  return total / truth.length;
}

/** The last frame that was seen, for each frame that follows. */
function repeated({ data, shape: [count] }) {
  const size = SIDE * SIDE;
  const out = new Float32Array(data.length);
  for (let video = 0; video < count; video++) {
    const last = data.subarray(((video + 1) * FRAMES - 1) * size, (video + 1) * FRAMES * size);
    for (let t = 0; t < FRAMES; t++) out.set(last, (video * FRAMES + t) * size);
  }
  return out;
}

/** Frames as rows of one picture: 0 is black, 1 is white. Pixels of a row with one shade are one rectangle. */
function filmStrip(rows, names) {
  const [gap, left] = [4, 90];
  const [width, height] = [left + FRAMES * (SIDE + gap), rows.length * (SIDE + gap)];
  const marks = rows.flatMap((frames, r) =>
    Array.from({ length: FRAMES }, (_, t) => {
      const [x0, y0] = [left + t * (SIDE + gap), r * (SIDE + gap)];
      const runs = [];
      for (let y = 0; y < SIDE; y++) {
        for (let x = 0, from = 0; x < SIDE; x++) {
          const shade = (at) => Math.round(15 * frames[t * SIDE * SIDE + patched[y * SIDE + at]]);
          if (x + 1 < SIDE && shade(x + 1) === shade(from)) continue;
          const grey = shade(from).toString(16);
          if (grey !== '0')
            runs.push(
              `<path fill="#${grey.repeat(3)}" d="M${x0 + from} ${y0 + y}h${x + 1 - from}v1h-${x + 1 - from}z"/>`,
            );
          from = x + 1;
        }
      }
      return `<rect x="${x0}" y="${y0}" width="${SIDE}" height="${SIDE}"/>${runs.join('')}`;
    }),
  );
  const labels = names.map((name, r) => `<text x="0" y="${r * (SIDE + gap) + SIDE / 2}" fill="#555">${name}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">${labels.join('')}${marks.join('')}</svg>`;
}

/** A curve of losses over frames, one line for each guess. */
function curves(lines) {
  const [width, height, left] = [420, 220, 44];
  const most = Math.max(...lines.flatMap(({ values }) => values));
  const [x, y] = [
    (t) => left + (t * (width - left - 10)) / (FRAMES - 1),
    (v) => height - 24 - (v / most) * (height - 50),
  ];
  const drawn = lines.map(({ name, values, colour }, i) => {
    const points = values.map((v, t) => `${x(t).toFixed(1)},${y(v).toFixed(1)}`).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/><text x="${left + 10 + 190 * i}" y="14" fill="${colour}">${name}</text>`;
  });
  const ticks = [0, most / 2, most].map((v) => `<text x="0" y="${y(v)}" fill="#555">${v.toFixed(2)}</text>`);
  const frames = [0, FRAMES - 1].map((t) => `<text x="${x(t) - 4}" y="${height - 6}" fill="#555">${t + 1}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">${[...drawn, ...ticks, ...frames].join('')}</svg>`;
}

/** What comes next: encoder and forecaster, each of two ConvLSTMs; the forecaster starts with the encoder's states. */
function forecaster(filters) {
  const convLstm = () =>
    convLstm2d({ filters, kernelSize: 3, padding: 'same', returnSequences: true, returnState: true });
  return model(
    {
      layers: {
        see: convLstm(),
        keep: convLstm(),
        go: convLstm(),
        draw: convLstm(),
        join: concatenate(),
        paint: dense({ units: PATCH * PATCH }),
      },
      inputs: { shape: [FRAMES, CELLS, CELLS, PATCH * PATCH] },
    },
    (frames, { see, keep, go, draw, join, paint }) => {
      const [seen, ...first] = see(frames);
      const [, ...second] = keep(seen);
      const [moving] = go(ops.zeros([frames.shape[0], FRAMES, CELLS, CELLS, 1]), { initialState: first });
      const [drawn] = draw(moving, { initialState: second });
      return paint(join([moving, drawn]));
    },
  );
}

/** Next frames: trains the forecaster, and compares it with repeating the last frame. */
async function nextFrames({ digits, random, log, draw, quick }) {
  const [epochs, videos, batchSize] = quick ? [1, 4, 2] : [30, 400, 8];
  const network = forecaster(quick ? 4 : 48);
  const learningRate = schedules.cosineDecay({ initialLearningRate: 0.002, decaySteps: (epochs * videos) / batchSize });
  const loss = binaryCrossentropy({ fromLogits: true });
  network.compile({ optimizer: adam({ learningRate, globalClipNorm: 1 }), loss });
  const held = flights(random, digits.validation, quick ? 2 : 100);
  for (let epoch = 0; epoch < epochs; epoch++) {
    // Each epoch has videos of its own.
    const { history } = await network.fit(...flights(random, digits.train, videos), {
      epochs: 1,
      batchSize,
      verbose: 0,
    });
    const { loss: unseen } = network.evaluate(...held, { batchSize });
    log(`next frames, epoch ${epoch + 1}: loss ${history.loss[0].toFixed(4)}, validation ${unseen.toFixed(4)}`);
  }
  /** Repeating the last frame, with `doubt` as the least probability of both black and white. */
  const still = (x, doubt) => repeated(x).map((pixel) => doubt + (1 - 2 * doubt) * pixel);
  const doubts = [0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.08];
  const entropies = doubts.map((doubt) => entropy(held[1].data, still(held[0], doubt)));
  const doubt = doubts[entropies.indexOf(Math.min(...entropies))];

  const [x, y] = flights(random, digits.test, quick ? 2 : 200);
  const guess = network.predict(x, { batchSize }).data.map((logit) => 1 / (1 + Math.exp(-logit)));
  const doubtful = still(x, doubt);
  const [drawn, same, unsure] = [guess, still(x, 0), doubtful].map((each) => entropy(y.data, each));
  const pixels = FRAMES * SIDE * SIDE;
  const first = [x.data, y.data, guess].map((each) => each.subarray(0, pixels));
  draw('video-frames.svg', filmStrip(first, ['seen', 'what came', 'drawn']));
  const byFrame = (each) =>
    Array.from({ length: FRAMES }, (_, t) => {
      const frames = (all) => all.filter((_, i) => Math.floor(i / (SIDE * SIDE)) % FRAMES === t);
      return entropy(frames(y.data), frames(each));
    });
  draw(
    'video-entropy.svg',
    curves([
      { name: 'ConvLSTM', values: byFrame(guess), colour: '#2563eb' },
      { name: 'last frame, with doubt', values: byFrame(doubtful), colour: '#b45309' },
    ]),
  );
  return [
    { metric: 'next ten frames, cross-entropy, ConvLSTM', value: drawn },
    { metric: 'next ten frames, cross-entropy, last frame', value: same },
    { metric: `next ten frames, cross-entropy, last frame with doubt ${doubt}`, value: unsure },
    { metric: 'next ten frames, ConvLSTM / last frame with doubt', value: drawn / unsure, atMost: 0.6 },
  ];
}

const [SMALL, PLACES, RADIUS] = [32, 7, 8];

/** Clips of a digit on a circle, `[count, PLACES, SMALL, SMALL, 1]`, and their motions, 0 to 5. */
function rounds(random, digits, count, isShuffled = false) {
  const clips = ndarray(new Float32Array(count * PLACES * SMALL * SMALL), [count, PLACES, SMALL, SMALL, 1]);
  const motions = Int32Array.from({ length: count }, () => random.nextUint32() % (PLACES - 1));
  const half = DIGIT / 2;
  for (const [clip, motion] of motions.entries()) {
    const image = digits[random.nextUint32() % digits.length];
    const little = Float32Array.from({ length: half * half }, (_, i) => {
      const at = 2 * Math.floor(i / half) * DIGIT + 2 * (i % half);
      return (image[at] + image[at + 1] + image[at + DIGIT] + image[at + DIGIT + 1]) / 4;
    });
    const [turn, jitter] = [random.nextUniform(), [0, 1].map(() => (random.nextUint32() % 3) - 1)];
    const order = Uint32Array.from({ length: PLACES }, (_, t) => t);
    if (isShuffled) random.shuffle(order);
    for (const [t, step] of order.entries()) {
      const angle = 2 * Math.PI * (turn + (step * (motion + 1)) / PLACES);
      const at = (trig, axis) => Math.round(SMALL / 2 - half / 2 + jitter[axis] + RADIUS * trig(angle));
      const from = (clip * PLACES + t) * SMALL * SMALL;
      paste(clips.data.subarray(from, from + SMALL * SMALL), SMALL, little, half, at(Math.cos, 0), at(Math.sin, 1));
    }
  }
  return [clips, motions];
}

/** Which motion: convolutions on each frame, then an LSTM over the frames. */
async function whichMotion({ digits, random, log, quick }) {
  const [epochs, count] = quick ? [1, 64] : [8, 6000];
  const network = sequential([
    timeDistributed(conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }), {
      inputShape: [PLACES, SMALL, SMALL, 1],
    }),
    timeDistributed(maxPooling2d()),
    timeDistributed(conv2d({ filters: 16, kernelSize: 3, activation: 'relu' })),
    timeDistributed(maxPooling2d()),
    timeDistributed(flatten()),
    lstm({ units: 64 }),
    dense({ units: PLACES - 1 }),
  ]);
  const loss = sparseCategoricalCrossentropy({ fromLogits: true });
  network.compile({ optimizer: adam({ learningRate: 0.002 }), loss, metrics: ['accuracy'] });
  const validationData = rounds(random, digits.validation, quick ? 16 : 1000);
  const onEpochEnd = (epoch, { accuracy, val_accuracy: unseen }) =>
    log(`motions, epoch ${epoch + 1}: accuracy ${accuracy.toFixed(4)}, validation ${unseen.toFixed(4)}`);
  const clips = rounds(random, digits.train, count);
  await network.fit(...clips, { epochs, batchSize: 32, validationData, verbose: 0, callbacks: [{ onEpochEnd }] });
  const share = (isShuffled) =>
    network.evaluate(...rounds(random, digits.test, quick ? 16 : 2000, isShuffled)).accuracy;
  return [
    { metric: 'motions told apart', value: share(false), atLeast: 0.99 },
    { metric: 'motions told apart, frames shuffled (chance: 0.167)', value: share(true), near: [1 / 6, 0.04] },
  ];
}

export async function run({ data, seed, log, draw, quick = false }) {
  const [train, test] = await Promise.all(Object.keys(files).map((file) => loadIdx(`${data}/${file}`)));
  const held = Math.round(train.shape[0] / 12);
  const digits = {
    train: digitsOf(train, 0, train.shape[0] - held),
    validation: digitsOf(train, train.shape[0] - held),
    test: digitsOf(test),
  };
  setSeed(seed);
  const parts = { digits, random: new RandomStream(seed), log, draw, quick };
  return [...(await whichMotion(parts)), ...(await nextFrames(parts))];
}
