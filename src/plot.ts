export { type FlowLine, type GradientFlowPlotOptions, plotGradientFlow } from './plot/gradient-flow.ts';
export { type HistoryPlotOptions, plotHistory } from './plot/history.ts';
