// node --import tsx host-child.ts
//
// Prints the version of this Node binary and the peak of the host in it, as a line of JSON.
import { type Build, hostHasRelaxedSimd } from '../../src/engine/loading/load.ts';
import { PEAK_FLOPS, peakOf } from '../peak.ts';

const CALLS = 20;
const ROUNDS = 100;

function peakGflops(build: Build): number {
  const peak = peakOf(build);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    for (let i = 0; i < CALLS; i++) peak();
    best = Math.min(best, (performance.now() - started) / CALLS);
  }
  return PEAK_FLOPS / best / 1e6;
}

const builds: Build[] = hostHasRelaxedSimd() ? ['simd', 'relaxed'] : ['simd'];
const peaks: Partial<Record<Build, number>> = {};
for (const build of builds) peaks[build] = peakGflops(build);
console.log(JSON.stringify({ node: process.version, v8: process.versions.v8, peakGflops: peaks }));
