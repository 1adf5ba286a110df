import { afterEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/checks/argument-error.ts';
import { nearestName } from '../../src/checks/nearest-name.ts';
import { checkOptions, setHint } from '../../src/checks/options.ts';

interface Options {
  units: number;
  useBias?: boolean | undefined;
}
const check = (options: unknown): Options => checkOptions('dense', options as Options, { units: 1, useBias: 1 });
const refused = (message: string): Error => new ArgumentError(`dense: ${message}`);

afterEach(() => setHint(nearestName));

describe('checkOptions', () => {
  test('known names, undefined ones and fewer, gives the object back', () => {
    for (const options of [{}, { units: 1 }, { units: 1, useBias: undefined }, Object.create(null)]) {
      expect(check(options)).toBe(options);
    }
  });

  test('an unknown name, is refused with the nearest', () => {
    expect(() => check({ units: 1, use_bias: true })).toThrow(
      refused("unknown option 'use_bias'; did you mean 'useBias'?"),
    );
    expect(() => check({ usebias: undefined })).toThrow(refused("unknown option 'usebias'; did you mean 'useBias'?"));
  });

  test('an unknown name like none, is refused with all that there are', () => {
    for (const name of ['groups', '__proto__', 'constructor', 'toString']) {
      const options = JSON.parse(`{ "${name}": 1 }`);
      expect(() => check(options)).toThrow(refused(`unknown option '${name}'; expected units, useBias`));
    }
  });

  test('any name where there is no option, is refused', () => {
    expect(() => checkOptions('nonNeg', { axis: 1 } as object, {})).toThrow(
      new ArgumentError("nonNeg: unknown option 'axis'; expected none"),
    );
  });

  test('without hints, as in an app of tapeloop/lean, lists all that there are', () => {
    setHint(() => '');
    expect(() => check({ use_bias: true })).toThrow(refused("unknown option 'use_bias'; expected units, useBias"));
  });

  test.each([
    [0.01, 'Number'],
    ['relu', 'String'],
    [null, 'Null'],
    [undefined, 'Undefined'],
    [[32], 'Array'],
    [() => 1, 'Function'],
    [Symbol('x'), 'Symbol'],
    [new Map(), 'Map'],
    [new Float32Array(2), 'Float32Array'],
  ])('%s, no object of options, is refused', (given, kind) => {
    expect(() => check(given)).toThrow(refused(`options expected an object, got ${kind}`));
  });
});
