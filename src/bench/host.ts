// What the host says about itself.
import { builtIn } from '../host/built-in.ts';
import type { BenchHost } from './results.ts';

/** The parts of global objects that hosts have, of which each host has some. */
interface Globals {
  readonly process?: {
    readonly versions?: Readonly<Record<string, string | undefined>>;
    readonly execArgv?: readonly string[];
    readonly arch?: string;
    readonly env?: Readonly<Record<string, string | undefined>>;
  };
  readonly Deno?: { readonly version: { readonly deno: string; readonly v8: string } };
  readonly Bun?: { readonly version: string };
  readonly navigator?: { readonly userAgent?: string; readonly hardwareConcurrency?: number };
  /** Functions that only the shell of one engine has: d8, jsc, js. */
  readonly d8?: unknown;
  readonly preciseTime?: unknown;
  readonly newGlobal?: unknown;
  /** Of d8 and js. */
  readonly version?: () => unknown;
}

type Named = Pick<BenchHost, 'runtime' | 'version' | 'engine'>;

function named(globals: Globals): Named {
  const { process, Deno, Bun, navigator } = globals;
  const versions = process?.versions ?? {};
  if (Bun) return { runtime: 'bun', version: Bun.version, engine: `JavaScriptCore ${versions.webkit ?? ''}`.trim() };
  if (Deno) return { runtime: 'deno', version: Deno.version.deno, engine: `V8 ${Deno.version.v8}` };
  const agent = navigator?.userAgent ?? '';
  if (agent.startsWith('Cloudflare-Workers')) {
    return { runtime: 'workerd', version: versions.workerd ?? 'unknown', engine: 'V8' };
  }
  if (versions.node) return { runtime: 'node', version: versions.node, engine: `V8 ${versions.v8}` };
  if (agent) return { runtime: 'browser', version: agent, engine: engineOf(agent) };
  const version = typeof globals.version === 'function' ? String(globals.version() ?? 'unknown') : 'unknown';
  return { runtime: 'shell', version, engine: shellEngine(globals) };
}

function shellEngine({ d8, preciseTime, newGlobal }: Globals): string {
  if (d8 !== undefined) return 'V8';
  if (preciseTime !== undefined) return 'JavaScriptCore';
  return newGlobal === undefined ? 'unknown' : 'SpiderMonkey';
}

function engineOf(agent: string): string {
  const [, chrome] = /Chrom(?:e|ium)\/([\d.]+)/.exec(agent) ?? [];
  if (chrome) return `V8 of Chromium ${chrome}`;
  const [, firefox] = /\bFirefox\/([\d.]+)/.exec(agent) ?? [];
  if (firefox) return `SpiderMonkey of Firefox ${firefox}`;
  const [, safari] = /\bVersion\/([\d.]+).*Safari/.exec(agent) ?? [];
  return safari ? `JavaScriptCore of Safari ${safari}` : 'unknown';
}

/** Flags, without modules that are loaded first: they do not change the engine. */
function engineFlags(flags: readonly string[]): string[] {
  const LOADERS = ['-r', '--require', '--import', '--loader', '--experimental-loader'];
  return flags.filter(
    (flag, i) => flag !== '' && !LOADERS.includes(flag.split('=')[0]!) && !LOADERS.includes(flags[i - 1] ?? ''),
  );
}

/** The host, without what must be measured. */
export function describeHost(): Omit<BenchHost, 'clockMs' | 'peakGflops' | 'peakGBs'> {
  const globals = globalThis as Globals;
  const { process, navigator } = globals;
  const os = builtIn('os') as { cpus?(): { model: string }[]; arch?(): string } | undefined;
  const cpus = os?.cpus?.() ?? [];
  return {
    ...named(globals),
    flags: engineFlags([...(process?.execArgv ?? []), ...(process?.env?.NODE_OPTIONS?.split(' ') ?? [])]),
    cpu: cpus[0]?.model.trim() || null,
    cores: cpus.length || navigator?.hardwareConcurrency || null,
    arch: os?.arch?.() ?? process?.arch ?? null,
  };
}
