// Every public function with each argument and option missing or wrong, one at a time: it is refused by tapeloop's own
// error, in one sentence that names the place, or it is one of the few values that are accepted on purpose.
import { expect, test } from 'vitest';
import { engine, Tensor } from '../src/index.ts';
import { functions } from './fuzz/called.ts';
import { faultOf } from './fuzz/oracle.ts';
import { type SpoiledCall, spoiledCalls, validCalls } from './fuzz/spoiled-calls.ts';
import { otherwise } from './fuzz/valid-calls.ts';
import { exported } from './option-cases.ts';

const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return value instanceof Tensor ? 'tensor' : typeof value;
};

/**
 * Places, as `name path = value`, at which another kind of value than that of the valid call is taken, by the reason
 * why.
 */
const TAKEN: Readonly<Record<string, RegExp>> = {
  'null, and NaN where a value may be left out, stand for none': /= (null|NaN)$/,
  'an empty regularizer penalises nothing': /Regularizer = \{\}$/,
  'a schedule may be a number, and thresholds a number or a list':
    /^(sgd 0\.learningRate|schedules\.linearWarmup 0\.after|metrics\.(precision|recall) 0\.thresholds) = (0\.5|\[\])$/,
  'a function may stand there':
    /^(adam 0\.excludeFromWeightDecay|textVectorization 0\.split|compile 0\.(loss|metrics|weightedMetrics)) = a function$/,
  'a rate may be one for all states': /^(layerNormLstm|zoneoutCell) 1\.zoneout = 0\.5$/,
  'a weight that is not made has any constraint': /^(conv1d 1|simpleRnnCell 0)\.biasConstraint = a function$/,
  'an operand may be a number':
    /^ops\.(add|sub|mul|div|maximum|minimum|pow|where|(not|greater|less)?[eE]qual|greater|less) [01] = (Infinity|-1|0\.5)$/,
  'a feature may stand in a list': /^windows 1\.target = \['a'\]$/,
  'data may be a tensor': / = an? (i32 )?tensor( \[1, 1, 1, 1, 3\])?$/,
  'a list may have nothing in it':
    /^(model 0\.(layers|inputs)|fit 2\.(callbacks|validationFreq)|\w+ \d\.(classWeight|lossWeights|customObjects)) = (\[\]|\{\}|a date)$/,
  'customObjects may be a list of what has names': /customObjects = \[('a'|NaN)\]$/,
  'noise is shaped when a layer trains': /^dropout 1\.noiseShape = /,
  'a number may have no end or none that is ever reached':
    /^(modelCheckpoint 1\.saveFreq|tensorBoard 1\.updateFreq) = (Infinity|1e39)$/,
  'what a callback writes is looked at when a run begins':
    /^(modelCheckpoint 1\.extras|checkpointFile 1\.monitor|csvFile 1\.separator|backupFile 1\.customObjects) = /,
  'text is written there, and never read': /^progressElement 0(\.textContent)? = /,
  'a name is for errors alone': /^(ops\.recurrence 0\.name|\w+ \d\.file) = /,
  'rows may be of anything': /^(ndarray|splitAt|takeRows|startId) 0\.0 = /,
  'one number is a tensor of no axes': /^tensor 0 = /,
  'anything that JSON holds may be kept with a model': /^encodeModel 1\.extra = /,
  'a cell is one of cells, made by us': /^ops\.recurrence 0\.(biases|stream) = /,
  'options of inner calls': /^ops\.softmaxCrossEntropy 3 = /,
  'a column is asked for by any means that has names': /^loadCsv 1\.columns = (\{\}|a date)$/,
  'a shape from a file is not asked for where the file says it': /^decodeModel 1\.inputShape = /,
};

const placeOf = ({ name, path, value }: SpoiledCall): string => `${name} ${path.join('.')} = ${value}`;
const isTaken = (place: string): boolean => Object.values(TAKEN).some((places) => places.test(place));

/**
 * What functions call their arguments, and what is made of an option, where a message names neither the option nor the
 * function.
 */
const argument =
  /\b(input|x|y|ids|mask|weight|kernel|operand|shape|axis|initializer|regularizer|activation|optimizer|schedule|loss|metric|vocabulary|prompts?|bytes|seed|tensor|path|source|out of memory|cannot (read|create)|be fetched|expected \d fields)\b/;

