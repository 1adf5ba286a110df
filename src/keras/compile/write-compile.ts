// Writes the loss, the metrics and the optimizer of a compiled model as Keras 3 or TF.js names them.
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Json } from '../../io/model-file.ts';
import { describe } from '../../io/parsed-json.ts';
import type { Metric } from '../../metrics/metric.ts';
import type { AnyModel } from '../../models/model.ts';
import type { Head } from '../../train/objective.ts';
import { snakeCase } from '../config/era.ts';
import type { KerasJson, WriteEra } from '../config/write-layer.ts';

// Options of optimizers that are the same without being written.
const neutral: Readonly<Record<string, Json>> = {
  weightDecay: 0,
  gradientAccumulationSteps: 1,
  amsgrad: false,
  useEma: false,
};

const kerasClasses: Readonly<Record<string, string>> = {
  adadelta: 'Adadelta',
  adagrad: 'Adagrad',
  adam: 'Adam',
  adamax: 'Adamax',
  adamw: 'AdamW',
  lion: 'Lion',
  nadam: 'Nadam',
  rmsprop: 'RMSprop',
  sgd: 'SGD',
};

/** The optimizer of a compiled model, `{ class_name, config }`. Throws `ArgumentError` for one that is not there. */
export function writeOptimizer(model: AnyModel, era: WriteEra): KerasJson {
  const { name, learningRate, ...options } = model.optimizer.config();
  return era === 'tfjs' ? tfjsOptimizer(name, learningRate, options) : kerasOptimizer(name, learningRate, options);
}

const spelled: Readonly<Record<string, string>> = {
  clipNorm: 'clipnorm',
  clipValue: 'clipvalue',
  globalClipNorm: 'global_clipnorm',
  beta1: 'beta_1',
  beta2: 'beta_2',
};

function kerasOptimizer(
  name: string,
  rate: Json | undefined,
  options: Readonly<Record<string, Json | undefined>>,
): KerasJson {
  if (!Object.hasOwn(kerasClasses, name)) throw new ArgumentError(`optimizer: Keras has no optimizer '${name}'`);
  if (options.excludeFromWeightDecay !== undefined)
    throw new ArgumentError('optimizer: Keras keeps no excludeFromWeightDecay in a configuration');
  if (options.scaleEpsilon === true)
    throw new ArgumentError('optimizer: Adam of Keras adds epsilon before the correction, got scaleEpsilon');
  // Keras refuses an option that it does not have, whatever its value.
  const config = Object.entries(options)
    .filter(([key, value]) => value !== undefined && key !== 'scaleEpsilon')
    .map(([key, value]) => [spelled[key] ?? snakeCase(key), value as Json]);
  return {
    module: 'keras.optimizers',
    class_name: kerasClasses[name]!,
    config: {
      name,
      learning_rate: typeof rate === 'object' ? schedule(rate as never) : (rate as Json),
      ...Object.fromEntries(config),
    },
    registered_name: null,
  };
}

function schedule({ name, ...options }: { name: string; [option: string]: Json }): Json {
  const className = name[0]!.toUpperCase() + name.slice(1);
  if (
    !/^(ExponentialDecay|InverseTimeDecay|PiecewiseConstantDecay|PolynomialDecay|CosineDecay(Restarts)?)$/.test(
      className,
    )
  )
    throw new ArgumentError(`optimizer: Keras has no schedule '${name}'`);
  const config = Object.fromEntries(Object.entries(options).map(([key, value]) => [snakeCase(key), value]));
  return { module: 'keras.optimizers.schedules', class_name: className, config, registered_name: null };
}

