// Extensions of the Markdown renderer: scrollable tables, line breaks in long names, and no links for file names.

interface Token {
  tag: string;
  type: string;
  content: string;
}

/** The used part of the interface of markdown-it's parser. */
interface Parser {
  linkify: { set(options: { fuzzyLink: boolean }): void };
  renderer: { rules: Record<string, ((tokens: Token[], index: number) => string) | undefined> };
  utils: { escapeHtml(text: string): string };
  core: { ruler: { push(name: string, rule: (state: { tokens: Token[] }) => void): void } };
}

const joints = /[a-z0-9](?=[A-Z])|\w[_/(](?=\w)/g;

export function extendMarkdown(parser: Parser): void {
  // Otherwise ARCHITECTURE.md becomes a link, because .md is the top-level domain of Moldova.
  parser.linkify.set({ fuzzyLink: false });
  parser.renderer.rules.table_open = () => '<div class="table-box" role="group" aria-label="Table"><table>\n';
  parser.renderer.rules.table_close = () => '</table></div>\n';
  // Names of more than twenty characters may break between their words, such as `SparseCategorical` and `Crossentropy`.
  parser.renderer.rules.code_inline = (tokens, i) => {
    const text = parser.utils.escapeHtml(tokens[i]!.content);
    return `<code>${text.replace(/[\w/(]{21,}/g, (name) => name.replace(joints, '$&<wbr>'))}</code>`;
  };
  parser.core.ruler.push('cells-without-words', ({ tokens }) => {
    tokens.forEach((token, i) => {
      // An empty cell is not a heading.
      if (token.type === 'th_open' && tokens[i + 1]!.content === '') token.tag = tokens[i + 2]!.tag = 'td';
    });
  });
}
