// The built package in Node: the main entry has few files, and there is one engine and one copy of each class,
// whichever entries a program mixes.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');

/** The files that are read when `entry` is imported. */
function filesOf(entry: string): string[] {
  const found = new Set<string>();
  const walk = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    for (const [, path] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|\} from) .*?"(\.[^"]*)";|^import .*?"(\.[^"]*)";/gm,
    )) {
      if (path) walk(join(dirname(file), path));
    }
  };
  walk(join(dist, entry));
  return [...found].map((file) => relative(dist, file));
}

/** What a program prints, which is run by Node where it finds the package as a user's would. */
const run = (code: string): unknown =>
  JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' }));

test('index.js and lean.js, are two files more each; entries without an engine are without the larger one', () => {
  for (const entry of ['index.js', 'lean.js']) {
    expect(filesOf(entry).sort()).toEqual(['chunks/base.js', 'chunks/core.js', entry]);
  }
  for (const entry of ['stream.js', 'data.js', 'plot.js']) expect(filesOf(entry)).not.toContain('chunks/core.js');
});

test('files, are of one byte a character', () => {
  for (const file of [...filesOf('index.js'), ...filesOf('stream.js'), ...filesOf('cli/main.js')]) {
    expect(readFileSync(join(dist, file), 'utf8').match(/[^\0-\x7f]/)?.[0], file).toBeUndefined();
  }
});

test('no file, tells where it was built', () => {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) expect(readFileSync(join(dist, file), 'utf8').includes(root), file).toBe(false);
});

test('hosts that set the condition of an edge worker beside that of Node, get what an edge worker may run', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, Record<string, unknown>>;
  };
  for (const [entry, conditions] of Object.entries(exports)) {
    // It needs a file system, so that edge workers and pages get a stub.
    if (!conditions.node || entry === './node') continue;
    expect(Object.keys(conditions), entry).toEqual([
      'types',
      'workerd',
      'edge-light',
      'node',
      'module',
      'require',
      'default',
    ]);
    const { default: modules } = conditions;
    expect([conditions.workerd, conditions['edge-light'], conditions.module], entry).toEqual([
      modules,
      modules,
      modules,
    ]);
  }
});

test('what two entries export by one name, is one thing but for the generation of streams from files', () => {
  const code = `
    const names = ['tapeloop', 'tapeloop/lean', 'tapeloop/stream', 'tapeloop/data', 'tapeloop/plot', 'tapeloop/characters', 'tapeloop/node'];
    const spaces = await Promise.all(names.map((name) => import(name)));
    const [main] = spaces;
    const differing = spaces.flatMap((a) => spaces.flatMap((b) => Object.keys(a).filter((key) => key in b && a[key] !== b[key])));
    const renamed = spaces.flatMap((space) => Object.keys(space).filter((key) => /^class/.test(String(space[key])) && space[key].name !== key));
    console.log(JSON.stringify({ differing: [...new Set(differing)].sort(), renamed, count: Object.keys(main).length }));`;
  const { count, ...rest } = run(code) as { count: number };
  expect(rest).toEqual({ differing: ['generate', 'generateBatch', 'generateIds'], renamed: [] });
  expect(count).toBeGreaterThan(100);
});

test('a program of all entries, has one engine, one class of each error and of each array', () => {
  const code = `
    import { ArgumentError, dense, engine, ModelFileError, NdArray, sequential, tensor } from 'tapeloop';
    import * as lean from 'tapeloop/lean';
    import * as stream from 'tapeloop/stream';
    import * as data from 'tapeloop/data';
    import * as plot from 'tapeloop/plot';
    import * as node from 'tapeloop/node';
    const thrown = (body) => { try { body(); } catch (error) { return error; } };
    const model = sequential([dense({ units: 1, batchInputShape: [null, 2] })]);
    const x = tensor([[1], [3]]);
    console.log(JSON.stringify([
      lean.engine() === engine(), model.engine === engine(), lean.tensor([1]).engine === engine(),
      data.padSequences([[1], [2, 3]]) instanceof NdArray,
      data.standardize(x).transform(x).data.join() === '-1,1',
      thrown(() => data.padSequences([], { dtype: 'f64' })) instanceof ArgumentError,
      thrown(() => plot.plotHistory({ epoch: [], history: {} }, { metrics: ['none'] })) instanceof ArgumentError,
      thrown(() => stream.decodeStream(new Uint8Array(3))) instanceof ModelFileError,
      thrown(() => node.loadModel('package.json')) instanceof ModelFileError,
    ]));`;
  expect(run(code)).toEqual(new Array(9).fill(true));
});

test('require, gives what import gives, as another copy of one engine and one class of each error', () => {
  const code = `
    import { createRequire } from 'node:module';
    import * as imported from 'tapeloop';
    const require = createRequire(import.meta.url);
    const entries = ['', '/lean', '/audio', '/images', '/sequences', '/state-space', '/onnx', '/torch', '/stream', '/audio-models', '/tfjs', '/keras', '/audio-stream', '/data', '/plot', '/characters', '/node'];
    const unlike = [];
    for (const entry of entries) {
      const names = (module) => Object.keys(module).filter((key) => key !== 'module.exports' && key !== 'default').sort().join();
      if (names(require('tapeloop' + entry)) !== names(await import('tapeloop' + entry))) unlike.push(entry);
    }
    const { dense, engine, ModelFileError, NdArray, sequential, tensor, init } = require('tapeloop');
    const thrown = (body) => { try { body(); } catch (error) { return error; } };
    await init({ threads: 2 });
    const model = sequential([dense({ units: 1, batchInputShape: [null, 2] })]);
    const ones = require('tapeloop').ndarray(new Float32Array(4).fill(1), [2, 2]);
    const theirs = imported.sequential([imported.dense({ units: 1, inputShape: [2] })]);
    console.log(JSON.stringify({ unlike, threads: engine().threads, facts: [
      require('tapeloop/lean').engine() === engine(), model.engine === engine(), imported.engine() !== engine(),
      require('tapeloop/data').padSequences([[1], [2, 3]]) instanceof NdArray,
      thrown(() => require('tapeloop/stream').decodeStream(new Uint8Array(3))) instanceof ModelFileError,
      theirs.predict(ones).shape.join() === '2,1',
    ], errors: [
      thrown(() => imported.ops.square(tensor([1]))), thrown(() => imported.sequential([dense({ units: 1 })])),
    ].map(String) }));`;
  const other = 'got one of another copy of tapeloop';
  expect(run(code)).toEqual({
    unlike: [],
    threads: 2,
    facts: new Array(6).fill(true),
    errors: [
      `ArgumentError: square: x expected a tensor, ${other}`,
      `ArgumentError: sequential: layers[0] expected a layer or a model, ${other}`,
    ],
  });
});
