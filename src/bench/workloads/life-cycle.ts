// From bytes to a model that trains at full speed.
import { type Engine, init } from '../../engine/engine.ts';
import { instantiateKernels } from '../../engine/loading/instantiate.ts';
import { bytesOf } from '../../engine/loading/kernel-modules.ts';
import { setSeed } from '../../engine/random.ts';
import { freshModule, neverCompiled } from '../fresh-module.ts';
import { bytesOf as roofBytesOf } from '../kernels/kernel-modules.ts';
import { language } from '../models/shapes.ts';
import { buildOf, type Prepared, type Workload, workload } from '../workload.ts';
import { characterSizes, FIRST_STEPS, prepareShape } from './models.ts';

const needs = { compiles: true } as const;

const exportsOf = (module: WebAssembly.Module): Int32Array => Int32Array.of(WebAssembly.Module.exports(module).length);
/** Smaller models than elsewhere: a step of a large one is long enough to be compiled in. */
const coldSizes = { small: language(1, 4, 8, 16), medium: characterSizes.small, large: characterSizes.medium };

const nothing = (): void => {};

/** A new engine of kernels that were never compiled. It becomes the engine in use. */
async function freshEngine(engine: Engine): Promise<void> {
  await init({ module: freshModule(buildOf(engine)) });
  setSeed(1);
}

export const lifeCycleWorkloads: readonly Workload[] = [
  workload({
    name: 'compile',
    group: 'life cycle',
    stresses: 'bytes to a module, whose code no cache has',
    needs,
    sizes: { small: [roofBytesOf], medium: [bytesOf], large: [bytesOf, bytesOf, bytesOf, bytesOf] },
    prepare(sources, engine) {
      const bytes = sources.map((source) => source(buildOf(engine)));
      const compile = (): WebAssembly.Module[] => bytes.map((each) => new WebAssembly.Module(neverCompiled(each)));
      return {
        run: compile,
        result: () => compile().map(exportsOf),
        flops: 0,
        bytes: bytes.reduce((sum, { length }) => sum + length, 0),
        dispose: nothing,
      };
    },
  }),
  workload({
    name: 'instantiate',
    group: 'life cycle',
    stresses: 'imports, exports and data of an instance',
    needs,
    sizes: { small: 1, medium: 4, large: 16 },
    prepare(count, engine) {
      const module = freshModule(buildOf(engine));
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 16 });
      const run = (): void => {
        for (let i = 0; i < count; i++) instantiateKernels(module, memory);
      };
      return { run, result: () => [exportsOf(module)], flops: 0, bytes: 0, dispose: nothing };
    },
  }),
  workload({
    name: 'first-step',
    group: 'life cycle',
    stresses: 'compiling, a new model and its first training step',
    needs,
    isAsync: true,
    curveCalls: 5,
    sizes: coldSizes,
    prepare(shape, engine) {
      let last: readonly ArrayBufferView[] = [];
      return {
        async run() {
          await freshEngine(engine);
          const { run, result, dispose } = prepareShape(shape);
          run();
          last = result();
          dispose();
        },
        result: () => last,
        flops: 0,
        bytes: 0,
        dispose: nothing,
      };
    },
  }),
  workload({
    name: 'cold-training',
    group: 'life cycle',
    stresses: 'tier-up: training steps on code that was never compiled',
    needs,
    calls: FIRST_STEPS,
    curveCalls: 100,
    sizes: coldSizes,
    async prepare(shape, engine): Promise<Prepared> {
      await freshEngine(engine);
      return prepareShape(shape);
    },
  }),
];
