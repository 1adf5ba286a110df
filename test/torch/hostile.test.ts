import { describe, expect, test } from 'vitest';
import { dense, init, ModelFileError, RandomStream, sequential } from '../../src/index.ts';
import { loadStateDict, type PickledValue, readTorch, type TorchTensor, torchOptimizer } from '../../src/torch.ts';
import { archiveOf, damaged, hostilePickles, tensorPickle } from './damage.ts';
import { bytesOf, golden } from './golden.ts';

await init();

/** Runs `body`. Any error must be one `ModelFileError`. */
function attempt(body: () => unknown): 'read' | 'refused' {
  try {
    body();
    return 'read';
  } catch (error) {
    if (!(error instanceof ModelFileError)) throw error;
    return 'refused';
  }
}

describe('hostile pickles', () => {
  test.each(Object.entries(hostilePickles))('%s, is read as inert values or refused', (name, bytes) => {
    const model = sequential([dense({ units: 1, inputShape: [2] })]);
    for (const file of [bytes, archiveOf(bytes)]) {
      expect(name).not.toBe(attempt(() => readTorch(file)));
      expect(attempt(() => loadStateDict(model, file))).toBe('refused');
      expect(attempt(() => torchOptimizer(model, file))).toBe('refused');
    }
  });

  test.each(Object.keys(hostilePickles).filter((name) => /system|Popen|builtin/.test(name)))(
    '%s, is refused by name',
    (name) => {
      expect(() => readTorch(archiveOf(hostilePickles[name]!))).toThrow(/it asks to run \S+, which no model needs/);
    },
  );

  test('a prototype in a state, changes no object', () => {
    readTorch(archiveOf(hostilePickles['a state that changes a prototype']!));
    expect(({} as { a?: number }).a).toBeUndefined();
  });
});

describe('tensors that lie', () => {
  const read = (...args: [string, string, string]): TorchTensor =>
    readTorch(archiveOf(tensorPickle(...args))) as TorchTensor;
  const big = 'J\xff\xff\xff\x7f';

  test('of a view inside of the storage, is read', () => {
    expect(read('K\x00', 'K\x02K\x02', 'K\x01K\x02')).toMatchObject({ shape: [2, 2] });
  });

  test.each([
    ['an offset beyond the storage', ['K\x04', 'K\x01', 'K\x01'], /reaches beyond the 4 elements/],
    ['strides beyond the storage', ['K\x00', 'K\x02', 'K\x04'], /reaches beyond the 4 elements/],
    ['more elements than the storage', ['K\x00', big, 'K\x00'], /repeats the 4 elements/],
    ['sizes whose product overflows', ['K\x00', big.repeat(9), 'K\x00'.repeat(9)], /repeats the 4 elements/],
    ['a negative size', ['K\x00', 'J\xff\xff\xff\xff', 'K\x01'], /expected an offset, sizes and strides/],
    ['a negative stride', ['K\x00', 'K\x02', 'J\xff\xff\xff\xff'], /expected an offset, sizes and strides/],
    ['fewer strides than sizes', ['K\x00', 'K\x02K\x02', 'K\x01'], /expected an offset, sizes and strides/],
  ] as [string, [string, string, string], RegExp][])('%s, throws ModelFileError', (_, args, message) => {
    expect(() => read(...args)).toThrow(ModelFileError);
    expect(() => read(...args)).toThrow(message);
  });
});

test('damaged files are read or refused with one ModelFileError', () => {
  const files = [...Object.values(golden.files), ...Object.values(golden.training).map(({ file }) => file)].map(
    bytesOf,
  );
  const model = sequential([dense({ units: 1, inputShape: [2] })]);
  const counts = { read: 0, refused: 0 };
  for (let seed = 1; seed <= 400; seed++) {
    const bytes = damaged(files, new RandomStream(seed));
    let value: PickledValue = null;
    const result = attempt(() => {
      value = readTorch(bytes);
    });
    counts[result]++;
    if (!((value as PickledValue) instanceof Map)) continue;
    attempt(() => loadStateDict(model, value));
    attempt(() => torchOptimizer(model, value));
  }
  expect(counts.read).toBeGreaterThan(25);
  expect(counts.refused).toBeGreaterThan(100);
});
