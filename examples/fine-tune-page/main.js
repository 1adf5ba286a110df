// The page: guesses each stroke, collects examples, and trains the imported model on them.
import { adam } from 'tapeloop';
import { exportOnnx, importOnnx } from 'tapeloop/onnx';
import { classes, names, stepsOf } from './gestures.js';

const [pad, status, teach, learn, save] = ['pad', 'status', 'teach', 'learn', 'save'].map((id) =>
  document.getElementById(id),
);
const pen = pad.getContext('2d');
const examples = { x: [], y: [] };
let model;
let labels = names;
let [points, last] = [[], undefined];

try {
  const answer = await fetch('./gestures.onnx');
  if (!answer.ok) throw new Error(`gestures.onnx: ${answer.status}. node make-model.mjs makes it`);
  // Only the layer that names the classes will change. What the rest knows of strokes stays.
  model = importOnnx(new Uint8Array(await answer.arrayBuffer()), { trainable: /^head/ });
  status.textContent = 'Draw a stroke.';
} catch (error) {
  status.textContent = String(error.message);
  throw error;
}

function guess(steps) {
  const chances = [...model.predict([steps]).data];
  const best = chances.indexOf(Math.max(...chances));
  return `${labels[best]}, ${Math.round(100 * chances[best])}%`;
}

const placeOf = ({ offsetX, offsetY }) => [
  (offsetX * pad.width) / pad.clientWidth,
  (offsetY * pad.height) / pad.clientHeight,
];

pad.onpointerdown = (event) => {
  points = [placeOf(event)];
  last = undefined;
  pen.clearRect(0, 0, pad.width, pad.height);
  pen.beginPath();
  pen.moveTo(...points[0]);
  pen.strokeStyle = getComputedStyle(pad).color;
  pen.lineWidth = 4;
};
pad.onpointermove = (event) => {
  if (points.length === 0) return;
  points.push(placeOf(event));
  pen.lineTo(...points.at(-1));
  pen.stroke();
};
pad.onpointerup = () => {
  last = stepsOf(points);
  points = [];
  status.textContent = last ? `It looks like ${guess(last)}.` : 'That was too short.';
};

for (let label = 0; label < classes; label++) {
  const button = Object.assign(document.createElement('button'), {
    type: 'button',
    textContent: `It was ${label + 1}`,
  });
  button.onclick = () => {
    if (!last) return;
    examples.x.push(last);
    examples.y.push(label);
    last = undefined;
    const count = examples.y.filter((each) => each === label).length;
    button.textContent = `It was ${label + 1} (${count})`;
    status.textContent = 'Noted. Draw the next one.';
    learn.disabled = new Set(examples.y).size < 2;
  };
  teach.append(button, ' ');
}

learn.onclick = async () => {
  learn.disabled = true;
  // The old names mean nothing to the new gestures, so what gave them starts at 0.
  if (labels === names) {
    for (const weight of model.weights.filter(({ trainable }) => trainable))
      weight.assign(new Float32Array(weight.size));
    labels = names.map((_, n) => `number ${n + 1}`);
    model.compile({ optimizer: adam({ learningRate: 0.02 }), loss: 'sparseCategoricalCrossentropy' });
  }
  const { history } = await model.fit(examples.x, examples.y, { epochs: 60, verbose: 0 });
  status.textContent = `Learned from ${examples.y.length} strokes, loss ${history.loss.at(-1).toFixed(3)}. Draw one.`;
  URL.revokeObjectURL(save.href);
  save.href = URL.createObjectURL(new Blob([exportOnnx(model)]));
  save.hidden = false;
  learn.disabled = false;
};
