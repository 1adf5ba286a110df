// Files of one worker share modules (vitest.config.ts). Each begins as in a process of its own, and leaves nothing
// replaced.
import { afterAll, vi } from 'vitest';
import { init } from '../src/engine/engine.ts';
import { setSeed } from '../src/engine/random.ts';

await init();
setSeed(0);

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});
