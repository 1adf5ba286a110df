// A made-up language whose grammar needs memory: every opened bracket must be closed, in order.

const PAIRS = ['()', '[]', '{}'] as const;
const LETTERS = 'abcd';
const DEEPEST = 5;

/** `length` characters, or a few more, of lines such as `a(b[cd]{a})c`. The same on every call. */
export function bracketsText(length = 300_000): string {
  let seed = 1;
  // The generator of Numerical Recipes. Any generator would do here.
  const below = (n: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * n);
  };
  const expression = (depth: number): string => {
    let text = '';
    for (let parts = 1 + below(3); parts > 0; parts--) {
      if (depth < DEEPEST && below(5) < 3) {
        const [open, close] = PAIRS[below(3)]!;
        text += open + expression(depth + 1) + close;
      } else text += LETTERS[below(4)];
    }
    return text;
  };
  let text = '';
  while (text.length < length) text += `${expression(0)}\n`;
  return text;
}
