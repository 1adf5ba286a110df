// Reads HDF5 files as h5py and Keras write them, old and new.
// https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
import { quote } from '../../io/parsed-json.ts';
import { readDataset } from './datasets.ts';
import { attributesOf, linksOf } from './groups.ts';
import { MESSAGE, messagesOf } from './objects.ts';
import { type Cursor, Source } from './source.ts';
import { Strings } from './strings.ts';
import type { HdfGroup, HdfNode } from './tree.ts';

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const MAX_DEPTH = 100;

const hasSignature = (bytes: Uint8Array, at: number): boolean => SIGNATURE.every((byte, i) => bytes[at + i] === byte);

/** Whether bytes begin as an HDF5 file does. */
export const isHdf5 = (bytes: Uint8Array): boolean => startOf(bytes) >= 0;

/** Where the file begins: a block of the user's own may be before it, of 512 bytes or twice as much, again and again. */
function startOf(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; at = at === 0 ? 512 : at * 2) if (hasSignature(bytes, at)) return at;
  return -1;
}

/**
 * Reads an HDF5 file. Values are read when they are asked for.
 *
 * @param bytes the whole file, which must not change while values are read.
 * @param file a name for error messages.
 * @returns the root of its groups. Links by path and to other files are left out.
 * @throws ModelFileError if the bytes are not an HDF5 file, it is damaged, a group contains itself or groups are nested
 *   more than 100 deep, or it uses what is not supported. Time and memory are bounded by the size of the file.
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
 */
export function readHdf5(bytes: Uint8Array, file?: string): HdfGroup {
  const source = new Source(bytes, file);
  const start = startOf(bytes);
  if (start < 0) source.fail('expected a file that begins with its signature, \\x89HDF');
  source.base = start;
  const head = source.at(8, Math.min(88, bytes.length - start - 8), 'the head of the file');
  const root = rootOf(source, head);
  const strings = new Strings(source);
  const texts = (references: Uint8Array, count: number): string[] => strings.decode(references, count);
  // Objects are read once, however many links lead to them.
  const known = new Map<number, HdfNode | undefined>();
  const read = (address: number, name: string, depth: number): HdfNode => {
    const found = known.get(address);
    if (found) return found;
    if (known.has(address)) source.fail(`group ${quote(name)} contains itself`);
    if (depth > MAX_DEPTH) source.fail(`groups are nested more than ${MAX_DEPTH} deep`);
    known.set(address, undefined);
    const messages = messagesOf(source, address);
    const attributes = attributesOf(source, messages, texts);
    const isDataset = messages.some(({ type }) => type === MESSAGE.layout);
    const node: HdfNode = isDataset
      ? { kind: 'dataset', attributes, ...readDataset(source, messages, texts) }
      : {
          kind: 'group',
          attributes,
          members: new Map([...linksOf(source, messages)].map(([key, at]) => [key, read(at, key, depth + 1)] as const)),
        };
    known.set(address, node);
    return node;
  };
  const node = read(root, '/', 0);
  return node.kind === 'group' ? node : source.fail('expected a group at its root, got a dataset');
}

/** The address of the root's header. */
function rootOf(source: Source, head: Cursor): number {
  const version = head.u8();
  if (version > 3) source.fail(`version 0 to 3 expected, got ${version}`);
  if (version <= 1) head.skip(4);
  const sizes = [head.u8(), head.u8()];
  if (sizes[0] !== 8 || sizes[1] !== 8) {
    source.fail(`addresses and lengths of 8 bytes expected, got ${sizes.join(' and ')}`);
  }
  if (version >= 2) {
    head.skip(1 + 8 + 8 + 8);
    return head.address();
  }
  head.skip(1 + 4 + 4 + (version === 1 ? 4 : 0) + 32 + 8);
  return head.address();
}
