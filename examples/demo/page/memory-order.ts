import type { Inspection } from '../protocol.ts';

/**
 * Orders units by how long they hold a value, longest first. The measure is the correlation of a unit's memory with its
 * memory one step before. A unit that hardly changes remembers nothing and comes last.
 */
export function memoryOrder({ quantities, units }: Pick<Inspection, 'quantities' | 'units'>): number[] {
  const memory = quantities.c ?? quantities.h!;
  const steps = memory.length / units;
  const spread = new Float64Array(units);
  const hold = new Float64Array(units);
  for (let u = 0; u < units; u++) {
    let mean = 0;
    for (let t = 0; t < steps; t++) mean += memory[t * units + u]! / steps;
    let change = 0;
    for (let t = 0; t < steps; t++) {
      const value = memory[t * units + u]!;
      spread[u]! += (value - mean) ** 2;
      if (t > 0) change += (value - memory[(t - 1) * units + u]!) ** 2;
    }
    hold[u] = spread[u]! > 0 ? 1 - change / (2 * spread[u]!) : -1;
  }
  const least = 0.02 * spread.reduce((most, value) => Math.max(most, value), 0);
  const rank = (u: number): number => (spread[u]! > least ? hold[u]! : hold[u]! - 2);
  return Array.from({ length: units }, (_, u) => u).sort((a, b) => rank(b) - rank(a) || a - b);
}
