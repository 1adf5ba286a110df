// Lists the public API of every entry with types, so a review shows each change of it.
//   npm run api   writes the list to test/types/public-api.txt; a test compares that file with the source
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { entries } from './entries.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const names = [...entries, 'node'];
const FLAGS = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias;

/** One line for each export, and one for each public member of a class or an interface. */
export function publicApi(): string {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(
    names.map((name) => `${root}src/${name}.ts`),
    options,
  );
  const checker = program.getTypeChecker();
  const typeOf = (type: ts.Type): string => checker.typeToString(type, undefined, FLAGS).replace(/\s+/g, ' ');
  const isInternal = (symbol: ts.Symbol): boolean =>
    symbol.getJsDocTags(checker).some(({ name }) => name === 'internal') ||
    (symbol.declarations ?? []).some(
      (each) => ts.getCombinedModifierFlags(each as ts.Declaration) & ts.ModifierFlags.Private,
    ) ||
    symbol.name.startsWith('#');
  const target = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

  const members = (type: ts.Type, indent: string): string[] =>
    checker
      .getPropertiesOfType(type)
      .filter((member) => !isInternal(member) && !member.name.startsWith('__@') && member.name !== 'prototype')
      .map((member) => {
        const optional = member.flags & ts.SymbolFlags.Optional ? '?' : '';
        return `${indent}${member.name}${optional}: ${typeOf(checker.getTypeOfSymbol(member))}`;
      })
      .sort();

  const describe = (name: string, exported: ts.Symbol, indent: string): string[] => {
    const symbol = target(exported);
    if (symbol.flags & ts.SymbolFlags.Module) {
      return [`${indent}namespace ${name}`, ...exportsOf(symbol, `${indent}  `)];
    }
    if (symbol.flags & ts.SymbolFlags.Class) {
      const made = checker.getDeclaredTypeOfSymbol(symbol);
      const statics = members(checker.getTypeOfSymbol(symbol), `${indent}  static `);
      return [`${indent}class ${name}`, ...statics, ...members(made, `${indent}  `)];
    }
    if (symbol.flags & ts.SymbolFlags.Interface) {
      return [`${indent}interface ${name}`, ...members(checker.getDeclaredTypeOfSymbol(symbol), `${indent}  `)];
    }
    if (symbol.flags & ts.SymbolFlags.TypeAlias) {
      return [`${indent}type ${name} = ${typeOf(checker.getDeclaredTypeOfSymbol(symbol))}`];
    }
    const signatures = checker.getSignaturesOfType(checker.getTypeOfSymbol(symbol), ts.SignatureKind.Call);
    if (signatures.length === 0) return [`${indent}const ${name}: ${typeOf(checker.getTypeOfSymbol(symbol))}`];
    return signatures.map(
      (each) => `${indent}function ${name}${checker.signatureToString(each, undefined, FLAGS).replace(/\s+/g, ' ')}`,
    );
  };

  const exportsOf = (module: ts.Symbol, indent: string): string[] =>
    checker
      .getExportsOfModule(module)
      .filter((symbol) => !isInternal(target(symbol)))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((symbol) => describe(symbol.name, symbol, indent));

  const known = new Set<string>();
  return names
    .map((entry) => {
      const module = checker.getSymbolAtLocation(program.getSourceFile(`${root}src/${entry}.ts`)!)!;
      // `lean` has exports of `index`. Repeated exports are not written twice.
      const text = exportsOf(module, '  ').join('\n');
      if (known.has(text)) return `# ${entry}: as the entry before it\n`;
      known.add(text);
      return `# ${entry}\n${text}\n`;
    })
    .join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(`${root}test/types/public-api.txt`, publicApi());
}
