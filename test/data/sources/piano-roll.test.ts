import { describe, expect, test } from 'vitest';
import { loadPianoRoll } from '../../../src/data/sources/piano-roll.ts';

const load = (text: string, options = {}) =>
  loadPianoRoll(new TextEncoder().encode(text), { name: 'm.json', ...options });

describe('loadPianoRoll', () => {
  test('three parts, are rolls with 1 where a key sounds', async () => {
    const { train, valid, test: held } = await load('{"train":[[[0,87],[]],[[3]]],"valid":[],"test":[[[1,1]]]}');
    expect(train.map(({ shape }) => shape)).toEqual([
      [2, 88],
      [1, 88],
    ]);
    const roll = new Uint8Array(2 * 88);
    roll[0] = roll[87] = 1;
    expect(train[0]!.data).toEqual(roll);
    expect(valid).toEqual([]);
    expect(held[0]!.data.indexOf(1)).toBe(1);
  });

  test('keys and lowestKey, are another instrument with other numbers', async () => {
    const { train } = await load('{"train":[[[60,62]]],"valid":[],"test":[]}', { keys: 3, lowestKey: 60 });
    expect(train[0]!.toNested()).toEqual([[1, 0, 1]]);
  });

  test.each([
    ['{"train":[[[1],[2,88]]],"valid":[],"test":[]}', 'm.json: train[0][1][1] expected a key, 0 to 87, got 88'],
    ['{"train":[],"valid":[[],[[-1]]],"test":[]}', 'm.json: valid[1][0][0] expected a key, 0 to 87, got -1'],
    ['{"train":[],"valid":[],"test":[[[1.5]]]}', 'm.json: test[0][0][0] expected a key, 0 to 87, got 1.5'],
    ['{"train":[],"valid":[],"test":[[["1"]]]}', "m.json: test[0][0][0] expected a key, 0 to 87, got '1'"],
    ['{"train":[],"valid":[],"test":[[5]]}', 'm.json: test[0][0] expected an array, got number'],
    ['{"train":[],"valid":[]}', 'm.json: test expected an array, got undefined'],
    ['{"train":[[[{"toString":null}]]]}', 'm.json: train[0][0][0] expected a key, 0 to 87, got an object'],
    ['{"train":[[[[[[1]]]]]]}', 'm.json: train[0][0][0] expected a key, 0 to 87, got a list of 1'],
    [`{"train":[[[${'['.repeat(50_000)}${']'.repeat(50_000)}]]]}`, 'm.json: train[0][0][0] expected a key'],
    ['{"train":[[[null]]]}', 'm.json: train[0][0][0] expected a key, 0 to 87, got null'],
    ['null', 'm.json: train expected an array, got undefined'],
  ])('%s, is an error with part, piece, step and place', async (text, message) => {
    await expect(load(text)).rejects.toThrow(message);
  });

  test('more keys than there is room for, are an error', async () => {
    await expect(load('{"train":[[[0]]],"valid":[],"test":[]}', { keys: 2 ** 50 })).rejects.toThrow(
      'loadPianoRoll: keys expected fewer numbers than this host has room for, got 1125899906842624 in all',
    );
  });

  test('JSON that is cut or faulty, is an error with the line', async () => {
    await expect(load('{"train":[\n[[1')).rejects.toThrow(/^m\.json:2: expected JSON, got a fault: /);
    await expect(load('{"train":[],\n\n"valid" 5}')).rejects.toThrow(/^m\.json:3: expected JSON/);
  });

  test.each([{ keys: 0 }, { lowestKey: 0.5 }])('option %j, is an error', async (options) => {
    await expect(load('{}', options)).rejects.toThrow(/^loadPianoRoll: (keys|lowestKey) expected/);
  });
});
