const letters = (name: string): string => name.slice(0, 40).replaceAll('_', '').toLowerCase();

/** The number of letters of `a` that one scan through `b` finds in the order of `a`. */
function lettersInOrder(a: string, b: string): number {
  let at = 0;
  return [...a].filter((letter) => {
    const next = b.indexOf(letter, at) + 1;
    at = next || at;
    return next > 0;
  }).length;
}

/**
 * The similarity of two names, from 0 to 1: the share of their letters that they have in common and in order. A share
 * of 0.67 or less counts as 0, unless both names begin with the same letter and `b` has all letters of `a` in order, as
 * `learningRate` has those of `lr`.
 */
function similarity(a: string, b: string): number {
  const share = (2 * Math.max(lettersInOrder(a, b), lettersInOrder(b, a))) / (a.length + b.length);
  return share > 0.67 || (a[0] === b[0] && lettersInOrder(a, b) === a.length) ? share : 0;
}

/** The question whether the user meant the most similar known name. Empty if no known name is similar. */
export function nearestName(given: unknown, known: readonly string[]): string {
  if (typeof given !== 'string') return '';
  const [nearest] = known
    .map((name) => ({ name, score: similarity(letters(given), letters(name)) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
  return nearest ? `did you mean '${nearest.name}'?` : '';
}
