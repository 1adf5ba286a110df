import { afterEach, expect, test, vi } from 'vitest';
import { yielder } from '../../src/host/yielder.ts';

class Refused {
  constructor() {
    throw new Error('MessageChannel is not supported');
  }
}

afterEach(() => vi.unstubAllGlobals());

test.each([
  ['with a MessageChannel', MessageChannel],
  ['without a MessageChannel', undefined],
  ['with a MessageChannel that throws', Refused],
])('yielder %s, lets a task run in between once 8 ms have passed', async (_, channel) => {
  vi.stubGlobal('MessageChannel', channel);
  let now = 0;
  vi.stubGlobal('performance', { now: () => now });
  const yieldToHost = yielder();
  let ran = false;
  setImmediate(() => (ran = true));
  for (let i = 0; i < 100; i++) await yieldToHost();
  expect(ran).toBe(false);
  // Which of several tasks comes first is the host's choice.
  for (let i = 0; i < 100 && !ran; i++) {
    now += 8;
    await yieldToHost();
  }
  expect(ran).toBe(true);
});
