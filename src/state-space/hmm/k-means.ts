import type { RandomStream } from '../../engine/random.ts';

/**
 * k-means with seeds by k-means++ and at most 50 rounds of Lloyd's.
 *
 * @param rows `[N, D]`
 * @returns the cluster of each row, in [0, k). A cluster may be empty if fewer rows differ.
 * @see Arthur and Vassilvitskii 2007, "k-means++: the advantages of careful seeding"
 */
export function kMeans(rows: Float64Array, width: number, k: number, random: RandomStream): Int32Array {
  const count = rows.length / width;
  const centers = new Float64Array(k * width);
  const clusters = new Int32Array(count);
  const distances = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const copy = (row: number, to: number): void =>
    centers.set(rows.subarray(row * width, (row + 1) * width), to * width);
  copy(Math.floor(random.nextUniform() * count), 0);
  for (let c = 1; c < k; c++) {
    let total = 0;
    for (let i = 0; i < count; i++) total += distances[i] = Math.min(distances[i]!, distance(i, c - 1));
    let rest = random.nextUniform() * total;
    let chosen = 0;
    while (chosen < count - 1 && (rest -= distances[chosen]!) > 0) chosen++;
    copy(chosen, c);
  }
  for (let round = 0; round < 50; round++) {
    let changed = round === 0;
    for (let i = 0; i < count; i++) {
      let nearest = 0;
      let least = Number.POSITIVE_INFINITY;
      for (let c = 0; c < k; c++) {
        const d = distance(i, c);
        if (d < least) [least, nearest] = [d, c];
      }
      changed ||= clusters[i] !== nearest;
      clusters[i] = nearest;
    }
    if (!changed) break;
    const sums = new Float64Array(k * width);
    const sizes = new Float64Array(k);
    clusters.forEach((c, i) => {
      sizes[c]!++;
      for (let d = 0; d < width; d++) sums[c * width + d]! += rows[i * width + d]!;
    });
    for (let i = 0; i < k * width; i++) {
      const size = sizes[Math.floor(i / width)]!;
      if (size > 0) centers[i] = sums[i]! / size;
    }
  }
  return clusters;

  function distance(row: number, center: number): number {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += (rows[row * width + d]! - centers[center * width + d]!) ** 2;
    return sum;
  }
}
