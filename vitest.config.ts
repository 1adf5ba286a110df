import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/register-all.ts', 'test/typed-arrays.ts'],
    // Times are not asserted: this ends what hangs.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Vitest leaves one core unused, which is half of a machine with two.
    maxWorkers: Math.max(availableParallelism() - 1, 2),
  },
});
