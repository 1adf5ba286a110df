const letters = (name: string): string => name.slice(0, 40).replaceAll('_', '').toLowerCase();

/** How many letters of `a` are met in this order on one way through `b`. */
function inOrder(a: string, b: string): number {
  let at = 0;
  return [...a].filter((letter) => {
    const next = b.indexOf(letter, at) + 1;
    at = next || at;
    return next > 0;
  }).length;
}

/**
 * How like two names are, from 0 to 1: the share of their letters that they have in common and in order. All of `lr` is
 * in `learningRate`.
 */
function likeness(a: string, b: string): number {
  const share = (2 * Math.max(inOrder(a, b), inOrder(b, a))) / (a.length + b.length);
  return share > 0.67 || (a[0] === b[0] && inOrder(a, b) === a.length) ? share : 0;
}

/** Asks for the known name that is most like one that is not known; nothing where none is. */
export function nearestName(given: unknown, known: readonly string[]): string {
  if (typeof given !== 'string') return '';
  const [nearest] = known
    .map((name) => ({ name, like: likeness(letters(given), letters(name)) }))
    .filter(({ like }) => like > 0)
    .sort((a, b) => b.like - a.like);
  return nearest ? `did you mean '${nearest.name}'?` : '';
}
