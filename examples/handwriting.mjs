// A network that writes digits. MNIST's images are thinned to skeletons and traced to strokes of a pen. An LSTM learns
// where the pen goes next, as a mixture of Gaussians (Graves 2013), given the digit. Its samples are drawn again as
// images, and a classifier that has seen only real digits reads them. Training digits that the writer has not seen
// validate; the test images are used once.
import {
  adam,
  dense,
  lstm,
  ndarray,
  RandomStream,
  schedules,
  sequential,
  setSeed,
  sparseCategoricalCrossentropy,
} from 'tapeloop';
import { loadIdx } from 'tapeloop/data';
import { mixtureDensity, mixtureDensityLoss, sampleMixture } from 'tapeloop/sequences';

export const about =
  'Digits drawn stroke by stroke: a mixture-density LSTM, and a classifier that reads what it draws.';
const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
export const files = Object.fromEntries(
  names.map((name) => [
    `mnist/${name}-ubyte.gz`,
    `https://storage.googleapis.com/cvdf-datasets/mnist/${name}-ubyte.gz`,
  ]),
);

const SIDE = 28;
/** Distance of two points of a stroke in pixels. The network reads and writes steps in this unit. */
const STEP = 2;
const MOST_STEPS = 60;
const mixture = { components: 10, dims: 2, correlated: true, endOfStroke: true };
const minScale = 0.03;
const TEMPERATURE = 0.3;

// Offsets of the neighbours of a pixel, clockwise from the one above.
const AROUND = [-SIDE, -SIDE + 1, 1, SIDE + 1, SIDE, SIDE - 1, -1, -SIDE - 1];

/** The skeleton of an image, one pixel wide (Zhang and Suen 1984). 1 is ink. */
function thin(ink) {
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const corner of [0, 1]) {
      const gone = [];
      for (let y = 1; y < SIDE - 1; y++) {
        for (let x = 1; x < SIDE - 1; x++) {
          const at = y * SIDE + x;
          if (!ink[at]) continue;
          const p = AROUND.map((offset) => ink[at + offset]);
          const count = p.reduce((sum, value) => sum + value, 0);
          const starts = p.filter((value, i) => !value && p[(i + 1) % 8]).length;
          const [up, right, down, left] = [p[0], p[2], p[4], p[6]];
          const isOuter = corner
            ? !(up && right && left) && !(up && down && left)
            : !(up && right && down) && !(right && down && left);
          if (count >= 2 && count <= 6 && starts === 1 && isOuter) gone.push(at);
        }
      }
      for (const at of gone) ink[at] = 0;
      isChanged ||= gone.length > 0;
    }
  }
  return ink;
}

const isNear = (a, b) =>
  Math.abs((a % SIDE) - (b % SIDE)) <= 1 && Math.abs(Math.floor(a / SIDE) - Math.floor(b / SIDE)) <= 1;

/** Traces a skeleton to strokes, lists of pixels. A stroke begins at the highest end of a line, if there is one. */
function trace(skeleton) {
  const left = new Set([...skeleton.keys()].filter((at) => skeleton[at]));
  const done = new Set();
  const neighbours = (at, set) => AROUND.map((offset) => at + offset).filter((to) => set.has(to) && isNear(at, to));
  const strokes = [];
  while (left.size > 0) {
    const pixels = [...left].sort((a, b) => a - b);
    const start = pixels.find((at) => neighbours(at, left).length <= 1) ?? pixels[0];
    const stroke = [start];
    left.delete(start);
    for (;;) {
      const at = stroke.at(-1);
      // The pen goes straight on as far as it can.
      const before = stroke.at(-4) ?? stroke[0];
      const [dx, dy] = [(at % SIDE) - (before % SIDE), Math.floor(at / SIDE) - Math.floor(before / SIDE)];
      const straightness = (to) => {
        const [ex, ey] = [(to % SIDE) - (at % SIDE), Math.floor(to / SIDE) - Math.floor(at / SIDE)];
        return (dx * ex + dy * ey) / Math.hypot(ex, ey);
      };
      const next = neighbours(at, left).sort((a, b) => straightness(b) - straightness(a))[0];
      if (next === undefined) break;
      stroke.push(next);
      left.delete(next);
    }
    // Where it meets ink that is drawn already, a stroke begins and ends there.
    const own = new Set(stroke.slice(0, -3));
    const [first] = neighbours(start, done);
    const [last] = neighbours(stroke.at(-1), new Set([...done, ...own]));
    const whole = [...(first === undefined ? [] : [first]), ...stroke, ...(last === undefined ? [] : [last])];
    if (whole.length >= 4 || strokes.length === 0) strokes.push(whole);
    for (const at of stroke) done.add(at);
  }
  return strokes;
}

