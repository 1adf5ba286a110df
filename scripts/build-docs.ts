// Builds the site of guides and API reference into dist-docs. Every warning of typedoc and every broken link is an
// error.
import { fileURLToPath } from 'node:url';
import {
  Application,
  Comment,
  CommentTag,
  type Context,
  Converter,
  DeclarationReflection,
  IndexEvent,
  LiteralType,
  PageEvent,
  ReflectionKind,
  UnionType,
} from 'typedoc';
import { brokenLinks } from './broken-links.ts';
import { entries } from './entries.ts';

import { repository } from './site/addresses.ts';
import { extendMarkdown } from './site/markdown.ts';
import { arrangeDocuments, categories as categoriesOfPages, documents } from './site/pages.ts';
import { prepareIndex } from './site/search.ts';
import { fixPage, SiteTheme } from './site/theme.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = `${root}dist-docs`;

/** The categories of the reference, by the source files of the declarations. The first match counts. */
const categories: [source: RegExp, category: string][] = [
  [/src\/layers\/rnn\/|src\/cells\//, 'Recurrent layers and cells'],
  [/src\/layers\/base\/network|src\/models\/(model|gradient-flow)|src\/train\//, 'Models and training'],
  [/src\/layers\//, 'Layers'],
  [/src\/losses\//, 'Losses'],
  [/src\/metrics\//, 'Metrics'],
  [/src\/optimizers\/schedule/, 'Schedules'],
  [/src\/optimizers\//, 'Optimizers'],
  [/src\/callbacks\//, 'Callbacks'],
  [/src\/models\/generate|src\/streaming\//, 'Generation and streaming'],
  [/src\/saving\/|src\/io\//, 'Model files'],
  [/src\/characters\//, 'Character models'],
  [/src\/data\//, 'Data'],
  [/src\/ops\//, 'Ops'],
  [/src\/autograd\/|src\/checks\//, 'Tensors and gradients'],
  [/src\/engine\/|src\/host\//, 'Engine'],
];

/** Types computed from the code, such as `keyof typeof activations`. The reference lists their names. */
const spelledOut = new Map<DeclarationReflection, UnionType>();

function spellOut(context: Context, reflection: DeclarationReflection): void {
  if (reflection.kind !== ReflectionKind.TypeAlias) return;
  const symbol = context.getSymbolFromReflection(reflection);
  const type = symbol && context.checker.getDeclaredTypeOfSymbol(symbol);
  if (!type?.isUnion() || !type.types.every((each) => each.isStringLiteral())) return;
  const names = type.types.map((each) => String((each as { value?: unknown }).value)).sort();
  spelledOut.set(reflection, new UnionType(names.map((name) => new LiteralType(name))));
}

function categorize(reflection: DeclarationReflection): void {
  if (reflection.parent?.parent?.isProject() === false) return;
  const file = reflection.project.getSymbolIdFromReflection(reflection)?.fileName ?? '';
  const category =
    reflection.kind === ReflectionKind.Module
      ? categoriesOfPages.reference
      : categories.find(([source]) => source.test(file))?.[1];
  if (!category) return;
  // The comment of a constant that is a function is in one of two places.
  for (const commented of [reflection, ...(reflection.signatures ?? [])]) {
    commented.comment ??= new Comment();
    commented.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: category }]));
  }
}

/** Shows the members of options, with their comments, at every function with these options. */
function showMembers(reflection: DeclarationReflection): void {
  const isOptions = /Options$/.test(reflection.name);
  if (!isOptions || !reflection.kindOf([ReflectionKind.Interface, ReflectionKind.TypeAlias])) return;
  reflection.comment ??= new Comment();
  reflection.comment.modifierTags.add('@expand');
}

const app = await Application.bootstrapWithPlugins({
  name: 'tapeloop',
  // `lean` exports what `index` exports.
  entryPoints: [...entries.filter((name) => name !== 'lean'), 'node'].map((name) => `${root}src/${name}.ts`),
  tsconfig: `${root}tsconfig.build.json`,
  out: site,
  readme: `${root}README.md`,
  projectDocuments: documents(root).map((path) => `${root}${path}`),
  headings: { readme: false, document: false },
  theme: 'site',
  navigationLinks: repository ? { Repository: repository } : {},
  favicon: `${root}examples/demo/icon.svg`,
  customCss: `${root}scripts/site/style.css`,
  customJs: `${root}scripts/site/page.js`,
  searchInComments: true,
  searchInDocuments: true,
  markdownItLoader: extendMarkdown,
  highlightLanguages: ['javascript', 'typescript', 'python', 'bash', 'toml', 'text', 'jsx', 'html'],
  sort: ['kind', 'instance-first', 'required-first', 'alphabetical-ignoring-documents'],
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  categorizeByGroup: false,
  defaultCategory: 'Other',
  categoryOrder: [
    categoriesOfPages.reference,
    categoriesOfPages.internals,
    categoriesOfPages.design,
    'Models and training',
    'Recurrent layers and cells',
    'Layers',
    'Losses',
    'Metrics',
    'Optimizers',
    '*',
  ],
  kindSortOrder: ['Document', 'Module', 'Namespace', 'Function', 'Variable', 'Class', 'Interface', 'TypeAlias'],
  // The programs that the guides link to are in this folder.
  navigationLeaves: ['Bundle size'],
  navigation: { includeCategories: true, includeGroups: false },
  validation: { invalidLink: true, invalidPath: true, notExported: true, rewrittenLink: true },
  // Fused cells are opaque values for `ops.recurrence`. The other types are computed from the types of arguments.
  intentionallyNotExported: ['Cell', 'Attended', 'Given', 'WithState', 'AnyCell', 'Iterated', 'CallbackOf'],
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
});
app.renderer.defineTheme('site', SiteTheme);
app.renderer.on(IndexEvent.PREPARE_INDEX, prepareIndex);
app.renderer.on(PageEvent.END, fixPage);
// Options that are destructured in the parameter list have no name in the code. Docstrings use this name.
app.converter.on(Converter.EVENT_CREATE_PARAMETER, (_, parameter) => {
  if (parameter.name === '__namedParameters') parameter.name = 'options';
});
app.converter.on(Converter.EVENT_CREATE_DECLARATION, spellOut);
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  arrangeDocuments(project, root);
  for (const [reflection, type] of spelledOut) reflection.type = type;
  for (const reflection of Object.values(project.reflections)) {
    if (!(reflection instanceof DeclarationReflection)) continue;
    categorize(reflection);
    showMembers(reflection);
    if (reflection.kind !== ReflectionKind.Module) continue;
    reflection.name = reflection.name === 'index' ? 'tapeloop' : `tapeloop/${reflection.name}`;
  }
});
const project = await app.convert();
if (project) {
  app.validate(project);
  await app.generateOutputs(project);
}
const broken = project ? brokenLinks(site) : [];
for (const link of broken) console.error(`broken link: ${link}`);
if (!project || app.logger.hasErrors() || app.logger.hasWarnings() || broken.length > 0) process.exitCode = 1;
else console.log(`documentation built: ${site}/index.html`);
