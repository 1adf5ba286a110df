import type { Loss } from '../losses/loss.ts';
import { NameTable } from '../registry/name-table.ts';
import type { metrics, shortMetricNames } from './all.ts';
import { functionMetric, type Metric, type MetricConfig, type MetricFunction } from './metric.ts';

/** A metric's name, under which the history then has it; Keras's short names are understood. */
export type MetricName = keyof typeof metrics | keyof typeof shortMetricNames;

/** Metrics by name. */
export const metricTable = /* @__PURE__ */ new NameTable<Metric | MetricFunction>('metric');

/**
 * The metric of a name, of a configuration, of a function, or itself; the function that makes a metric stands for its
 * name. Started without a loss it takes the one given here.
 *
 * @throws ArgumentError for an unknown name, an option out of range, or a metric that has no meaning beside the loss.
 */
export function metricOf(given: GivenMetric, loss?: Loss): Metric {
  const metric = found(given);
  // Tried now, while it is known who asked for it.
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
    return metricTable.knows(given) ? (given as () => Metric)() : functionMetric(given as MetricFunction);
  if (typeof given === 'object' && 'start' in given) return given as Metric;
  const { metric, ...options } = typeof given === 'object' ? given : { metric: given, name: given };
  const made = metricTable.makerOf(metric)(options as never);
  return typeof made === 'function' ? { ...functionMetric(made), name: options.name! } : made;
}
