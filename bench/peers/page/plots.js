// Draws the plots of the report page. It runs in the page, where `report`, `d3` and `Plot` are globals.
const { Plot, report } = window;
const { host, results } = report;

const ORDER = ['tapeloop', 'tfjs-wasm', 'jax-js', 'ort-web', 'ort-node', 'torch', 'brain', 'node'];
// The colours of Okabe and Ito, which most people can distinguish.
const COLORS = ['#d55e00', '#0072b2', '#56b4e9', '#009e73', '#66c2a5', '#cc79a7', '#e69f00', '#999999'];
const color = { domain: ORDER, range: COLORS };
const WIDTH = 920;
const CHARACTERS = 100;

const main = document.getElementById('plots');
const labelOf = ({ engine, threads }) => (threads > 1 ? `${engine}, ${threads}T` : engine);
const labels = [...new Set(results.map(labelOf))].sort(
  (x, y) => ORDER.indexOf(x.split(',')[0]) - ORDER.indexOf(y.split(',')[0]),
);
const byLabel = (rows) => labels.filter((label) => rows.some((row) => row.label === label));

function add(title, text, ...plots) {
  if (plots.length === 0) return;
  const heading = Object.assign(document.createElement('h2'), { textContent: title });
  const figure = document.createElement('figure');
  figure.append(Object.assign(document.createElement('p'), { textContent: text }));
  const row = Object.assign(document.createElement('div'), { className: 'row' });
  row.append(...plots);
  figure.append(row);
  main.append(heading, figure);
}

const format = (value) => (value >= 1000 ? value.toFixed(0) : Number(value.toPrecision(3)).toString());
const legendOf = (rows) => {
  const engines = ORDER.filter((engine) => rows.some((row) => row.engine === engine));
  return Plot.legend({ color: { domain: engines, range: engines.map((engine) => COLORS[ORDER.indexOf(engine)]) } });
};

/** Horizontal bars: a group for each case, a bar for each engine, and a mark on the axis at tapeloop's value. */
function bars(rows, { x, label, text, log = false, marks = [], cannot = [] }) {
  const present = byLabel([...rows, ...cannot]);
  const groups = new Set(rows.map((row) => row.case)).size;
  const [low, high] = [Math.min(...rows.map(x)), Math.max(...rows.map(x))];
  return Plot.plot({
    width: WIDTH,
    height: 50 + groups * (present.length * 17 + 12),
    marginLeft: 90,
    marginRight: 280,
    x: log
      ? { type: 'log', label, domain: [Math.min(low, 1) / 1.5, high * 1.1], tickFormat: format }
      : { label, zero: true },
    y: { domain: present, label: null, axis: null },
    fy: { label: null, domain: [...new Set(rows.map((row) => row.case))] },
    color,
    marks: [
      Plot.gridX({ strokeOpacity: 0.15 }),
      Plot.axisX({ anchor: 'bottom', ...(log && { tickFormat: format }) }),
      Plot.axisFy({ anchor: 'right', dx: 105, fontWeight: 600 }),
      Plot.ruleX(marks, { stroke: 'currentColor', strokeDasharray: '3,3' }),
      log
        ? Plot.barX(rows, {
            x1: Math.min(low, 1) / 1.5,
            x2: x,
            y: 'label',
            fy: 'case',
            fill: 'engine',
            fillOpacity: 0.9,
            inset: 1,
          })
        : Plot.barX(rows, { x, y: 'label', fy: 'case', fill: 'engine', fillOpacity: 0.9, inset: 1 }),
      Plot.text(rows, {
        x,
        y: 'label',
        fy: 'case',
        text,
        textAnchor: 'start',
        dx: 5,
        fill: 'currentColor',
        fontSize: 10.5,
      }),
      Plot.text(cannot, {
        y: 'label',
        fy: 'case',
        frameAnchor: 'left',
        text: () => 'cannot',
        dx: 5,
        fontSize: 10.5,
        fontStyle: 'italic',
        fill: 'currentColor',
        fillOpacity: 0.7,
      }),
      Plot.text([...rows, ...cannot], {
        y: 'label',
        fy: 'case',
        frameAnchor: 'left',
        text: 'label',
        textAnchor: 'end',
        dx: -6,
        fontSize: 10.5,
        fill: 'currentColor',
      }),
    ],
  });
}

const timed = results
  .filter((result) => result.medianMs !== null)
  .map((result) => ({ ...result, label: labelOf(result) }));

const failed = results.filter((result) => result.error).map((result) => ({ ...result, label: labelOf(result) }));
const cannotIn = (suite) => failed.filter((row) => row.suite === suite);

const ownOf = (row) =>
  timed.find(
    (own) =>
      own.engine === 'tapeloop' && own.threads === row.threads && own.suite === row.suite && own.case === row.case,
  );

function ratios(suite, title, unit, scale) {
  const rows = timed
    .filter((row) => row.suite === suite && ownOf(row))
    .map((row) => ({ ...row, ratio: row.medianMs / ownOf(row).medianMs, value: row.medianMs * scale }));
  if (rows.length === 0) return;
  add(
    title,
    'Time relative to tapeloop, logarithmic: longer is slower.',
    bars(rows, {
      x: (row) => row.ratio,
      label: '× tapeloop',
      log: true,
      marks: [1],
      cannot: cannotIn(suite),
      text: (row) =>
        row.engine === 'tapeloop'
          ? `${format(row.value)} ${unit}`
          : `${format(row.ratio)}× · ${format(row.value)} ${unit}`,
    }),
  );
}

