import { afterEach, expect, test, vi } from 'vitest';
import { yielder } from '../../src/engine/yielder.ts';

afterEach(() => vi.unstubAllGlobals());

test.each(['with', 'without'])(
  'yielder %s a MessageChannel, lets a task run in between once 8 ms have passed',
  async (which) => {
    if (which === 'without') vi.stubGlobal('MessageChannel', undefined);
    let now = 0;
    vi.stubGlobal('performance', { now: () => now });
    const breathe = yielder();
    let ran = false;
    setImmediate(() => (ran = true));
    for (let i = 0; i < 100; i++) await breathe();
    expect(ran).toBe(false);
    // Which of several tasks comes first is the host's choice.
    for (let i = 0; i < 100 && !ran; i++) {
      now += 8;
      await breathe();
    }
    expect(ran).toBe(true);
  },
);