function tfjsOptimizer(
  name: string,
  rate: Json | undefined,
  options: Readonly<Record<string, Json | undefined>>,
): KerasJson {
  if (typeof rate !== 'number') throw new ArgumentError('optimizer: TF.js has no schedule of the learning rate');
  const {
    beta1,
    beta2,
    epsilon,
    rho,
    momentum,
    centered,
    nesterov,
    initialAccumulatorValue,
    scaleEpsilon: _,
    ...rest
  } = options;
  for (const [key, value] of Object.entries(rest)) {
    if (value === undefined || value === neutral[key]) continue;
    throw new ArgumentError(`optimizer: TF.js has no ${key}, got ${describe(value)}`);
  }
  const moments = { learningRate: rate, beta1: beta1 as Json, beta2: beta2 as Json, epsilon: epsilon as Json };
  switch (name) {
    case 'adam':
      return { class_name: 'Adam', config: moments };
    case 'adamax':
      return { class_name: 'Adamax', config: { ...moments, decay: 0 } };
    case 'rmsprop':
      if (centered) throw new ArgumentError('optimizer: centered RMSProp of TF.js subtracts epsilon under the root');
      return {
        class_name: 'RMSProp',
        config: {
          learningRate: rate,
          decay: rho as Json,
          momentum: momentum as Json,
          epsilon: epsilon as Json,
          centered: centered as Json,
        },
      };
    case 'sgd':
      return momentum === 0
        ? { class_name: 'SGD', config: { learningRate: rate } }
        : {
            class_name: 'Momentum',
            config: { learningRate: rate, momentum: momentum as Json, useNesterov: nesterov as Json },
          };
    case 'adagrad':
      if (epsilon !== 1e-7)
        throw new ArgumentError(`optimizer: Adagrad of TF.js has epsilon 1e-7, got ${describe(epsilon)}`);
      return {
        class_name: 'Adagrad',
        config: { learningRate: rate, initialAccumulatorValue: initialAccumulatorValue as Json },
      };
    case 'adadelta':
      throw new ArgumentError(
        'optimizer: Adadelta of TF.js divides by the mean of the step before: it is another optimizer',
      );
    default:
      throw new ArgumentError(`optimizer: TF.js has no optimizer '${name}'`);
  }
}

// Losses of TF.js by their names here.
const tfjsLosses: Readonly<Record<string, string>> = {
  binaryCrossentropy: 'binary_crossentropy',
  categoricalCrossentropy: 'categorical_crossentropy',
  categoricalHinge: 'categorical_hinge',
  cosineSimilarity: 'cosine_proximity',
  hinge: 'hinge',
  klDivergence: 'kullback_leibler_divergence',
  logCosh: 'logcosh',
  meanAbsoluteError: 'mean_absolute_error',
  meanAbsolutePercentageError: 'mean_absolute_percentage_error',
  meanSquaredError: 'mean_squared_error',
  meanSquaredLogarithmicError: 'mean_squared_logarithmic_error',
  poisson: 'poisson',
  sparseCategoricalCrossentropy: 'sparse_categorical_crossentropy',
  squaredHinge: 'squared_hinge',
};
// Metrics of TF.js by their names here. Its cosine has the opposite sign, and its precision counts outputs of exactly 1.
const tfjsMetrics: Readonly<Record<string, string>> = {
  binaryAccuracy: 'binary_accuracy',
  categoricalAccuracy: 'categorical_accuracy',
  categoricalCrossentropy: 'categorical_crossentropy',
  meanAbsoluteError: 'mae',
  meanAbsolutePercentageError: 'mape',
  meanSquaredError: 'mse',
  sparseCategoricalCrossentropy: 'sparse_categorical_crossentropy',
};

/** A metric by its name in TF.js; undefined for one that it does not have. */
function tfjsMetric({ name, config }: Metric): string | undefined {
  const { metric, name: _, ...options } = config?.() ?? { metric: '', name };
  if (Object.entries(options).some(([option, value]) => value != null && value !== neutralInMetrics[option]))
    return undefined;
  if (metric === 'accuracy') return name === 'accuracy' ? name : 'acc';
  return Object.hasOwn(tfjsMetrics, metric) ? tfjsMetrics[metric] : undefined;
}

// Options of metrics that TF.js has with these values alone.
const neutralInMetrics: Readonly<Record<string, unknown>> = { threshold: 0.5, fromLogits: false, labelSmoothing: 0 };