/** A smooth line through pixels, as points [x, y] at equal distances of about STEP. */
function resample(pixels) {
  const raw = pixels.map((at) => [at % SIDE, Math.floor(at / SIDE)]);
  const mean = (i, axis) => {
    const near = raw.slice(Math.max(i - 1, 0), i + 2);
    return near.reduce((sum, point) => sum + point[axis], 0) / near.length;
  };
  const line = raw.map((point, i) => (i === 0 || i === raw.length - 1 ? point : [mean(i, 0), mean(i, 1)]));
  const lengths = line.slice(1).map(([x, y], i) => Math.hypot(x - line[i][0], y - line[i][1]));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const pieces = Math.max(Math.round(total / STEP), 1);
  const points = [];
  let [segment, passed] = [0, 0];
  for (let i = 0; i <= pieces; i++) {
    const wanted = (i * total) / pieces;
    while (segment < lengths.length - 1 && passed + lengths[segment] < wanted) passed += lengths[segment++];
    const share = Math.min((wanted - passed) / (lengths[segment] || 1), 1);
    const [[x, y], [toX, toY]] = [line[segment], line[segment + 1] ?? line[segment]];
    points.push([x + share * (toX - x), y + share * (toY - y)]);
  }
  return points;
}

/** The strokes of an image: lists of points in pixels. */
const strokesOf = (image) => trace(thin(Uint8Array.from(image, (pixel) => Number(pixel > 100)))).map(resample);

/** Steps [dx, dy, end of stroke] from the first point on; a second end in a row ends the drawing. */
function stepsOf(strokes) {
  const points = strokes.flatMap((stroke) => stroke.map(([x, y], i) => [x, y, Number(i === stroke.length - 1)]));
  const steps = points.slice(1).map(([x, y, end], i) => [(x - points[i][0]) / STEP, (y - points[i][1]) / STEP, end]);
  return [...steps, [0, 0, 1]];
}

/** The strokes that steps draw, in pixels. */
function strokesFrom(steps) {
  let [x, y] = [0, 0];
  const strokes = [[[0, 0]]];
  for (const [dx, dy, end] of steps) {
    x += STEP * dx;
    y += STEP * dy;
    strokes.at(-1).push([x, y]);
    if (end) strokes.push([]);
  }
  return strokes.filter((stroke) => stroke.length > 1);
}

