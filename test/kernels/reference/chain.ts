// Linear chains in float64: log Z and its gradients in logarithms, the best path by Viterbi's rule, and both by going
// through all paths.

export interface Chain {
  /** [N, K] */
  emissions: readonly (readonly number[])[];
  /** [K, K] from row to column. */
  transitions: readonly (readonly number[])[];
  start: readonly number[];
  end: readonly number[];
}

export interface Scores {
  emissions: number[][];
  transitions: number[][];
  start: number[];
  end: number[];
}

export function logSumExp(values: readonly number[]): number {
  const top = Math.max(...values);
  return Number.isFinite(top) ? top + Math.log(values.reduce((sum, x) => sum + Math.exp(x - top), 0)) : top;
}

/** s(y) of a path. */
export function scoreOf({ emissions, transitions, start, end }: Chain, path: readonly number[]): number {
  if (path.length === 0) return 0;
  const own = path.reduce((sum, tag, t) => sum + emissions[t]![tag]!, start[path[0]!]! + end[path.at(-1)!]!);
  return path.slice(1).reduce((sum, tag, t) => sum + transitions[path[t]!]![tag]!, own);
}

/** Every path of a chain, from the least tags on. */
export function pathsOf(steps: number, tags: number): number[][] {
  let paths: number[][] = [[]];
  for (let t = 0; t < steps; t++)
    paths = paths.flatMap((path) => Array.from({ length: tags }, (_, tag) => [...path, tag]));
  return paths;
}

/** log Z and its gradients, summed over all paths. */
export function enumerated(chain: Chain): { logZ: number; gradients: Scores; best: number } {
  const { emissions, transitions, start, end } = chain;
  const tags = start.length;
  const paths = pathsOf(emissions.length, tags);
  const scores = paths.map((path) => scoreOf(chain, path));
  const logZ = logSumExp(scores);
  const gradients = zeros(emissions.length, tags);
  paths.forEach((path, at) => {
    const p = logZ === -Infinity ? 0 : Math.exp(scores[at]! - logZ);
    path.forEach((tag, t) => {
      gradients.emissions[t]![tag]! += p;
      if (t > 0) gradients.transitions[path[t - 1]!]![tag]! += p;
    });
    if (path.length === 0) return;
    gradients.start[path[0]!]! += p;
    gradients.end[path.at(-1)!]! += p;
  });
  void [transitions, end];
  return { logZ, gradients, best: Math.max(...scores) };
}

const zeros = (steps: number, tags: number): Scores => ({
  emissions: Array.from({ length: steps }, () => new Array<number>(tags).fill(0)),
  transitions: Array.from({ length: tags }, () => new Array<number>(tags).fill(0)),
  start: new Array<number>(tags).fill(0),
  end: new Array<number>(tags).fill(0),
});

/** log Z and its gradients by the forward–backward algorithm. */
export function forwardBackward({ emissions, transitions, start, end }: Chain): { logZ: number; gradients: Scores } {
  const [steps, tags] = [emissions.length, start.length];
  const gradients = zeros(steps, tags);
  if (steps === 0) return { logZ: 0, gradients };
  const alpha: number[][] = [start.map((score, j) => score + emissions[0]![j]!)];
  for (let t = 1; t < steps; t++) {
    alpha.push(
      start.map((_, j) => emissions[t]![j]! + logSumExp(start.map((_, i) => alpha[t - 1]![i]! + transitions[i]![j]!))),
    );
  }
  const logZ = logSumExp(end.map((score, j) => score + alpha[steps - 1]![j]!));
  if (logZ === -Infinity) return { logZ, gradients };
  let beta = [...end];
  for (let t = steps - 1; t >= 0; t--) {
    gradients.emissions[t] = beta.map((b, j) => Math.exp(alpha[t]![j]! + b - logZ));
    if (t === 0) break;
    const gamma = beta.map((b, j) => b + emissions[t]![j]!);
    for (let i = 0; i < tags; i++) {
      for (let j = 0; j < tags; j++) {
        gradients.transitions[i]![j]! += Math.exp(alpha[t - 1]![i]! + transitions[i]![j]! + gamma[j]! - logZ);
      }
    }
    beta = start.map((_, i) => logSumExp(gamma.map((g, j) => transitions[i]![j]! + g)));
  }
  gradients.start = [...gradients.emissions[0]!];
  gradients.end = [...gradients.emissions[steps - 1]!];
  return { logZ, gradients };
}

/** The best path; of equal ones the least tag, from the end. */
export function viterbi({ emissions, transitions, start, end }: Chain): { path: number[]; score: number } {
  const steps = emissions.length;
  if (steps === 0) return { path: [], score: 0 };
  const delta: number[][] = [start.map((score, j) => score + emissions[0]![j]!)];
  for (let t = 1; t < steps; t++) {
    delta.push(
      start.map(
        (_, j) => Math.max(...start.map((_, i) => delta[t - 1]![i]! + transitions[i]![j]!)) + emissions[t]![j]!,
      ),
    );
  }
  const best = (scores: readonly number[]): number => Math.max(0, scores.indexOf(Math.max(...scores)));
  const last = end.map((score, j) => score + delta[steps - 1]![j]!);
  const path = [best(last)];
  for (let t = steps - 2; t >= 0; t--) path.unshift(best(delta[t]!.map((d, i) => d + transitions[i]![path[0]!]!)));
  return { path, score: Math.max(...last) };
}
