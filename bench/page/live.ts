// The page that runs the suite. The suite itself runs in a worker, so that the page can show how far it is. When it
// ends the page sends itself an event `tapeloop-bench`, whose detail is the report, or an error.
import { expectReport } from '../../src/bench/report-check.ts';
import type { BenchReport } from '../../src/bench/results.ts';
import type * as reportScript from './report.ts';
import type { Answer, Question } from './suite-worker.ts';

/** What report.js defines. */
declare const tapeloopReport: typeof reportScript;

const find = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
const form = find<HTMLFormElement>('run');
const status = find('status');
const save = find<HTMLAnchorElement>('save');
const reports: BenchReport[] = [];

function show(): void {
  tapeloopReport.renderReports(find('report'), reports);
}

function setRunning(isRunning: boolean): void {
  for (const field of form.elements) (field as HTMLInputElement).disabled = isRunning;
}

function end(text: string, detail: BenchReport | Error): void {
  status.textContent = text;
  setRunning(false);
  document.dispatchEvent(new CustomEvent('tapeloop-bench', { detail }));
}

function finish(report: BenchReport): void {
  reports.push(report);
  URL.revokeObjectURL(save.href);
  save.href = URL.createObjectURL(new Blob([JSON.stringify(report)], { type: 'application/json' }));
  save.hidden = false;
  show();
  const wrong = report.results.filter(({ verified }) => verified === false).map(({ id }) => id);
  end(wrong.length > 0 ? `Wrong results: ${wrong.join(', ')}` : 'Done. Every result is right.', report);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const given = new FormData(form);
  const isQuick = given.get('length') === 'quick';
  const question = { quick: isQuick, rounds: isQuick ? 1 : 3, size: given.get('size'), mode: given.get('mode') };
  let worker: Worker;
  try {
    worker = new Worker('suite-worker.js');
  } catch (error) {
    end('The page must come from a web server: a browser starts no worker from a file.', error as Error);
    return;
  }
  setRunning(true);
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    if (data.kind === 'progress') {
      status.textContent = `${data.done + 1} of ${data.count}: ${data.name}`;
      return;
    }
    worker.terminate();
    if (data.kind === 'report') finish(data.report);
    else end(`The suite could not run: ${data.message}`, new Error(data.message));
  };
  worker.onerror = ({ message }) => end(`The suite could not be loaded: ${message}`, new Error(message));
  worker.postMessage(question as Question);
});

form.addEventListener('change', async ({ target }) => {
  const { files } = target as HTMLInputElement;
  for (const file of files ?? []) {
    try {
      reports.push(expectReport(file.name, JSON.parse(await file.text())));
    } catch (error) {
      status.textContent = `${file.name} is no report: ${(error as Error).message}`;
      return;
    }
  }
  if (!files?.length) return;
  status.textContent = '';
  show();
});