/** An image of strokes as MNIST has them: a pen of some 2 pixels, the centre of the ink in the middle. */
function drawImage(strokes) {
  const draw = (shiftX, shiftY) => {
    const image = new Float32Array(SIDE * SIDE);
    for (const stroke of strokes) {
      for (const [i, [x, y]] of stroke.slice(1).entries()) {
        const [x0, y0, x1, y1] = [stroke[i][0] + shiftX, stroke[i][1] + shiftY, x + shiftX, y + shiftY];
        const length = (x1 - x0) ** 2 + (y1 - y0) ** 2 || 1;
        const [top, bottom] = [
          Math.max(Math.floor(Math.min(y0, y1)) - 2, 0),
          Math.min(Math.ceil(Math.max(y0, y1)) + 2, SIDE - 1),
        ];
        for (let row = top; row <= bottom; row++) {
          for (let column = 0; column < SIDE; column++) {
            const along = Math.min(Math.max(((column - x0) * (x1 - x0) + (row - y0) * (y1 - y0)) / length, 0), 1);
            const distance = Math.hypot(column - x0 - along * (x1 - x0), row - y0 - along * (y1 - y0));
            const at = row * SIDE + column;
            image[at] = Math.max(image[at], Math.min(Math.max(1.8 - distance, 0), 1));
          }
        }
      }
    }
    return image;
  };
  const all = strokes.flat();
  const middle = (axis) => {
    const values = all.map((point) => point[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  };
  if (all.length === 0) return new Float32Array(SIDE * SIDE);
  const [shiftX, shiftY] = [SIDE / 2 - middle(0), SIDE / 2 - middle(1)];
  const image = draw(shiftX, shiftY);
  const ink = image.reduce((sum, value) => sum + value, 0) || 1;
  const centre = (of) => image.reduce((sum, value, at) => sum + value * of(at), 0) / ink;
  return draw(shiftX + SIDE / 2 - centre((at) => at % SIDE), shiftY + SIDE / 2 - centre((at) => Math.floor(at / SIDE)));
}

const oneHot = (digit) => Array.from({ length: 10 }, (_, i) => Number(i === digit));

/** A page of drawings, one row for each digit. */
function pageOf(drawings) {
  const [cell, columns] = [36, Math.max(...drawings.map((row) => row.length))];
  const lines = drawings.flatMap((row, digit) =>
    row.flatMap((strokes, i) => {
      const all = strokes.flat();
      const offset = (axis) => {
        const values = all.map((point) => point[axis]);
        return (i * (1 - axis) + digit * axis + 0.5) * cell - (Math.min(...values) + Math.max(...values)) / 2;
      };
      const [dx, dy] = all.length > 0 ? [offset(0), offset(1)] : [0, 0];
      return strokes.map(
        (stroke) =>
          `<polyline points="${stroke.map(([x, y]) => `${(x + dx).toFixed(1)},${(y + dy).toFixed(1)}`).join(' ')}"/>`,
      );
    }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${columns * cell} ${drawings.length * cell}" fill="none" stroke="#223" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"><rect width="100%" height="100%" fill="#fff" stroke="none"/>\n${lines.join('\n')}\n</svg>\n`;
}

export async function run({ data, seed, log, draw, quick = false }) {
  const [images, labels, testImages, testLabels] = await Promise.all(
    Object.keys(files).map((file) => loadIdx(`${data}/${file}`)),
  );
  const [count, held, epochs] = quick ? [40, 10, 1] : [40_000, 1_000, 15];
  const imageOf = ({ data: pixels }, i) => pixels.subarray(i * SIDE ** 2, (i + 1) * SIDE ** 2);
  const pixelsOf = ({ data: pixels }, n) =>
    ndarray(
      Float32Array.from(pixels.subarray(0, n * SIDE ** 2), (pixel) => pixel / 255),
      [n, SIDE ** 2],
    );

  // The reader: real digits alone, with one hidden layer.
  setSeed(seed);
  const reader = sequential([dense({ units: 256, activation: 'relu', inputShape: [SIDE ** 2] }), dense({ units: 10 })]);
  const reading = sparseCategoricalCrossentropy({ fromLogits: true });
  reader.compile({ optimizer: adam(), loss: reading, metrics: ['accuracy'] });
  const real = quick ? 50 : 20_000;
  await reader.fit(pixelsOf(images, real), labels.data.subarray(0, real), { epochs: quick ? 1 : 4, batchSize: 100 });
  const tested = quick ? 20 : 10_000;
  const onReal = reader.evaluate(pixelsOf(testImages, tested), testLabels.data.subarray(0, tested)).accuracy;
  /** Share of drawings that are read as their digits. */
  const readShare = (drawings, digits) => {
    const pixels = Float32Array.from(drawings.flatMap((strokes) => Array.from(drawImage(strokes))));
    return reader.evaluate(ndarray(pixels, [drawings.length, SIDE ** 2]), Int32Array.from(digits)).accuracy;
  };
  const traced = Array.from({ length: quick ? 5 : 1_000 }, (_, i) => i);
  const onTraced = readShare(
    traced.map((i) => strokesOf(imageOf(testImages, i))),
    traced.map((i) => testLabels.data[i]),
  );
  log(`reader: ${(100 * onReal).toFixed(1)}% of real digits, ${(100 * onTraced).toFixed(1)}% of traced ones`);

  // The writer reads the step before and the digit.
  const [x, y] = [[], []];
  for (let i = 0; i < count + held; i++) {
    const steps = stepsOf(strokesOf(imageOf(images, i))).slice(-MOST_STEPS);
    y.push(steps);
    x.push(steps.map((_, t) => [...(t === 0 ? [0, 0, 0] : steps[t - 1]), ...oneHot(labels.data[i])]));
  }
  const lengths = y.map((steps) => steps.length);
  log(`${count} drawings of ${(lengths.reduce((sum, n) => sum + n, 0) / lengths.length).toFixed(1)} steps on average`);
  setSeed(seed);
  const writer = sequential([
    lstm({ units: 128, returnSequences: true, inputShape: [null, 13] }),
    mixtureDensity(mixture),
  ]);
  const decaySteps = epochs * Math.ceil(count / 64);
  const learningRate = schedules.cosineDecay({ initialLearningRate: 0.005, decaySteps });
  writer.compile({
    optimizer: adam({ learningRate, globalClipNorm: 1 }),
    loss: mixtureDensityLoss({ ...mixture, minScale }),
  });
  const onEpochEnd = (epoch, { loss, val_loss: unseen }) =>
    log(`epoch ${epoch + 1}: ${loss.toFixed(3)} nats a step, validation ${unseen.toFixed(3)}`);
  const { history } = await writer.fit(x.slice(0, count), y.slice(0, count), {
    ...{ epochs, batchSize: 64, validationData: [x.slice(count), y.slice(count)], callbacks: [{ onEpochEnd }] },
  });

  // Each digit is written many times side by side.
  const each = quick ? 2 : 100;
  const digits = Array.from({ length: 10 * each }, (_, i) => Math.floor(i / each));
  const random = new RandomStream(seed);
  const stream = writer.stream({ batch: digits.length });
  const steps = digits.map(() => []);
  const isDone = digits.map(() => false);
  let now = digits.map(() => [0, 0, 0]);
  for (let t = 0; t < MOST_STEPS && isDone.includes(false); t++) {
    const output = stream.step(digits.flatMap((digit, i) => [...now[i], ...oneHot(digit)]));
    const drawn = sampleMixture(ndarray(output.slice(), [digits.length, output.length / digits.length]), {
      ...{ ...mixture, minScale: 0, temperature: TEMPERATURE, random },
    });
    now = digits.map((_, i) => Array.from(drawn.data.subarray(3 * i, 3 * i + 3)));
    for (const [i, step] of now.entries()) {
      isDone[i] ||= step[2] === 1 && steps[i].at(-1)?.[2] === 1;
      if (!isDone[i]) steps[i].push(step);
    }
  }
  const drawings = steps.map(strokesFrom);
  const onSamples = readShare(drawings, digits);
  draw(
    'handwriting.svg',
    pageOf(Array.from({ length: 10 }, (_, digit) => drawings.slice(digit * each, digit * each + 12))),
  );
  return [
    { metric: 'real test digits that are read', value: onReal },
    { metric: 'traced test digits that are read', value: onTraced },
    { metric: 'nats a step, validation', value: history.val_loss.at(-1) },
    { metric: 'samples that are read as their digit', value: onSamples, atLeast: 0.8 },
  ];
}