// Losses of Keras by their names here.
const kerasLosses: Readonly<Record<string, string>> = {
  binaryCrossentropy: 'BinaryCrossentropy',
  binaryFocalCrossentropy: 'BinaryFocalCrossentropy',
  categoricalCrossentropy: 'CategoricalCrossentropy',
  categoricalFocalCrossentropy: 'CategoricalFocalCrossentropy',
  categoricalHinge: 'CategoricalHinge',
  cosineSimilarity: 'CosineSimilarity',
  hinge: 'Hinge',
  huber: 'Huber',
  klDivergence: 'KLDivergence',
  logCosh: 'LogCosh',
  meanAbsoluteError: 'MeanAbsoluteError',
  meanAbsolutePercentageError: 'MeanAbsolutePercentageError',
  meanSquaredError: 'MeanSquaredError',
  meanSquaredLogarithmicError: 'MeanSquaredLogarithmicError',
  poisson: 'Poisson',
  sparseCategoricalCrossentropy: 'SparseCategoricalCrossentropy',
  squaredHinge: 'SquaredHinge',
};
const kerasMetrics: Readonly<Record<string, string>> = {
  acc: 'acc',
  accuracy: 'accuracy',
  binaryAccuracy: 'binary_accuracy',
  categoricalAccuracy: 'categorical_accuracy',
  mae: 'mae',
  mape: 'mape',
  meanAbsoluteError: 'mean_absolute_error',
  meanAbsolutePercentageError: 'mean_absolute_percentage_error',
  meanSquaredError: 'mean_squared_error',
  mse: 'mse',
  sparseCategoricalAccuracy: 'sparse_categorical_accuracy',
};

/** The loss of an output by its name. Throws `ArgumentError` for one that has options or is not there. */
function lossName({ loss }: Head, era: WriteEra): string {
  const { name } = loss;
  const options = Object.entries(loss.config?.() ?? {}).filter(
    ([, value]) =>
      value !== undefined && value !== null && value !== false && value !== 0 && value !== 'sumOverBatchSize',
  );
  const what = `loss '${name}'`;
  if (!loss.config) throw new ArgumentError(`${what} is a function of the caller's own, which no file can hold`);
  if (era === 'tfjs' && options.length > 0) throw new ArgumentError(`${what}: TF.js has no ${options[0]![0]}`);
  if (era === 'tfjs' && !Object.hasOwn(tfjsLosses, name)) throw new ArgumentError(`${what}: TF.js has no such loss`);
  return era === 'tfjs' ? tfjsLosses[name]! : snakeCase(name);
}

/**
 * `training_config` of a compiled model for TF.js: the loss and the metrics of each output, and the optimizer. Metrics
 * that TF.js does not have are left out.
 *
 * @throws ArgumentError for a loss or an optimizer, or options of them, that it does not have.
 */
export function writeTraining(model: AnyModel, era: WriteEra): KerasJson {
  const { heads } = model.trainer.compiled.objective;
  const weighted = heads.find(({ weight }) => weight !== 1);
  if (weighted)
    throw new ArgumentError(`loss '${weighted.loss.name}': TF.js keeps no loss weights, got ${weighted.weight}`);
  const losses = heads.map((head) => lossName(head, era));
  const metrics = new Set(heads.flatMap((head) => head.metrics.flatMap((metric) => tfjsMetric(metric) ?? [])));
  return {
    loss: losses.length === 1 ? losses[0]! : losses,
    metrics: [...metrics],
    optimizer_config: writeOptimizer(model, era),
  };
}

/**
 * `compile_config` of a compiled model for Keras 3. Metrics that Keras does not have are left out.
 *
 * @throws ArgumentError for a loss or an optimizer that it does not have.
 */
export function writeCompile(model: AnyModel): KerasJson {
  const { heads } = model.trainer.compiled.objective;
  const only = <T>(each: readonly T[]): T | readonly T[] => (each.length === 1 ? each[0]! : each);
  const weights = heads.map(({ weight }) => weight);
  return {
    optimizer: writeOptimizer(model, 'keras3'),
    loss: only(heads.map(kerasLoss)) as Json,
    loss_weights: weights.some((weight) => weight !== 1) ? (weights as Json) : null,
    metrics: only(heads.map(({ metrics }) => metrics.flatMap(({ name }) => kerasMetrics[name] ?? []))) as Json,
    weighted_metrics: null,
    run_eagerly: false,
    steps_per_execution: 1,
    jit_compile: false,
  };
}

/** The class of a loss with its options. */
function kerasLoss({ loss }: Head): Json {
  const className = kerasLosses[loss.name];
  if (!className || !loss.config) throw new ArgumentError(`loss '${loss.name}': Keras has no such loss`);
  const options = Object.entries(loss.config()).filter(([, value]) => value !== undefined && value !== null);
  const config: Record<string, Json> = { name: snakeCase(loss.name), reduction: 'sum_over_batch_size' };
  for (const [key, value] of options) config[snakeCase(key)] = typeof value === 'string' ? snakeCase(value) : value!;
  return { module: 'keras.losses', class_name: className, config, registered_name: null };
}
