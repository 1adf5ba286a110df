// Runs on the page of the fine-tune example: draws, says what it was, lets it learn, and reports the guesses and the
// saved file.
import { drawn } from './examples/fine-tune-page/gestures.js';

const [pad, status, teach, learn, save] = ['pad', 'status', 'teach', 'learn', 'save'].map((id) =>
  document.getElementById(id),
);
const kinds = ['hook', 'roof', 'flag'];
let state = 1;
const random = () => {
  state = (state * 48271) % 2147483647;
  return state / 2147483647;
};

/** Resolves with the text of the page once it fits. */
const told = (pattern) =>
  new Promise((resolve) => {
    const look = () => (pattern.test(status.textContent) ? resolve(status.textContent) : setTimeout(look, 20));
    look();
  });

function draw(kind) {
  const { left, top } = pad.getBoundingClientRect();
  const scale = pad.clientWidth / pad.width;
  const send = (type, [x, y]) => {
    const place = { clientX: left + 1 + x * scale, clientY: top + 1 + y * scale };
    pad.dispatchEvent(new PointerEvent(type, place));
  };
  const points = drawn(kind, random);
  send('pointerdown', points[0]);
  for (const point of points.slice(1)) send('pointermove', point);
  send('pointerup', points.at(-1));
  return told(/looks like/);
}

await told(/Draw a stroke/);
const known = {};
for (const kind of ['circle', 'zigzag', 'spiral']) known[kind] = await draw(kind);
for (let n = 0; n < 4; n++) {
  for (const [label, kind] of kinds.entries()) {
    await draw(kind);
    teach.querySelectorAll('button')[label].click();
  }
}
learn.click();
const learned = await told(/^Learned/);
const guesses = [];
for (let n = 0; n < 4; n++) {
  for (const [label, kind] of kinds.entries()) guesses.push([label + 1, await draw(kind)]);
}
const saved = [...new Uint8Array(await (await fetch(save.href)).arrayBuffer())];
const seen = { known, learned, guesses, saved };
await fetch('/result', { method: 'POST', body: JSON.stringify(seen) });
