import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  repository?: { url: string };
};

/** Address of the repository, from package.json; undefined if package.json has none. Site and demo link to it. */
export const repository = manifest.repository?.url.replace(/^git\+|\.git$/g, '');
