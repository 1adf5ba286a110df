import { ArgumentError, expectList, expectType, shown } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import type { History } from '../train/callback.ts';
import { lineCharts, type Panel, type Point } from './line-chart.ts';

export interface HistoryPlotOptions {
  /** Default `Training`. */
  title?: string | undefined;
  /** Names of the metrics to draw, each in its own panel. Default: all, in the order in which they were measured. */
  metrics?: readonly string[] | undefined;
}

/** Up to this many epochs are marked with dots. */
const DOTS = 60;

/**
 * Draws loss and metrics over the epochs of `fit`, each in its own panel with the values of training and validation.
 *
 * @returns a standalone SVG document with colours for light and dark pages.
 * @throws ArgumentError for a metric that the history does not have.
 */
export function plotHistory(history: History, options: HistoryPlotOptions = {}): string {
  const { title = 'Training', metrics } = checkOptions('plotHistory', options, { title: 1, metrics: 1 });
  expectType('plotHistory: title', title, 'a string');
  const { epoch, validated: validatedAt, history: curves } = history ?? {};
  if (epoch === undefined && Array.isArray((history as unknown as { loss?: unknown } | undefined)?.loss))
    throw new ArgumentError('plotHistory: history expected all that fit returned, got its history alone');
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
 * Points of values over epochs, counted from 1. A curve with fewer values than epochs ends at the last epoch, for
 * example if a callback began to log it later.
 */
const pointsOf = (values: readonly number[] = [], epochs: readonly number[]): Point[] =>
  values.map((value, i) => [epochs[epochs.length - values.length + i]! + 1, value]);
