// The public functions with their docstrings, read from the declarations.
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));
const entries = [
  'index',
  'audio',
  'audio-models',
  'audio-stream',
  'images',
  'sequences',
  'state-space',
  'data',
  'stream',
  'node',
  'plot',
  'characters',
  'bench',
];
const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
const program = ts.createProgram(
  entries.map((entry) => `${root}src/${entry}.ts`),
  ts.parseJsonConfigFileContent(config, ts.sys, root).options,
);
const checker = program.getTypeChecker();

export interface Documented {
  name: string;
  /** The first entry that has it. */
  entry: string;
  /** Where it is declared, below src. */
  file: string;
  text: string;
  tags: Record<string, string[]>;
  parameters: number;
}

const target = (symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

/** The functions of a module, those of its namespaces as `ops.add`. */
function functionsOf(entry: string, module: ts.Symbol, prefix = ''): Documented[] {
  return checker.getExportsOfModule(module).flatMap((exported): Documented[] => {
    const symbol = target(exported);
    if (symbol.flags & ts.SymbolFlags.Module) return functionsOf(entry, symbol, `${exported.name}.`);
    if (symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) return [];
    const signatures = checker.getSignaturesOfType(checker.getTypeOfSymbol(symbol), ts.SignatureKind.Call);
    if (signatures.length === 0) return [];
    const tags: Record<string, string[]> = {};
    // Of overloads the first that says something speaks for all.
    for (const tag of symbol.getJsDocTags(checker)) {
      const text = ts.displayPartsToString(tag.text);
      (tags[tag.name] ??= []).push(text);
    }
    const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
    const file = symbol.declarations![0]!.getSourceFile().fileName.split('/src/').at(-1)!;
    const parameters = Math.max(...signatures.map((each) => each.parameters.length));
    return [{ name: prefix + exported.name, entry, file, text, tags, parameters }];
  });
}

const all = entries.flatMap((entry) =>
  functionsOf(entry, checker.getSymbolAtLocation(program.getSourceFile(`${root}src/${entry}.ts`)!)!),
);
/** Each once, whichever entry has it. */
export const functions = [...new Map(all.reverse().map((each) => [`${each.file} ${each.name}`, each])).values()];
