/** Means by name over batches of different size. */
export class RunningMeans {
  readonly #totals = new Map<string, { sum: number; weight: number }>();

  /** Adds values that each stand for `weight` rows. */
  add(values: Readonly<Record<string, number>>, weight: number): void {
    for (const [name, value] of Object.entries(values)) this.addSum(name, value * weight, weight);
  }

  addSum(name: string, sum: number, weight: number): void {
    const total = this.#totals.get(name) ?? { sum: 0, weight: 0 };
    this.#totals.set(name, { sum: total.sum + sum, weight: total.weight + weight });
  }

  value(): Record<string, number> {
    return Object.fromEntries([...this.#totals].map(([name, { sum, weight }]) => [name, sum / weight]));
  }
}
