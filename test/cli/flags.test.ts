import { describe, expect, test } from 'vitest';
import { parseCommand, UsageError } from '../../src/cli/flags.ts';

const parse = (line: string) => parseCommand(line === '' ? [] : line.split(' '));
const train = (line: string) => {
  const command = parse(`train ${line}`.trim());
  if (command.name !== 'train') throw new Error(`expected a train command, got ${command.name}`);
  return command;
};

describe('parseCommand', () => {
  test('train alone, has every default and nothing given', () => {
    expect(train('')).toEqual({
      name: 'train',
      file: undefined,
      given: new Set(),
      options: {
        cell: 'lstm',
        layers: 1,
        hidden: 128,
        embedding: 64,
        batch: 32,
        time: 50,
        steps: 3000,
        epochs: undefined,
        lr: 2e-3,
        clip: 5,
        dropout: 0,
        split: 0.9,
        evalEvery: 500,
        seed: 1,
        out: 'tapeloop-out',
        resume: undefined,
        log: undefined,
        quiet: false,
        wide: false,
      },
    });
  });

  test('train with flags around the file, takes values, forms and what was given', () => {
    const line =
      '--cell gru --hidden=256 corpus.txt --lr 1e-3 --eval-every 50 -q --steps 2e4 --seed 0 --resume m.safetensors';
    const { file, options, given } = train(line);
    expect(file).toBe('corpus.txt');
    expect(options).toMatchObject({
      cell: 'gru',
      hidden: 256,
      lr: 1e-3,
      evalEvery: 50,
      quiet: true,
      steps: 20_000,
      seed: 0,
    });
    expect(options.resume).toBe('m.safetensors');
    expect([...given].sort()).toEqual(['cell', 'evalEvery', 'hidden', 'lr', 'quiet', 'resume', 'seed', 'steps']);
  });

  test('epochs, leave no steps', () => {
    expect(train('--epochs 3').options).toMatchObject({ epochs: 3, steps: undefined });
  });

  test('flag given twice, last one counts', () => {
    expect(train('--seed 1 --seed 2').options.seed).toBe(2);
  });

  test('file behind --, may begin with a dash', () => {
    expect(train('-- --strange').file).toBe('--strange');
  });

  test('generate, has defaults and values', () => {
    expect(parse('generate m.safetensors')).toEqual({
      name: 'generate',
      model: 'm.safetensors',
      options: { prompt: '', length: 500, temperature: 0.8, topK: undefined, seed: 1 },
      given: new Set(),
    });
    expect(
      parseCommand(['generate', 'm', '--prompt', 'To be\nor', '--top-k', '5', '--temperature', '0']),
    ).toMatchObject({
      options: { prompt: 'To be\nor', topK: 5, temperature: 0 },
      given: new Set(['prompt', 'topK', 'temperature']),
    });
  });

  test('prompt that begins with dashes, is a prompt', () => {
    expect(parseCommand(['generate', 'm', '--prompt', '-- Hamlet'])).toMatchObject({
      options: { prompt: '-- Hamlet' },
    });
    expect(parseCommand(['generate', 'm', '--prompt=--seed'])).toMatchObject({ options: { prompt: '--seed' } });
  });

  test.each([
    ['', { name: 'help', topic: undefined }],
    ['--help', { name: 'help', topic: undefined }],
    ['-h', { name: 'help', topic: undefined }],
    ['--version', { name: 'version' }],
    ['train --help', { name: 'help', topic: 'train' }],
    ['generate -h', { name: 'help', topic: 'generate' }],
    ['info --help', { name: 'help', topic: 'info' }],
    ['info m', { name: 'info', model: 'm', options: { forward: undefined, config: undefined } }],
  ])('"%s", is understood', (line, command) => {
    expect(parse(line)).toEqual(command);
  });

  test.each([
    ['trian', 'tapeloop: expected train, generate, info, convert, bench, --help or --version, got "trian"'],
    ['--cell gru', 'tapeloop: expected train, generate, info, convert, bench, --help or --version, got "--cell"'],
    ['train a b', 'tapeloop train: expected at most one FILE, got "a" "b"'],
    ['generate', 'tapeloop generate: expected the path of a MODEL, got none'],
    ['info a b', 'tapeloop info: expected one MODEL, got "a" "b"'],
    ['info m --seed 1', 'tapeloop info: --seed is not one of its flags, expected --forward, --config, --help'],
    ['info m -x', 'tapeloop info: -x is not one of its flags, expected --forward, --config, --help'],
    [
      'info m --__proto__=1',
      'tapeloop info: --__proto__ is not one of its flags, expected --forward, --config, --help',
    ],
    [
      'info m --constructor',
      'tapeloop info: --constructor is not one of its flags, expected --forward, --config, --help',
    ],
    ['train --steps 5 --epochs 1', 'tapeloop train: expected --steps or --epochs, got both'],
    ['train --cell transformer', 'tapeloop train: --cell: expected one of lstm, gru, rnn, got "transformer"'],
    ['train --cell LSTM', 'tapeloop train: --cell: expected one of lstm, gru, rnn, got "LSTM"'],
    ['train --layers 0', 'tapeloop train: --layers: expected a whole number from 1 to 64, got "0"'],
    ['train --layers 65', 'tapeloop train: --layers: expected a whole number from 1 to 64, got "65"'],
    ['train --hidden 1.5', 'tapeloop train: --hidden: expected a whole number from 1 to 4096, got "1.5"'],
    ['train --hidden -3', 'tapeloop train: --hidden: expected a whole number from 1 to 4096, got "-3"'],
    ['train --batch 0x10', 'tapeloop train: --batch: expected a whole number from 1 to 65536, got "0x10"'],
    ['train --time Infinity', 'tapeloop train: --time: expected a whole number from 1 to 65536, got "Infinity"'],
    [
      'train --seed 4294967296',
      'tapeloop train: --seed: expected a whole number from 0 to 4294967295, got "4294967296"',
    ],
    ['train --steps=', 'tapeloop train: --steps: expected a whole number from 1 to 1000000000, got ""'],
    ['train --lr 0', 'tapeloop train: --lr: expected a number above 0 and up to 10, got "0"'],
    ['train --lr fast', 'tapeloop train: --lr: expected a number above 0 and up to 10, got "fast"'],
    ['train --lr 1e999', 'tapeloop train: --lr: expected a number above 0 and up to 10, got "1e999"'],
    ['train --clip -1', 'tapeloop train: --clip: expected a number of 0 or more, got "-1"'],
    ['train --dropout 1', 'tapeloop train: --dropout: expected a number from 0 to below 1, got "1"'],
    ['train --split 1', 'tapeloop train: --split: expected a number above 0 and below 1, got "1"'],
    ['train --out', 'tapeloop train: --out: expected a path, got none'],
    ['train --out=', 'tapeloop train: --out: expected a path, got ""'],
    ['train --out --quiet', 'tapeloop train: --out: expected a path, got the flag --quiet'],
    ['train --lr --hidden=3', 'tapeloop train: --lr: expected a number above 0 and up to 10, got the flag --hidden=3'],
    ['train --quiet=yes', 'tapeloop train: --quiet: expected no value, got "yes"'],
    ['generate m --temperature -0.1', 'tapeloop generate: --temperature: expected a number from 0 to 100, got "-0.1"'],
    ['generate m --top-k 0', 'tapeloop generate: --top-k: expected a whole number from 1 to 1000000, got "0"'],
    ['generate m --length 1e9', 'tapeloop generate: --length: expected a whole number from 1 to 10000000, got "1e9"'],
  ])('"%s", is refused in one line', (line, message) => {
    expect(() => parse(line)).toThrow(new UsageError(message));
  });

  test('empty arguments, are refused', () => {
    expect(() => parseCommand(['train', ''])).toThrow('FILE expected a path, got ""');
    expect(() => parseCommand(['info', ''])).toThrow('expected the path of a MODEL, got none');
    expect(() => parseCommand([''])).toThrow('got ""');
  });

  test('UsageError, carries exit code 2', () => {
    expect(new UsageError('x').exitCode).toBe(2);
  });
});

test('a number of very many digits that ends in another character, is read in one pass', () => {
  expect(() => parse(`train --lr ${'1'.repeat(400_000)}x`)).toThrow(UsageError);
});
