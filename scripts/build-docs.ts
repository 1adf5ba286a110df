// Builds the site of guides and API reference into dist-docs. Whatever typedoc warns of, and every link that leads nowhere, fails.
import { fileURLToPath } from 'node:url';
import { Application, Comment, CommentTag, Converter, DeclarationReflection, type Reflection } from 'typedoc';
import { brokenLinks } from './broken-links.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = `${root}dist-docs`;

/** What the reference groups its entries by: where they are declared, first match first. */
const categories: [source: RegExp, category: string][] = [
  [/layers\/(recurrent|rnn|bidirectional|built-in-cells)|src\/cells\//, 'Recurrent layers and cells'],
  [/src\/layers\/network|src\/train\/(model|feeds|fit|checked-data|predictions|short-names)/, 'Models and training'],
  [/src\/layers\//, 'Layers'],
  [/src\/train\/loss/, 'Losses'],
  [/src\/train\/metric/, 'Metrics'],
  [/src\/train\/optimizer/, 'Optimizers'],
  [/src\/train\/schedule/, 'Schedules'],
  [/src\/train\/callbacks/, 'Callbacks'],
  [/src\/train\/(generate|sampling|stream)|stream-program/, 'Generation and streaming'],
  [/src\/train\/gradient-flow/, 'Models and training'],
  [/src\/train\/saved-model|src\/io\//, 'Model files'],
  [/src\/data\//, 'Data'],
  [/src\/ops\//, 'Ops'],
  [/src\/autograd\//, 'Tensors and gradients'],
  [/src\/engine\//, 'Engine'],
];

function categorize(reflection: Reflection): void {
  if (!(reflection instanceof DeclarationReflection) || reflection.parent?.parent?.isProject() === false) return;
  const file = reflection.project.getSymbolIdFromReflection(reflection)?.fileName ?? '';
  const category = categories.find(([source]) => source.test(file))?.[1];
  if (!category) return;
  const commented = reflection.signatures?.[0] ?? reflection;
  commented.comment ??= new Comment();
  commented.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: category }]));
}

const app = await Application.bootstrapWithPlugins({
  name: 'tapeloop',
  entryPoints: ['index', 'data', 'node'].map((entry) => `${root}src/${entry}.ts`),
  tsconfig: `${root}tsconfig.build.json`,
  out: site,
  readme: `${root}README.md`,
  projectDocuments: [`${root}docs/guides/*.md`],
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  categorizeByGroup: false,
  defaultCategory: 'Other',
  navigation: { includeCategories: true, includeGroups: false },
  validation: { invalidLink: true, invalidPath: true, notExported: true, rewrittenLink: true },
  // What is worked out from the types of arguments, and says nothing by its name.
  intentionallyNotExported: ['Attended', 'Given', 'WithState', 'AnyCell', 'Iterated'],
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
});
// Options that are taken apart where they are declared have no name in the code; docstrings call them so.
app.converter.on(Converter.EVENT_CREATE_PARAMETER, (_, parameter) => {
  if (parameter.name === '__namedParameters') parameter.name = 'options';
});
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  for (const reflection of Object.values(project.reflections)) categorize(reflection);
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
