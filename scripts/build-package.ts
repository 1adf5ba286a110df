// Bundles the package into dist/, or into the given folder: once for Node and once for bundlers. For bundlers the bytes
// of the kernels are separate files in dist/kernels/, and `imports` of package.json choose between them.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { buildCommonJs } from './commonjs.ts';
import { buildForNode } from './node-layout.ts';

const common: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  external: ['@assemblyscript/loader', 'node:*'],
};

const apart: Plugin = {
  name: 'files apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/kernel-modules\.ts$/ }, ({ importer }) => {
      const path = importer.includes('/streaming/') ? '#stream-kernels' : '#kernels';
      return { path, external: true };
    });
    onResolve({ filter: /\/text-decoder\.ts$/ }, () => ({ path: '#text-decoder', external: true }));
  },
};

// For Node no file is separate, because Node takes a millisecond to find each file that `imports` or `exports` name.
const within: Plugin = {
  name: 'kernels within',
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

// For bundlers of apps every source is a file of its own, so that an app leaves out each that it does not use. Within a
// file it could not leave out a value that a call makes.
const eachApart: Plugin = {
  name: 'each source a file',
  setup({ onResolve }) {
    onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true },
    );
  },
};

/**
 * For pages and edge workers: the exports of `tapeloop/node`, which throw an error that says that they do not exist
 * there.
 */
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
const names = ['index', 'lean', 'stream', 'data', 'characters', 'plot'];
await buildForNode([...names, 'node', 'cli/main'], out, {
  ...common,
  external: ['node:*'],
  plugins: [within],
});
buildCommonJs([...names, 'node'], out);
writeFileSync(`${out}/node-stub.js`, await nodeStub(`${out}/node.js`));
// The files for Node contain the loader of AssemblyScript, which is under AssemblyScript's licence.
const terms = ['LICENSE', 'NOTICE'].map((file) => readFileSync(`node_modules/assemblyscript/${file}`, 'utf8'));
writeFileSync(`${out}/chunks/loader-license.txt`, terms.join('\n'));

const faces: BuildOptions = { ...common, entryPoints: names.map((name) => `src/${name}.ts`), outbase: 'src' };
const { metafile } = await build({ ...faces, plugins: [apart], outdir: 'unwritten', write: false, metafile: true });
const sources = Object.keys(metafile.inputs).filter((file) => file.startsWith('src/'));
await build({ ...faces, entryPoints: sources, plugins: [apart, eachApart], outdir: `${out}/modules` });
// Bundlers write modules in the order of their imports. The bytes of the kernels come first. They do not repeat; later
// in the file they would separate similar code by more than the 32 kB that gzip looks back, which costs an app up to
// 1.6 kB. An import without used names adds nothing else.
const firsts: Readonly<Record<string, string>> = { index: '#kernels', lean: '#kernels', stream: '#stream-kernels' };
for (const [face, kernels] of Object.entries(firsts)) {
  const path = `${out}/modules/${face}.js`;
  writeFileSync(path, `import { compileNow as _ } from "${kernels}";\n${readFileSync(path, 'utf8')}`);
}

// For pages without a bundler: one file with everything that a page may use, as a module and as the global `tapeloop`.
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

await build({ ...common, entryPoints: ['src/host/text-decoder.ts'], outfile: `${out}/text-decoder.js` });
mkdirSync(`${out}/kernels`);
for (const [folder, prefix] of [
  ['engine/loading', ''],
  ['streaming', 'stream-'],
] as const) {
  const kernels = (source: string, name: string, plugins: Plugin[] = []): Promise<unknown> =>
    build({
      ...common,
      entryPoints: [`src/${folder}/${source}.ts`],
      outfile: `${out}/kernels/${prefix}${name}.js`,
      plugins,
    });
  await kernels('kernel-modules', 'compressed');
  // Vercel's bundler returns a module for `?module`, workerd for the plain name.
  await kernels('kernel-modules-files', 'workerd', [kernelFiles('')]);
  await kernels('kernel-modules-plain', 'edge-light', [kernelFiles('?module')]);
  for (const name of ['simd', 'relaxed']) {
    copyFileSync(`build/${prefix}${name}.wasm`, `${out}/kernels/${prefix}${name}.wasm`);
  }
}
