// `tapeloop train`, from end to end.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { firstDifference } from '../train/first-difference.ts';
import {
  at,
  buildCommandLine,
  bytes,
  expectDone,
  folder,
  main,
  run,
  runWithTinyFiles,
  SMALL,
  text,
} from './processes.ts';

buildCommandLine();

describe('tapeloop train', () => {
  test('into files, tells in a few plain lines what it does and leaves model, curve and log', () => {
    const { stdout, stderr } = expectDone(run('train', 'text.txt', ...SMALL, '--out', 'a/b', '--log', 'log.jsonl'));
    for (const control of ['\r', '\x1b']) expect(stderr).not.toContain(control);
    const lines = stderr.split('\n').filter((line) => !line.startsWith('    '));
    expect(lines[0]).toMatch(/^text {3}1,\d{3} characters, \d\d distinct; \d{3} of them to validate$/);
    expect(lines[1]).toMatch(/^model {2}lstm, 1 layer of 16 units, \d,\d{3} parameters$/);
    expect(lines[2]).toMatch(/^run {4}steps 1 to 20 of 4 × 10 characters, \d\.\d passes over the text$/);
    expect(lines[3]).toMatch(/^step 10\/20 {2}loss \d\.\d{4} {2}val \d\.\d{4} {2}0:0\d left {2}[\d,]+ chars\/s$/);
    expect(lines[4]).toMatch(/^step 20\/20 {2}.* {2}0:00 left/);
    expect(lines.slice(5)).toEqual(['model a/b/model.safetensors, loss curve a/b/loss.svg', '']);
    expect(stderr.split('\n').some((line) => line.startsWith('    '))).toBe(true);

    expect(readdirSync(at('a/b')).sort()).toEqual(['loss.svg', 'model.safetensors']);
    expect(readFileSync(at('a/b/loss.svg'), 'utf8')).toContain('validation, best');
    expect([...stdout]).toHaveLength(481);
    const records = readFileSync(at('log.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(records.filter(({ valLoss }) => valLoss !== undefined).map(({ step }) => step)).toEqual([10, 20]);
    expect(records[19].loss).toBeLessThan(records[0].loss);
  });

  test('same seed, makes the same files byte for byte; another seed another model', () => {
    expectDone(run('train', 'text.txt', ...SMALL, '--out', 'again'));
    expect(firstDifference(bytes('again/model.safetensors'), bytes('whole/model.safetensors'))).toBe(-1);
    expect(firstDifference(bytes('again/loss.svg'), bytes('whole/loss.svg'))).toBe(-1);
    expectDone(run('train', 'text.txt', ...SMALL, '--out', 'other', '--seed', '2'));
    expect(firstDifference(bytes('other/model.safetensors'), bytes('whole/model.safetensors'))).not.toBe(-1);
  });

  test.each([
    ['lstm', []],
    ['gru, two layers, dropout', ['--cell', 'gru', '--layers', '2', '--dropout', '0.2', '--clip', '0.5']],
    ['rnn', ['--cell', 'rnn']],
  ])('%s, resumed at half, makes the same files as in one go', (_, flags) => {
    const train = (...rest: string[]) => expectDone(run('train', 'text.txt', ...SMALL, ...flags, ...rest));
    train('--out', 'one');
    train('--out', 'half', '--steps', '10', '--log', 'half.jsonl');
    const half = bytes('half/model.safetensors');
    expectDone(
      run(
        'train',
        'text.txt',
        '--resume',
        'half/model.safetensors',
        '--steps',
        '20',
        '--out',
        'two',
        '--log',
        'half.jsonl',
      ),
    );
    expect(firstDifference(bytes('two/model.safetensors'), bytes('one/model.safetensors'))).toBe(-1);
    expect(firstDifference(bytes('two/loss.svg'), bytes('one/loss.svg'))).toBe(-1);
    expect(firstDifference(bytes('half/model.safetensors'), half)).toBe(-1);
    const steps = readFileSync(at('half.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).step);
    expect(steps).toEqual(Array.from({ length: 20 }, (__, i) => i + 1));
    // Without --out, into the model's own folder.
    expectDone(run('train', 'text.txt', '--resume', 'half/model.safetensors', '--steps', '20'));
    expect(firstDifference(bytes('half/model.safetensors'), bytes('one/model.safetensors'))).toBe(-1);
    expect(existsSync(at('tapeloop-out'))).toBe(false);
  });

  test('resumed with the same --batch, or another --lr, goes on where it was; with another --time, from the beginning', () => {
    const resume = (...flags: string[]) =>
      expectDone(run('train', 'text.txt', '--resume', 'whole/model.safetensors', '--steps', '22', ...flags)).stderr;
    for (const flags of [
      ['--batch', '4'],
      ['--lr', '0.01'],
      ['--clip', '1'],
    ]) {
      expect(resume(...flags, '--out', 'b')).not.toContain('beginning');
    }
    expect(resume('--time', '20', '--out', 'b')).toContain("from the text's beginning");
    expect(run('info', 'b/model.safetensors').stdout).toContain(
      'Trained: 22 steps of 4 × 20 characters, adam at 0.002',
    );
  });

  test('--epochs, passes over the text that often', () => {
    const windows = Math.floor(Math.floor((Math.floor(text.length * 0.9) - 1) / 4) / 10);
    const flags = ['--hidden', '8', '--batch', '4', '--time', '10', '--epochs', '2', '--log', 'log.jsonl'];
    expect(expectDone(run('train', 'text.txt', ...flags)).stderr).toContain('2.0 passes over the text');
    expect(readFileSync(at('log.jsonl'), 'utf8').trim().split('\n')).toHaveLength(2 * windows);
    expect(readdirSync(at('tapeloop-out')).sort()).toEqual(['loss.svg', 'model.safetensors']);
  });

  test('--quiet, writes nothing to standard error', () => {
    const { stdout, stderr } = expectDone(run('train', 'text.txt', ...SMALL, '--quiet'));
    expect(stderr).toBe('');
    expect(stdout.length).toBeGreaterThan(400);
    expect(run('train', 'none.txt', '--quiet').stderr).toContain('no such file');
  });

  test.each([
    ['SIGINT', 130, 'among validations', '10', 'step 10/'],
    ['SIGINT', 130, 'far from any validation', '1000000', 'run '],
    ['SIGTERM', 143, 'among validations', '10', 'step 10/'],
  ] as const)(
    '%s, ends with %i, %s: saves and says where; resumed, it ends as a run in one go',
    async (signal, code, _, every, cue) => {
      const flags = ['text.txt', ...SMALL, '--eval-every', every];
      const child = spawn(process.execPath, [main, 'train', ...flags, '--steps', '1000000', '--out', 'cut'], {
        cwd: folder,
      });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        if (!stderr.includes(cue) && (stderr + chunk).includes(cue)) child.kill(signal);
        stderr += chunk;
      });
      const ended = await new Promise((resolve) => child.on('close', resolve));
      expect(ended).toBe(code);
      const end = /\ninterrupted at step (\d+), saved; to go on: --resume cut\/model\.safetensors\n$/.exec(stderr);
      expect(end, stderr).not.toBeNull();
      expect(readdirSync(at('cut')).sort()).toEqual(['loss.svg', 'model.safetensors']);

      const steps = ['--steps', String(Number(end![1]) + 5)];
      expectDone(run('train', 'text.txt', '--resume', 'cut/model.safetensors', ...steps));
      expectDone(run('train', ...flags, ...steps, '--out', 'one'));
      expect(firstDifference(bytes('cut/model.safetensors'), bytes('one/model.safetensors'))).toBe(-1);
    },
  );

  test('resumed from a file whose last validation was cut short, makes up for it', () => {
    const { tensors, metadata } = decodeSafetensors(bytes('whole/model.safetensors'));
    const run20 = JSON.parse(metadata.extra!);
    expect(run20.validation.pop()[0]).toBe(20);
    writeFileSync(at('cut.safetensors'), encodeSafetensors(tensors, { ...metadata, extra: JSON.stringify(run20) }));
    expectDone(run('train', 'text.txt', '--resume', 'cut.safetensors', '--steps', '25', '--out', 'two'));
    expectDone(run('train', 'text.txt', ...SMALL, '--steps', '25', '--out', 'one'));
    expect(firstDifference(bytes('two/model.safetensors'), bytes('one/model.safetensors'))).toBe(-1);
  });

  test('loss that runs off, says at which step, and keeps the last good model', () => {
    const { tensors, metadata } = decodeSafetensors(bytes('whole/model.safetensors'));
    // With finite weights whose products are not.
    for (const name of ['dense/kernel', 'embedding/embeddings']) (tensors.get(name)!.data as Float32Array).fill(3e38);
    const hostile = encodeSafetensors(tensors, metadata);
    writeFileSync(at('hostile.safetensors'), hostile);
    const { code, stderr } = run(
      'train',
      'text.txt',
      '-q',
      '--resume',
      'hostile.safetensors',
      '--steps',
      '40',
      '--out',
      'b',
    );
    expect(stderr).toMatch(
      /^tapeloop: training stopped at step 21: the loss became (NaN|-?Infinity); hostile\.safetensors holds the last good model, of step 20\n$/,
    );
    expect(code).toBe(1);
    expect(firstDifference(bytes('hostile.safetensors'), Buffer.from(hostile))).toBe(-1);
    expect(readdirSync(at('b'))).toEqual([]);
  });

  test('full disk, leaves the old model as it was and says what happened', () => {
    const before = bytes('whole/model.safetensors');
    const { code, stderr } = runWithTinyFiles('train text.txt -q --resume whole/model.safetensors --steps 40');
    expect(stderr).toBe('tapeloop: cannot write whole/model.safetensors: file too large (EFBIG)\n');
    expect(code).toBe(1);
    expect(firstDifference(bytes('whole/model.safetensors'), before)).toBe(-1);
    expect(readdirSync(at('whole')).sort()).toEqual(['loss.svg', 'model.safetensors']);
    expectDone(run('generate', 'whole/model.safetensors', '--length', '5'));
  });

  test.each<[string, string[], number, string | RegExp]>([
    ['empty text', ['empty.txt'], 1, 'tapeloop: empty.txt: expected text, got an empty file'],
    ['one character', ['one.txt'], 1, 'tapeloop: one.txt: expected two distinct characters or more, got "a" alone'],
    [
      'short text',
      ['short.txt'],
      1,
      'tapeloop: short.txt: expected 1601 characters or more to train on, for --batch 32 --time 50; got 9, with --split 0.9',
    ],
    ['missing text', ['none.txt'], 1, 'tapeloop: cannot read none.txt: no such file or directory (ENOENT)'],
    ['folder as text', ['whole'], 1, 'tapeloop: cannot read whole: expected a file, got a folder'],
    ['text that is not UTF-8', ['latin1.txt'], 1, 'tapeloop: latin1.txt: expected UTF-8, got byte 0xff at offset 2'],
    [
      '--out that is a file',
      ['text.txt', ...SMALL, '--out', 'one.txt'],
      1,
      /^tapeloop: cannot make one.txt: .*\(EEXIST\)$/,
    ],
    [
      '--out below a file',
      ['text.txt', ...SMALL, '--out', 'one.txt/b'],
      1,
      /^tapeloop: cannot make one.txt\/b: .*\((ENOTDIR|EEXIST)\)$/,
    ],
    [
      '--log in no folder',
      ['text.txt', ...SMALL, '--out', 'whole', '--log', 'no/log'],
      1,
      /^tapeloop: cannot open no\/log: .*ENOENT/,
    ],
    ['--resume of nothing', ['text.txt', '--resume', 'none'], 1, /^tapeloop: cannot read none: no such file/],
    [
      '--resume cut short',
      ['text.txt', '--resume', 'cut.safetensors'],
      1,
      /^tapeloop: cut\.safetensors: .*end past the file/,
    ],
    [
      '--resume of a text',
      ['text.txt', '--resume', 'text.txt'],
      1,
      /^tapeloop: text\.txt: header length expected .*not a safetensors file$/,
    ],
    [
      '--resume with another --hidden',
      ['text.txt', '--resume', 'whole/model.safetensors', '--hidden', '32'],
      2,
      'tapeloop train: --hidden expected 16, as the resumed model has it, got 32',
    ],
    [
      '--resume of a finished run',
      ['text.txt', '--resume', 'whole/model.safetensors'],
      2,
      'tapeloop train: whole/model.safetensors has made 20 steps, expected --steps or --epochs to go beyond, got 20',
    ],
    [
      '--resume without its text',
      ['--resume', 'whole/model.safetensors', '--steps', '30'],
      2,
      'tapeloop train: FILE expected, the text to go on with, as the model holds none; got none',
    ],
    [
      '--resume with a text of other characters',
      ['greek.txt', '--resume', 'whole/model.safetensors', '--steps', '30'],
      1,
      /^tapeloop: greek\.txt: character "α" \(U\+03B1\) at position 0 is not among the vocabulary's \d\d characters$/,
    ],
    [
      'unknown flag',
      ['text.txt', '--hiden', '5'],
      2,
      /^tapeloop train: --hiden is not one of its flags, expected .*; did you mean '--hidden'\?$/m,
    ],
  ])('%s, is one line, exit code and nothing written', (_, args, code, message) => {
    writeFileSync(at('empty.txt'), '');
    writeFileSync(at('one.txt'), 'a'.repeat(5000));
    writeFileSync(at('short.txt'), 'abcdefghij');
    writeFileSync(at('greek.txt'), 'αβγ'.repeat(500));
    writeFileSync(at('latin1.txt'), Buffer.from([0x61, 0x62, 0xff]));
    writeFileSync(at('cut.safetensors'), bytes('whole/model.safetensors').subarray(0, -100));
    const before = readdirSync(folder, { recursive: true });
    const result = run('train', ...args);
    expect(result.stderr).toMatch(/^[^\n]+\n$/);
    if (typeof message === 'string') expect(result.stderr.trimEnd()).toBe(message);
    else expect(result.stderr.trimEnd()).toMatch(message);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  });
});
