// The default theme, with one title a page, landmarks and headings that screen readers can follow, and navigation
// without nested links.
import {
  DefaultTheme,
  type DefaultThemeRenderContext,
  type NavigationElement,
  type PageEvent,
  type ProjectReflection,
  type Reflection,
} from 'typedoc';

export class SiteTheme extends DefaultTheme {
  override getRenderContext(event: PageEvent<Reflection>): DefaultThemeRenderContext {
    const context = super.getRenderContext(event);
    const { breadcrumbs, pageNavigation } = context;
    // The page itself has its name below, as its title.
    context.breadcrumbs = (model) =>
      model.parent && !model.parent.isProject() ? breadcrumbs(model.parent) : (undefined as never);
    context.pageNavigation = (page) => {
      for (const section of page.pageSections) section.headings = section.headings.filter(({ level }) => level !== 1);
      return pageNavigation(page);
    };
    return context;
  }

  override buildNavigation(project: ProjectReflection): NavigationElement[] {
    return super.buildNavigation(project).map(withoutNesting);
  }
}

/**
 * A link inside of what opens and closes a list cannot be told from it by keyboard or screen reader: it becomes the
 * list's first entry.
 */
function withoutNesting({ path, ...element }: NavigationElement): NavigationElement {
  if (!element.children) return { ...element, ...(path ? { path } : {}) };
  const children = element.children.map(withoutNesting);
  if (!path) return { ...element, children };
  const { kind, icon, class: classes, text } = element;
  const own: NavigationElement = {
    ...{ text: 'Overview', path },
    ...(kind ? { kind } : {}),
    ...(icon ? { icon } : {}),
    ...(classes ? { class: classes } : {}),
  };
  return { text, children: [own, ...children] };
}

/**
 * Puts landmarks into the HTML of a page, and mends the order of its headings. Throws where the theme's HTML is
 * another.
 */
export function mendPage(page: PageEvent): void {
  const replaced: [from: string, to: string][] = [
    ['<div class="col-content">', '<div class="col-content" role="main">'],
    ['<div class="page-menu">', '<div class="page-menu" role="navigation" aria-label="This page">'],
    ['<nav class="tsd-navigation">', '<nav class="tsd-navigation" aria-label="Site">'],
  ];
  let html = page.contents ?? '';
  for (const [from, to] of replaced) {
    if (!html.includes(from)) throw new Error(`${page.url}: typedoc's page has no ${from}`);
    html = html.replace(from, to);
  }
  const begin = html.indexOf('<div class="col-content"');
  const end = html.indexOf('<div class="col-sidebar">');
  const sidebar = html.slice(end).replace(/<(\/?)h3>/g, (_, close: string) => (close ? '</h2>' : '<h2>'));
  page.contents = html.slice(0, begin) + withoutLinks(once(ordered(html.slice(begin, end)))) + sidebar;
}

/** What is said of options stands at the parameter and, by the theme, at the list of their members again. */
const once = (html: string): string =>
  html.replace(/(<div class="tsd-comment tsd-typography">(?:(?!<div).)*?<\/div>\n)\1/gs, '$1');

/**
 * What opens and closes a section has no link of its own within; the section is linked from the list beside the page.
 */
const withoutLinks = (html: string): string =>
  html.replace(/<summary.*?<\/summary>/gs, (summary) => summary.replace(/<a [^>]*tsd-anchor-icon.*?<\/a>/gs, ''));

/**
 * Headings of a page's content with no level left out. The names of sections go from h4 to h2 where a function's page
 * has nothing between.
 */
function ordered(html: string): string {
  const parents: { was: number; is: number }[] = [];
  const open: number[] = [];
  return html.replace(/<(\/?)h([1-6])(?=[\s>])/g, (_, close: string, digit: string) => {
    if (close) return `</h${open.pop()}`;
    const was = Number(digit);
    while (parents.length > 0 && parents.at(-1)!.was >= was) parents.pop();
    const is = (parents.at(-1)?.is ?? 0) + 1;
    parents.push({ was, is });
    open.push(is);
    // The style sheet knows headings by the level that the theme gave them.
    return is === was ? `<h${is}` : `<h${is} data-level="${was}"`;
  });
}
