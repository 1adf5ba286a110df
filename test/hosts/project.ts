// An empty project of a host, with the package installed as by a user.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';
import { answers, freePort } from '../runtimes/hosts/workerd.ts';

const execute = promisify(execFile);
const here = import.meta.dirname;

/** The programs of the guide that are for a host: a test for Jest and an edge route of Next. */
function guideBlocks(): string[] {
  const page = readFileSync(join(here, '../../docs/guides/testing-ssr-electron.md'), 'utf8');
  return Array.from(page.matchAll(/^```jsx\n(.*?)^```$/gms), ([, code]) => code!);
}

/** What training.mjs found in a host. */
export interface Result {
  hash: string;
  hashThreads: string;
  threads: number;
  /** The kernels that `fast` mode takes. */
  build: string;
}

export interface Project {
  readonly dir: string;
  /** Starts a server of the project unless the one of that name runs, and gives its address. */
  serve(name: string, start: (port: number) => Promise<ChildProcess>): Promise<string>;
}

/** The versions that a project's package.json fixes. */
export function versionsOf(name: string): string {
  const text = readFileSync(join(here, 'projects', name, 'package.json'), 'utf8');
  const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
  const names = Object.keys(dependencies).filter(
    (each) => !/^(react|react-dom|jest-environment-jsdom|@sveltejs\/(adapter|vite).*)$/.test(each),
  );
  return (
    names.map((each) => `${each} ${dependencies[each]}`).join(', ') ||
    (name === 'page' ? 'any' : `Node ${process.versions.node}`)
  );
}

/** Makes projects in a folder when they are asked for; `close` ends their servers. */
export function makeProjects(folder: string, tarball: string) {
  const made = new Map<string, Promise<Project>>();
  const servers: ChildProcess[] = [];
  const make = async (name: string): Promise<Project> => {
    const dir = join(folder, name);
    cpSync(join(here, 'projects', name), dir, { recursive: true });
    const training = readFileSync(join(here, 'training.mjs'), 'utf8');
    const as = (format: 'cjs' | 'iife') => transformSync(training, { format, globalName: 'training' }).code;
    writeFileSync(join(dir, 'training.mjs'), training);
    writeFileSync(join(dir, 'training.cjs'), as('cjs'));
    writeFileSync(join(dir, 'training.global.js'), as('iife'));
    const [jest, route] = guideBlocks();
    if (name.startsWith('jest')) writeFileSync(join(dir, 'guide.test.js'), jest!);
    if (name === 'next') {
      mkdirSync(join(dir, 'app/guide'));
      writeFileSync(join(dir, 'app/guide/route.js'), route!);
    }
    await execute('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: dir, timeout: 300_000 });
    const addresses = new Map<string, Promise<string>>();
    const serve: Project['serve'] = (server, start) => {
      if (!addresses.has(server)) addresses.set(server, begin(start));
      return addresses.get(server)!;
    };
    const begin = async (start: (port: number) => Promise<ChildProcess>): Promise<string> => {
      const port = await freePort();
      const server = await start(port);
      servers.push(server);
      while (!(await answers(`127.0.0.1:${port}`))) {
        if (server.exitCode !== null) throw new Error(`${name}: its server ended with ${server.exitCode}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return `http://127.0.0.1:${port}`;
    };
    return { dir, serve };
  };
  return {
    open(name: string): Promise<Project> {
      if (!made.has(name)) made.set(name, make(name));
      return made.get(name)!;
    },
    async close(): Promise<void> {
      for (const server of servers) {
        const ended = new Promise((resolve) => server.once('exit', resolve));
        if (server.exitCode === null && server.kill()) await ended;
      }
    },
  };
}

/** Runs a program of the project by Node. */
export async function run({ dir }: Project, path: string, args: string[] = []): Promise<void> {
  rmSync(join(dir, 'result.json'), { force: true });
  try {
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', CI: '1' };
    await execute(process.execPath, [join(dir, path), ...args], { cwd: dir, env, timeout: 300_000 });
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of terminals.
    const said = `${stdout}\n${stderr}`.replaceAll(/\x1b\[\d*m/g, '').trim();
    throw new Error(said.match(/^.*Error:.*$/m)?.[0] ?? (said.slice(-1000) || message));
  }
}

/** Starts a program of the project by Node. */
export const start = ({ dir }: Project, path: string, args: string[], env: Record<string, string>): ChildProcess =>
  spawn(process.execPath, [join(dir, path), ...args], {
    cwd: dir,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', ...env },
    stdio: 'ignore',
  });

/** What the last program left. */
export function resultOf({ dir }: Project): Result {
  const file = join(dir, 'result.json');
  if (!existsSync(file)) throw new Error('it left no result');
  return JSON.parse(readFileSync(file, 'utf8')) as Result;
}
