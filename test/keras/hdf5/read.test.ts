import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ModelFileError } from '../../../src/io/safetensors.ts';
import { readHdf5 } from '../../../src/keras/hdf5/read.ts';
import type { HdfArray, HdfGroup } from '../../../src/keras/hdf5/tree.ts';

interface Case {
  readonly name: string;
  readonly file: string;
  readonly contents: Record<string, (number | string)[]>;
}

const golden = JSON.parse(readFileSync(new URL('../../golden/hdf5.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};
const bytesOf = ({ file }: Case): Uint8Array => new Uint8Array(Buffer.from(file, 'base64'));

const valuesOf = (array: HdfArray): (number | string)[] => {
  const values = [...(array.values() as Iterable<number | string>)];
  expect(array.shape.reduce((product, size) => product * size, 1)).toBe(values.length);
  return values;
};

function contents(group: HdfGroup, path = ''): [string, (number | string)[]][] {
  return [
    ...[...group.attributes].map(([name, value]) => [`${path}@${name}`, valuesOf(value)] as never),
    ...[...group.members].flatMap(([name, node]) =>
      node.kind === 'group' ? contents(node, `${path}${name}/`) : [[path + name, valuesOf(node)] as never],
    ),
  ];
}

describe('readHdf5', () => {
  test.each(golden.cases)('a file $name of h5py gives its groups, values and attributes', (each) => {
    const found = Object.fromEntries(contents(readHdf5(bytesOf(each))));
    expect(found).toEqual(each.contents);
  });

  test('what is no HDF5 file, and one that is cut, is refused by name', () => {
    const [first] = golden.cases;
    expect(() => readHdf5(new Uint8Array(100), 'a.h5')).toThrow('a.h5: HDF5: expected a file that begins with');
    const cut = bytesOf(first!).subarray(0, 3000);
    expect(() => contents(readHdf5(cut))).toThrow(ModelFileError);
  });

  test('a compressed chunk that is damaged is refused, not read as other numbers', () => {
    const bytes = bytesOf(golden.cases[0]!);
    const clean = readHdf5(bytes).members.get('chunks') as unknown as HdfArray;
    const expected = [...(clean.values() as Float32Array)];
    let refused = 0;
    for (let at = 0; at < bytes.length; at += 3) {
      // Streams of zlib begin with 0x78 here.
      if (bytes[at] !== 0x78 || bytes[at + 1] !== 0x5e) continue;
      const changed = bytes.slice();
      changed[at + 4]! ^= 0x55;
      try {
        const values = (readHdf5(changed).members.get('chunks') as unknown as HdfArray).values();
        expect([...(values as Float32Array)]).toEqual(expected);
      } catch (error) {
        expect(error).toBeInstanceOf(ModelFileError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(0);
  });

  test('a group that contains itself, and claims without end, are refused at once', () => {
    const bytes = bytesOf(golden.cases[0]!);
    const view = new DataView(bytes.buffer);
    const root = view.getBigUint64(64, true);
    let loops = 0;
    // The address of a member is the second field of its symbol.
    for (let at = 0; at + 48 < bytes.length; at += 8) {
      if (String.fromCharCode(...bytes.subarray(at, at + 4)) !== 'SNOD') continue;
      const looped = bytes.slice();
      new DataView(looped.buffer).setBigUint64(at + 16, root, true);
      expect(() => readHdf5(looped)).toThrow('contains itself');
      loops++;
    }
    expect(loops).toBeGreaterThan(20);
  });
});
