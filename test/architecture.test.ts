// The structure of the source: which rooms may import which, and what the source must not contain.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

interface Import {
  from: string;
  /** A file of src, or the bare specifier of a package. */
  to: string;
  /** `import type`, which is gone when the code runs. */
  typeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'));

/** A file's code without comments and string contents, so that words in either are not taken for code. */
const codeOf = (file: string): string =>
  readFileSync(join(SRC, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '$1');

function importsOf(file: string): Import[] {
  const statement = /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*['"`]([^'"`]+)/gm;
  return Array.from(codeOf(file).matchAll(statement), ([, type, from, dynamic]) => {
    const specifier = (from ?? dynamic)!;
    const to = specifier.startsWith('.') ? relative(SRC, join(SRC, dirname(file), specifier)) : specifier;
    return { from: file, to: to.replaceAll('\\', '/'), typeOnly: type !== undefined };
  });
}

const imports = files.flatMap(importsOf);
const internal = imports.filter(({ to }) => files.includes(to));
const folderOf = (file: string): string => (file.includes('/') ? file.slice(0, file.indexOf('/')) : 'face');

// Each may import what stands before it and its own; the members of one row do not know each other.
const ORDER = [
  ['host'],
  ['checks'],
  ['engine', 'registry'],
  ['autograd'],
  ['cells', 'data', 'io'],
  ['streaming'],
  ['compiled', 'ops'],
  ['layers'],
  ['losses', 'optimizers'],
  ['metrics'],
  ['train'],
  ['models'],
  ['saving'],
  ['callbacks'],
  ['audio', 'images', 'sequences', 'state-space'],
  ['onnx', 'torch', 'keras', 'audio-models'],
  ['tfjs'],
  ['characters', 'plot'],
  ['bench'],
  ['face'],
  ['cli'],
];
const rank = (folder: string): number => ORDER.findIndex((row) => row.includes(folder));
const show = ({ from, to }: Import): string => `${from} imports ${to}`;

describe('imports of src', () => {
  test('all are found, and every relative one leads to a file', () => {
    expect(files.length).toBeGreaterThan(30);
    expect(internal.length).toBeGreaterThan(100);
    const lost = imports
      .filter(({ to }) => !to.endsWith('.wasm'))
      .filter(({ from, to }) => !files.includes(to) && (to.includes('..') || to.startsWith(folderOf(from))));
    expect(lost.map(show)).toEqual([]);
    expect(files.map(folderOf).filter((folder) => rank(folder) < 0)).toEqual([]);
  });

  test('run downward only', () => {
    const upward = internal.filter(({ from, to }) => {
      const [above, below] = [folderOf(from), folderOf(to)];
      return above !== below && rank(below) >= rank(above);
    });
    expect(upward.map(show)).toEqual([]);
  });

  test('of data, know nested numbers, random numbers and float64 functions and no kernels; of io, shapes and an error', () => {
    const known = (folder: string): string[] => [
      ...new Set(
        internal
          .filter(({ from, to, typeOnly }) => folderOf(from) === folder && folderOf(to) !== folder && !typeOnly)
          .map(({ to }) => to),
      ),
    ];
    const common = [
      'checks/argument-error.ts',
      'checks/options.ts',
      'checks/shape.ts',
      'checks/tapeloop-error.ts',
      'host/class-of.ts',
      'host/utf8.ts',
    ];
    const numbers = ['checks/nested-numbers.ts', 'engine/float64.ts', 'engine/random.ts'];
    expect(known('data').sort()).toEqual([...common, ...numbers, 'host/built-in.ts'].sort());
    expect(known('io').sort()).toEqual(common.filter((file) => file !== 'checks/options.ts'));
  });

  test('leave no cycle, of types neither', () => {
    const next = new Map(files.map((file) => [file, internal.filter(({ from }) => from === file).map(({ to }) => to)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (file: string, path: string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      else if (!done.has(file)) {
        for (const to of next.get(file)!) walk(to, [...path, file]);
        done.add(file);
      }
    };
    for (const file of files) walk(file, []);
    expect(cycles).toEqual([]);
  });

  const nodeFiles = ['io/node-files.ts', 'io/file-error.ts'];

  test('name node: modules in the command line and in the two files for files alone', () => {
    const allowed = ({ from }: Import): boolean => from.startsWith('cli/') || nodeFiles.includes(from);
    expect(imports.filter((each) => each.to.startsWith('node:') && !allowed(each)).map(show)).toEqual([]);
  });

  // These ask the host for its modules by name when they run, and do without where it has none.
  const hostFiles = ['engine/thread-worker.ts', 'host/built-in.ts'];

  test('aside, node: modules are named only in the files that ask the host for them', () => {
    const naming = files.filter((file) => /['"`]node:/.test(codeOf(file)));
    expect(naming.filter((file) => !file.startsWith('cli/') && !nodeFiles.includes(file)).sort()).toEqual(hostFiles);
  });

  test('name the AssemblyScript loader, one package for the files of ONNX, one for zip and one for hashes', () => {
    const packages = imports.filter(({ to }) => !files.includes(to) && !/^node:|\.wasm$/.test(to));
    expect(packages.map(show).sort()).toEqual([
      'bench/verify.ts imports @noble/hashes/sha2',
      'bench/verify.ts imports @noble/hashes/utils',
      'engine/loading/instantiate.ts imports @assemblyscript/loader',
      'io/zip.ts imports fflate',
      'onnx/format/messages.ts imports pbf',
    ]);
  });

  /** The files that run when `start` is loaded. */
  const reachedFrom = (start: string): string[] => {
    const reached = new Set<string>();
    const walk = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const { from, to, typeOnly } of internal) if (from === file && !typeOnly) walk(to);
    };
    walk(start);
    return [...reached];
  };

  test('of stream.ts, reach what it takes to read a file and run it, and no package', () => {
    const reached = reachedFrom('stream.ts').filter((file) => folderOf(file) !== 'streaming');
    // What the kernels come packed in is a file of its own in the package.
    const kernels = ['base91', 'lzma', 'unpack-build'];
    const below = {
      host: ['built-in', 'class-of', 'utf8', 'yielder'],
      checks: ['argument-error', 'dead-tensor-error', 'options', 'shape', 'tapeloop-error'],
      engine: ['abi', 'memory', 'random-bits'],
      'engine/loading': ['load', ...kernels],
    };
    const expected = [
      ...Object.entries(below).flatMap(([folder, names]) => names.map((name) => `${folder}/${name}.ts`)),
      ...['cells/layout.ts', 'io/model-file.ts', 'io/parsed-json.ts', 'io/safetensors.ts', 'stream.ts'],
    ];
    expect(reached.sort()).toEqual(expected.sort());
  });

  test.each(['index.ts', 'lean.ts', 'stream.ts', 'data.ts'])('of %s, reach no file that needs Node', (face) => {
    expect(reachedFrom(face).filter((file) => nodeFiles.includes(file) || file.startsWith('cli/'))).toEqual([]);
  });

  test.each(['data.ts', 'plot.ts'])('of %s, reach no kernels and no package', (face) => {
    expect(
      reachedFrom(face).filter((file) => file.includes('kernel-modules') || file === 'engine/loading/instantiate.ts'),
    ).toEqual([]);
  });

  test('of index.ts, reach no loader of data', () => {
    const loaders = internal.filter(({ to }) => to === 'data/sources/source.ts').map(({ from }) => from);
    expect(loaders.length).toBeGreaterThan(3);
    expect(reachedFrom('index.ts').filter((file) => loaders.includes(file))).toEqual([]);
  });
});

describe('rooms of src', () => {
  // A room is a folder with what stands in it directly.
  const lines = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const file of files.filter((each) => !each.endsWith('.gen.ts') && each.includes('/'))) {
    const room = dirname(file);
    lines.set(room, (lines.get(room) ?? 0) + readFileSync(join(SRC, file), 'utf8').split('\n').length);
    counts.set(room, (counts.get(room) ?? 0) + 1);
  }

  test('have less than 12% of all lines each, and 16 files at most', () => {
    const all = [...lines.values()].reduce((sum, count) => sum + count, 0);
    expect([...lines].filter(([, count]) => count >= 0.12 * all)).toEqual([]);
    expect([...counts].filter(([, count]) => count > 16)).toEqual([]);
  });
});

describe('code of src', () => {
  const within = (...folders: string[]): string[] => files.filter((file) => folders.includes(folderOf(file)));
  // Generated files have bytes as text, in which anything may be found.
  const found = (list: string[], pattern: RegExp): string[] =>
    list
      .filter((file) => !file.endsWith('.gen.ts'))
      .flatMap((file) => Array.from(codeOf(file).matchAll(pattern), ([match]) => `${file}: ${match.trim()}`));

  test('that many cells or layers share, tests the name or class of none', () => {
    const kindOf = 'className|cell\\.name|layer\\.name|\\.constructor\\.name';
    // `taken.has(layer.name)` and the like compare names with names; a test names a kind in quotes.
    const comparison = new RegExp(
      `\\b(?:${kindOf})\\s*(?:[!=]==?|\\.(?:startsWith|includes|match))\\s*\\(?['"\`]`,
      'g',
    );
    const choice = new RegExp(`\\bswitch\\s*\\([^)]*\\b(?:${kindOf})`, 'g');
    const shared = within('streaming', 'ops', 'layers', 'train', 'models', 'saving');
    // What a layer is asked for is declared by `Layer`; only the room that declares a class may ask for it.
    const kinds =
      '(?:Recurrent|KerasRecurrent|Rnn|RecurrentCell|Sequential|Network|Bidirectional|Embedding|Masking|Dense)';
    const instance = new RegExp(`\\binstanceof ${kinds}\\b`, 'g');
    const named = /\bname\s*[!=]==?\s*'(?:lstm|gru|simpleRnn|rnn)'/g;
    for (const pattern of [comparison, choice, named]) expect(found(shared, pattern)).toEqual([]);
    const outside = shared.filter((file) => !file.startsWith('layers/rnn/'));
    expect(found(outside, instance)).toEqual([]);
  });

  test('that training depends on, calls no host Math whose last bits differ between hosts', () => {
    const folders = ORDER.flat().filter((folder) => !['characters', 'plot', 'bench', 'face', 'cli'].includes(folder));
    const math = /\bMath\.(?:exp|expm1|tanh|pow|log|log2|log10|log1p|sin|cos|tan|sinh|cosh|cbrt|hypot|random)\b/g;
    expect(found(within(...folders), math)).toEqual([]);
    expect(found(within(...folders), /[\w)\]]\s*\*\*\s*(?!\d)[\w(]/g)).toEqual([]);
  });

  test('that is shipped, has no top-level await and imports nothing lazily but the threads and the flag of V8', () => {
    const shipped = files.filter((file) => !file.startsWith('cli/'));
    expect(found(shipped, /^await\b/gm)).toEqual([]);
    // `typeof import(…)` is a type.
    expect(found(shipped, /(?<!typeof )\bimport\([^)]*/g)).toEqual([
      "engine/engine.ts: import('./thread-pool.ts'",
      "engine/engine.ts: import('./wide-flag.ts'",
    ]);
  });

  test('has no console output outside the command line, but for warnings and what fit shows, which have one place each', () => {
    expect(
      found(
        files.filter((file) => !file.startsWith('cli/')),
        /\bconsole\.\w+/g,
      ),
    ).toEqual(['train/fit-progress.ts: console.log', 'train/warnings.ts: console.warn']);
  });
});
