// The loss curve of a run as an SVG document.
import type { LossPoint } from '../characters/run.ts';
import { grouped } from '../plot/axis.ts';
import { drawablePoints, lineCharts, type Series } from '../plot/line-chart.ts';

export interface LossCurveData {
  train: readonly LossPoint[];
  validation: readonly LossPoint[];
  title: string;
}

/** Up to this many validations are marked with dots. */
const DOTS = 60;

/**
 * Draws the loss over steps: a thin line for every training loss, a thick line for their moving average, and a line for
 * the validation losses. Points that are not finite are left out. Points may be in any order.
 *
 * @returns a standalone SVG document.
 */
export function lossCurveSvg({ train, validation, title }: LossCurveData): string {
  const panel = { title, xLabel: 'step', yLabel: 'loss', empty: 'no losses yet' };
  return lineCharts([{ ...panel, series: [...trainingSeries(train), ...validationSeries(validation)] }], { title });
}

function trainingSeries(train: readonly LossPoint[]): Series[] {
  const points = drawablePoints(train) as LossPoint[];
  const { points: smooth, window } = movingAverage(points);
  if (window === 1) return [{ label: 'training', points, colour: 'blue' }];
  return [
    { label: 'training', points, colour: 'faint' },
    { label: `training, mean of ${grouped(window)}`, points: smooth, colour: 'blue' },
  ];
}

function validationSeries(validation: readonly LossPoint[]): Series[] {
  const points = drawablePoints(validation);
  if (points.length === 0) return [];
  const [step, loss] = points.reduce((best, point) => (point[1] < best[1] ? point : best));
  const label = `validation, best ${grouped(loss, 3)} at step ${grouped(step)}`;
  return [{ label, points, colour: 'orange', dots: points.length <= DOTS }];
}

/** The mean of each point and its neighbours. The window has about 1/40 of all points, and fewer near both ends. */
function movingAverage(points: LossPoint[]): { points: LossPoint[]; window: number } {
  const reach = Math.floor(points.length / 80);
  const sums = [0];
  for (const [, loss] of points) sums.push(sums[sums.length - 1] + loss);
  const smooth = points.map(([step], i): LossPoint => {
    const before = Math.min(reach, i);
    // The window is symmetric also near the ends. At the steep beginning, another window would shift the mean.
    const after = Math.min(before, points.length - 1 - i);
    return [step, (sums[i + after + 1] - sums[i - before]) / (before + after + 1)];
  });
  return { points: smooth, window: 2 * reach + 1 };
}
