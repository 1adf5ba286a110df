// Which files of the repository are pages of the site beside the reference, what they are called and where they stand in its navigation.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { type CommentDisplayPart, DocumentReflection, type ProjectReflection } from 'typedoc';

/** The guides in the order of reading; any other of docs/guides comes after them. */
const guides = [
  ...['get-started', 'port-from-keras', 'port-from-pytorch', 'port-from-tfjs', 'data', 'custom-cells', 'custom-layers'],
  ...['streaming', 'memory', 'numeric-modes', 'performance', 'bundle-size', 'running-at-the-edge'],
  ...['testing-ssr-electron', 'runtimes', 'hosts'],
];

/** Categories of the navigation. Typedoc lists what is in `None` without a heading, before the others. */
export const categories = { guides: 'None', reference: 'Reference', design: 'Design and measurements' };

const languages: Record<string, string> = { mjs: 'javascript', js: 'javascript', ts: 'typescript' };

/** Paths of all Markdown files that are pages, from the root. */
export function documents(root: string): string[] {
  const inFolder = (folder: string, names: string[]): string[] => names.map((name) => `${folder}/${name}.md`);
  const others = readdirSync(`${root}docs/guides`)
    .map((file) => file.replace(/\.md$/, ''))
    .filter((name) => !guides.includes(name));
  const examples = readdirSync(`${root}examples`).filter((name) => existsSync(`${root}examples/${name}/README.md`));
  return [
    ...inFolder('docs/guides', [...guides, ...others]),
    'examples/README.md',
    ...examples.map((name) => `examples/${name}/README.md`),
    'CHANGELOG.md',
    'ARCHITECTURE.md',
    'docs/decisions.md',
    ...inFolder('acceptance', ['speed', 'int8', 'shakespeare', 'systems', 'csv', 'fuzz']),
  ];
}

/** Where a document is, from the root. */
const pathOf = (document: DocumentReflection, root: string): string =>
  relative(root, document.project.files.getReflectionPath(document) ?? '');

/** Typedoc's name for a path in its own spelling, which it does not export. */
type RegisteredPath = Parameters<ProjectReflection['registerReflection']>[2];

const textOf = (content: readonly CommentDisplayPart[]): string => content.map(({ text }) => text).join('');

const headingOf = (text: string): string => /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? '';

/**
 * Calls every document by its first heading, puts it where it belongs, and makes a page of each program that one of them links to.
 *
 * Documents are then found by name, and no link to a program opens a raw file.
 */
export function arrangeDocuments(project: ProjectReflection, root: string): void {
  const all = [...(project.documents ?? [])];
  const byPath = new Map(all.map((document) => [pathOf(document, root), document]));
  const examples = byPath.get('examples/README.md');
  for (const [path, document] of byPath) {
    document.name = headingOf(textOf(document.content)) || document.name;
    if (examples && document !== examples && path.startsWith('examples/')) {
      project.removeChild(document);
      document.parent = examples;
      examples.addChild(document);
    } else
      document.frontmatter.category = /^(?:docs\/guides|examples)\//.test(path) ? categories.guides : categories.design;
  }
  for (const document of all) addPrograms(document, root, byPath);
}

function addPrograms(document: DocumentReflection, root: string, byPath: Map<string, DocumentReflection>): void {
  const { files } = document.project;
  const linked = document.content.flatMap((part) =>
    part.kind === 'relative-link' && part.target ? [part.target] : [],
  );
  for (const target of new Set(linked)) {
    const path = files.resolvePath(target);
    const language = languages[path?.split('.').at(-1) ?? ''];
    // Another document has made the page already.
    if (!path || !language || files.resolve(target, document.project) instanceof DocumentReflection) continue;
    const name = relative(root, path);
    const parent = byPath.get(name.replace(/[^/]+$/, 'README.md')) ?? document;
    const text = `# ${name}\n\n~~~~${language}\n${readFileSync(path, 'utf8')}\n~~~~\n`;
    const page = new DocumentReflection(basename(name), parent, [{ kind: 'text', text }], {});
    parent.addChild(page);
    document.project.registerReflection(page, undefined, path as RegisteredPath);
  }
}
