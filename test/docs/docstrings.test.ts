// Public docstrings have what style asks for: a sentence, shapes where tensors go in, errors in full, an example where users begin.
import { describe, expect, test } from 'vitest';
import { type Documented, functions } from './public-functions.ts';

const names = (list: readonly Documented[]): string[] => list.map(({ name }) => name);
const inRoom = (...rooms: string[]): Documented[] =>
  functions.filter(({ file }) => rooms.some((room) => file.startsWith(room)));

describe('docstrings of public functions', () => {
  test('are there', () => {
    expect(functions.length).toBeGreaterThan(200);
    expect(names(functions.filter(({ text }) => text.trim() === ''))).toEqual([]);
  });

  test('say what they throw', () => {
    const silent = functions.filter(
      ({ parameters, tags, text }) => parameters > 0 && !tags.throws && !/Throws/.test(text),
    );
    expect(names(silent)).toEqual([]);
  });

  test('say it themselves, not by pointing at another', () => {
    const pointing = functions.filter(({ tags }) =>
      [...(tags.throws ?? []), ...(tags.returns ?? [])].some((each) =>
        /\bas `?[\w.]+`? (?:does|do)\b|^as `[\w.]+`/.test(each),
      ),
    );
    expect(names(pointing)).toEqual([]);
  });

  test('of ops and layers, give shapes', () => {
    const shapeless = inRoom('ops/', 'layers/').filter(
      ({ text, tags, parameters }) =>
        parameters > 0 && !/\[[A-Z.…, ]|\[\]|shape|elementwise|`\[/.test(text + Object.values(tags).flat().join(' ')),
    );
    expect(names(shapeless)).toEqual([]);
  });

  test('of layers, losses, optimizers, callbacks, loaders and models, have an example', () => {
    const first = [
      ...inRoom(
        'layers/',
        'losses/',
        'optimizers/',
        'callbacks/',
        'models/',
        'streaming/',
        'data/sources/',
        'data/tables/',
      ),
      ...inRoom('data/text/', 'data/windows', 'saving/', 'node-callbacks'),
    ];
    expect(names(first.filter(({ tags }) => !tags.example))).toEqual([]);
  });
});
