// Runs the suite for the page.
import { type BenchOptions, type BenchReport, runBench } from '../../src/bench.ts';

export type Question = Pick<BenchOptions, 'quick' | 'rounds' | 'size' | 'mode' | 'only'>;
export type Answer =
  | { kind: 'progress'; name: string; done: number; count: number }
  | { kind: 'report'; report: BenchReport }
  | { kind: 'error'; message: string };

const post = (answer: Answer): void => postMessage(answer);

self.onmessage = async ({ data }: MessageEvent<Question>) => {
  try {
    const onProgress = (name: string, done: number, count: number): void =>
      post({ kind: 'progress', name, done, count });
    post({ kind: 'report', report: await runBench({ ...data, onProgress }) });
  } catch (error) {
    post({ kind: 'error', message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
};
