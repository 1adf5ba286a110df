// Bundles the package into dist/, or into the given folder: once for Node and once for bundlers. For bundlers the bytes
// of the kernels are separate files in dist/kernels/, and `imports` of package.json choose between them.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { buildBench } from './build-bench.ts';
import { buildCommonJs } from './commonjs.ts';
import { entries } from './entries.ts';
import { kernelSets } from './kernel-sets.ts';
import { buildForNode } from './node-layout.ts';

const common: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  external: ['@assemblyscript/loader', 'fflate', 'pbf', 'node:*'],
};

const packageImports: Plugin = {
  name: 'imports of package.json',
  setup({ onResolve }) {
    onResolve({ filter: /\/kernel-modules\.ts$/ }, ({ path, resolveDir }) => {
      const prefix = kernelSets.find(({ folder }) =>
        join(resolveDir, path).endsWith(`/${folder}/kernel-modules.ts`),
      )!.prefix;
      return { path: `#${prefix}kernels`, external: true };
    });
    onResolve({ filter: /\/text-decoder\.ts$/ }, () => ({ path: '#text-decoder', external: true }));
  },
};

// For Node every file is included, because Node takes a millisecond to find each file named in `imports` or `exports`.
const inlineKernels: Plugin = {
  name: 'inline kernels',
  setup({ onResolve }) {
    onResolve({ filter: /\/kernel-modules\.ts$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace('.ts', '-text.ts')),
    }));
  },
};

const kernelFiles = (suffix: string): Plugin => ({
  name: 'kernels as files',
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: path + suffix, external: true }));
  },
});

// For bundlers of apps, every source becomes a separate file. An app then leaves out every file that it does not use.
// From a file that it uses, a bundler cannot leave out a value that a call creates.
const sourceFiles: Plugin = {
  name: 'each source a file',
  setup({ onResolve }) {
    onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true },
    );
  },
};

/** A stub of `tapeloop/node` for pages and edge workers. Every export throws an error with the reason. */
async function nodeStub(file: string): Promise<string> {
  const names = Object.keys(await import(pathToFileURL(file).href));
  const exports = names.map((name) =>
    name.endsWith('Error') ? `export class ${name} extends Error {}` : `export const ${name} = () => fail('${name}');`,
  );
  return `const fail = (name) => {
  throw new Error(
    \`\${name}: tapeloop/node needs a file system; encodeModel and decodeModel of 'tapeloop' give and take bytes\`,
  );
};
${exports.join('\n')}
`;
}

const out = process.argv[2] ?? 'dist';
rmSync(out, { recursive: true, force: true });
await buildForNode([...entries, 'node', 'cli/main'], out, {
  ...common,
  external: ['node:*'],
  plugins: [inlineKernels],
});
buildCommonJs([...entries, 'node'], out);
writeFileSync(`${out}/node-stub.js`, await nodeStub(`${out}/node.js`));
// The files for Node contain the loader of AssemblyScript, which is under AssemblyScript's licence, fflate, pbf and
// noble-hashes. The page of benchmark reports contains uPlot.
const contained = [
  ...['assemblyscript/LICENSE', 'assemblyscript/NOTICE', 'fflate/LICENSE', 'pbf/LICENSE'],
  ...['@noble/hashes/LICENSE', 'uplot/LICENSE'],
];
const terms = contained.map((file) => readFileSync(`node_modules/${file}`, 'utf8'));
writeFileSync(`${out}/chunks/loader-license.txt`, terms.join('\n'));

const faces: BuildOptions = { ...common, entryPoints: entries.map((name) => `src/${name}.ts`), outbase: 'src' };
const { metafile } = await build({
  ...faces,
  plugins: [packageImports],
  outdir: 'unwritten',
  write: false,
  metafile: true,
});
const sources = Object.keys(metafile.inputs).filter((file) => file.startsWith('src/'));
await build({ ...faces, entryPoints: sources, plugins: [packageImports, sourceFiles], outdir: `${out}/modules` });
// Bundlers write modules in the order of their imports. This import puts the bytes of the kernels first. The bytes have
// no repeats for gzip. Later in the file they would separate similar code by more than gzip's window of 32 kB, which
// costs an app up to 1.6 kB. An import without used names adds nothing else.
const kernelImports: Readonly<Record<string, string>> = {
  index: '#kernels',
  lean: '#kernels',
  stream: '#stream-kernels',
  compiled: '#kernels',
  'audio-stream': '#block-kernels',
};
for (const [face, kernels] of Object.entries(kernelImports)) {
  const path = `${out}/modules/${face}.js`;
  writeFileSync(path, `import { compileNow as _ } from "${kernels}";\n${readFileSync(path, 'utf8')}`);
}

// One file for pages without a bundler, as a module and as the global `tapeloop`, with all exports that work there.
const everything = ['index', 'data', 'plot'].map((name) => `export * from './src/${name}.ts';`).join('\n');
for (const [file, format] of [
  ['tapeloop.min.js', 'esm'],
  ['tapeloop.global.js', 'iife'],
] as const) {
  await build({
    ...common,
    external: [],
    stdin: { contents: everything, resolveDir: '.' },
    minify: true,
    format,
    globalName: 'tapeloop',
    banner: { js: '// Contains @assemblyscript/loader, Apache-2.0: chunks/loader-license.txt' },
    outfile: `${out}/${file}`,
  });
}

await buildBench(out);

await build({ ...common, entryPoints: ['src/host/text-decoder.ts'], outfile: `${out}/text-decoder.js` });
mkdirSync(`${out}/kernels`);
for (const { folder, prefix } of kernelSets) {
  const kernels = (source: string, name: string, plugins: Plugin[] = []): Promise<unknown> =>
    build({
      ...common,
      entryPoints: [`src/${folder}/${source}.ts`],
      outfile: `${out}/kernels/${prefix}${name}.js`,
      plugins,
    });
  await kernels('kernel-modules', 'compressed');
  // For `?module` the bundler of Vercel returns a module. workerd returns one for the plain name.
  await kernels('kernel-modules-files', 'workerd', [kernelFiles('')]);
  await kernels('kernel-modules-plain', 'edge-light', [kernelFiles('?module')]);
  for (const name of ['simd', 'relaxed']) {
    copyFileSync(`build/${prefix}${name}.wasm`, `${out}/kernels/${prefix}${name}.wasm`);
  }
}
