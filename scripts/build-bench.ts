// Bundles what the benchmark suite needs beside the modules of the package: bench/report.js, which defines
// `tapeloopReport`, and bench/report.css; the page that runs the suite; and the suite as one script for engine shells.
import { copyFileSync, readFileSync } from 'node:fs';
import { type BuildOptions, build } from 'esbuild';

/** Writes the folder `bench` of the package. */
export async function buildBench(out: string): Promise<void> {
  // light-dark() and nested rules stay as they are.
  const target = ['es2022', 'chrome123', 'firefox120', 'safari17.5'];
  const common: BuildOptions = { bundle: true, minify: true, format: 'iife', target };
  // A report of one file is passed on without the package, so the licence is in the bundle.
  const licence = `/*! Contains uPlot:\n${readFileSync('node_modules/uplot/LICENSE', 'utf8').trim()}\n*/`;
  await build({
    ...common,
    entryPoints: ['bench/page/report.ts', 'bench/page/report.css'],
    globalName: 'tapeloopReport',
    banner: { js: licence, css: licence },
    outdir: `${out}/bench`,
  });
  // The page and a script travel alone too.
  const parts = '// tapeloop, MIT. Contains @assemblyscript/loader (Apache-2.0), noble-hashes and fflate (MIT).';
  await build({
    ...common,
    entryPoints: {
      page: 'bench/page/live.ts',
      'suite-worker': 'bench/page/suite-worker.ts',
      shell: 'src/bench/shell.ts',
    },
    banner: { js: parts },
    outdir: `${out}/bench`,
  });
  copyFileSync('bench/page/index.html', `${out}/bench/index.html`);
}
