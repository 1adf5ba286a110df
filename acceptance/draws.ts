import type { RandomStream } from '../src/index.ts';

/** Draws of random models: integers, choices, and whether something is so. */
export const drawsOf = (random: RandomStream) => ({
  /** An integer from `low` to `high`. */
  between: (low: number, high: number): number => low + (random.nextUint32() % (high - low + 1)),
  pick: <T>(list: readonly T[]): T => list[random.nextUint32() % list.length]!,
  chance: (share: number): boolean => random.nextUniform() < share,
});
