// Every program of the guides is run as it stands, against the built package, and prints what the guide says.
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { blocksOf, programsOf, readPage, run } from './programs.ts';

const guides = readdirSync(new URL('../../docs/guides/', import.meta.url)).filter((file) => file.endsWith('.md'));
// `npm run test:hosts` runs what is jsx.
const LANGUAGES = ['js', 'text', 'python', 'sh', 'toml', 'jsx', 'html'];

describe.concurrent.each(guides)('guide %s', (guide) => {
  const page = readPage(`docs/guides/${guide}`);

  test('has code in languages alone that are run, or said not to be', () => {
    expect(blocksOf(page).filter(({ language }) => !LANGUAGES.includes(language))).toEqual([]);
  });

  test.each(programsOf(page).map((program, i) => [i + 1, program] as const))(
    'program %i, run as printed, prints what it says',
    async (i, program) => {
      const output = await run(program, `${guide.replace('.md', '')}-${i}`);
      for (const text of program.texts) expect(output).toContain(text);
      const said = new Set(program.lines);
      expect(
        output.split('\n').filter((line) => said.has(line)),
        output,
      ).toEqual(program.lines);
    },
  );
});
