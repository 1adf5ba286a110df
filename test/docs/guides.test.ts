// Every program of the guides and of the internals runs without changes with the built package, and prints what the
// guide says.
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { blocksOf, programsOf, readPage, run } from './programs.ts';

const pagesOf = (folder: string): string[] =>
  readdirSync(new URL(`../../docs/${folder}/`, import.meta.url))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file}`);
// `npm run test:hosts` runs what is jsx. In the internals ts is a line of the library's own code, and what has no
// language a drawing.
const LANGUAGES: Readonly<Record<string, readonly string[]>> = {
  guides: ['js', 'text', 'python', 'sh', 'toml', 'jsx', 'html'],
  internals: ['js', 'ts', 'sh', ''],
};

describe.concurrent.each(Object.keys(LANGUAGES).flatMap(pagesOf))('%s', (name) => {
  const page = readPage(`docs/${name}`);
  const languages = LANGUAGES[name.split('/')[0]!]!;

  test('has code in languages alone that are run, or said not to be', () => {
    expect(blocksOf(page).filter(({ language }) => !languages.includes(language))).toEqual([]);
  });

  test.each(programsOf(page).map((program, i) => [i + 1, program] as const))(
    'program %i, run as printed, prints what it says',
    async (i, program) => {
      const output = await run(program, `${name.replace('.md', '').replace('guides/', '')}-${i}`);
      for (const text of program.texts) expect(output).toContain(text);
      const said = new Set(program.lines);
      expect(
        output.split('\n').filter((line) => said.has(line)),
        output,
      ).toEqual(program.lines);
    },
  );
});
