// What the site's search finds first: what a name begins with, then headings of guides, then words of guides and of
// comments.
import {
  type DeclarationReflection,
  DocumentReflection,
  type IndexEvent,
  type Reflection,
  ReflectionKind,
} from 'typedoc';
import { categories } from './pages.ts';

const weights = { name: 10, headings: 5, document: 2, comment: 1 };

/** They name what a guide explains. */
const tablesOfResults = ['Hosts', 'Runtimes'];

/** How much more one page is looked for than another that has the word as well. */
function boostOf(reflection: Reflection): number {
  if (reflection instanceof DocumentReflection) {
    const { category } = reflection.frontmatter;
    // Programs, which have no category of their own, say in code what their page says in words.
    const isGuide = category === categories.guides && !tablesOfResults.includes(reflection.name);
    return isGuide ? 4 : category ? 1 : 0.5;
  }
  // `lstm` before `cells.lstm`, and what one calls before the types of what it takes.
  const depth = reflection.getFullName().split('.').length;
  const called = reflection.kindOf([ReflectionKind.Function, ReflectionKind.Class, ReflectionKind.Module]);
  return (called ? 4 : 2) / depth;
}

export function prepareIndex(event: IndexEvent): void {
  Object.assign(event.searchFieldWeights, weights);
  // A member that options inherit is found where it is declared, once.
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
