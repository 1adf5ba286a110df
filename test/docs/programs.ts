// The JavaScript of a Markdown page, run as by a reader who copies it.
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
  /** Lines of its output, in order, as the comments `// → line` say. */
  readonly lines: readonly string[];
  /** Parts of its output, as blocks of text that follow it. */
  readonly texts: readonly string[];
}

export const readPage = (path: string): string => readFileSync(new URL(path, root), 'utf8');

export const blocksOf = (page: string): Block[] =>
  Array.from(page.matchAll(/^```(\w*)([^\n]*)\n(.*?)^```$/gms), ([, language, rest, code]) => ({
    language: language!,
    continues: rest!.trim() === 'continued',
    code: code!,
  }));

export function programsOf(page: string): Program[] {
  const programs: { code: string; lines: string[]; texts: string[] }[] = [];
  let last = '';
  for (const { language, continues, code } of blocksOf(page)) {
    const program = programs.at(-1);
    if (language === 'js') {
      const lines = Array.from(code.matchAll(/\/\/ → (.*)$/gm), ([, line]) => line!);
      if (continues) {
        program!.code += code;
        program!.lines.push(...lines);
      } else programs.push({ code, lines, texts: [] });
    } else if (language === 'text' && last === 'js') program!.texts.push(code.trimEnd());
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
