import { expectArray, expectList, expectType } from '../checks/argument-error.ts';
import { checkOptions } from '../checks/options.ts';
import { DISTINCT, lineCharts, type Series } from './line-chart.ts';

/** Norms of ∂L/∂h_t of one layer, as `gradientFlow` returns them. */
export interface FlowLine {
  layer: string;
  /** One norm for each time step t. */
  norms: ArrayLike<number>;
}

export interface GradientFlowPlotOptions {
  /** Default `Gradient flow`. */
  title?: string | undefined;
}

/**
 * Draws the norm of ∂L/∂h_t over time on a logarithmic scale, one line for each layer. Backward runs from right to
 * left: a line that falls to the left shows a vanishing gradient, a line that rises to the left an exploding one. Norms
 * of 0 are left out, such as those of steps that are padding in every sequence.
 *
 * @param flows layers of one model, or of several models to compare.
 * @returns a standalone SVG document with colours for light and dark pages.
 * @throws ArgumentError if `flows` is not a list of layers with norms, or the title is not a string.
 *
 * @example
 * const svg = plotGradientFlow(gradientFlow(model, x, y));
 */
export function plotGradientFlow(flows: readonly FlowLine[], options: GradientFlowPlotOptions = {}): string {
  const { title = 'Gradient flow' } = checkOptions('plotGradientFlow', options, { title: 1 });
  expectType('plotGradientFlow: title', title, 'a string');
  expectList('plotGradientFlow: flows', flows);
  for (const [i, flow] of flows.entries()) {
    expectType(`plotGradientFlow: flows[${i}].layer`, flow?.layer, 'a string');
    expectArray(`plotGradientFlow: flows[${i}].norms`, flow.norms);
  }
  const series = flows.map(
    ({ layer, norms }, i): Series => ({
      label: layer,
      points: Array.from({ length: norms.length }, (_, t) => [t, norms[t]!]),
      colour: DISTINCT[i % DISTINCT.length]!,
      dashed: i >= DISTINCT.length,
    }),
  );
  const x = { low: 0, high: Math.max(1, ...flows.map(({ norms }) => norms.length - 1)) };
  const labels = { title, xLabel: 'time step t', yLabel: '‖∂L/∂h_t‖', empty: 'no gradient' };
  return lineCharts([{ ...labels, x, series, yScale: 'log' }], { title });
}
