import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * Files that need modules of their own: what an entry registers when it is imported, or what a host has when a module
 * is loaded, is part of what they assert. All others share modules and kernels within a worker, which saves half of the
 * time; `test/fences` runs every file by itself.
 */
const alone = [
  'test/engine/init.test.ts',
  'test/engine/wide.test.ts',
  'test/fences/fences.test.ts',
  'test/host/surroundings.test.ts',
  'test/layers/base/layer.test.ts',
  'test/layers/gradient-layers.test.ts',
  'test/models/lean.test.ts',
];

const setupFiles = ['test/register-all.ts', 'test/typed-arrays.ts'];

// `vitest --execArgv=…` reaches no project by itself.
const flag = '--execArgv=';
const execArgv = process.argv.filter((each) => each.startsWith(flag)).map((each) => each.slice(flag.length));

const project = (name: string, options: object) => ({
  test: {
    name,
    ...options,
    execArgv,
    // Times are not asserted: this ends what hangs.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});

export default defineConfig({
  test: {
    projects: [
      project('shared', {
        include: ['test/**/*.test.ts'],
        exclude: alone,
        setupFiles: [...setupFiles, 'test/fresh-state.ts'],
        isolate: false,
      }),
      project('alone', { include: alone, setupFiles }),
    ],
    // Vitest leaves one core unused, which is half of a machine with two.
    maxWorkers: Math.max(availableParallelism() - 1, 2),
  },
});
