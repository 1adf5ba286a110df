// The tables of names: each name exists, and every function that a port can use is named.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as constraints from '../../src/layers/constraints/index.ts';
import * as losses from '../../src/losses/index.ts';
import * as metrics from '../../src/metrics/index.ts';
import * as callbacksForNode from '../../src/node-callbacks.ts';
import * as optimizers from '../../src/optimizers/index.ts';
import * as schedules from '../../src/optimizers/schedules/index.ts';
import { readPage } from './programs.ts';

const src = new URL('../../src/', import.meta.url);
const source = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.gen.ts'))
  .map((file) => readFileSync(new URL(file, src), 'utf8'))
  .join('\n');
const words = new Set(source.match(/\w+/g));

const guide = readPage('docs/guides/port-from-keras.md').replace(/^```.*?^```$/gms, '');
const codeIn = (text: string): string[] => Array.from(text.matchAll(/`([^`]+)`/g), ([, code]) => code!);

test.each(['port-from-keras', 'port-from-pytorch', 'port-from-tfjs'])(
  '%s, names in its second columns, are all there',
  (name) => {
    const cells = readPage(`docs/guides/${name}.md`)
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .map((line) => line.split('|')[2]!);
    const names = cells.flatMap(codeIn).flatMap((code) => code.replace(/'[^']*'/g, '').match(/[a-z]\w+/gi) ?? []);
    expect(names.length).toBeGreaterThan(20);
    const ofJavaScript = ['console', 'new', 'null', 'true', 'map', 'forEach', 'values', 'await', 'string'];
    expect(names.filter((each) => !words.has(each) && !ofJavaScript.includes(each))).toEqual([]);
  },
);

/** Functions that src/lean.ts takes from a folder. */
const exportsOf = (folder: string): string[] =>
  Array.from(readPage('src/lean.ts').matchAll(/export \{([^}]*)\} from '([^']*)'/g))
    .filter(([, , from]) => from!.startsWith(folder))
    .flatMap(([, names]) => names!.split(',').map((each) => each.trim()))
    .filter((name) => /^[a-z]\w*$/.test(name));

test.each<[string, readonly string[]]>([
  ['layer', exportsOf('./layers/')],
  ['callback', [...exportsOf('./callbacks/'), ...Object.keys(callbacksForNode)]],
  ['loss', Object.keys(losses)],
  ['metric', Object.keys(metrics)],
  ['constraint', Object.keys(constraints)],
  ['optimizer', Object.keys(optimizers).filter((name) => /^[a-z]/.test(name) && name !== 'optimizerOf')],
  ['schedule', Object.keys(schedules).filter((name) => !/serialize$/.test(name))],
])('every %s that is exported, is named', (_, names) => {
  const named = new Set(codeIn(guide).flatMap((code) => code.match(/\w+/g) ?? []));
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((name) => !named.has(name))).toEqual([]);
});
