// The Markdown files that become pages of the site, their names, and their places in the navigation.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { type CommentDisplayPart, DocumentReflection, type ProjectReflection } from 'typedoc';

/** The guides in reading order. Other files of docs/guides follow them. */
const guides = [
  ...['get-started', 'port-from-keras', 'port-from-pytorch', 'port-from-tfjs', 'data', 'recurrent-practice', 'images'],
  ...[
    'custom-cells',
    'custom-layers',
    'streaming',
    'memory',
    'numeric-modes',
    'performance',
    'bundle-size',
    'running-at-the-edge',
  ],
  ...['testing-ssr-electron', 'runtimes', 'hosts'],
];

/** The pages of docs/internals in reading order. Other files of that folder follow them. */
const internals = [
  ...['one-lstm-step', 'kernels', 'training', 'memory', 'threads', 'streaming', 'int8', 'start', 'data', 'tests'],
  ...['add-a-kernel', 'add-a-cell', 'add-a-layer', 'add-a-loss'],
];

/** Categories of the navigation. Typedoc lists the members of `None` first and without a heading. */
export const categories = {
  guides: 'None',
  reference: 'Reference',
  internals: 'Internals',
  design: 'Design and measurements',
};

const languages: Record<string, string> = { mjs: 'javascript', js: 'javascript', ts: 'typescript' };

/** Paths of all Markdown files that become pages, relative to the root. */
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

/** Path of a document, relative to the root. */
const pathOf = (document: DocumentReflection, root: string): string =>
  relative(root, document.project.files.getReflectionPath(document) ?? '');

/** Typedoc's type of a normalized path. Typedoc does not export it. */
type RegisteredPath = Parameters<ProjectReflection['registerReflection']>[2];

const textOf = (content: readonly CommentDisplayPart[]): string => content.map(({ text }) => text).join('');

const headingOf = (text: string): string => /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? '';

/**
 * Names every document after its first heading and sets its category. Makes a page of each program that a document
 * links to. So documents are found by name, and no link to a program opens a raw file.
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
    // Another document has already made this page.
    if (!path || !language || files.resolve(target, document.project) instanceof DocumentReflection) continue;
    const name = relative(root, path);
    const parent = byPath.get(name.replace(/[^/]+$/, 'README.md')) ?? document;
    const text = `# ${name}\n\n~~~~${language}\n${readFileSync(path, 'utf8')}\n~~~~\n`;
    const page = new DocumentReflection(basename(name), parent, [{ kind: 'text', text }], {});
    parent.addChild(page);
    document.project.registerReflection(page, undefined, path as RegisteredPath);
  }
}
