// Reads the loss, the metrics and the optimizer that a file was saved with.
import { ArgumentError } from '../../checks/argument-error.ts';
import type { Json } from '../../io/model-file.ts';
import { isObject, type Parsed } from '../../io/parsed-json.ts';
import { type LossName, lossOf } from '../../losses/by-name.ts';
import type { LossConfig } from '../../losses/loss.ts';
import { type MetricName, metricOf } from '../../metrics/by-name.ts';
import type { AnyModel, CompileOptions } from '../../models/model.ts';
import { optimizerOf } from '../../optimizers/by-name.ts';
import type { Optimizer } from '../../optimizers/optimizer.ts';
import { type CustomObjects, withCustomObjects } from '../../registry/custom-objects.ts';
import { warn } from '../../train/warnings.ts';
import { camelCase, type Era, snakeCase } from '../config/era.ts';
import { namedOf } from '../config/values.ts';

/**
 * Compiles a model as its file says, with the outputs in the order of the file.
 *
 * @param training `training_config` of Keras 1 and 2 and of TF.js, or `compile_config` of Keras 3.
 * @param outputs names of the layers that make the outputs.
 * Warns, and changes nothing, if the file names a loss or an optimizer that tapeloop does not have. A metric that it does
 * not have is left out.
 *
 * @param what the called function, for the warning.
 * @returns whether the model is compiled.
 */
export function compileAsSaved(
  what: string,
  model: AnyModel,
  training: unknown,
  era: Era,
  { outputs, customObjects = {} }: { outputs: readonly string[]; customObjects?: CustomObjects },
): boolean {
  if (!isObject(training)) return false;
  try {
    return withCustomObjects(customObjects, () => {
      const options = compileOptions(training, era, outputs);
      if (!options) return false;
      model.compile(options);
      return true;
    });
  } catch (error) {
    if (!(error instanceof ArgumentError || error instanceof TypeError)) throw error;
    // A `TypeError` of JavaScript has no message that helps the caller.
    warnUncompiled(what, error instanceof ArgumentError ? error.message : 'it has a value of another kind');
    return false;
  }
}

/** Says why a model is left for its caller to compile. */
export const warnUncompiled = (what: string, why: string): void =>
  warn(`${what}: the model is not compiled as its file says: ${why}; call compile() to train it`);

function compileOptions(training: Parsed, era: Era, outputs: readonly string[]): CompileOptions | undefined {
  if (training.loss === undefined || training.loss === null) return undefined;
  const optimizer = readOptimizer(training.optimizer_config ?? training.optimizer, era);
  if (!optimizer) return undefined;
  const isOne = outputs.length === 1;
  const each = (value: unknown): unknown[] => {
    if (Array.isArray(value) && value.length === outputs.length) return value;
    if (isObject(value) && value.class_name === undefined && value.module === undefined)
      return outputs.map((name) => value[name]);
    return outputs.map(() => value);
  };
  const losses = each(training.loss).map(readLoss);
  const weights =
    training.loss_weights == null ? undefined : each(training.loss_weights).map((weight) => Number(weight ?? 1));
  const metrics = metricsOf(training.metrics, outputs).map((list) =>
    // Precision of TF.js counts outputs of exactly 1.
    era === 'tfjs' ? list.filter((name) => name !== 'precision') : list,
  );
  return {
    optimizer,
    loss: isOne ? losses[0]! : losses,
    ...(weights && { lossWeights: isOne ? weights[0]! : weights }),
    metrics: (isOne ? metrics[0]! : metrics) as never,
  };
}

// Keras's names that differ from tapeloop's by more than their spelling.
const lossNames: Readonly<Record<string, string>> = {
  huberLoss: 'huber',
  kullbackLeiblerDivergence: 'klDivergence',
  logcosh: 'logCosh',
};

const nameOf = (name: string): string => {
  const plain = name.replace(/^.*>/, '');
  const camel = /^[A-Z]+$/.test(plain) ? plain.toLowerCase() : camelCase(snakeCase(plain));
  return Object.hasOwn(lossNames, camel) ? lossNames[camel]! : camel;
};

function readLoss(value: unknown): ReturnType<typeof lossOf> {
  const { name, config } = namedOf('loss', value) ?? { name: '', config: {} };
  const wrapped = name === 'LossFunctionWrapper' && typeof config.fn === 'string' ? config.fn : name;
  const options: Record<string, Json> = {};
  for (const [key, each] of Object.entries(config)) {
    if (each === null || each === undefined || ['name', 'fn', 'dtype'].includes(key)) continue;
    if (key === 'axis' && each === -1) continue;
    if (key === 'reduction') {
      if (each !== 'auto' && each !== 'sum_over_batch_size') options.reduction = String(each);
    } else if (each !== false && each !== 0) options[camelCase(key)] = each as Json;
  }
  return lossOf(nameOf(wrapped) as LossName, options as LossConfig);
}

