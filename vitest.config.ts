import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/register-all.ts'],
    testTimeout: 60_000,
    // Vitest leaves one core unused, which is half of a machine with two.
    maxWorkers: Math.max(availableParallelism() - 1, 2),
  },
});
