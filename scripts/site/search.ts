// The order of search results: names that begin with the text come first, then headings of guides, then words of guides
// and of comments.
import {
  type DeclarationReflection,
  DocumentReflection,
  type IndexEvent,
  type Reflection,
  ReflectionKind,
} from 'typedoc';
import { categories } from './pages.ts';

const weights = { name: 10, headings: 5, document: 2, comment: 1 };

/** Guides that are tables of results. Other guides explain the same terms. */
const tablesOfResults = ['Hosts', 'Runtimes'];

/** The weight of a page among pages with the same word. */
function boostOf(reflection: Reflection): number {
  if (reflection instanceof DocumentReflection) {
    const { category } = reflection.frontmatter;
    // Programs have no category. Their code repeats what their guide explains.
    const isGuide = category === categories.guides && !tablesOfResults.includes(reflection.name);
    return isGuide ? 4 : category ? 1 : 0.5;
  }
  // `lstm` comes before `cells.lstm`. Functions, classes and modules come before the types of their arguments.
  const depth = reflection.getFullName().split('.').length;
  const called = reflection.kindOf([ReflectionKind.Function, ReflectionKind.Class, ReflectionKind.Module]);
  return (called ? 4 : 2) / depth;
}

export function prepareIndex(event: IndexEvent): void {
  Object.assign(event.searchFieldWeights, weights);
  // An inherited member of options is listed once, where it is declared.
  for (let i = event.searchResults.length - 1; i >= 0; i--) {
    const reflection = event.searchResults[i]!;
    if (reflection.isDeclaration() && reflection.inheritedFrom) event.removeResult(i);
  }
  event.searchResults.forEach((reflection, i) => {
    (reflection as DeclarationReflection | DocumentReflection).relevanceBoost = boostOf(reflection);
    if (!(reflection instanceof DocumentReflection)) return;
    const text = reflection.content.map((part) => part.text).join('');
    event.searchFields[i] = {
      headings: Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading]) => heading!).join('\n'),
    };
  });
}
