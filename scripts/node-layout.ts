// Builds the package for Node. Finding, reading and linking a file takes half a millisecond at start. So the shared
// code is in two files and not in a dozen chunks: `base`, which entries without an engine need too, and `core`, the
// rest of what the main entry runs. esbuild has no option for this, so its chunks are bundled again: first the two
// files, then the entries, which import from them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

type Part = 'base' | 'core';
type PartOf = (file: string) => Part | undefined;

/** Entries that must not load the engine. */
const LIGHT = ['stream', 'audio-stream', 'data', 'plot'];

/** Writes the entries `names` of src to `out`; `options` say how src is bundled. */
export async function buildForNode(names: readonly string[], out: string, options: BuildOptions): Promise<void> {
  const split: BuildOptions = { splitting: true, chunkNames: 'chunks/[name]-[hash]', outdir: out };
  const entryPoints = names.map((name) => `src/${name}.ts`);
  const first = await build({ ...options, ...split, entryPoints, outbase: 'src', write: false, metafile: true });
  const { outputs } = first.metafile!;
  const isEntry = (file: string): boolean => outputs[relative('', file)]!.entryPoint !== undefined;
  const filesOf = (name: string): Set<string> => filesRun(outputs, resolve(out, `${name}.js`));
  const [main, light] = [filesOf('index'), LIGHT.map(filesOf)];
  const partOf: PartOf = (file) => {
    if (!main.has(file) || isEntry(file)) return undefined;
    return light.some((files) => files.has(file)) ? 'base' : 'core';
  };

  const texts = new Map(first.outputFiles!.map(({ path, text }) => [path, text]));
  const { linked, exported } = link(texts, partOf);
  const again = (part?: Part): BuildOptions => ({
    ...{ ...options, write: false, plugins: [fromMemory(linked, partOf, part)] },
  });
  for (const part of ['base', 'core'] as const) {
    const stdin = { contents: exported[part].join('\n'), resolveDir: '/' };
    const banner = part === 'core' ? { js: '// Contains @assemblyscript/loader, Apache-2.0: loader-license.txt' } : {};
    await write(out, { ...again(part), outfile: `${out}/chunks/${part}.js`, stdin, banner });
  }
  const lazy = [...texts.keys()].filter((file) => isEntry(file) && dirname(file) === resolve(out, 'chunks'));
  const entries = [...names.map((name) => resolve(out, `${name}.js`)), ...lazy];
  await write(out, { ...again(), ...split, entryPoints: entries, outbase: out });
}

/** The files that run when `start` runs. */
function filesRun(outputs: Metafile['outputs'], start: string, found = new Set<string>()): Set<string> {
  if (found.has(start)) return found;
  found.add(start);
  for (const { path, kind, external } of outputs[relative('', start)]!.imports) {
    if (kind === 'import-statement' && !external) filesRun(outputs, resolve(path), found);
  }
  return found;
}

/**
 * Replaces imports from chunks of `base` and `core` by imports from `#base` and `#core`. Returns these texts and the
 * export lines of the two files. If two chunks export the same name, the second name gets a suffix.
 */
function link(texts: ReadonlyMap<string, string>, partOf: PartOf) {
  const exported: Record<Part, string[]> = { base: [], core: [] };
  const taken = { base: new Set<string>(), core: new Set<string>() };
  const known = new Map<string, string>();
  const exportedName = (file: string, part: Part, name: string): string => {
    const key = `${file} ${name}`;
    let free = known.get(key);
    if (free) return free;
    free = name;
    while (taken[part].has(free)) free += '_';
    taken[part].add(free);
    known.set(key, free);
    exported[part].push(`export { ${name} as ${free} } from ${JSON.stringify(file)};`);
    return free;
  };
  const linked = new Map<string, string>();
  for (const [from, text] of texts) {
    const importing = /^import (?:\{([^}]*)\} from )?"(\.[^"]*)";/gm;
    const changed = text.replace(importing, (statement: string, list: string | undefined, path: string) => {
      const file = resolve(dirname(from), path);
      const part = partOf(file);
      if (!part || part === partOf(from)) return statement;
      const names = list?.split(',').map((each) => {
        const [name, local = name] = each.trim().split(' as ') as [string, string?];
        return `${exportedName(file, part, name)} as ${local}`;
      });
      return `import ${names ? `{ ${names.join(', ')} } from ` : ''}"#${part}";`;
    });
    linked.set(from, changed);
  }
  return { linked, exported };
}

/** Loads from `texts` the chunks of a part, or the chunks of no part. Imports of the parts stay external. */
const fromMemory = (texts: ReadonlyMap<string, string>, partOf: PartOf, part?: Part): Plugin => ({
  name: 'chunks from memory',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^#/ }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /^[./]/ }, ({ path, resolveDir, kind }) => {
      // A part is written to the folder of the chunks, next to the files that it loads lazily.
      if (part && kind === 'dynamic-import') return { path, external: true };
      const file = resolve(resolveDir, path);
      if (partOf(file) !== part) throw new Error(`${file} would stand in two files`);
      return { path: file, namespace: 'chunk' };
    });
    onLoad({ filter: /./, namespace: 'chunk' }, ({ path }) => {
      return { contents: texts.get(path)!, resolveDir: dirname(path) };
    });
  },
});

/** Escapes all characters beyond ASCII. Otherwise V8 stores the whole file with two bytes per character. */
const ascii = (text: string): string =>
  text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** esbuild's comment about a chunk, with the path of the chunk. */
const CHUNK_COMMENT = /^\/\/ chunk:.*\n/gm;

async function write(out: string, options: BuildOptions): Promise<void> {
  const { outputFiles } = await build(options);
  for (const { path, text } of outputFiles!) {
    mkdirSync(dirname(path), { recursive: true });
    const chunks = relative(dirname(path), join(resolve(out), 'chunks')) || '.';
    const folder = chunks.startsWith('.') ? chunks : `./${chunks}`;
    writeFileSync(path, ascii(text.replace(CHUNK_COMMENT, '').replace(/"#(base|core)"/g, `"${folder}/$1.js"`)));
  }
}
