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
  /** Engine shells have it as a function that gives a text. */
  readonly version?: unknown;
}

type Named = Pick<BenchHost, 'runtime' | 'version' | 'engine'>;

function named({ process, Deno, Bun, navigator, version }: Globals): Named {
  const versions = process?.versions ?? {};
  if (Bun) return { runtime: 'bun', version: Bun.version, engine: `JavaScriptCore ${versions.webkit ?? ''}`.trim() };
  if (Deno) return { runtime: 'deno', version: Deno.version.deno, engine: `V8 ${Deno.version.v8}` };
  const agent = navigator?.userAgent ?? '';
  if (agent.startsWith('Cloudflare-Workers')) {
    return { runtime: 'workerd', version: versions.workerd ?? 'unknown', engine: 'V8' };
  }
  if (versions.node) return { runtime: 'node', version: versions.node, engine: `V8 ${versions.v8}` };
  if (agent) return { runtime: 'browser', version: agent, engine: engineOf(agent) };
  const text = typeof version === 'function' ? String((version as () => unknown)()) : 'unknown';
  return { runtime: 'shell', version: text, engine: 'unknown' };
}

function engineOf(agent: string): string {
  const [, chrome] = /\bChrom(?:e|ium)\/([\d.]+)/.exec(agent) ?? [];
  if (chrome) return `V8 of Chromium ${chrome}`;
  const [, firefox] = /\bFirefox\/([\d.]+)/.exec(agent) ?? [];
  if (firefox) return `SpiderMonkey of Firefox ${firefox}`;
  const [, safari] = /\bVersion\/([\d.]+).*Safari/.exec(agent) ?? [];
  return safari ? `JavaScriptCore of Safari ${safari}` : 'unknown';
}

/** The host, without what must be measured. */
export function describeHost(): Omit<BenchHost, 'clockMs' | 'peakGflops' | 'peakGBs'> {
  const globals = globalThis as Globals;
  const { process, navigator } = globals;
  const os = builtIn('os') as { cpus?(): { model: string }[]; arch?(): string } | undefined;
  const cpus = os?.cpus?.() ?? [];
  return {
    ...named(globals),
    flags: [...(process?.execArgv ?? []), ...(process?.env?.NODE_OPTIONS?.split(' ').filter(Boolean) ?? [])],
    cpu: cpus[0]?.model.trim() || null,
    cores: cpus.length || navigator?.hardwareConcurrency || null,
    arch: os?.arch?.() ?? process?.arch ?? null,
  };
}
