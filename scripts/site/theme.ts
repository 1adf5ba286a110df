// The default theme with changes: one title on each page, landmarks and a heading order for screen readers, and
// navigation without nested links.
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
    // The title below is the name of the page, so the breadcrumbs end with its parent.
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
 * Moves the link of a list's toggle to the first entry of the list. Keyboards and screen readers cannot distinguish a
 * link inside a toggle from the toggle.
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
 * Adds landmarks to the HTML of a page and corrects the order of its headings. Throws an error if the HTML of the theme
 * has changed.
 */
export function fixPage(page: PageEvent): void {
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
  page.contents =
    html.slice(0, begin) + withoutLinks(withoutRepeatedComments(withOrderedHeadings(html.slice(begin, end)))) + sidebar;
}

/** Removes repeated comments of options: the theme shows them at the parameter and again at the list of its members. */
const withoutRepeatedComments = (html: string): string =>
  html.replace(/(<div class="tsd-comment tsd-typography">(?:(?!<div).)*?<\/div>\n)\1/gs, '$1');

/** Removes the links inside the toggles of sections. The list beside the page links to the sections. */
const withoutLinks = (html: string): string =>
  html.replace(/<summary.*?<\/summary>/gs, (summary) => summary.replace(/<a [^>]*tsd-anchor-icon.*?<\/a>/gs, ''));

/**
 * Renumbers the headings of a page's content, so that no level is skipped. On the page of a function, for example, the
 * headings of sections change from h4 to h2.
 */
function withOrderedHeadings(html: string): string {
  const parents: { was: number; is: number }[] = [];
  const open: number[] = [];
  return html.replace(/<(\/?)h([1-6])(?=[\s>])/g, (_, close: string, digit: string) => {
    if (close) return `</h${open.pop()}`;
    const was = Number(digit);
    while (parents.length > 0 && parents.at(-1)!.was >= was) parents.pop();
    const is = (parents.at(-1)?.is ?? 0) + 1;
    parents.push({ was, is });
    open.push(is);
    // The style sheet uses the level of the theme for the size.
    return is === was ? `<h${is}` : `<h${is} data-level="${was}"`;
  });
}
