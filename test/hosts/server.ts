// Frameworks with a server: built once, started once, with a request for each page.
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, visit } from '../runtimes/hosts/browsers.ts';
import { type Project, type Result, run, start } from './project.ts';

type Mode = 'build' | 'dev';

/**
 * Starts the server of a project with the commands of its framework: the server of the built project, or the
 * development server.
 */
async function begin(project: Project, mode: Mode, port: number): Promise<ChildProcess> {
  const has = (path: string): boolean => existsSync(join(project.dir, path));
  const next = 'node_modules/next/dist/bin/next';
  const vite = 'node_modules/vite/bin/vite.js';
  const place = ['--port', String(port)];
  if (has(next)) {
    if (mode === 'build') await run(project, next, ['build']);
    return start(project, next, [mode === 'build' ? 'start' : 'dev', ...place, '--hostname', '127.0.0.1'], {});
  }
  const environment = { PORT: String(port), HOST: '127.0.0.1' };
  if (!has('svelte.config.js')) return start(project, 'server.js', [], environment);
  if (mode === 'dev') return start(project, vite, ['dev', ...place, '--host', '127.0.0.1', '--strictPort'], {});
  await run(project, vite, ['build']);
  return start(project, 'build/index.js', [], environment);
}

/** The result that a page has in it as JSON, or, with a browser, that its script posts. */
export const served =
  (path: string, browser?: Browser, mode: Mode = 'build') =>
  async (project: Project): Promise<Result> => {
    const address = await project.serve(mode, (port) => begin(project, mode, port));
    if (browser) {
      const at = async (ours: string): Promise<string> => `${address}${path}?to=${encodeURIComponent(ours)}`;
      return visit<Result>(browser, (_, response) => response.writeHead(404).end(), at);
    }
    // The route of the guide has no training to tell of.
    if (path === '/edge' && !(await fetch(`${address}/guide`)).ok) throw new Error('the route of the guide fails');
    const response = await fetch(`${address}${path}`);
    const text = (await response.text()).replaceAll('&quot;', '"');
    const json = text.match(/\{"hash":[^}]*\}/)?.[0];
    if (!response.ok || !json) throw new Error(`it answered ${response.status}: ${text.slice(0, 300)}`);
    return JSON.parse(json) as Result;
  };
