// The entry `tapeloop/plot`: plots of a training history and of the gradient flow.
export { type FlowLine, type GradientFlowPlotOptions, plotGradientFlow } from './plot/gradient-flow.ts';
export { type HistoryPlotOptions, plotHistory } from './plot/history.ts';
