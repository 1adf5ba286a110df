// The command line. One table for each command defines its flags. Parsing, range checks and the help text use it.
import { parseArgs } from 'node:util';
import { SIZES } from '../bench/results.ts';
import {
  CELLS,
  decimalNumber,
  oneOf,
  type Range,
  ranges,
  runDefaults,
  wholeNumber,
} from '../characters/run-options.ts';
import { nearestName } from '../checks/nearest-name.ts';

/** A command line that is not valid. The message is one line, and the process ends with `exitCode`. */
export class UsageError extends Error {
  readonly exitCode = 2;

  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/**
 * One flag. `parse` returns undefined for a text that is not `expected`. A flag without `placeholder` takes no value.
 */
export interface Flag<T> {
  readonly placeholder?: string;
  readonly short?: string;
  readonly expected: string;
  readonly help: string;
  readonly fallback: T;
  parse(text: string): T | undefined;
}

/** A decimal number, or NaN. `Number` alone would accept hexadecimal numbers and read '' as 0. */
const decimal = (text: string): number =>
  /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;

function numeric<T extends number | undefined>(
  placeholder: string,
  range: Range,
  fallback: T,
  help: string,
): Flag<number | T> {
  const parse = (text: string): number | undefined => {
    const value = decimal(text);
    return range.holds(value) ? value : undefined;
  };
  return { placeholder, expected: range.expected, help, fallback, parse };
}

const integer = <T extends number | undefined>(range: Range, fallback: T, help: string): Flag<number | T> =>
  numeric('N', range, fallback, help);
const number = (range: Range, fallback: number, help: string): Flag<number> => numeric('X', range, fallback, help);

function choice<T extends string>(values: readonly T[], range: Range, fallback: T, help: string): Flag<T> {
  return {
    placeholder: values.join('|'),
    expected: range.expected,
    help,
    fallback,
    parse: (text) => values.find((value) => value === text),
  };
}

function path<T extends string | undefined>(placeholder: string, fallback: T, help: string): Flag<string | T> {
  return { placeholder, expected: 'a path', help, fallback, parse: (text) => text || undefined };
}

function toggle(help: string, short?: string): Flag<boolean> {
  return { ...(short === undefined ? {} : { short }), expected: 'no value', help, fallback: false, parse: () => true };
}

// With the other defaults this takes a minute on two slow cores.
const DEFAULT_STEPS = 3000;
const seed = integer(ranges.seed, runDefaults.seed, 'same seed, same result');
const help = toggle('show this text', 'h');

export const trainFlags = {
  cell: choice(CELLS, ranges.cell, runDefaults.cell, 'recurrent cell'),
  layers: integer(ranges.layers, runDefaults.layers, 'recurrent layers, one on the other'),
  hidden: integer(ranges.hidden, runDefaults.hidden, 'units of each recurrent layer'),
  embedding: integer(ranges.embedding, runDefaults.embedding, 'size of a character vector'),
  batch: integer(ranges.batch, runDefaults.batch, 'streams of text side by side'),
  time: integer(ranges.time, runDefaults.time, 'characters between two updates'),
  steps: integer(ranges.steps, undefined, `updates to make in all [${DEFAULT_STEPS}]`),
  epochs: integer(ranges.epochs, undefined, 'passes over the text in all, instead of --steps'),
  lr: number(ranges.lr, runDefaults.lr, 'learning rate'),
  clip: number(ranges.clip, runDefaults.clip, 'longest gradient norm; 0 never clips'),
  dropout: number(ranges.dropout, runDefaults.dropout, 'share of activations dropped'),
  split: number(ranges.split, runDefaults.split, 'share of the text to train on, the rest validates'),
  'eval-every': integer(ranges.evalEvery, runDefaults.evalEvery, 'steps between two validations, each of which saves'),
  seed,
  out: path('DIR', 'tapeloop-out', 'folder for model.safetensors and loss.svg'),
  resume: path('MODEL', undefined, 'go on with a saved model'),
  log: path('FILE', undefined, 'append each loss to FILE, one JSON object a line'),
  wide: toggle('compute with 256-bit vectors (Node 24 and newer; V8 calls them experimental)'),
  quiet: toggle('nothing on standard error but errors', 'q'),
  help,
} as const;

export const generateFlags = {
  prompt: {
    placeholder: 'TEXT',
    expected: 'text',
    help: 'text to go on from [none]',
    fallback: '',
    parse: (text: string) => text,
  } as Flag<string>,
  length: integer(wholeNumber(1, 1e7), 500, 'characters to write behind the prompt'),
  temperature: number(
    decimalNumber('from 0 to 100', (x) => x >= 0 && x <= 100),
    0.8,
    '0 always takes the likeliest character',
  ),
  'top-k': integer(wholeNumber(1, 1e6), undefined, 'draw among the K likeliest characters only'),
  seed,
  help,
} as const;

const MODES = ['reproducible', 'fast'] as const;

/** What some model files do not say. */
const readFlags = {
  forward: path('STEPS', undefined, 'PyTorch: what runs, such as lstm,last,fc1,relu,fc2 [the only module]'),
  config: path('FILE', undefined, 'Keras: what model.to_json() returned, for a file of weights alone'),
} as const;

export const infoFlags = { ...readFlags, help } as const;

export const convertFlags = {
  check: toggle('compare both models on random input; the exit code is 1 if they differ by more than 1e-4'),
  states: toggle('ONNX: make the states of recurrent layers inputs and outputs'),
  name: path('NAME', undefined, "ONNX: name of the graph [the model's]"),
  ...readFlags,
  seed,
  help,
} as const;

export const benchFlags = {
  quick: toggle('less time for each workload, one round'),
  size: choice(SIZES, oneOf(SIZES), 'medium', 'how much one call computes'),
  only: {
    ...path('TEXT', undefined, 'workloads with TEXT in their name; several, joined by commas'),
    expected: 'text',
  },
  mode: choice(MODES, oneOf(MODES), 'reproducible', 'fast: with fused multiply-add'),
  rounds: integer(wholeNumber(1, 1000), undefined, 'runs of the whole list, each in its own process [8]'),
  iterations: integer(wholeNumber(1, 1e9), undefined, 'calls of each workload, without warm-up: for profilers'),
  'in-process': toggle('all rounds in this process: for profilers and debuggers'),
  json: path('FILE', undefined, 'write everything that was measured'),
  markdown: path('FILE', undefined, 'write tables in Markdown'),
  html: path('FILE', undefined, 'write a page with plots: of this run, or of the reports given'),
  compare: toggle('compare two reports; the exit code is 1 if something is slower or another result'),
  list: toggle('print the workloads'),
  script: path('FILE', undefined, 'write the suite as one script for engine shells'),
  page: path('FOLDER', undefined, 'write the suite as a page, for a web server'),
  quiet: toggle('nothing on standard output', 'q'),
  help,
} as const;

type Flags = Record<string, Flag<unknown>>;
type Camel<S> = S extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Tail>}` : S;
type Options<F extends Flags> = { -readonly [K in keyof F as Camel<Exclude<K, 'help'>>]: F[K]['fallback'] };

/** Exactly one of `steps` and `epochs` is a number. */
export type TrainOptions = Options<typeof trainFlags>;
export type GenerateOptions = Options<typeof generateFlags>;
export type InfoOptions = Options<typeof infoFlags>;
export type ConvertOptions = Options<typeof convertFlags>;
export type BenchCommandOptions = Options<typeof benchFlags>;
export type CommandName = 'train' | 'generate' | 'info' | 'convert' | 'bench';

/**
 * A parsed command line. `given` has the names of the options on the command line; the saved options of a resumed model
 * replace the others.
 */
export type Command =
  | { name: 'help'; topic: CommandName | undefined }
  | { name: 'version' }
  | { name: 'train'; file: string | undefined; options: TrainOptions; given: ReadonlySet<keyof TrainOptions> }
  | { name: 'generate'; model: string; options: GenerateOptions; given: ReadonlySet<keyof GenerateOptions> }
  | { name: 'info'; model: string; options: InfoOptions }
  | { name: 'convert'; from: string; to: string; options: ConvertOptions }
  | { name: 'bench'; files: readonly string[]; options: BenchCommandOptions };

/**
 * Reads a command line.
 *
 * @param argv the arguments after the script's name, `process.argv.slice(2)`.
 * @throws UsageError for an unknown command or flag; a flag whose value is missing, not allowed or out of range; a
 *   missing or additional argument; or `--steps` with `--epochs`. The message names the flag or argument, what was got
 *   and what was expected.
 */
export function parseCommand(argv: readonly string[]): Command {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h') return { name: 'help', topic: undefined };
  if (name === '--version') return { name: 'version' };
  if (name === 'train') {
    const { positionals, options, given, help } = parseFlags('train', trainFlags, rest);
    if (help) return { name: 'help', topic: 'train' };
    if (positionals.length > 1) throw tooMany('train', 'at most one FILE', positionals);
    if (positionals[0] === '') throw new UsageError('tapeloop train: FILE expected a path, got ""');
    if (given.has('steps') && given.has('epochs')) {
      throw new UsageError('tapeloop train: expected --steps or --epochs, got both');
    }
    if (options.epochs === undefined) options.steps ??= DEFAULT_STEPS;
    return { name, file: positionals[0], options, given };
  }
  if (name === 'generate') {
    const { positionals, options, given, help } = parseFlags('generate', generateFlags, rest);
    if (help) return { name: 'help', topic: 'generate' };
    return { name, model: oneModel('generate', positionals), options, given };
  }
  if (name === 'info') {
    const { positionals, options, help } = parseFlags('info', infoFlags, rest);
    return help ? { name: 'help', topic: 'info' } : { name, model: oneModel('info', positionals), options };
  }
  if (name === 'convert') {
    const { positionals, options, help } = parseFlags('convert', convertFlags, rest);
    if (help) return { name: 'help', topic: 'convert' };
    if (positionals.length > 2) throw tooMany('convert', 'IN and OUT', positionals);
    const [from, to] = positionals;
    if (!from || !to) throw new UsageError('tapeloop convert: expected the paths IN and OUT, got fewer');
    return { name, from, to, options };
  }
  if (name === 'bench') {
    const { positionals, options, given, help } = parseFlags('bench', benchFlags, rest);
    if (help) return { name: 'help', topic: 'bench' };
    checkBench(options, positionals, given);
    return { name, files: positionals, options };
  }
  throw new UsageError(
    `tapeloop: expected train, generate, info, convert, bench, --help or --version, got ${JSON.stringify(name)}`,
  );
}

/** Throws `UsageError` for flags of `tapeloop bench` that do not go together, and for outputs that would be lost. */
function checkBench(
  options: BenchCommandOptions,
  files: readonly string[],
  given: ReadonlySet<keyof BenchCommandOptions>,
): void {
  const refuse = (words: string): never => {
    throw new UsageError(`tapeloop bench: ${words}`);
  };
  const asked = [...given].filter((name) => name !== 'quiet');
  const dashed = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const allowed = (what: string, ...names: (keyof BenchCommandOptions)[]): void => {
    const other = asked.find((name) => !names.includes(name));
    if (other !== undefined) refuse(`${dashed(other)} expected without ${what}`);
  };
  if (options.list) allowed('--list', 'list');
  if (options.script !== undefined) allowed('--script', 'script');
  if (options.page !== undefined) allowed('--page', 'page');
  if (options.compare) {
    allowed('--compare', 'compare', 'json', 'markdown');
    if (files.length !== 2) refuse(`--compare expected two reports, got ${files.length}`);
  } else if (files.length > 0) {
    allowed('reports of earlier runs', 'html', 'markdown');
    const writes = options.html !== undefined || (options.markdown !== undefined && files.length === 1);
    if (!writes) refuse('reports expected with --compare or --html, one of them with --markdown');
  }
  for (const flag of ['html', 'markdown'] as const) {
    if (/\.json$/i.test(options[flag] ?? ''))
      refuse(`--${flag}: expected another name than that of a report, got "${options[flag]}"`);
  }
  const paths = [options.json, options.markdown, options.html, ...files].filter((path) => path !== undefined);
  const twice = paths.find(
    (path, i) => paths.indexOf(path) !== i && !(options.compare && files.includes(path) && path !== options.json),
  );
  if (twice !== undefined) refuse(`expected each file once, got ${JSON.stringify(twice)} twice`);
}

function oneModel(command: CommandName, positionals: string[]): string {
  if (positionals.length > 1) throw tooMany(command, 'one MODEL', positionals);
  if (!positionals[0]) throw new UsageError(`tapeloop ${command}: expected the path of a MODEL, got none`);
  return positionals[0];
}

const tooMany = (command: CommandName, expected: string, positionals: string[]): UsageError =>
  new UsageError(
    `tapeloop ${command}: expected ${expected}, got ${positionals.map((p) => JSON.stringify(p)).join(' ')}`,
  );

const camel = (flag: string): string => flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

function parseFlags<F extends Flags>(command: CommandName, flags: F, argv: readonly string[]) {
  // `parseArgs` only splits the line into tokens. Its own checks have no ranges, and its messages have several lines.
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(flags).map(([name, { placeholder, short }]) => [
        name,
        { type: placeholder === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) },
      ]),
    ),
  });
  const names = Object.keys(flags).map((flag) => `--${flag}`);
  const positionals: string[] = [];
  const options: Record<string, unknown> = {};
  const given = new Set<string>();
  for (const [name, { fallback }] of Object.entries(flags)) options[camel(name)] = fallback;
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const where = `tapeloop ${command}: ${token.rawName}`;
    if (!Object.hasOwn(flags, token.name)) {
      const question = nearestName(token.rawName, names);
      throw new UsageError(
        `${where} is not one of its flags, expected ${names.join(', ')}${question && `; ${question}`}`,
      );
    }
    const flag = flags[token.name];
    const value = token.value;
    if (flag.placeholder === undefined ? value !== undefined : value === undefined) {
      throw new UsageError(
        `${where}: expected ${flag.expected}, got ${value === undefined ? 'none' : JSON.stringify(value)}`,
      );
    }
    // If a value is missing, `parseArgs` takes the next flag as the value. After `=` such a value is intended.
    if (value !== undefined && !token.inlineValue && names.includes(value.replace(/=.*/s, ''))) {
      throw new UsageError(`${where}: expected ${flag.expected}, got the flag ${value}`);
    }
    const parsed = flag.parse(value ?? '');
    if (parsed === undefined) throw new UsageError(`${where}: expected ${flag.expected}, got ${JSON.stringify(value)}`);
    options[camel(token.name)] = parsed;
    given.add(camel(token.name));
  }
  const help = options.help === true;
  delete options.help;
  return { positionals, options: options as Options<F>, given: given as Set<keyof Options<F>>, help };
}
