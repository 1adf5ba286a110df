// The oracle of hidden Markov models: every path of states, one after the other, in plain probabilities.

/** π, A and the emissions bₜ(k) of one sequence, as probabilities. */
export interface Chain {
  initial: number[];
  matrix: number[][];
  emissions: number[][];
}

export function byPaths({ initial, matrix, emissions }: Chain) {
  const [steps, k] = [emissions.length, initial.length];
  const gamma = emissions.map(() => new Array<number>(k).fill(0));
  const counts = initial.map(() => new Array<number>(k).fill(0));
  let likelihood = 0;
  let best = { probability: -1, states: [] as number[] };
  for (let code = 0; code < k ** steps; code++) {
    const states = Array.from({ length: steps }, (_, t) => Math.floor(code / k ** (steps - 1 - t)) % k);
    const probability = states.reduce(
      (p, s, t) => p * emissions[t]![s]! * (t === 0 ? initial[s]! : matrix[states[t - 1]!]![s]!),
      1,
    );
    likelihood += probability;
    if (probability > best.probability) best = { probability, states };
    states.forEach((s, t) => {
      gamma[t]![s]! += probability;
      if (t > 0) counts[states[t - 1]!]![s]! += probability;
    });
  }
  const share = (rows: number[][]): number[][] => rows.map((row) => row.map((p) => p / likelihood));
  return { logLikelihood: Math.log(likelihood), gamma: share(gamma), counts: share(counts), best };
}
