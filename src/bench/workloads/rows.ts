// Kernels that work row by row.
import type { Kernels, Ptr } from '../../engine/abi.ts';
import type { Engine } from '../../engine/engine.ts';
import { integers } from '../models/numbers.ts';
import { Buffers, type Prepared, type Workload, workload } from '../workload.ts';

interface Rows {
  readonly rows: number;
  readonly cols: number;
}

const sizes = {
  small: { rows: 64, cols: 65 },
  medium: { rows: 512, cols: 512 },
  large: { rows: 1024, cols: 4096 },
};

/** One kernel that reads `[rows, cols]`. */
function overRows(
  facts: { name: string; stresses: string; flopsOfElement: number; outputs(size: Rows): number },
  kernel: (kernels: Kernels, size: Rows, x: Ptr, y: Ptr) => void,
): Workload {
  const { name, stresses, flopsOfElement, outputs } = facts;
  return workload({
    name,
    group: 'kernels',
    stresses,
    sizes,
    prepare(size, engine) {
      const count = size.rows * size.cols;
      const buffers = new Buffers(engine);
      const [x, y] = [buffers.make(count), buffers.make(outputs(size))];
      return {
        run: () => kernel(engine.kernels, size, x, y),
        result: () => [engine.f32(y, outputs(size))],
        flops: flopsOfElement * count,
        bytes: 4 * (count + outputs(size)),
        dispose: () => buffers.dispose(),
      };
    },
  });
}

const words = {
  small: { count: 256, width: 32, limit: 65 },
  medium: { count: 3200, width: 128, limit: 10_000 },
  large: { count: 16_000, width: 256, limit: 50_000 },
};

/** A kernel between rows that ids choose from a table, and rows in order. */
function byIds(
  facts: { name: string; stresses: string; flopsOfElement: number },
  kernel: (kernels: Kernels, count: number, width: number, ids: Ptr, table: Ptr, rows: Ptr) => void,
  resultOf: 'table' | 'rows',
): Workload {
  const { name, stresses, flopsOfElement } = facts;
  const prepare = ({ count, width, limit }: (typeof words)['small'], engine: Engine): Prepared => {
    const buffers = new Buffers(engine);
    const ids = buffers.make(count, integers(1, count, limit));
    const [table, rows] = [buffers.make(limit * width), buffers.make(count * width)];
    return {
      run: () => kernel(engine.kernels, count, width, ids, table, rows),
      result: () => [resultOf === 'table' ? engine.f32(table, limit * width) : engine.f32(rows, count * width)],
      flops: flopsOfElement * count * width,
      bytes: 4 * count * (1 + width * (2 + flopsOfElement)),
      dispose: () => buffers.dispose(),
    };
  };
  return workload({ name, group: 'kernels', stresses, sizes: words, prepare });
}

export const rowWorkloads: readonly Workload[] = [
  overRows(
    { name: 'softmax', stresses: 'maximum, exp, sum, division', flopsOfElement: 18, outputs: (s) => s.rows * s.cols },
    (kernels, { rows, cols }, x, y) => kernels.softmax(rows, cols, x, y),
  ),
  overRows(
    { name: 'column-sums', stresses: 'additions in order of rows', flopsOfElement: 1, outputs: (s) => s.cols },
    (kernels, { rows, cols }, x, y) => kernels.col_sum(rows, cols, x, cols, y, 0),
  ),
  byIds(
    { name: 'gather', stresses: 'reads of scattered rows', flopsOfElement: 0 },
    (kernels, count, width, ids, table, rows) => kernels.gather(count, width, table, ids, rows, 0),
    'rows',
  ),
  byIds(
    { name: 'scatter-add', stresses: 'reads and writes of scattered rows', flopsOfElement: 1 },
    (kernels, count, width, ids, table, rows) => kernels.scatter_add(count, width, ids, rows, table),
    'table',
  ),
];
