import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * Lists every link of a site's pages to a missing page, anchor or file of the same site, as `page: href`. Links to
 * other sites are not checked.
 */
export function brokenLinks(site: string): string[] {
  const pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.html'));
  const htmlOf = new Map(pages.map((page) => [join(site, page), readFileSync(join(site, page), 'utf8')]));
  const anchorsOf = new Map(
    [...htmlOf].map(([path, html]) => [path, new Set(Array.from(html.matchAll(/\sid="([^"]+)"/g), ([, id]) => id!))]),
  );
  const leadsNowhere = (page: string, href: string): boolean => {
    const [path = '', anchor = ''] = decodeURI(href.replaceAll('&amp;', '&')).split('#');
    let target = path === '' ? page : resolve(dirname(page), path.split('?')[0]!);
    if (!existsSync(target)) return true;
    if (statSync(target).isDirectory()) target = join(target, 'index.html');
    return anchor !== '' && anchorsOf.get(target)?.has(anchor) === false;
  };
  return [...htmlOf].flatMap(([page, html]) =>
    Array.from(html.matchAll(/\s(?:href|src|srcset)="([^"]*)"/g), ([, href]) => href!)
      .filter((href) => !/^(?:[a-z]+:|\/\/)/i.test(href) && leadsNowhere(page, href))
      .map((href) => `${relative(site, page)}: ${href}`),
  );
}
