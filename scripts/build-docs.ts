// Builds the site of guides and API reference into dist-docs. Whatever typedoc warns of, and every link that leads nowhere, fails.
import { fileURLToPath } from 'node:url';
import {
  Application,
  Comment,
  CommentTag,
  type Context,
  Converter,
  DeclarationReflection,
  LiteralType,
  ReflectionKind,
  UnionType,
} from 'typedoc';
import { brokenLinks } from './broken-links.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = `${root}dist-docs`;

/** In the order of reading. */
const guides = [
  ...[
    'get-started',
    'port-from-keras',
    'port-from-pytorch',
    'port-from-tfjs',
    'data',
    'custom-cells',
    'custom-layers',
    'streaming',
  ],
  ...['memory', 'numeric-modes', 'performance', 'bundle-size', 'running-at-the-edge', 'runtimes'],
]
  .map((name) => `docs/guides/${name}.md`)
  .concat('ARCHITECTURE.md', 'acceptance/speed.md', 'acceptance/int8.md', 'acceptance/shakespeare.md');

/** What the reference groups its entries by: where they are declared, first match first. */
const categories: [source: RegExp, category: string][] = [
  [/layers\/(recurrent|rnn|bidirectional|built-in-cells)|src\/cells\//, 'Recurrent layers and cells'],
  [/src\/layers\/network|src\/train\/(model|feeds|fit|checked-data|predictions|name-tables)/, 'Models and training'],
  [/src\/layers\//, 'Layers'],
  [/src\/train\/loss/, 'Losses'],
  [/src\/train\/metric/, 'Metrics'],
  [/src\/train\/optimizer/, 'Optimizers'],
  [/src\/train\/schedule/, 'Schedules'],
  [/src\/train\/callbacks/, 'Callbacks'],
  [/src\/train\/generate|src\/streaming\//, 'Generation and streaming'],
  [/src\/train\/gradient-flow/, 'Models and training'],
  [/src\/train\/saved-model|src\/io\//, 'Model files'],
  [/src\/characters\//, 'Character models'],
  [/src\/data\//, 'Data'],
  [/src\/ops\//, 'Ops'],
  [/src\/autograd\//, 'Tensors and gradients'],
  [/src\/engine\//, 'Engine'],
];

/** Names that are worked out from the code, such as `keyof typeof activations`: they are shown themselves. */
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
  const category = categories.find(([source]) => source.test(file))?.[1];
  if (!category) return;
  // Constants that are functions have their comment in one place or the other.
  for (const commented of [reflection, ...(reflection.signatures ?? [])]) {
    commented.comment ??= new Comment();
    commented.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: category }]));
  }
}

const app = await Application.bootstrapWithPlugins({
  name: 'tapeloop',
  entryPoints: ['index', 'stream', 'data', 'characters', 'plot', 'node'].map((entry) => `${root}src/${entry}.ts`),
  tsconfig: `${root}tsconfig.build.json`,
  out: site,
  readme: `${root}README.md`,
  projectDocuments: guides.map((guide) => `${root}${guide}`),
  highlightLanguages: ['javascript', 'typescript', 'python', 'bash', 'text'],
  sort: ['kind', 'instance-first', 'alphabetical-ignoring-documents'],
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  categorizeByGroup: false,
  defaultCategory: 'Other',
  categoryOrder: [
    'Models and training',
    'Recurrent layers and cells',
    'Layers',
    'Losses',
    'Metrics',
    'Optimizers',
    '*',
  ],
  kindSortOrder: ['Document', 'Module', 'Namespace', 'Function', 'Variable', 'Class', 'Interface', 'TypeAlias'],
  navigation: { includeCategories: true, includeGroups: false },
  validation: { invalidLink: true, invalidPath: true, notExported: true, rewrittenLink: true },
  // Fused cells are opaque to whoever hands them to `ops.recurrence`; the others are worked out from the types of arguments.
  intentionallyNotExported: ['Cell', 'Attended', 'Given', 'WithState', 'AnyCell', 'Iterated'],
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
});
// Options that are taken apart where they are declared have no name in the code; docstrings call them so.
app.converter.on(Converter.EVENT_CREATE_PARAMETER, (_, parameter) => {
  if (parameter.name === '__namedParameters') parameter.name = 'options';
});
app.converter.on(Converter.EVENT_CREATE_DECLARATION, spellOut);
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  for (const [reflection, type] of spelledOut) reflection.type = type;
  for (const reflection of Object.values(project.reflections)) {
    if (!(reflection instanceof DeclarationReflection)) continue;
    categorize(reflection);
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
