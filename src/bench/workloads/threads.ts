// Several threads on one memory.
import { builtIn } from '../../host/built-in.ts';
import { type Workload, workload } from '../workload.ts';
import { characterSizes, FIRST_STEPS, prepareShape } from './models.ts';

interface Terminable {
  terminate(): unknown;
}

/** A worker that takes a core until it is ended. */
function busyWorker(): Terminable {
  const code = 'for (;;);';
  const node = builtIn('worker_threads') as { Worker: new (code: string, options: object) => Terminable } | undefined;
  if (node) return new node.Worker(code, { eval: true, execArgv: [] });
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  return worker;
}

const training = (threads: number): Workload =>
  workload({
    name: `training-threads-${threads}`,
    group: 'threads',
    stresses: `the step of character-model on ${threads} threads`,
    needs: { threads },
    calls: FIRST_STEPS,
    sameAs: 'character-model',
    sizes: characterSizes,
    prepare: prepareShape,
  });

export const threadWorkloads: readonly Workload[] = [
  training(2),
  training(4),
  workload({
    name: 'hand-over',
    group: 'threads',
    stresses: 'a job too short to be shared: what it takes to wake another thread',
    needs: { threads: 2 },
    timesCalls: true,
    sizes: { small: 256, medium: 4096, large: 65_536 },
    prepare(count, engine) {
      const at = engine.heap.allocate(4 * count);
      return {
        run: () =>
          engine.parallel(count, count / 2, ({ kernels, from, to }) => kernels.fill(to - from, 1, at + 4 * from)),
        result: () => [engine.f32(at, count).slice()],
        flops: 0,
        bytes: 4 * count,
        dispose: () => engine.heap.release(at),
      };
    },
  }),
  workload({
    name: 'training-busy-core',
    group: 'threads',
    stresses: 'two threads beside a worker that loops for ever',
    needs: { threads: 2 },
    calls: FIRST_STEPS,
    sameAs: 'character-model',
    sizes: characterSizes,
    prepare(shape) {
      const prepared = prepareShape(shape);
      const worker = busyWorker();
      return {
        ...prepared,
        dispose() {
          worker.terminate();
          prepared.dispose();
        },
      };
    },
  }),
];
