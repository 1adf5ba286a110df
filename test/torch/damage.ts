// Damaged and hostile files of PyTorch.
import type { RandomStream } from '../../src/index.ts';
import { isZip, readZip, writeZip } from '../../src/io/zip.ts';

/** Changes bytes: bits, opcodes, runs, cut ends, parts that come twice. */
function damagedBytes(original: Uint8Array, random: RandomStream): Uint8Array {
  const below = (n: number): number => random.nextUint32() % Math.max(n, 1);
  let bytes = original.slice(0, below(6) === 0 ? below(original.length) : original.length);
  for (let n = 1 + below(4); n > 0 && bytes.length > 0; n--) {
    const at = below(bytes.length);
    const kind = below(6);
    if (kind === 0) bytes[at]! ^= 1 << below(8);
    else if (kind === 1) bytes[at] = [0, 1, 0x7f, 0x80, 0xff, below(256)][below(6)]!;
    else if (kind === 2) bytes[at] = opcodes.charCodeAt(below(opcodes.length)) & 255;
    else if (kind === 3) bytes.fill(0xff, at, at + 1 + below(9));
    else {
      const rest = kind === 4 ? bytes.subarray(at + 1 + below(8)) : bytes.subarray(below(bytes.length));
      const made = new Uint8Array(Math.min(at + rest.length, 2 * original.length));
      made.set(bytes.subarray(0, at));
      made.set(rest.subarray(0, made.length - at), at);
      bytes = made;
    }
  }
  return bytes;
}

const opcodes = '(.012FIJKLMNPQRSTUVXabcd}eghijl]opqrst)uG\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x93\x94\x95';

/** A file with damage: in its bytes, or in one part of an archive whose check sums are right. */
export function damaged(originals: readonly Uint8Array[], random: RandomStream): Uint8Array {
  const original = originals[random.nextUint32() % originals.length]!;
  if (!isZip(original) || random.nextUint32() % 4 === 0) return damagedBytes(original, random);
  const files = new Map(readZip(original));
  const names = [...files.keys()];
  const pickle = names.find((name) => name.endsWith('data.pkl'));
  const name = random.nextUint32() % 4 > 0 && pickle ? pickle : names[random.nextUint32() % names.length]!;
  files.set(name, damagedBytes(files.get(name)!, random));
  return writeZip(files);
}

const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));
const pickle = (...parts: (string | readonly number[])[]): Uint8Array =>
  Uint8Array.from([0x80, 2, ...parts.flatMap((part) => (typeof part === 'string' ? ascii(part) : [...part])), 46]);
const repeated = (part: string, count: number): string => part.repeat(count);
const u32 = (n: number): number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >> 24) & 255];

/** Pickles that try what a reader must not do. */
export const hostilePickles: Readonly<Record<string, Uint8Array>> = {
  'lists nested forty thousand deep': pickle(repeated(']', 40_000), repeated('a', 39_999)),
  'dicts nested forty thousand deep': pickle('}', repeated('K\x01}', 39_999), repeated('s', 39_999)),
  'a memo that doubles at each step': pickle(']q\x00', repeated(']h\x00ah\x00aq\x00', 20_000)),
  'a set of one long list, again and again': pickle(
    ...[']q\x00(', repeated('K\x01', 50_000), 'e0', repeated('c__builtin__\nset\nh\x00\x85R0', 5000), 'N'],
  ),
  'an OrderedDict of itself': pickle('ccollections\nOrderedDict\n)Rq\x00K\x01h\x00s'),
  'a list in itself': pickle(']q\x00h\x00a'),
  'encoded text, again and again': pickle(
    ...['X', u32(40_000), repeated('a', 40_000), 'q\x000'],
    ...[repeated('c_codecs\nencode\n(h\x00U\x06latin1tR0', 20_000), 'N'],
  ),
  'text of four gigabytes': pickle('X', [255, 255, 255, 255]),
  'bytes of 2⁶³': pickle([0x8e, 255, 255, 255, 255, 255, 255, 255, 127]),
  'an integer of two gigabytes': pickle([0x8b, 255, 255, 255, 127]),
  'an integer of 300,000 digits': pickle(`L${repeated('9', 300_000)}\n`),
  'a memo index of 2³²': pickle('N', 'r', [255, 255, 255, 255], 'j', [255, 255, 255, 255]),
  'an empty stack': pickle('0000'),
  'a mark that is missing': pickle('t'),
  'a name of forty thousand letters': pickle(`c${repeated('a', 40_000)}\nb\n`),
  'os.system of a stack global': pickle([0x8c, 5], 'posix', [0x8c, 6], 'system', [0x93], '(X', u32(2), 'lstR'),
  'os.system by INST': pickle('(X', u32(2), 'lsios\nsystem\n'),
  'os.system by OBJ': pickle('(cos\nsystem\nX', u32(2), 'lso'),
  'subprocess.Popen': pickle('csubprocess\nPopen\n(X', u32(2), 'lstR'),
  'builtins.eval': pickle('cbuiltins\neval\n(X', u32(3), '1+1tR'),
  'builtins.exec': pickle('cbuiltins\nexec\n(X', u32(3), '1+1tR'),
  '__builtin__.__import__': pickle('c__builtin__\n__import__\n(X', u32(2), 'ostR'),
  'a state that changes a prototype': pickle('cmy\nClass\n)R}X', u32(9), '__proto__}X', u32(1), 'aK\x01ssb'),
  'an extension': pickle([0x82, 1]),
  'a buffer outside': pickle([0x97]),
  'a persistent id that is no storage': pickle('K\x01Q'),
  'a tensor without a storage': pickle('ctorch._utils\n_rebuild_tensor_v2\n(NNNtR'),
};

/** A zip archive of torch.save with this pickle. */
export const archiveOf = (bytes: Uint8Array): Uint8Array =>
  writeZip(
    new Map([
      ['archive/data.pkl', bytes],
      ['archive/data/0', new Uint8Array(16)],
      ['archive/version', Uint8Array.of(51, 10)],
    ]),
  );

/** A tensor of the storage 0, of four floats. */
export const tensorPickle = (offset: string, shape: string, strides: string): Uint8Array =>
  pickle(
    'ctorch._utils\n_rebuild_tensor_v2\n((X',
    [...u32(7), ...ascii('storage')],
    'ctorch\nFloatStorage\nX',
    [...u32(1), ...ascii('0'), 0x58, ...u32(3), ...ascii('cpu')],
    `K\x04tQ${offset}(${shape}t(${strides}t\x89ccollections\nOrderedDict\n)RtR`,
  );