/** The metrics of each output: one list for all, a list of lists, or by the names of the outputs. */
function metricsOf(value: unknown, outputs: readonly string[]): MetricName[][] {
  if (value === null || value === undefined) return outputs.map(() => []);
  if (isObject(value)) return outputs.map((name) => readMetrics([value[name] ?? []].flat()));
  const list = [value].flat() as unknown[];
  const areLists = list.length === outputs.length && list.every(Array.isArray);
  return outputs.map((_, i) => readMetrics(areLists ? (list[i] as unknown[]) : (list.flat() as unknown[])));
}

function readMetrics(list: readonly unknown[]): MetricName[] {
  return list.flatMap((value): MetricName[] => {
    try {
      const { name, config } = namedOf('metric', value)!;
      const wrapped = name === 'MeanMetricWrapper' ? String(config.fn ?? config.name) : name;
      const made = nameOf(wrapped) as MetricName;
      metricOf(made);
      return [made];
    } catch (error) {
      if (error instanceof ArgumentError || error instanceof TypeError) return [];
      throw error;
    }
  });
}

const harmless = ['name', 'jit_compile', 'is_legacy_optimizer', 'loss_scale_factor', 'momentum_cache'];
const optimizerNames: Readonly<Record<string, string>> = {
  lr: 'learningRate',
  clipnorm: 'clipNorm',
  clipvalue: 'clipValue',
  global_clipnorm: 'globalClipNorm',
  useNesterov: 'nesterov',
};

/** The optimizer of a configuration; undefined if it has none. Throws `ArgumentError` if tapeloop does not have it. */
export function readOptimizer(value: unknown, era: Era): Optimizer | undefined {
  const named = namedOf('optimizer', value);
  if (!named) return undefined;
  const kind = named.name.replace(/^.*>/, '').toLowerCase();
  const name = kind === 'momentum' ? 'sgd' : kind;
  const config: Record<string, unknown> = { ...named.config };
  if (era === 'tfjs' && name === 'rmsprop') {
    config.rho = config.decay;
    delete config.decay;
  }
  if (era === 'tfjs') {
    if (name === 'adam') config.scale_epsilon = true;
    // TF.js subtracts epsilon under the root of a centered RMSProp, and its Adadelta divides by the mean of the step
    // before: they are other optimizers.
    if (config.centered === true || name === 'adadelta')
      throw new ArgumentError(`optimizer ${named.name} of TF.js is another one than here`);
  }
  // What tf.keras calls decay in Nadam is the pace of its momentum, which is fixed here.
  if (name === 'nadam' && era !== 'keras3' && (config.decay ?? config.schedule_decay) !== undefined)
    throw new ArgumentError('optimizer Nadam of Keras 1 and 2 has another momentum in each step than here');
  if (config.use_ema !== true)
    for (const key of ['use_ema', 'ema_momentum', 'ema_overwrite_frequency']) delete config[key];
  const options: Record<string, Json> = {};
  for (const [key, each] of Object.entries(config)) {
    if (each === null || each === undefined || harmless.includes(key)) continue;
    if (key === 'decay') {
      if (era === 'tfjs' || Number(each) === 0) continue;
      const initial = Number(config.lr ?? config.learning_rate);
      options.learningRate = {
        name: 'inverseTimeDecay',
        initialLearningRate: initial,
        decaySteps: 1,
        decayRate: Number(each),
      };
      continue;
    }
    if (each === false && key !== 'amsgrad') continue;
    const option = Object.hasOwn(optimizerNames, key) ? optimizerNames[key]! : camelCase(key);
    if (option === 'learningRate' && options.learningRate !== undefined) continue;
    options[option] = isObject(each) ? scheduleOf(each) : (each as Json);
  }
  return optimizerOf({ ...options, name });
}

/** The configuration of a schedule. */
function scheduleOf(value: Parsed): Json {
  const { name, config } = namedOf('learning_rate', value)!;
  const options = Object.entries(config).filter(([key, each]) => key !== 'name' && each !== null);
  const camel = Object.fromEntries(options.map(([key, each]) => [camelCase(key), each as Json]));
  return { ...camel, name: camelCase(snakeCase(name)) };
}
