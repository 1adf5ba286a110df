// Rows that a mask leaves out against plain loops; at most one addition an element, so the float32 must be exact.
import { describe, test } from 'vitest';
import { Masked } from '../../src/engine/abi.ts';
import { expectSameBits } from './compare.ts';
import { integers, shapes, values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

const operations: [keyof typeof Masked, (x: number, y: number) => number][] = [
  ['Zero', () => 0],
  ['Copy', (x) => x],
  ['Add', (x, y) => Math.fround(x + y)],
];

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);

  test.each(shapes)('masked_rows, rows=%i cols=%i, changes the rows whose mask is 0 alone', (rows, cols) => {
    const [x, y, mask] = [values(rows * cols, 1), values(rows * cols, 2), integers(rows, 2, 3)];
    for (const [name, operation] of operations) {
      for (const misaligned of [false, true]) {
        sandbox.clear();
        const [xAt, yAt, maskAt] = [x, y, mask].map((from) => sandbox.f32(from, misaligned)) as [
          number,
          number,
          number,
        ];
        sandbox.kernels.masked_rows(Masked[name], rows, cols, maskAt, xAt, yAt);
        const expected = y.map((v, i) => (mask[Math.floor(i / cols)] === 0 ? operation(x[i]!, v) : v));
        expectSameBits(sandbox.read(yAt, rows * cols), expected, `${name} [${rows}, ${cols}]`);
        expectSameBits(sandbox.read(xAt, rows * cols), x, `${name} [${rows}, ${cols}]: x`);
        sandbox.checkFences();
      }
    }
  });
});
