import type { Loss } from './losses/loss.ts';
import type { metrics } from './metrics/by-name.ts';
import { functionMetric, type Metric, type MetricConfig, type MetricFunction } from './metrics/metric.ts';
import { metricTable } from './name-tables.ts';

export type {
  Metric,
  MetricConfig,
  MetricFunction,
  MetricOptions,
  MetricResult,
  MetricState,
} from './metrics/metric.ts';

/** A metric's name, under which the history then has it; Keras's short names are understood. */
export type MetricName = keyof typeof metrics | 'acc' | 'bce' | 'kld' | 'mae' | 'mape' | 'mse' | 'msle';

/**
 * The metric of a name, of a configuration, of a function, or itself; started without a loss it takes the one given here.
 *
 * @throws ArgumentError for an unknown name, an option out of range, or a metric that has no meaning beside the loss.
 */
export function metricOf(given: MetricName | MetricConfig | MetricFunction | Metric, loss?: Loss): Metric {
  const metric = found(given);
  // Tried now, while it is known who asked for it.
  metric.start(loss);
  return {
    name: metric.name,
    start: (other = loss) => metric.start(other),
    ...(metric.config && { config: () => metric.config!() }),
  };
}

function found(given: MetricName | MetricConfig | MetricFunction | Metric): Metric {
  if (typeof given === 'function') return functionMetric(given);
  if (typeof given === 'object' && 'start' in given) return given as Metric;
  const { metric, ...options } = typeof given === 'object' ? given : { metric: given, name: given };
  const made: Metric | MetricFunction = metricTable.makerOf(metric)(options as never);
  return typeof made === 'function' ? { ...functionMetric(made), name: options.name! } : made;
}
