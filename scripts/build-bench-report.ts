// Bundles what draws reports of the benchmark suite on a page: bench/report.js, which defines `tapeloopReport`, and
// bench/report.css.
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';

/** Writes `bench/report.js` and `bench/report.css` into a folder. They contain uPlot and its licence. */
export async function buildBenchReport(out: string): Promise<void> {
  // A report of one file is passed on without the package, so the licence is in the bundle.
  const licence = `/*! Contains uPlot:\n${readFileSync('node_modules/uplot/LICENSE', 'utf8').trim()}\n*/`;
  await build({
    entryPoints: ['bench/page/report.ts', 'bench/page/report.css'],
    bundle: true,
    minify: true,
    format: 'iife',
    globalName: 'tapeloopReport',
    // light-dark() and nested rules stay as they are.
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    banner: { js: licence, css: licence },
    outdir: `${out}/bench`,
  });
}
