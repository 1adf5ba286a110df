/** The results of suite.mjs in one runtime. */
export interface SuiteResult {
  /** Which kernels `fast` mode took. */
  build: 'simd' | 'relaxed';
  /** SHA-256 of all weights after 50 steps of an LSTM and a GRU in reproducible mode. */
  hash: string;
  hashThreads: string;
  /** SHA-256 of what tapeloop/images, tapeloop/sequences and tapeloop/state-space compute in reproducible mode. */
  hashOthers: string;
  threads: number;
  trains: boolean;
  splits: boolean;
  resumes: boolean;
  streams: boolean;
}

/** The runtime, or a tool it needs, is not on this machine. */
export class NotHere extends Error {
  override readonly name = 'NotHere';
}

/** Reads what a runtime printed or answered. Throws what the suite threw there. */
export function readResult<Result = SuiteResult>(text: string): Result {
  const line = text.trim().split('\n').at(-1) ?? '';
  const result = JSON.parse(line) as Result & { error?: string };
  if (result.error) throw new Error(result.error);
  return result;
}
