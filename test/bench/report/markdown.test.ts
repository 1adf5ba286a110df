import { expect, test } from 'vitest';
import { markdownComparison, markdownReport } from '../../../src/bench/report/markdown.ts';
import { sampleComparison, sampleReport } from './sample.ts';

const linesOf = (text: string): string[] => text.split('\n');

test('markdownReport, of a run, has the facts, a table for each group, notes and the score', () => {
  expect(linesOf(markdownReport(sampleReport()))).toEqual(linesOf(REPORT));
});

test('markdownReport, of texts with marks of Markdown and HTML, escapes them', () => {
  const host = {
    ...sampleReport().host,
    engine: '<b>V8</b> | `x` *y* [z](#) a&b\\',
    cpu: null,
    cores: null,
    arch: null,
  };
  const text = markdownReport(sampleReport({ host }));
  expect(text).toContain('- engine: &lt;b>V8&lt;/b> \\| \\`x\\` \\*y\\* \\[z\\](#) a&amp;b\\\\\n');
  expect(text).toContain('- host: node 24.11.1\n');
});

test('markdownComparison, of two runs, has the worst first and a sentence at the end', () => {
  expect(linesOf(markdownComparison(sampleComparison))).toEqual(linesOf(COMPARED));
});

const REPORT = `## tapeloop 0.2.0 benchmark suite

- host: node 24.11.1, Model &lt;X> \\| 3.1 GHz, 4 cores, x64
- engine: V8 13.6.233.10
- flags: --no-liftoff
- build: relaxed
- run: reproducible, size medium, 3 rounds, 143 s, 2026-11-30 12:05 UTC
- clock: 61.0 ns
- peaks: simd 54.3 GFLOP/s, relaxed 98.1 GFLOP/s a thread, 18.2 GB/s
- verified: **✗ 1 of 12 results wrong: gru-backward-masked/medium**

### Kernels

| workload |  | median | ± | GFLOP/s | of peak | score |
|---|---|--:|--:|--:|--:|--:|
| gemm/small |  | 12.3 µs | ±0.6% | 42.6 | 43% | 103.2 |
| gemm/medium |  | 650 µs | ±0.6% | 51.6 | 53% | 98.7 |
| gemm-int8/medium |  | 420 µs | ±0.6% | 79.9 | 81% | 121.4 |
| tanh/medium | ! | 81.0 µs | ±0.6% | 16.2 | 16% | 71.5 |

### Cells

| workload |  | median | ± | GFLOP/s | of peak | score |
|---|---|--:|--:|--:|--:|--:|
| lstm-forward/medium |  | 4.56 ms | ±0.6% | 46.0 | 47% | 101.9 |
| gru-backward-masked/medium | ✗ | 9.87 ms | ±0.6% | 31.9 | 32% | 93.4 |

### Models

| workload |  | median | ± | GFLOP/s | of peak | score |
|---|---|--:|--:|--:|--:|--:|
| character-model/large |  | 1.23 s | ±0.6% | 33.2 | 34% | 99.1 |
| ctc/medium | \\~ | 21.4 ms | ±0.6% |  |  | 300.5 |

### Streaming

| workload | median | ± | 99.9% | GFLOP/s | of peak | score |
|---|--:|--:|--:|--:|--:|--:|
| lstm-step/small | 9.12 µs | ±0.6% | 18.7 µs | 28.7 | 29% | 104.4 |

### Life cycle

| workload | median | ± |
|---|--:|--:|
| instantiate/small | 870 µs | ±0.6% |

### Threads

| workload | build | median | ± | GFLOP/s | of peak | score |
|---|---|--:|--:|--:|--:|--:|
| gemm-threads-4/large | relaxed ×4 | 12.1 ms | ±0.6% | 177 | 45% | 97.3 |

### Builds

| workload | build | median | ± | GFLOP/s | of peak | score |
|---|---|--:|--:|--:|--:|--:|
| gemm-simd/medium | simd | 810 µs | ±0.6% | 41.4 | 76% | 99.8 |

### Scores

| group | ± | score |
|---|--:|--:|
| kernels | ±0.8% | 96.8 |
| cells | ±0.5% | 97.6 |
| models | ±1.0% | 172.6 |
| streaming | ±0.4% | 104.4 |
| threads | ±0.6% | 97.3 |
| builds | ±0.8% | 99.8 |
| all | ±0.6% | 109.2 |

- ✗ wrong result: gru-backward-masked/medium
- ! noisy, more than half of the samples were slow: tanh/medium
- \\~ not steady, times still fell at the end of the warm-up: ctc/medium
- left out: memory-2gb/large, the host grants 1 GiB at most

**Score 109.2 ±0.6%, where the reference run has 100; 1 workload without a reference.**
`;

const SENTENCE = [
  '**Of 5 workloads, 2 are slower (most lstm-forward/medium, 8.3% more time), 1 is faster (most tanh/medium, 9.0%',
  'less time), 2 are the same; in all 1.2% more time, ratio 1.012 (1.003–1.021).**',
].join(' ');

const COMPARED = `## Before and after

- before: node 24.11.1, V8 13.6.233.10, --no-liftoff, Model &lt;X> \\| 3.1 GHz, tapeloop 0.2.0, 3 rounds, 2026-11-30 12:05 UTC
- after: **node 24.11.1, V8 13.6.233.10, --no-liftoff, Model &lt;X> \\| 3.1 GHz, tapeloop 0.2.0, 3 rounds, 2026-11-30 12:05 UTC, WRONG RESULTS**

### Workloads

| workload |  | before | after | after / before | 95% interval | verdict |
|---|---|--:|--:|--:|--:|---|
| lstm-forward/medium | ≠ | 650 µs | 704 µs | 1.083 | 1.072–1.095 | slower |
| gemm/medium |  | 650 µs | 684 µs | 1.052 | 1.041–1.064 | slower |
| gemm/small |  | 650 µs | 653 µs | 1.004 | 0.993–1.016 | same |
| ctc/medium |  | 650 µs | 649 µs | 0.998 | 0.987–1.010 | same |
| tanh/medium |  | 650 µs | 592 µs | 0.910 | 0.899–0.922 | faster |

- ≠ the two results differ: lstm-forward/medium
- in one of the two alone: memory-2gb/large

${SENTENCE}
`;