/** Functions that hand their arguments on, to the one that speaks of them. */
const handsOn: Readonly<Record<string, string>> = {
  encodeNamed: 'encodeText',
  decodeStream: 'loadStream',
  saveModel: 'encodeModel',
  beamSteps: 'beamSearch',
  generateBatch: 'generate',
  generateIds: 'generate',
  checkpointFile: 'modelCheckpoint',
  tensorBoardFolder: 'tensorBoard',
  lstmCell: 'lstm',
  backupFile: 'backupAndRestore',
  spatialDropout1d: 'dropout',
  spatialDropout2d: 'dropout',
  gruCell: 'gru',
  hmmFromJson: 'gaussianHmm',
  linearGaussianFromJson: 'linearGaussian',
  simpleRnnCell: 'simpleRnn',
  'schedules.stepDecay': 'exponentialDecay',
  'schedules.linearWarmup': 'constant',
  'ops.glu': 'split',
  'ops.maskedSoftmax': 'where',
  modelCheckpoint: 'encodeModel',
  decodeModel: 'configuration',
};

const letters = (text: string): string => text.toLowerCase().replaceAll('_', '');

function isNamed({ name, path }: SpoiledCall, message: string): boolean {
  const words = [
    handsOn[name] ?? name,
    ...name.split(/[ .:]+/),
    ...path.filter((part) => typeof part === 'string'),
  ].map(letters);
  return words.some((word) => letters(message).includes(word)) || argument.test(message);
}

test('the calls that are spoiled are in order before', async () => {
  const failed: string[] = [];
  for (const { name, args, run } of validCalls) {
    try {
      await run(args());
    } catch (error) {
      // There is no such file or folder to write to or to read from.
      if (!/ENOENT/.test((error as Error).message)) failed.push(`${name}: ${(error as Error).message}`);
    }
  }
  expect(failed).toEqual([]);
});

test('every public function is called', () => {
  const called = new Set(validCalls.map(({ name }) => name));
  const elsewhere: Readonly<Record<string, string>> = {
    engine: 'takes nothing',
    allowStreams: 'takes nothing',
    addMethods: 'takes nothing',
    yielder: 'takes nothing',
    init: 'makes another engine: test/engine/load.test.ts',
    browserStore: 'of a page: test/io/browser-store.test.ts',
    loadIds: 'a fuzz target: ids',
    loadPianoRoll: 'a fuzz target: piano-roll',
    listFiles: 'of the host: test/data/source.test.ts',
    ...{ loadTfjs: 'reads files: test/tfjs', importTfjs: 'reads files: test/tfjs', exportTfjs: 'test/tfjs' },
    importKerasJs: 'reads files: test/keras',
    importCharRnn: 'reads files: test/tfjs',
    ...{ importKeras: 'reads a file: test/keras', loadKerasWeights: 'reads a file: test/keras' },
    ...{ exportKeras: 'test/keras', exportKerasWeights: 'test/keras' },
    ...{ encodeCheckpoint: 'test/torch', encodeStateDict: 'test/torch', exportTorch: 'test/torch' },
    ...{ audioStream: 'test/audio-models', namStream: 'test/audio-models', compileBlockKernels: 'test/audio-models' },
    loadCompiledStream: 'reads a file: test/compiled',
    ...Object.fromEntries(Object.entries(otherwise).filter(([, why]) => /command line|reads a file/.test(why))),
  };
  const names = [
    ...functions.keys(),
    ...Object.entries(exported)
      .filter(([key, value]) => typeof value === 'function' && /^[a-z]/.test(key))
      .map(([key]) => key),
  ];
  const missing = [...new Set(names)].filter((name) => !called.has(name) && !Object.hasOwn(elsewhere, name));
  expect(missing).toEqual([]);
});

test('each of some 20,000 spoiled calls is refused in a sentence of ours, or taken on purpose', async () => {
  const faults: string[] = [];
  const taken: string[] = [];
  const unnamed: string[] = [];
  const notOneSentence: string[] = [];
  const counts = { calls: 0, refused: 0, taken: 0 };
  for (const each of spoiledCalls()) {
    counts.calls++;
    const place = placeOf(each);
    try {
      const result = engine().step(() => each.run());
      if (result instanceof Promise) await result;
      counts.taken++;
      if (each.wrong !== undefined && kindOf(each.before) !== kindOf(each.wrong) && !isTaken(place)) taken.push(place);
    } catch (error) {
      counts.refused++;
      const fault = faultOf(error);
      const message = String((error as Error).message);
      if (fault) faults.push(`${place}: ${fault}: ${message.slice(0, 120)}`);
      else if (!isNamed(each, message)) unnamed.push(`${place}: ${message.slice(0, 120)}`);
      if (/[.!?] [A-Z]|\n|\.$/.test(message)) notOneSentence.push(`${place}: ${message.slice(0, 200)}`);
    }
  }
  console.log(`${counts.calls} calls: ${counts.refused} refused, ${counts.taken} taken`);
  expect(faults).toEqual([]);
  expect(taken).toEqual([]);
  expect(unnamed).toEqual([]);
  expect(notOneSentence).toEqual([]);
  expect(counts.calls).toBeGreaterThan(19_000);
});
