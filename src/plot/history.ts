import { ArgumentError, expectList, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import type { History } from '../train/callback.ts';
import { lineCharts, type Panel, type Point } from './line-chart.ts';

export interface HistoryPlotOptions {
  /** Default `Training`. */
  title?: string | undefined;
  /** Names of what to draw, each in a panel of its own. Default: everything, in the order in which it was measured. */
  metrics?: readonly string[] | undefined;
}

/** Most epochs that get a dot each. */
const DOTS = 60;

/**
 * Loss and metrics over the epochs of `fit`, each in a panel with what was measured in training and in validation.
 *
 * @returns an SVG document, which needs no page and knows light and dark ones.
 * @throws ArgumentError for a name that the history has not.
 */
export function plotHistory(history: History, options: HistoryPlotOptions = {}): string {
  const { title = 'Training', metrics } = checkOptions('plotHistory', options, { title: 1, metrics: 1 });
  expectType('plotHistory: title', title, 'a string');
  const { epoch, validated: validatedAt, history: curves } = history ?? {};
  expectList('plotHistory: history.epoch', epoch);
  expectList('plotHistory: history.validated', validatedAt);
  for (const each of [epoch, validatedAt])
    each.forEach((at, i) => expectType(`plotHistory: epochs[${i}]`, at, 'a number'));
  if (typeof curves !== 'object' || curves === null)
    throw new ArgumentError(`plotHistory: history.history expected an object of lists, got ${shown(curves)}`);
  for (const [name, values] of Object.entries(curves)) expectList(`plotHistory: history.history.${name}`, values);
  if (metrics !== undefined) expectList('plotHistory: metrics', metrics);
  const names = [...new Set(Object.keys(curves).map((name) => name.replace(/^val_/, '')))];
  for (const name of metrics ?? []) {
    if (!names.includes(name)) {
      throw new ArgumentError(`plotHistory: metrics expected some of ${names.join(', ')}, got ${shown(name)}`);
    }
  }
  const panels = (metrics ?? names).map((name, i): Panel => {
    const trained = pointsOf(curves[name], epoch);
    const validated = pointsOf(curves[`val_${name}`], validatedAt);
    const dots = trained.length + validated.length <= 2 * DOTS;
    return {
      title: i === 0 ? `${title}: ${name}` : name,
      xLabel: 'epoch',
      yLabel: name,
      empty: 'no epochs yet',
      series: [
        { label: 'training', points: trained, colour: 'blue', dots },
        { label: 'validation', points: validated, colour: 'orange', dots },
      ],
    };
  });
  return lineCharts(panels, { title, height: panels.length > 1 ? 320 : 450 });
}

/**
 * Values over epochs, which people count from 1. One that came later than the others, as from a callback, stands at the
 * end.
 */
const pointsOf = (values: readonly number[] = [], epochs: readonly number[]): Point[] =>
  values.map((value, i) => [epochs[epochs.length - values.length + i]! + 1, value]);