ratios('train', 'One training step', 'ms', 1);
ratios('infer', 'A sequence forward', 'ms', 1);
ratios('step', 'One time step of batch 1', 'µs', 1000);
ratios('chars', 'Training on one sequence, a character', 'µs', 1000 / CHARACTERS);

// The engine uses the build with the higher peak.
const peaks = Object.entries(host.peakGflops)
  .map(([build, gflops]) => ({ build, gflops }))
  .sort((x, y) => y.gflops - x.gflops)
  .slice(0, 1);
const peakMarks = [
  Plot.ruleY(peaks, { y: 'gflops', stroke: 'currentColor', strokeDasharray: '4,3' }),
  Plot.text(peaks, {
    y: 'gflops',
    text: (peak) => `peak, ${peak.build}`,
    frameAnchor: 'left',
    textAnchor: 'start',
    dx: 4,
    dy: -7,
    fill: 'currentColor',
  }),
];

const cubes = timed
  .filter((row) => row.suite === 'gemm' && row.threads === 1)
  .map((row) => ({ ...row, size: Number.parseInt(row.case, 10), layout: row.case.split(' ')[1] }));
if (cubes.length > 0) {
  add(
    'C = A·B against the host’s peak',
    'GFLOP/s of cubes; T marks a transposed operand. Native libraries use wider registers than WebAssembly has.',
    legendOf(cubes),
    Plot.plot({
      width: WIDTH,
      height: 340,
      marginLeft: 50,
      marginBottom: 40,
      x: { type: 'log', base: 2, label: 'size', ticks: [...new Set(cubes.map((row) => row.size))], tickFormat: String },
      y: { label: 'GFLOP/s', grid: true, zero: true },
      fx: { label: null },
      color,
      marks: [
        ...peakMarks,
        Plot.line(cubes, { x: 'size', y: 'gflops', fx: 'layout', stroke: 'engine', strokeWidth: 2 }),
        Plot.dot(cubes, { x: 'size', y: 'gflops', fx: 'layout', fill: 'engine', r: 3, tip: true }),
      ],
    }),
  );
}

const layers = timed.filter((row) => ['train', 'infer'].includes(row.suite) && row.gflops !== null);
if (layers.length > 0) {
  const rows = layers.map((row) => ({ ...row, case: `${row.suite} ${row.case}` }));
  add(
    'GFLOP/s of layers',
    'Operations that the equations need, over time; dashed: registers alone in WebAssembly.',
    bars(rows, {
      x: (row) => row.gflops,
      label: 'GFLOP/s',
      marks: peaks.map((peak) => peak.gflops),
      text: (row) => `${format(row.gflops)} · ${row.percentOfPeak.toFixed(0)}% of peak`,
    }),
  );
}

const AXES = { T: ['time T', 1], B: ['batch B', 0], H: ['hidden size H', 2] };
const sweep = timed
  .filter((row) => row.suite === 'sweep')
  .map((row) => {
    const [over, , shape] = row.case.split(' ');
    return { ...row, over, at: Number(shape.split('x')[AXES[over][1]]), shape };
  });
const sweeps = Object.entries(AXES).flatMap(([over, [label]]) => {
  const rows = sweep.filter((row) => row.over === over);
  if (rows.length === 0) return [];
  return [
    Plot.plot({
      width: 300,
      height: 300,
      marginLeft: 50,
      marginBottom: 40,
      x: { type: 'log', base: over === 'H' ? 2 : 4, label, tickFormat: String },
      y: { type: 'log', label: 'ms a step', grid: true, tickFormat: format },
      color,
      marks: [
        Plot.line(rows, { x: 'at', y: 'medianMs', stroke: 'engine', strokeWidth: 2 }),
        Plot.dot(rows, { x: 'at', y: 'medianMs', fill: 'engine', r: 3, tip: true }),
      ],
    }),
  ];
});
add(
  'Cost against T, B and H',
  'One training step, both axes logarithmic; other sizes B = 32, T = 50, H = 128.',
  ...(sweeps.length > 0 ? [legendOf(sweep), ...sweeps] : []),
);

const memory = results
  .filter((result) => result.megabytes !== undefined)
  .map((result) => ({ ...result, label: labelOf(result) }));
if (memory.length > 0) {
  add(
    'Memory of a training step',
    'Rise of resident memory over the loaded library.',
    bars(memory, {
      x: (row) => row.megabytes,
      label: 'MB',
      cannot: cannotIn('memory'),
      text: (row) => `${format(row.megabytes)} MB`,
    }),
  );
}
const start = timed.filter((row) => row.suite === 'start');
if (start.length > 0) {
  add(
    'Process start to first result',
    'One LSTM step; node is an empty script.',
    bars(start, { x: (row) => row.medianMs, label: 'ms', text: (row) => `${format(row.medianMs)} ms` }),
  );
}

if (failed.length > 0) {
  const said = new Map();
  for (const { engine, threads, suite, error } of failed) {
    const key = `${labelOf({ engine, threads })}: ${error}`;
    said.set(key, (said.get(key) ?? new Set()).add(suite));
  }
  const list = document.createElement('ul');
  for (const [text, suites] of said) {
    list.append(Object.assign(document.createElement('li'), { textContent: `${text} (${[...suites].join(', ')})` }));
  }
  add('What an engine cannot do', 'Its error, or what its package lacks.', list);
}
