import { defineConfig } from 'vitest/config';

// Chromium need not be there for `npm test`, so these files have a name and a command of their own: npm run test:demo.
export default defineConfig({
  test: { include: ['test/demo/*.page.ts'], testTimeout: 180_000, hookTimeout: 60_000, fileParallelism: false },
});
