import { configDefaults, defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

// The whole suite once more with fences around every allocation, but for what cannot be under them. Each with its
// reason.
const exclude = [
  // They assert addresses, sizes of memory, or limits that fences would be part of.
  'test/engine/memory.test.ts',
  // It repeats runs, which write to buffers that nothing allocates anew.
  'test/onnx/replay.test.ts',
  // Fences of their own, in a memory of their own.
  'test/kernels/**',
  // They run the built package or the compiler, in processes of their own.
  'test/cli/**',
  'test/docs/**',
  'test/examples.test.ts',
  'test/package/**',
  'test/types/**',
];

// Single tests that assert the same: how many bytes are in use, or that a buffer stands where another stood.
const exactMemory = [
  'disposed of, throws by name; a second dispose',
  'kept weights, over many calls and training steps',
];

export default defineConfig({
  test: {
    ...base.test,
    exclude: [...configDefaults.exclude, ...exclude],
    testNamePattern: new RegExp(`^(?!.*(${exactMemory.join('|')}))`),
    setupFiles: [...base.test!.setupFiles!, 'test/fences/setup.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
