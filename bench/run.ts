// node --import tsx bench/run.ts [--suite gemm,…] [--threads N] [--only TEXT] [--json FILE]
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Build, hostHasRelaxedSimd } from '../src/engine/loading/load.ts';
import { PEAK_FLOPS, peakOf } from './peak.ts';
import { type BenchResult, type Engine, type Suite, timeInTurns } from './suite.ts';
import { busyCoreSuite } from './suites/busy-core/suite.ts';
import { gemmSuite } from './suites/gemm.ts';
import { inferSuite, modelsSuite, stepSuite, trainSuite } from './suites/models.ts';
import { scaleSuite } from './suites/scale.ts';
import { subnormalSuite } from './suites/subnormal.ts';

const suites: Record<string, Suite> = {
  gemm: gemmSuite,
  infer: inferSuite,
  train: trainSuite,
  models: modelsSuite,
  step: stepSuite,
  scale: scaleSuite,
  subnormal: subnormalSuite,
  'busy-core': busyCoreSuite,
};

async function createEngine(build: Build): Promise<Engine> {
  const peak = peakOf(build);
  const { peak: timing } = await timeInTurns({ peak });
  return { build, peak, peakGflops: PEAK_FLOPS / timing!.minMs / 1e6 };
}

function formatResult({
  suite,
  case: name,
  engine,
  threads,
  medianMs,
  gflops,
  percentOfPeak,
  subnormal,
}: BenchResult): string {
  const cells = [suite, name.padEnd(32), engine.padEnd(12), `${threads}T`, `${medianMs.toFixed(4)} ms`.padStart(12)];
  if (gflops !== null) cells.push(`${gflops.toFixed(1)} GFLOP/s`.padStart(14));
  if (percentOfPeak !== null) cells.push(`${percentOfPeak.toFixed(0)}%`.padStart(5));
  for (const [of, count] of Object.entries(subnormal ?? {})) cells.push(`${of} ${count}`);
  return cells.join('  ');
}

const { values } = parseArgs({
  options: {
    suite: { type: 'string' },
    json: { type: 'string' },
    threads: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
const chosen = values.suite?.split(',') ?? Object.keys(suites);
for (const name of chosen) {
  if (!suites[name]) throw new Error(`--suite ${name}: expected one of ${Object.keys(suites).join(', ')}`);
}

const threads = values.threads ? [1, Number(values.threads)] : [1];
const builds: Build[] = hostHasRelaxedSimd() ? ['simd', 'relaxed'] : ['simd'];
const engines = await Promise.all(builds.map(createEngine));
const results: BenchResult[] = [];
const add = (result: BenchResult) => {
  results.push(result);
  console.log(formatResult(result));
};
for (const name of chosen) await suites[name]!({ engines, threads, only: values.only, add });

const host = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  arch: process.arch,
  node: process.version,
  v8: process.versions.v8,
  peakGflops: Object.fromEntries(engines.map(({ build, peakGflops }) => [build, peakGflops])),
};
console.log(JSON.stringify(host, null, 2));
if (values.json) writeFileSync(values.json, `${JSON.stringify({ host, results }, null, 2)}\n`);
