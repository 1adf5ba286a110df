import { ArgumentError, expectList, shown } from '../checks/argument-error.ts';
import { expectChoice } from '../checks/choices.ts';
import { formatShape } from '../checks/shape.ts';

/** Which tags may follow each other, begin and end: 1 if allowed, 0 if not. */
export interface AllowedTags {
  /** `[K, K]`: whether the tag of the column may follow the tag of the row. */
  transitions: readonly (readonly number[])[];
  /** `[K]`: whether a tag may be the first. Default: all may. */
  start?: readonly number[] | undefined;
  /** `[K]`: whether a tag may be the last. Default: all may. */
  end?: readonly number[] | undefined;
}

/** `AllowedTags` of which both ends are known. */
export interface AllTags extends AllowedTags {
  readonly start: readonly number[];
  readonly end: readonly number[];
}

/**
 * How tags mark spans: by `B-` and `I-`; or by `B-`, `I-`, `E-` for the last and `S-` for the only one, which `bilou`
 * calls `L-` and `U-`.
 */
export type TagScheme = keyof typeof LETTERS;

/** The letters of a scheme: first, inside, last, only one. */
const LETTERS = { bio: 'BI', iobes: 'BIES', bilou: 'BILU' } as const;

/**
 * The transitions that a scheme of spans allows, for the option `allowed` of `crf`.
 *
 * `bio` (IOB2): I-x follows only B-x or I-x. `iobes`: B-x and I-x are followed only by I-x or E-x, which follow nothing
 * else; a sequence ends with O, E-x or S-x. `bilou`: the same with L for E and U for S.
 *
 * @param tags the name of each tag, by its id: `O`, or a letter of the scheme, a hyphen and the kind of the span.
 * @param scheme default `bio`.
 * @returns 0 or 1 for each pair of tags `[K, K]`, for the first `[K]` and for the last `[K]`; plain JSON, owned by the
 *   caller.
 * @throws ArgumentError if `tags` is empty or not a list of such names, or the scheme is unknown.
 * @see allennlp.modules.conditional_random_field.allowed_transitions
 *
 * @example
 * const allowed = allowedTags(['O', 'B-city', 'I-city']);
 * allowed.transitions[0]; // after O: 1 1 0
 * allowed.start; // 1 1 0
 */
export function allowedTags(tags: readonly string[], scheme: TagScheme = 'bio'): AllTags {
  expectChoice('allowedTags', 'scheme', scheme, Object.keys(LETTERS) as TagScheme[]);
  const letters = LETTERS[scheme];
  const parts = expectList('allowedTags: tags', tags).map((tag) => {
    const [, letter, kind] = (typeof tag === 'string' && /^(?:O|(\w)-(.+))$/s.exec(tag)) || [''];
    const place = letter ? letters.indexOf(letter) : -1;
    if (tag === 'O' || place >= 0) return { letter: 'BIES'[place] ?? 'O', kind };
    const marks = [...letters].map((each) => `${each}-`).join(', ');
    throw new ArgumentError(`allowedTags: tags expected 'O', or ${marks} and a kind, such as 'B-x', got ${shown(tag)}`);
  });
  if (parts.length === 0) throw new ArgumentError('allowedTags: tags expected names, got none');
  // Whether a span goes on behind a tag, or before it.
  const isOpen = ({ letter }: { letter: string }): boolean => letter === 'B' || letter === 'I';
  const goesOn = ({ letter }: { letter: string }): boolean => letter === 'I' || letter === 'E';
  const isWhole = scheme !== 'bio';
  return {
    transitions: parts.map((from) =>
      parts.map((to) => {
        if (goesOn(to)) return Number(isOpen(from) && from.kind === to.kind);
        return Number(!(isWhole && isOpen(from)));
      }),
    ),
    start: parts.map((to) => Number(!goesOn(to))),
    end: parts.map((from) => Number(!(isWhole && isOpen(from)))),
  };
}

/** Throws `ArgumentError` unless `allowed` is for `tags` tags; `tags` is undefined if their number is not known. */
export function checkAllowed(what: string, allowed: AllowedTags, tags = Object(allowed).transitions?.length): void {
  if (!Object(allowed).transitions) {
    throw new ArgumentError(
      `${what}: allowed expected { transitions, start, end }, as allowedTags makes, got ${shown(allowed)}`,
    );
  }
  const lists: [string, unknown, number[]][] = [['transitions', allowed.transitions, [tags, tags]]];
  for (const name of ['start', 'end'] as const) {
    if (allowed[name] !== undefined) lists.push([name, allowed[name], [tags]]);
  }
  for (const [name, values, shape] of lists) {
    const rows = shape.length === 1 ? [values] : values;
    const isGood =
      Array.isArray(rows) &&
      (shape.length === 1 || rows.length === tags) &&
      rows.every((row) => Array.isArray(row) && row.length === tags && row.every((x) => x === 0 || x === 1));
    if (isGood) continue;
    throw new ArgumentError(`${what}: allowed.${name} expected 0 or 1 in ${formatShape(shape)}, got ${shown(values)}`);
  }
}
