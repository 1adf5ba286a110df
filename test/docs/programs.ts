// The JavaScript of a Markdown page, to be run as a reader would who copies it.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

const root = new URL('../../', import.meta.url);

interface Block {
  readonly language: string;
  /** `js continued` goes on with the block before it. */
  readonly continues: boolean;
  readonly code: string;
}

export interface Program {
  readonly code: string;
  /** What it says of its own output: the comment `// → text` of a line, and blocks of text that follow it. */
  readonly claims: readonly string[];
}

export const readPage = (path: string): string => readFileSync(new URL(path, root), 'utf8');

export const blocksOf = (page: string): Block[] =>
  Array.from(page.matchAll(/^```(\w*)([^\n]*)\n(.*?)^```$/gms), ([, language, rest, code]) => ({
    language: language!,
    continues: rest!.trim() === 'continued',
    code: code!,
  }));

export function programsOf(page: string): Program[] {
  const programs: { code: string; claims: string[] }[] = [];
  let last = '';
  for (const { language, continues, code } of blocksOf(page)) {
    const program = programs.at(-1);
    if (language === 'js') {
      const claims = Array.from(code.matchAll(/\/\/ → (.*)$/gm), ([, claim]) => claim!);
      if (continues) {
        program!.code += code;
        program!.claims.push(...claims);
      } else programs.push({ code, claims });
    } else if (language === 'text' && last === 'js') program!.claims.push(code.trimEnd());
    last = language;
  }
  return programs;
}

/** Inside the package's own folder `import 'tapeloop'` finds what a user's would: `exports` and dist. */
export async function run({ code }: Program, name: string): Promise<string> {
  const folder = new URL(`build/docs/${name}/`, root);
  mkdirSync(folder, { recursive: true });
  const file = new URL('program.mjs', folder);
  writeFileSync(file, code);
  const { stdout } = await promisify(execFile)(process.execPath, [file.pathname], { cwd: folder.pathname });
  return stdout;
}
