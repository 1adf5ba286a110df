// Gather and scatter against plain loops; one addition an element, so the float32 must be exact.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectSameBits } from './compare.ts';
import { integers, shapes, values } from './reference/values.ts';
import { builds, Sandbox } from './sandbox.ts';

const LIMIT = 6;

describe.each(builds)('%s build', (build) => {
  const sandbox = new Sandbox(build);
  const kernels = sandbox.kernels;

  test.each(shapes)('gather and scatter_add, rows=%i cols=%i, match plain loops', (rows, cols) => {
    const table = values(LIMIT * cols, 1);
    const before = values(rows * cols, 2);
    const ids = integers(rows, LIMIT, 3);
    for (const misaligned of [false, true]) {
      sandbox.clear();
      const [tableAt, y, sum] = [
        sandbox.f32(table, misaligned),
        sandbox.f32(rows * cols, misaligned),
        sandbox.f32(before, misaligned),
      ];
      const idsAt = sandbox.i32(ids);
      const rowsOfTable = before.map((_, at) => table[ids[Math.floor(at / cols)]! * cols + (at % cols)]!);
      kernels.gather(rows, cols, tableAt, idsAt, y, 0);
      expectSameBits(sandbox.read(y, rows * cols), rowsOfTable, `gather [${rows}, ${cols}]`);
      kernels.gather(rows, cols, tableAt, idsAt, sum, 1);
      expectSameBits(
        sandbox.read(sum, rows * cols),
        before.map((v, i) => v + rowsOfTable[i]!),
        `gather += [${rows}, ${cols}]`,
      );

      const dTable = table.slice();
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < cols; j++) dTable[ids[i]! * cols + j]! += before[i * cols + j]!;
      kernels.scatter_add(rows, cols, idsAt, sandbox.f32(before, misaligned), tableAt);
      expectSameBits(sandbox.read(tableAt, LIMIT * cols), dTable, `scatter_add [${rows}, ${cols}]`);
      sandbox.checkFences();
    }
  });

  test('scatter_add adds rows of the same id in ascending order', () => {
    sandbox.clear();
    const [dTable, dy] = [sandbox.f32([0, 0]), sandbox.f32([2 ** 24, 1, -(2 ** 24), 5])];
    kernels.scatter_add(4, 1, sandbox.i32([1, 1, 1, 0]), dy, dTable);
    // (2²⁴ + 1) − 2²⁴ in float32 is 0; any other order gives 1.
    expectSameBits(sandbox.read(dTable, 2), [5, 0], 'dTable');
  });

  test('first_invalid_id finds the first id outside [0, limit), or −1', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -3, max: 40 }), { maxLength: 30 }),
        fc.integer({ min: 0, max: 41 }),
        (ids, limit) => {
          sandbox.clear();
          const expected = ids.findIndex((id) => id < 0 || id >= limit);
          expect(kernels.first_invalid_id(ids.length, sandbox.i32(ids), limit)).toBe(expected);
        },
      ),
      { seed: 3, numRuns: 200 },
    );
    sandbox.clear();
    expect(kernels.first_invalid_id(3, sandbox.i32([0, 1, -(2 ** 31)]), 2 ** 31 - 1)).toBe(2);
  });
});
