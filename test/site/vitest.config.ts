import { defineConfig } from 'vitest/config';

// What `npm run site` has built and the page of `npm run demo`, in a real Chromium: npm run test:site.
export default defineConfig({
  test: { include: ['test/site/*.page.ts'], testTimeout: 600_000, hookTimeout: 180_000, fileParallelism: false },
});
