import { ArgumentError, shown } from '../../checks/argument-error.ts';
import { checkOptions } from '../../checks/options.ts';
import { DataError } from '../sources/data-error.ts';
import { type Source, type SourceOptions, sourceNames } from '../sources/source.ts';
import { linesOf, openText } from './lines.ts';

export interface PairsOptions extends SourceOptions {
  /** Treatment of a last line that is cut off: throw (default) or leave it out. */
  incomplete?: 'error' | 'skip' | undefined;
}

/**
 * Reads pairs of sentences, one pair a line: a sentence, a tab, its translation. Further columns, such as an
 * attribution, are ignored.
 *
 * The last line counts as cut off if it has no tab, lacks a sentence or ends in a blank. A cut between two words that
 * leaves no blank cannot be detected.
 *
 * @param source a path, a URL or bytes.
 * @param options.incomplete treatment of a last line that is cut off, 'error' or 'skip'. Default 'error'.
 * @returns the pairs in the order of the file.
 * @throws DataError at a line without two sentences, with file and line; at a last line that is cut off, unless
 *   `incomplete` is 'skip'; or if the gzip is corrupt. TextError if the bytes are not UTF-8. SourceError if the source
 *   cannot be read. ArgumentError if `source` or an option is of another kind or unknown. The signal's reason if it is
 *   aborted.
 * @see https://www.manythings.org/anki/ for files of this form
 * @example
 * const pairs = await loadPairs('pairs.tsv'); // [['go', 'va'], ['stop', 'arrete']]
 */
export async function loadPairs(source: Source, options: PairsOptions = {}): Promise<[string, string][]> {
  const { incomplete = 'error' } = checkOptions('loadPairs', options, { incomplete: 1, ...sourceNames });
  if (incomplete !== 'error' && incomplete !== 'skip') {
    throw new ArgumentError(`loadPairs: incomplete expected 'error' or 'skip', got ${shown(incomplete)}`);
  }
  const { name, text } = await openText(source, options);
  const lines = linesOf(text);
  const pairs: [string, string][] = [];
  for (const [i, line] of lines.entries()) {
    const [first = '', second = ''] = line.split('\t');
    const whole = first.trim() !== '' && second.trim() !== '';
    const isLast = i === lines.length - 1;
    if (whole && !(isLast && /\s$/.test(line))) pairs.push([first, second]);
    else if (!isLast) fail(name, i, 'expected two sentences with a tab between them', line);
    else if (incomplete === 'error') {
      fail(name, i, "the last line is cut off (incomplete: 'skip' leaves it out)", line);
    }
  }
  return pairs;
}

function fail(file: string, index: number, what: string, line: string): never {
  throw new DataError(file, `${what}, got ${JSON.stringify(line.slice(0, 80))}`, index + 1);
}
