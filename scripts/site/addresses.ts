import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  repository?: { url: string };
};

/**
 * Where the repository is hosted, as package.json has it; undefined until it says so. Site and demo link to it then.
 */
export const repository = manifest.repository?.url.replace(/^git\+|\.git$/g, '');
