// Which files of the repository are pages of the site beside the reference, what they are called and where they stand
// in its navigation.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { type CommentDisplayPart, DocumentReflection, type ProjectReflection } from 'typedoc';

/** The guides in the order of reading; any other of docs/guides comes after them. */
const guides = [
  ...['get-started', 'port-from-keras', 'port-from-pytorch', 'port-from-tfjs', 'data', 'custom-cells', 'custom-layers'],
  ...['streaming', 'memory', 'numeric-modes', 'performance', 'bundle-size', 'running-at-the-edge'],
  ...['testing-ssr-electron', 'runtimes', 'hosts'],
];

/** The pages of docs/internals in the order of reading; any other comes after them. */
const internals = [
  ...['one-lstm-step', 'kernels', 'training', 'memory', 'threads', 'streaming', 'int8', 'start', 'data', 'tests'],
  ...['add-a-kernel', 'add-a-cell', 'add-a-layer', 'add-a-loss'],
];

/** Categories of the navigation. Typedoc lists what is in `None` without a heading, before the others. */
export const categories = {
  guides: 'None',
  reference: 'Reference',
  internals: 'Internals',
  design: 'Design and measurements',
};

const languages: Record<string, string> = { mjs: 'javascript', js: 'javascript', ts: 'typescript' };

/** Paths of all Markdown files that are pages, from the root. */
export function documents(root: string): string[] {
  const inFolder = (folder: string, names: string[]): string[] => names.map((name) => `${folder}/${name}.md`);
  const all = (folder: string, first: string[]): string[] => {
    const names = readdirSync(`${root}${folder}`).map((file) => file.replace(/\.md$/, ''));
    return inFolder(folder, [...first, ...names.filter((name) => !first.includes(name))]);
  };
  const examples = readdirSync(`${root}examples`).filter((name) => existsSync(`${root}examples/${name}/README.md`));
  return [
    ...all('docs/guides', guides),
    'examples/README.md',
    ...examples.map((name) => `examples/${name}/README.md`),
    'CHANGELOG.md',
    'ARCHITECTURE.md',
    ...all('docs/internals', internals),
    'docs/decisions.md',
    ...inFolder('acceptance', ['speed', 'int8', 'shakespeare', 'systems', 'csv', 'fuzz']),
  ];
}

function categoryOf(path: string): string {
  if (/^(?:docs\/guides|examples)\//.test(path)) return categories.guides;
  return /^(?:docs\/internals\/|ARCHITECTURE)/.test(path) ? categories.internals : categories.design;
}

/** Where a document is, from the root. */
const pathOf = (document: DocumentReflection, root: string): string =>
  relative(root, document.project.files.getReflectionPath(document) ?? '');

/** Typedoc's name for a path in its own spelling, which it does not export. */
type RegisteredPath = Parameters<ProjectReflection['registerReflection']>[2];

const textOf = (content: readonly CommentDisplayPart[]): string => content.map(({ text }) => text).join('');

const headingOf = (text: string): string => /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? '';

/**
 * Calls every document by its first heading, puts it where it belongs, and makes a page of each program that one of
 * them links to.
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
    } else document.frontmatter.category = categoryOf(path);
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
