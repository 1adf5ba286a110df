// `tapeloop generate`, `info` and `help`, from end to end.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { canTurnOn } from '../engine/wide-host.ts';
import {
  at,
  buildCommandLine,
  bytes,
  expectDone,
  folder,
  main,
  root,
  run,
  runWithTinyFiles,
  SMALL,
  text,
} from './processes.ts';

buildCommandLine();

describe('tapeloop generate', () => {
  const generate = (...args: string[]): string => {
    const { stdout, stderr } = expectDone(run('generate', 'whole/model.safetensors', ...args));
    expect(stderr).toBe('');
    return stdout;
  };

  test('prompt and length, writes the prompt, as many characters and a line end', () => {
    const out = generate('--prompt', '7 bottles', '--length', '30');
    expect(out.startsWith('7 bottles')).toBe(true);
    expect([...out]).toHaveLength(9 + 30 + 1);
    expect(generate()).toHaveLength(501);
  });

  test('characters beyond the basic plane, count as one', () => {
    writeFileSync(at('emoji.txt'), '😀😃😄'.repeat(100));
    expectDone(run('train', 'emoji.txt', ...SMALL, '--out', 'emoji'));
    const { stdout } = expectDone(run('generate', 'emoji/model.safetensors', '--prompt', '😃', '--length', '7'));
    expect([...stdout]).toHaveLength(9);
    expect(stdout.startsWith('😃')).toBe(true);
  });

  test('seed, decides what is written; temperature 0 and top-k 1 are the same for every seed', () => {
    expect(generate('--seed', '3')).toBe(generate('--seed', '3'));
    expect(generate('--seed', '3')).not.toBe(generate('--seed', '4'));
    const greedy = generate('--temperature', '0', '--seed', '1');
    expect(generate('--temperature', '0', '--seed', '2')).toBe(greedy);
    expect(generate('--top-k', '1', '--seed', '3')).toBe(greedy);
  });

  test('train --wide, computes with wide vectors, or says in one line that this host cannot', () => {
    const { code, stderr } = run('train', 'text.txt', ...SMALL, '--out', 'wide', '--wide');
    if (canTurnOn) expect(stderr).toMatch(/^engine (simd|relaxed)(-wide)?$/m);
    else expect(stderr).toMatch(/^tapeloop: init: wide: V8 \S+ cannot join vectors [^\n]*\n$/);
    expect(code).toBe(canTurnOn ? 0 : 1);
  });

  test('reader that leaves, ends it quietly', async () => {
    const child = spawn(process.execPath, [main, 'generate', 'whole/model.safetensors', '--length', '10000000'], {
      cwd: folder,
    });
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    expect(stderr).toBe('');
  });

  test('output that cannot be written, is one line', () => {
    const { code, stderr } = runWithTinyFiles('generate whole/model.safetensors --length 5000 > out.txt');
    expect(stderr).toBe('tapeloop: cannot write to standard output: file too large (EFBIG)\n');
    expect(code).toBe(1);
  });

  test.each<[string[], number, RegExp]>([
    [
      ['whole/model.safetensors', '--prompt', '7 bottlés'],
      1,
      /^tapeloop: --prompt: character "é" \(U\+00E9\) at position 7 is not/,
    ],
    [['none'], 1, /^tapeloop: cannot read none: no such file or directory \(ENOENT\)$/],
    [['whole'], 1, /^tapeloop: cannot read whole: expected a file, got a folder$/],
    [['plain.safetensors'], 1, /^tapeloop: plain\.safetensors: metadata 'format' expected 'tapeloop', got none$/],
    [
      ['batch.safetensors'],
      1,
      /^tapeloop: batch\.safetensors: its run's batch expected a whole number from 1 to 65536, got -4$/,
    ],
    [['points.safetensors'], 1, /^tapeloop: points\.safetensors: its run's train expected a list of \[step, loss\]$/],
    [
      ['vocabulary.safetensors'],
      1,
      /^tapeloop: vocabulary\.safetensors: vocabulary\[1\] expected one character, not used before, got "\\n"$/,
    ],
    [
      ['fewer.safetensors'],
      1,
      /^tapeloop: fewer\.safetensors: a vocabulary of \d\d expected as many ids in and logits out, got \d\d and \d\d$/,
    ],
    [[], 2, /^tapeloop generate: expected the path of a MODEL, got none$/],
    [
      ['whole/model.safetensors', '--temperature', 'hot'],
      2,
      /^tapeloop generate: --temperature: expected a number from 0 to 100, got "hot"$/,
    ],
  ])('%j, is one line and exit code %i', (args, code, message) => {
    // biome-ignore lint/suspicious/noExplicitAny: what a hostile file may hold has no type.
    const edit = (name: string, key: string, change: (value: any) => void): void => {
      const { tensors, metadata } = decodeSafetensors(bytes('whole/model.safetensors'));
      const value = JSON.parse(metadata[key]!);
      change(value);
      writeFileSync(at(name), encodeSafetensors(tensors, { ...metadata, [key]: JSON.stringify(value) }));
    };
    writeFileSync(at('plain.safetensors'), encodeSafetensors(new Map(), {}));
    edit('batch.safetensors', 'extra', (extra) => (extra.options.batch = -4));
    edit('points.safetensors', 'extra', (extra) => extra.train.push([21, null]));
    edit('vocabulary.safetensors', 'vocabulary', (vocabulary) => (vocabulary[1] = '\n'));
    edit('fewer.safetensors', 'vocabulary', (vocabulary) => vocabulary.pop());
    const result = run('generate', ...args);
    expect(result.stderr).toMatch(/^[^\n]+\n$/);
    expect(result.stderr.trimEnd()).toMatch(message);
    expect(result).toMatchObject({ code, stdout: '' });
  });
});

describe('tapeloop info, help and version', () => {
  test('info, says layers, size, vocabulary, training and validation', () => {
    const { stdout, stderr } = expectDone(run('info', 'whole/model.safetensors'));
    expect(stdout).toMatch(/lstm \(LSTM\) .* \(None, None, 16\)/);
    expect(stdout).toContain(
      ` File: whole/model.safetensors, ${bytes('whole/model.safetensors').length.toLocaleString('en-US')} bytes\n`,
    );
    expect(stdout).toContain(` Vocabulary: ${new Set(text).size} characters "\\n ,.0123456789abef`);
    expect(stdout).toContain(' Trained: 20 steps of 4 × 10 characters, adam at 0.002\n');
    expect(stdout).toMatch(/\n Validation loss: \d\.\d{4} nat a character at step 20\n$/);
    expect(stderr).toBe('');
  });

  test('help and version, go to standard output', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    expect(run()).toMatchObject({ code: 0, stderr: '' });
    expect(run('train', '--help').stdout).toContain('Ctrl-C ends training');
    expect(run('sing')).toMatchObject({ code: 2, stdout: '' });
  });
});
