// Draws the picture of README.md: a small LSTM learns nested brackets and then reads a line of them. Writes one SVG for
// each theme, in the colours of the demo.
//   npx tsx scripts/picture.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { init } from 'tapeloop';
import { memoryOrder } from '../examples/demo/page/memory-order.ts';
import { bracketsText } from '../examples/demo/worker/brackets.ts';
import { inspectText } from '../examples/demo/worker/inspect.ts';
import { attachText, measure, newRun, trainStep } from '../examples/demo/worker/run.ts';

const root = new URL('../', import.meta.url);
const [STEPS, EVERY, UNITS] = [600, 20, 32];
const LINE = '\n(a[b{c}(d[a])]b)c{[a(b)]d}[(a{b})]c{d(a)}[b]';
/** Number of shades for the values of a gate. */
const SHADES = 8;
/** Number of steps whose mean loss is one point of the thin line. */
const MEAN_OF = 6;

interface Learned {
  train: readonly (readonly [step: number, loss: number])[];
  validation: readonly (readonly [step: number, loss: number])[];
  /** `[T, UNITS]`. Units are in the order of the demo: the longest memory first. */
  gates: Float32Array;
}

async function learn(): Promise<Learned> {
  await init({ mode: 'reproducible' });
  const text = bracketsText();
  const learner = newRun(text, { cell: 'lstm', layers: 1, hidden: UNITS });
  const { streams, validationIds } = await attachText(learner, text);
  for (let step = 0; step < STEPS; step++) {
    if (step % EVERY === 0) await measure(learner, validationIds);
    trainStep(learner, streams);
  }
  await measure(learner, validationIds);
  const ids = Array.from(LINE, (character) => learner.vocabulary.indexOf(character));
  const quantities = inspectText(learner.model, ids, 0);
  const order = memoryOrder({ quantities, units: UNITS });
  const gates = Float32Array.from(quantities.f!, (_, i) => {
    const unit = i % UNITS;
    return quantities.f![i - unit + order[unit]!]!;
  });
  return { train: learner.run.train, validation: learner.run.validation, gates };
}

/** The colours of a theme of the demo, by name. */
function coloursOf(theme: 'light' | 'dark'): Record<string, string> {
  const css = readFileSync(new URL('examples/demo/style.css', root), 'utf8');
  const blocks = css.split('@media (prefers-color-scheme: dark)');
  const read = (block: string) =>
    Array.from(block.matchAll(/--([\w-]+): ([^;]+);/g), ([, name, value]) => [name, value]);
  const dark = blocks[1]!.slice(0, blocks[1]!.indexOf('}'));
  return Object.fromEntries([...read(blocks[0]!), ...(theme === 'dark' ? read(dark) : [])]);
}

/** One point for every MEAN_OF steps: their last step and their mean loss. */
const means = (points: Learned['train']): Learned['train'] =>
  points.flatMap(([step], i) => {
    if ((i + 1) % MEAN_OF) return [];
    const losses = points.slice(i + 1 - MEAN_OF, i + 1).map(([, loss]) => loss);
    return [[step, losses.reduce((sum, loss) => sum + loss, 0) / MEAN_OF] as const];
  });

const [WIDTH, HEIGHT, TOP, BOTTOM] = [800, 292, 48, 254];

function lossCurve({ train, validation }: Learned, colours: Record<string, string>): string {
  const [left, right, lowest, highest] = [46, 312, 1.5, 2.5];
  const x = (step: number) => left + (step / STEPS) * (right - left);
  const y = (loss: number) => BOTTOM - ((loss - lowest) / (highest - lowest)) * (BOTTOM - TOP);
  const path = (points: Learned['train']) =>
    points.map(([step, loss], i) => `${i ? 'L' : 'M'}${x(step).toFixed(1)} ${y(loss).toFixed(1)}`).join('');
  const levels = [1.5, 1.75, 2, 2.25, 2.5];
  const marks = levels.map((level) => `<text x="${left - 8}" y="${y(level) + 5}" text-anchor="end">${level}</text>`);
  const steps = [0, 300, 600].map(
    (step) => `<text x="${x(step)}" y="${BOTTOM + 20}" text-anchor="middle">${step}</text>`,
  );
  const grid = levels.map((level) => `M${left} ${y(level)}H${right}`).join('');
  return `<text class="t" x="${left}" y="27">Loss, ${STEPS} steps</text>
<path d="${grid}" stroke="${colours.line}"/>${marks.join('')}${steps.join('')}
<path d="${path(means(train))}" stroke="${colours.accent}"/>
<path d="${path(validation)}" stroke="${colours.warm}" stroke-width="2.5"/>
<text x="${right}" y="${TOP + 16}" text-anchor="end" class="a">training</text>
<text x="${right}" y="${TOP + 34}" text-anchor="end" class="w">unseen text</text>`;
}

function gateMap({ gates }: Learned, colours: Record<string, string>): string {
  const characters = [...LINE].slice(1);
  const [left, right] = [352, WIDTH - 10];
  const [width, height] = [(right - left) / characters.length, (BOTTOM - TOP) / UNITS];
  const [zero, high] = ['heat-zero', 'heat-high'].map((name) => colours[name]!.split(' ').map(Number));
  const paths = Array.from({ length: SHADES }, () => '');
  for (let unit = 0; unit < UNITS; unit++) {
    const shadeAt = (t: number) => Math.min(SHADES - 1, Math.floor(SHADES * gates[(t + 1) * UNITS + unit]!));
    for (let t = 0, end = 0; t < characters.length; t = end) {
      const shade = shadeAt(t);
      for (end = t + 1; end < characters.length && shadeAt(end) === shade; ) end++;
      paths[shade] += `M${t} ${unit}h${end - t}`;
    }
  }
  const rows = paths.map((d, shade) => {
    const share = shade / (SHADES - 1);
    return `<path d="${d}" stroke="rgb(${zero!.map((from, i) => Math.round(from + share * (high![i]! - from))).join(' ')})"/>`;
  });
  const letters = characters.map(
    (character, t) => `<text x="${(left + (t + 0.5) * width).toFixed(1)}" y="${BOTTOM + 20}">${character}</text>`,
  );
  return `<text class="t" x="${left}" y="27">Forget gates: each row a unit, each column a character</text>
<g transform="translate(${left} ${TOP + height / 2}) scale(${width} ${height})" shape-rendering="crispEdges">${rows.join('')}</g>
<g class="m" text-anchor="middle">${letters.join('')}</g>`;
}

const learned = await learn();
const [first, last] = [learned.validation[0]![1], learned.validation.at(-1)![1]].map((loss) => loss.toFixed(2));
const words = `A loss on unseen text that falls from ${first} to ${last}, and the forget gates of ${UNITS} units as they read nested brackets`;
for (const theme of ['light', 'dark'] as const) {
  const colours = coloursOf(theme);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${words}">
<style>svg{font:14px system-ui,sans-serif}text{fill:${colours.soft}}.t{font-weight:600;fill:${colours.ink}}.m{font-family:ui-monospace,monospace}.a{fill:${colours.accent}}.w{fill:${colours.warm}}path{fill:none}</style>
<rect width="${WIDTH}" height="${HEIGHT}" rx="10" fill="${colours.card}"/>
${lossCurve(learned, colours)}
${gateMap(learned, colours)}
</svg>
`;
  writeFileSync(new URL(`docs/learning-${theme}.svg`, root), svg);
  console.log(`docs/learning-${theme}.svg ${svg.length} bytes`);
}
console.log(words);
