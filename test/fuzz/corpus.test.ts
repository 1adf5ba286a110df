// Inputs that fuzzing has found and that are mended, and inputs that must stay without findings.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { functions } from './called.ts';
import { attempt, faultOf } from './oracle.ts';
import { Random } from './random.ts';
import { type Plain, Violation } from './target.ts';
import { targetOf } from './targets.ts';
import { calls, otherwise } from './valid-calls.ts';

const folder = new URL('corpus/', import.meta.url);
const cases = readdirSync(folder).flatMap((file) => {
  const inputs = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Record<string, Plain>;
  return Object.entries(inputs).map(([name, input]) => ({ target: file.replace('.json', ''), name, input }));
});

describe('an input that broke a rule before', () => {
  test.each(cases)('$target: $name, breaks none', async ({ target, input }) => {
    expect((await attempt(await targetOf(target), input))?.signature ?? '').toBe('');
  });
});

describe('inputs made at random', () => {
  test('of one target, seed and index, are the same', async () => {
    const { generate } = await targetOf('csv');
    expect(generate(new Random('csv', 1, 7))).toEqual(generate(new Random('csv', 1, 7)));
    expect(generate(new Random('csv', 1, 8))).not.toEqual(generate(new Random('csv', 1, 7)));
  });
});

describe('calls that inputs are made of', () => {
  test('every public function has one, or a reason to have none', () => {
    const known = [...calls.flatMap(([, list]) => Object.keys(list)), ...Object.keys(otherwise)];
    expect([...functions.keys()].filter((name) => !known.includes(name))).toEqual([]);
    expect(known.filter((name) => !functions.has(name))).toEqual([]);
  });

  test('each is answered before it is spoilt', async () => {
    const { run } = await targetOf('calls');
    const refused: string[] = [];
    for (const [name, variants] of calls.flatMap(([, list]) => Object.entries(list))) {
      for (const args of variants) {
        try {
          await run({ call: name, args });
        } catch (error) {
          refused.push(`${name}: ${(error as Error).message}`);
        }
      }
    }
    expect(refused).toEqual([]);
  });
});

describe('faultOf', () => {
  test.each<[string, unknown, string | undefined]>([
    [
      'an error of the inside',
      new TypeError("Cannot read properties of undefined (reading 'x')"),
      'TypeError of the inside',
    ],
    ['a RangeError that says what was expected', new RangeError('seed expected an integer, got -1'), undefined],
    ['a trap', new WebAssembly.RuntimeError('unreachable'), 'RuntimeError of the inside'],
    ['a rule that does not hold', new Violation('an id below 0'), 'an id below 0'],
    ['something that is no error', 'oops', 'threw string'],
  ])('of %s, says so', (_, error, fault) => {
    expect(faultOf(error)).toBe(fault);
  });
});
