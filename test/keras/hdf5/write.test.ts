import { expect, test } from 'vitest';
import { readHdf5 } from '../../../src/keras/hdf5/read.ts';
import type { HdfDataset, HdfGroup } from '../../../src/keras/hdf5/tree.ts';
import { type HdfInput, writeHdf5 } from '../../../src/keras/hdf5/write.ts';

test('writeHdf5: groups of any size, names, texts and values come back', () => {
  const many = new Map<string, HdfInput>(
    Array.from({ length: 700 }, (_, i) => [String(i), { shape: [2], data: Float32Array.of(i, i + 0.5) }]),
  );
  const bytes = writeHdf5({
    attributes: { name: 'größe', long: 'x'.repeat(100_000) },
    members: new Map<string, HdfInput>([
      ['many', { members: many, attributes: { name: '' } }],
      ['layer é', { members: new Map() }],
      ['steps', { shape: [], data: BigInt64Array.of(123456789012n) }],
      ['ids', { shape: [3], data: Int32Array.of(1, -2, 3) }],
      ['none', { shape: [0, 3], data: new Float32Array(0) }],
    ]),
  });
  const root = readHdf5(bytes);
  const text = (name: string) => root.attributes.get(name)?.values();
  expect(text('name')).toEqual(['größe']);
  expect(text('long')).toEqual(['x'.repeat(100_000)]);
  expect([...root.members.keys()]).toEqual(['ids', 'layer é', 'many', 'none', 'steps']);
  const members = (root.members.get('many') as HdfGroup).members;
  expect(members.size).toBe(700);
  expect([...((members.get('699') as HdfDataset).values() as Float32Array)]).toEqual([699, 699.5]);
  expect([...((root.members.get('steps') as HdfDataset).values() as Float64Array)]).toEqual([123456789012]);
  expect((root.members.get('none') as HdfDataset).shape).toEqual([0, 3]);
});
