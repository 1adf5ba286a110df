// The report of a run as text: one line for each result during the run, then tables of milliseconds and ratios.
import type { SuiteName } from './cases.ts';
import type { PeerResult, Report } from './results.ts';

const TITLES: Record<SuiteName, string> = {
  train: 'One training step',
  images: 'Convolutions over images and videos',
  crf: 'Log-likelihood of a linear-chain CRF, and its gradients',
  models: 'One training step of small models, large vocabularies and large cells',
  infer: 'A sequence forward',
  step: 'One time step of batch 1',
  gemm: 'C = A·B',
  chars: 'Training on one sequence of 100 characters, µs a character',
  memory: 'Memory of a training step, MB over the loaded library',
  start: 'Process start to first result',
  sweep: 'Cost over time, batch and hidden size',
};
const CHARACTERS = 100;

/** Three significant digits. */
const number = (value: number): string => (value >= 1000 ? value.toFixed(0) : value.toPrecision(3));

/** The value of a result in the table of its suite, in the unit of the suite. */
export function shownValue({ suite, medianMs, megabytes }: PeerResult): number | null {
  if (suite === 'memory') return megabytes ?? null;
  if (medianMs === null) return null;
  if (suite === 'step') return 1000 * medianMs;
  if (suite === 'chars') return (1000 * medianMs) / CHARACTERS;
  return medianMs;
}

export function formatLine(result: PeerResult): string {
  const { suite, case: name, engine, threads, medianMs, gflops, percentOfPeak, dropped, error, megabytes } = result;
  const cells = [suite.padEnd(6), name.padEnd(26), engine.padEnd(9), `${threads}T`];
  if (error) return [...cells, `cannot: ${error.slice(0, 160)}`].join('  ');
  if (megabytes !== undefined) return [...cells, `${number(megabytes)} MB`].join('  ');
  cells.push(`${medianMs!.toFixed(4)} ms`.padStart(14));
  if (gflops !== null) cells.push(`${gflops.toFixed(1)} GFLOP/s ${percentOfPeak!.toFixed(0)}%`.padStart(18));
  if (dropped > 0) cells.push(`${dropped} dropped`);
  if (result.noisy) cells.push('noisy');
  return cells.join('  ');
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** The table of one suite with one number of threads: milliseconds, and the ratio to those of tapeloop. */
function suiteTable(results: readonly PeerResult[]): string[] {
  const engines = [...new Set(results.map(({ engine }) => engine))].sort(
    (x, y) => +(y === 'tapeloop') - +(x === 'tapeloop'),
  );
  const cases = [...new Set(results.map((result) => result.case))];
  const cell = (name: string, engine: string): string => {
    const of = (wanted: string) => results.find((result) => result.case === name && result.engine === wanted);
    const result = of(engine);
    if (!result) return '';
    const value = shownValue(result);
    if (value === null) return 'cannot';
    const own = of('tapeloop') && shownValue(of('tapeloop')!);
    const share = result.percentOfPeak === null ? '' : ` (${result.percentOfPeak.toFixed(0)}%)`;
    if (engine === 'tapeloop') return `**${number(value)}**${share}`;
    return `${number(value)}${own ? ` · ${number(value / own)}×` : ''}`;
  };
  return [
    row(['', ...engines]),
    row(['---', ...engines.map(() => '---:')]),
    ...cases.map((name) => row([name, ...engines.map((engine) => cell(name, engine))])),
  ];
}

/** Lists each note of an engine once, with the suites and cases where it occurs. */
function remarks(results: readonly PeerResult[], of: (result: PeerResult) => string | undefined): string[] {
  const places = new Map<string, Set<string>>();
  for (const result of results) {
    const text = of(result);
    if (!text) continue;
    const key = `${result.engine}, ${result.threads} thread${result.threads > 1 ? 's' : ''}: ${text}`;
    const cell = result.suite === 'infer' ? ` ${result.case.split(' ')[0]}` : '';
    places.set(key, (places.get(key) ?? new Set()).add(`${result.suite}${cell}`));
  }
  return [...places].map(([text, suites]) => `- ${text} (${[...suites].join(', ')})`);
}

const unitOf = (suite: SuiteName): string => {
  if (suite === 'memory' || suite === 'chars') return '';
  return suite === 'step' ? ', µs' : ', ms';
};

export function markdownReport({ host, results }: Report): string {
  const lines = [
    '# Beside other libraries',
    '',
    `${host.cpu}, ${host.cores} cores; Node ${host.node}; ${host.date}.`,
    `Registers alone: ${Object.entries(host.peakGflops)
      .map(([build, gflops]) => `${gflops.toFixed(1)} GFLOP/s ${build}`)
      .join(', ')}.`,
    `${Object.entries(host.engines)
      .map(([engine, version]) => `${engine} ${version}`)
      .join(', ')}.`,
    'Medians; × is how many times tapeloop’s own; % of the peak of registers alone.',
    '',
  ];
  for (const threads of new Set(results.map((result) => result.threads))) {
    for (const [suite, title] of Object.entries(TITLES) as [SuiteName, string][]) {
      const own = results.filter((result) => result.suite === suite && result.threads === threads);
      if (own.length === 0) continue;
      const count = threads > 1 ? `, ${threads} threads` : '';
      lines.push(`## ${title}${unitOf(suite)}${count}`, '', ...suiteTable(own), '');
    }
  }
  const errors = remarks(results, ({ error }) => error);
  if (errors.length > 0) lines.push('## What an engine cannot do', '', ...errors, '');
  const notes = remarks(results, ({ note }) => note);
  if (notes.length > 0) lines.push('## How an engine does it', '', ...notes, '');
  const dropped = results.reduce((sum, result) => sum + result.dropped, 0);
  const taken = results.reduce((sum, result) => sum + result.runs, dropped);
  const noisy = results.filter((result) => result.noisy);
  lines.push(`${dropped} of ${taken} samples were dropped because the host was slow around them.`);
  if (noisy.length > 0) {
    const places = noisy.map((result) => `${result.engine} ${result.suite} ${result.case}`);
    lines.push(`Slow throughout, nothing dropped: ${places.join('; ')}.`);
  }
  return `${lines.join('\n')}\n`;
}
