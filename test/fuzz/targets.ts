import type { Target } from './target.ts';

const loaders: Readonly<Record<string, () => Promise<{ target: Target }>>> = {
  csv: () => import('./targets/csv.ts'),
  idx: () => import('./targets/idx.ts'),
  ids: () => import('./targets/ids.ts'),
  'piano-roll': () => import('./targets/piano-roll.ts'),
  text: () => import('./targets/text.ts'),
  flags: () => import('./targets/flags.ts'),
  calls: () => import('./targets/calls.ts'),
  sequences: () => import('./targets/sequences.ts'),
  wav: () => import('./targets/wav.ts'),
  'model-files': () => import('./targets/model-files.ts'),
};

/** All of them, in the order in which they are run. */
export const targetNames: readonly string[] = Object.keys(loaders);

export async function targetOf(name: string): Promise<Target> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (!load) throw new Error(`target expected one of ${targetNames.join(', ')}, got '${name}'`);
  return (await load()).target;
}
