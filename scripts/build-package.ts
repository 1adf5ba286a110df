// Bundles the package into dist/, or into the folder that is given. The kernels' bytes are files of their own, dist/kernels/, which package.json's `imports` choose from.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { type BuildOptions, build, type Plugin } from 'esbuild';

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
    onResolve({ filter: /\/kernel-modules\.ts$/ }, () => ({ path: '#kernels', external: true }));
    onResolve({ filter: /\/text-decoder\.ts$/ }, () => ({ path: '#text-decoder', external: true }));
  },
};

const kernelFiles = (suffix: string): Plugin => ({
  name: 'kernels as files',
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: path + suffix, external: true }));
  },
});

const out = process.argv[2] ?? 'dist';
rmSync(out, { recursive: true, force: true });
await build({
  ...common,
  entryPoints: ['src/index.ts', 'src/data.ts', 'src/node.ts', 'src/plot.ts', 'src/cli/main.ts'],
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  outdir: out,
  plugins: [apart],
});

await build({ ...common, entryPoints: ['src/engine/text-decoder.ts'], outfile: `${out}/text-decoder.js` });
mkdirSync(`${out}/kernels`);
const kernels = (source: string, name: string, plugins: Plugin[] = []): Promise<unknown> =>
  build({ ...common, entryPoints: [`src/engine/${source}.ts`], outfile: `${out}/kernels/${name}.js`, plugins });
await kernels('kernel-modules', 'deflated');
await kernels('kernel-modules-text', 'text');
// Vercel's bundler hands out a module for `?module`, workerd for the bare name.
await kernels('kernel-modules-files', 'workerd', [kernelFiles('')]);
await kernels('kernel-modules-files', 'edge-light', [kernelFiles('?module')]);
for (const name of ['simd', 'relaxed']) copyFileSync(`build/${name}.wasm`, `${out}/kernels/${name}.wasm`);
