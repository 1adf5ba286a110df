// Zip archives (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), in which PyTorch and Keras keep models.
// fflate inflates; what an archive claims is checked here before memory is taken for it, and what comes out, after.

import { unzipSync, unzlibSync, zipSync } from 'fflate';
import { ModelFileError } from './safetensors.ts';

/** What may come out of compressed files of one archive, in bytes. */
const MAX_INFLATED = 2 ** 30;

/** Deflate makes at most so many bytes of one. @see https://zlib.net/zlib_tech.html */
const MOST_INFLATED = 1032;

const END_OF_DIRECTORY = 0x06054b50;
const END_OF_DIRECTORY_64 = 0x06064b50;
const DIRECTORY_ENTRY = 0x02014b50;

/** Whether the bytes begin as a zip archive does. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);

type Admit = NonNullable<NonNullable<Parameters<typeof unzipSync>[1]>['filter']>;

/** The content of the files that `admit` wants. Throws `ModelFileError` if the archive cannot be read. */
function unzip(bytes: Uint8Array, file: string | undefined, admit: Admit): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes, { filter: admit });
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    throw new ModelFileError(`zip: ${(error as Error).message}`, { file });
  }
}

/** The names in a zip archive, as they are. Throws `ModelFileError` if it cannot be read. */
export function zipNames(bytes: Uint8Array, file?: string): string[] {
  const names: string[] = [];
  unzip(bytes, file, ({ name }) => {
    names.push(name);
    return false;
  });
  return names;
}

/**
 * Unpacks a zip archive.
 *
 * @param bytes the whole archive. It is not changed, and the results do not refer to it
 * @param file a name for error messages
 * @returns the content of each file by its name; folders are left out. The caller owns it
 * @throws ModelFileError if the bytes are not a zip archive; it is encrypted or compressed by another method than
 *   deflate; a name occurs twice or leads out of the archive's folder; files overlap; a file does not have the size or
 *   the check sum that the directory says; or more than 1 GiB would come out of compressed files
 */
export function readZip(bytes: Uint8Array, file?: string): Map<string, Uint8Array> {
  const fail = (message: string): never => {
    throw new ModelFileError(message, { file });
  };
  const sizes = new Map<string, number>();
  let [stored, inflated] = [0, 0];
  const admit = ({ name, size, originalSize, compression }: Parameters<Admit>[0]): boolean => {
    const quoted = JSON.stringify(name);
    if (/(^|[/\\])\.\.([/\\]|$)|^[/\\]|^[a-z]:|\0/i.test(name)) {
      fail(`zip: ${quoted} leads out of the archive's folder`);
    }
    if (sizes.has(name)) fail(`zip: ${quoted} is there twice`);
    if (compression !== 0 && compression !== 8) {
      fail(`zip: ${quoted} expected no compression (0) or deflate (8), got method ${compression}`);
    }
    if (compression === 0 && size !== originalSize) {
      fail(`zip: ${quoted} is not compressed, but has sizes of ${size} and ${originalSize} bytes`);
    }
    if (originalSize > MOST_INFLATED * size + MOST_INFLATED) {
      fail(`zip: ${quoted} claims ${originalSize} bytes, which ${size} bytes of deflate cannot hold`);
    }
    stored += size;
    if (compression === 8) inflated += originalSize;
    if (stored > bytes.length) fail(`zip: its files claim more than its ${bytes.length} bytes`);
    if (inflated > MAX_INFLATED) fail(`zip: more than ${MAX_INFLATED} bytes would come out of compressed files`);
    sizes.set(name, originalSize);
    return !name.endsWith('/');
  };
  const sums = directorySums(bytes) ?? fail('expected a zip archive with a directory at its end');
  const unpacked = unzip(bytes, file, admit);
  const files = new Map<string, Uint8Array>();
  for (const [i, [name, size]] of [...sizes].entries()) {
    if (name.endsWith('/')) continue;
    const content = unpacked[name]!;
    if (content.length !== size || crc32(content) !== sums[i]) {
      fail(`zip: ${JSON.stringify(name)} is damaged: its size or its check sum is not the one of the directory`);
    }
    files.set(name, content);
  }
  return files;
}

/**
 * Packs files into a zip archive without compression, with fixed dates, so that equal files make equal archives.
 *
 * @param files the content by name
 * @returns the archive; the caller owns it
 */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  // The earliest date that the format has.
  return zipSync(Object.fromEntries(files), { level: 0, mtime: '1980-01-01T12:00:00' });
}

/**
 * Inflates a zlib stream (RFC 1950).
 *
 * @param atMost how many bytes may come out. More is an error, and takes no memory.
 * @returns what comes out; the caller owns it.
 * @throws Error if the stream is damaged or its check sum differs.
 */
export function inflateZlib(bytes: Uint8Array, atMost: number): Uint8Array {
  const inflated = unzlibSync(bytes, { out: new Uint8Array(atMost + 1) });
  if (inflated.length > atMost) throw new Error(`more than ${atMost} bytes would come out`);
  let [a, b] = [1, 0];
  for (const byte of inflated) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  const sum = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(bytes.length - 4);
  if (((b << 16) | a) >>> 0 !== sum) throw new Error('its check sum differs');
  return inflated;
}

/** The check sums of an archive's files, in the order of its directory; undefined without a whole directory. */
function directorySums(bytes: Uint8Array): number[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const has = (at: number, length: number, mark: number): boolean =>
    at >= 0 && at + length <= bytes.length && view.getUint32(at, true) === mark;
  // A comment of at most 65,535 bytes may follow the record of 22 bytes.
  let end = bytes.length - 22;
  while (end >= 0 && end >= bytes.length - 22 - 0xffff && !has(end, 22, END_OF_DIRECTORY)) end--;
  if (!has(end, 22, END_OF_DIRECTORY)) return undefined;
  let count = view.getUint16(end + 8, true);
  let at = view.getUint32(end + 16, true);
  const end64 = end >= 20 && view.getUint32(end - 20, true) === 0x07064b50 ? view.getUint32(end - 12, true) : -1;
  if (has(end64, 56, END_OF_DIRECTORY_64)) {
    count = view.getUint32(end64 + 32, true);
    at = view.getUint32(end64 + 48, true);
  }
  const sums: number[] = [];
  for (let i = 0; i < count; i++) {
    // An entry that is encrypted, whose flag is bit 0, cannot be read.
    if (!has(at, 46, DIRECTORY_ENTRY) || view.getUint16(at + 8, true) & 1) return undefined;
    sums.push(view.getUint32(at + 16, true));
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return sums;
}

let table: Uint32Array | undefined;

/** CRC-32 with the polynomial of zip, 0xedb88320 in reversed bits. */
function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    for (let bit = 0; bit < 8; bit++) byte = (byte >>> 1) ^ (byte & 1 ? 0xedb88320 : 0);
    return byte;
  });
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 255]!;
  return ~crc >>> 0;
}
