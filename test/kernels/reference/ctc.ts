// Connectionist temporal classification in float64, twice: by its definition, one path after the other, and in log
// space, state by state.

/** ln Σ e^x */
function logSumExp(x: readonly number[]): number {
  const greatest = Math.max(...x);
  if (greatest === Number.NEGATIVE_INFINITY) return greatest;
  return greatest + Math.log(x.reduce((sum, v) => sum + Math.exp(v - greatest), 0));
}

/** What is left of a path when repeats and then blanks are taken out. */
const collapse = (path: readonly number[], blank: number): number[] =>
  path.filter((k, t) => k !== blank && k !== path[t - 1]);

/** −ln of the summed probability of every path that collapses to `labels`; logProbs [steps][classes]. */
export function ctcByPaths(logProbs: readonly ArrayLike<number>[], labels: readonly number[], blank: number): number {
  const classes = logProbs[0]?.length ?? 0;
  const wanted = labels.join();
  const terms: number[] = [];
  const walk = (path: number[], logProbability: number): void => {
    if (path.length === logProbs.length) {
      if (collapse(path, blank).join() === wanted) terms.push(logProbability);
      return;
    }
    const row = logProbs[path.length]!;
    for (let k = 0; k < classes; k++) walk([...path, k], logProbability + row[k]!);
  };
  walk([], 0);
  return terms.length === 0 ? Number.POSITIVE_INFINITY : -logSumExp(terms);
}

/** The same by the forward recursion, for more steps than there is time for paths. */
export function ctcForward(logProbs: readonly ArrayLike<number>[], labels: readonly number[], blank: number): number {
  const classOf = (s: number): number => (s % 2 === 1 ? labels[(s - 1) / 2]! : blank);
  const states = Array.from({ length: 2 * labels.length + 1 }, (_, s) => s);
  const impossible = Number.NEGATIVE_INFINITY;
  let alpha = states.map((s) => (s === 0 ? 0 : impossible));
  for (const row of logProbs) {
    const before = alpha;
    alpha = states.map((s) => {
      const skips = s > 1 && classOf(s) !== blank && classOf(s) !== classOf(s - 2);
      // Before the first step a path stands in state 0, from where it starts in state 0 or 1.
      const terms = [before[s]!, ...(s > 0 ? [before[s - 1]!] : []), ...(skips ? [before[s - 2]!] : [])];
      return logSumExp(terms) + row[classOf(s)]!;
    });
  }
  return -logSumExp(alpha.slice(-2));
}
