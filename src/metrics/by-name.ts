import type { Loss } from '../losses/loss.ts';
import { NameTable } from '../registry/name-table.ts';
import type { metrics, shortMetricNames } from './all.ts';
import { functionMetric, type Metric, type MetricConfig, type MetricFunction } from './metric.ts';

/** Name of a metric, which is also its key in the history. The short names of Keras are allowed. */
export type MetricName = keyof typeof metrics | keyof typeof shortMetricNames;

/** Functions that make metrics, and custom metrics, by name. */
export const metricTable = /* @__PURE__ */ new NameTable<Metric | MetricFunction>('metric');

/**
 * Returns the metric for a name, a configuration, a custom function, or a function that makes a metric. For a metric it
 * returns an equal one. `start` without a loss uses the loss given here.
 *
 * @throws ArgumentError for an unknown name, an option out of range, or a metric that has no meaning with the loss.
 */
export function metricOf(given: GivenMetric, loss?: Loss): Metric {
  const metric = found(given);
  // A metric that does not fit the loss throws here, and not at the first batch.
  metric.start(loss);
  return {
    name: metric.name,
    start: (other = loss) => metric.start(other),
    ...(metric.config && { config: () => metric.config!() }),
  };
}

type GivenMetric = MetricName | MetricConfig | MetricFunction | (() => Metric) | Metric;

function found(given: GivenMetric): Metric {
  if (typeof given === 'function')
    return metricTable.hasMaker(given) ? (given as () => Metric)() : functionMetric(given as MetricFunction);
  if (typeof given === 'object' && 'start' in given) return given as Metric;
  const { metric, ...options } = typeof given === 'object' ? given : { metric: given, name: given };
  const made = metricTable.makerOf(metric)(options as never);
  return typeof made === 'function' ? { ...functionMetric(made), name: options.name! } : made;
}
