// Hosts that lack or forbid something: each gives one clear sentence, or one thread instead of several. Real ones are
// in test/runtimes.
import { readFileSync } from 'node:fs';
import workerThreads from 'node:worker_threads';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { tensor } from '../../src/autograd/tensor.ts';
import { type Engine, engine, init } from '../../src/engine/engine.ts';
import { HostError } from '../../src/engine/loading/load.ts';
import { OutOfMemoryError } from '../../src/engine/memory.ts';
import { dense } from '../../src/layers/dense.ts';
import { gru } from '../../src/layers/rnn/gru.ts';
import { sequential } from '../../src/models/model.ts';
import { square } from '../../src/ops/index.ts';
import { encodeModel } from '../../src/saving/saved-model.ts';

const guide = readFileSync(new URL('../../docs/guides/running-at-the-edge.md', import.meta.url), 'utf8');
const { Memory, CompileError } = WebAssembly;

/** WebAssembly but for what is given. */
function stub(parts: object): void {
  const members = Object.getOwnPropertyNames(WebAssembly).map((name) => [name, WebAssembly[name as 'Module']]);
  vi.stubGlobal('WebAssembly', { ...Object.fromEntries(members), ...parts });
}

/** An engine made anew by first use, as in a program that never calls init. */
async function firstUse(): Promise<Engine> {
  vi.resetModules();
  const { engine: fresh } = await import('../../src/engine/engine.ts');
  return fresh();
}

const sentenceOf = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no error',
    (error: Error) => `${error.name}: ${error.message}`,
  );

function refuse(): never {
  throw new CompileError('WebAssembly.Module(): Wasm code generation disallowed by embedder');
}

function noMemory(): never {
  throw new RangeError('WebAssembly.Memory(): could not allocate memory');
}

const file = encodeModel(sequential([gru({ units: 3, inputShape: [null, 2] }), dense({ units: 1 })]));

afterEach(() => vi.unstubAllGlobals());

const hosts: Record<string, [spoil: () => void, sentence: string]> = {
  'without WebAssembly': [
    () => vi.stubGlobal('WebAssembly', undefined),
    'HostError: tapeloop needs WebAssembly, which this host does not have or has switched off',
  ],
  'without SIMD': [
    () => stub({ validate: () => false }),
    'HostError: tapeloop needs WebAssembly with 128-bit SIMD, which this host does not have',
  ],
  'that forbids compiling': [
    () => stub({ Module: refuse, compile: async () => refuse() }),
    "HostError: tapeloop may not compile WebAssembly here: a page needs 'wasm-unsafe-eval' in its Content-Security-Policy's script-src, " +
      "an edge worker a bundle made with the condition 'workerd' or 'edge-light'",
  ],
  'without memory': [
    () => stub({ Memory: noMemory }),
    'OutOfMemoryError: out of memory: the host gives no linear memory of 1.0 MB',
  ],
};

describe.each(Object.entries(hosts))('a host %s', (_, [spoil, sentence]) => {
  test('init, says so and keeps the engine', async () => {
    const before = engine();
    spoil();
    expect(await sentenceOf(init())).toBe(sentence);
    expect(await sentenceOf(init({ threads: 2 }))).toBe(sentence);
    expect(engine()).toBe(before);
  });

  test('is in the guide, with what is said', () => {
    expect(guide).toContain(sentence);
  });

  test('first use without init, says so', async () => {
    spoil();
    expect(await sentenceOf(firstUse())).toBe(sentence);
  });

  test('a stream of a file, says so', async () => {
    vi.resetModules();
    const { decodeStream, loadStream } = await import('../../src/streaming/load.ts');
    spoil();
    expect(await sentenceOf(loadStream(file))).toBe(sentence);
    expect(await sentenceOf((async () => decodeStream(file))())).toBe(sentence);
  });
});

test('a refusal to compile, is a HostError whose cause is the host’s own', async () => {
  stub({ compile: async () => refuse() });
  const error = await init().catch((thrown: Error) => thrown);
  expect(error).toBeInstanceOf(HostError);
  expect((error as HostError).cause).toBeInstanceOf(CompileError);
});

test('memory that the host does not let grow, is said to be the host’s doing, and what there is stays', async () => {
  class Tight extends Memory {
    override grow(): never {
      throw new RangeError('WebAssembly.Memory.grow(): Unable to grow instance memory');
    }
  }
  stub({ Memory: Tight });
  await init();
  const x = tensor([1, 2, 3]);
  const more = (): unknown => tensor(new Float32Array(2 ** 20));
  expect(more).toThrow(OutOfMemoryError);
  expect(more).toThrow(
    'out of memory: a buffer of 4.0 MB does not fit; 1.0 MB are in use or fragmented and the host gives no more',
  );
  expect([...square(x).toArray()]).toEqual([1, 4, 9]);
});

describe('threads asked for, one is what there is without an error', () => {
  const onlyOne = async (): Promise<void> => {
    // Modules of one generation, whatever `firstUse` has made anew: the engine imports its threads when they are asked
    // for.
    const { init } = await import('../../src/engine/engine.ts');
    const { tensor } = await import('../../src/autograd/tensor.ts');
    const { square } = await import('../../src/ops/index.ts');
    const { threads, memory } = await init({ threads: 3 });
    expect([threads, memory.buffer instanceof SharedArrayBuffer]).toEqual([1, false]);
    expect(square(tensor([3])).item()).toBe(9);
  };
  const { Worker } = workerThreads;
  afterEach(() => {
    workerThreads.Worker = Worker;
  });

  test('where making a worker throws', async () => {
    workerThreads.Worker = class {
      constructor() {
        throw new DOMException('Access to the script is denied by the document’s policy', 'SecurityError');
      }
    } as never;
    await onlyOne();
  });

  test('where a worker ends in an error before it serves', async () => {
    workerThreads.Worker = class extends Worker {
      constructor(_: string, options: object) {
        super('throw new Error("refused")', options);
      }
    };
    await onlyOne();
  });

  test('where no memory can be shared', async () => {
    stub({
      Memory: class extends Memory {
        constructor(limits: WebAssembly.MemoryDescriptor) {
          if (limits.shared) noMemory();
          super(limits);
        }
      },
    });
    await onlyOne();
  });

  test('where the page is not cross-origin isolated', async () => {
    vi.stubGlobal('crossOriginIsolated', false);
    await onlyOne();
  });
});

test('memory to share, takes no more addresses than it may grow to', async () => {
  const asked: WebAssembly.MemoryDescriptor[] = [];
  stub({
    Memory: class extends Memory {
      constructor(limits: WebAssembly.MemoryDescriptor) {
        asked.push(limits);
        super(limits);
      }
    },
  });
  const { threads } = await init({ threads: 2, maximumMemory: 2 ** 25 });
  expect(threads).toBe(2);
  expect(asked).toEqual([{ initial: 16, maximum: 512, shared: true }]);
  engine().stopThreads();
});

test('a scope that has little, an AudioWorklet, runs a stream of a file', async () => {
  vi.resetModules();
  const { decodeStream } = await import('../../src/streaming/load.ts');
  for (const name of ['TextDecoder', 'atob', 'fetch', 'performance', 'URL', 'MessageChannel']) {
    vi.stubGlobal(name, undefined);
  }
  expect(decodeStream(file).step([1, 2])).toHaveLength(1);
});

test('a scope without TextDecoder, an AudioWorklet, has none after it was lent one', async () => {
  vi.stubGlobal('TextDecoder', undefined);
  expect((await firstUse()).build).toMatch(/simd|relaxed/);
  expect(typeof TextDecoder).toBe('undefined');
});
