// node --max-old-space-size=512 --import tsx acceptance/keras/hostile.ts COUNT SEED
// Damaged files of Keras: those of test/golden.
import { readFileSync } from 'node:fs';
import type { RandomStream } from '../../src/engine/random.ts';
import { readHdf5 } from '../../src/keras/hdf5/read.ts';
import type { HdfGroup } from '../../src/keras/hdf5/tree.ts';
import { importKeras } from '../../src/keras.ts';
import { runDamaged } from '../damaged.ts';

const golden = (name: string): { file: string; config?: object }[] =>
  JSON.parse(readFileSync(`test/golden/${name}.json`, 'utf8')).cases;
const originals = [
  ...golden('keras-files').map(({ file, config }) => ({
    bytes: new Uint8Array(Buffer.from(file, 'base64')),
    config,
    isModel: true,
  })),
  ...golden('hdf5').map(({ file }) => ({
    bytes: new Uint8Array(Buffer.from(file, 'base64')),
    config: undefined,
    isModel: false,
  })),
];
// Structures begin with these; damage near them is read more often than damage in values.
const marks = ['TREE', 'SNOD', 'HEAP', 'GCOL', 'OHDR', 'FRHP', 'BTHD', 'BTLF', 'FHIB', 'PK'];
const spots = originals.map(({ bytes }) => {
  const text = Buffer.from(bytes).toString('latin1');
  return marks.flatMap((mark) => [...text.matchAll(new RegExp(mark, 'g'))].map(({ index }) => index));
});

/** The bytes without `count` of them. */
function without(bytes: Uint8Array<ArrayBuffer>, at: number, count: number): Uint8Array<ArrayBuffer> {
  bytes.copyWithin(at, at + count);
  return bytes.slice(0, Math.max(at, bytes.length - count));
}

function damaged(random: RandomStream, original: Uint8Array, near: readonly number[]): Uint8Array {
  const below = (n: number): number => random.nextUint32() % Math.max(n, 1);
  let bytes = original.slice(0, below(8) === 0 ? below(original.length) : original.length);
  for (let n = 1 + below(4); n > 0 && bytes.length > 8; n--) {
    const spot = near[below(near.length)]! + below(200);
    const at = Math.min(bytes.length - 8, below(3) > 0 ? spot : below(bytes.length));
    const view = new DataView(bytes.buffer);
    const kind = below(6);
    if (kind === 0) bytes[at]! ^= 1 << below(8);
    else if (kind === 1) bytes[at] = [0, 1, 0x7f, 0x80, 0xff, below(256)][below(6)]!;
    else if (kind === 2) bytes.fill(0xff, at, at + 8);
    // An address of another structure, and sizes.
    else if (kind === 3) view.setBigUint64(at, BigInt(near[below(near.length)]!), true);
    else if (kind === 4) view.setUint32(at, [0, 1, 2 ** 16, 2 ** 31, 2 ** 32 - 1][below(5)]!, true);
    else bytes = without(bytes, at, 1 + below(8));
  }
  return bytes;
}

const visit = (group: HdfGroup): void => {
  for (const attribute of group.attributes.values()) attribute.values();
  for (const member of group.members.values()) {
    if (member.kind === 'group') visit(member);
    else member.values();
  }
};

runDamaged({
  originals: originals.length,
  damage(random) {
    const which = random.nextUint32() % originals.length;
    const { bytes, ...rest } = originals[which]!;
    return { ...rest, bytes: damaged(random, bytes, spots[which]!) };
  },
  read({ bytes, config, isModel }) {
    if (isModel) importKeras(bytes, { config }).dispose();
    else visit(readHdf5(bytes));
  },
});
