import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { ModelFileError } from '../../src/io/safetensors.ts';
import { isZip, readZip, writeZip } from '../../src/io/zip.ts';

const text = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7) % 251);
/** Bytes that deflate does not make smaller. */
const noise = (length: number): Uint8Array => {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
};
const refusal = (bytes: Uint8Array): string => {
  try {
    readZip(bytes, 'm.zip');
  } catch (error) {
    expect(error).toBeInstanceOf(ModelFileError);
    return (error as Error).message;
  }
  throw new Error('was read');
};
/** The archive with the little-endian number `value` of `size` bytes at `at` of the i-th entry of its directory. */
function changed(bytes: Uint8Array, at: number, value: number, size = 4, i = 0): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  let entry = view.getUint32(copy.length - 6, true);
  for (; i > 0; i--) entry += 46 + view.getUint16(entry + 28, true);
  if (size === 4) view.setUint32(entry + at, value, true);
  else view.setUint16(entry + at, value, true);
  return copy;
}

describe('zip', () => {
  const files = new Map([
    ['a/data.pkl', text(1000)],
    ['b', new Uint8Array()],
  ]);

  test('what is written is read, and equal files make equal archives', () => {
    const bytes = writeZip(files);
    expect(isZip(bytes)).toBe(true);
    expect(readZip(bytes)).toEqual(files);
    expect(writeZip(files)).toEqual(bytes);
  });

  test('compressed files are read, folders left out', () => {
    expect(readZip(zipSync({ 'd/': new Uint8Array(), 'd/e': text(5000) }))).toEqual(new Map([['d/e', text(5000)]]));
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['no archive', text(100), /^m\.zip: expected a zip archive with a directory at its end$/],
    ['a cut archive', writeZip(files).subarray(0, 900), /^m\.zip: expected a zip archive/],
    ['a name that climbs', zipSync({ '../x': text(3) }), /"\.\.\/x" leads out of the archive's folder$/],
    ['a name with a backslash that climbs', zipSync({ 'a\\..\\x': text(3) }), /leads out of the archive's folder$/],
    ['a name from the root', zipSync({ '/x': text(3) }), /leads out/],
    ['a name with a drive', zipSync({ 'C:x': text(3) }), /leads out/],
    ['an encrypted file', changed(writeZip(files), 8, 1, 2), /expected a zip archive/],
    ['another method', changed(writeZip(files), 10, 14, 2), /got method 14$/],
    ['two sizes of a stored file', changed(writeZip(files), 24, 999), /has sizes of 1000 and 999 bytes$/],
    [
      'more than the archive has',
      changed(changed(writeZip(files), 20, 1e6), 24, 1e6),
      /claim more than its \d+ bytes$/,
    ],
    ['a bomb', changed(zipSync({ z: noise(1.1e6) }), 24, 2 ** 30 + 1), /more than 1073741824 bytes would come/],
    [
      'a size that deflate cannot reach',
      changed(zipSync({ z: new Uint8Array(1e5) }), 24, 1e6),
      /^m\.zip: zip: "z" claims 1000000 bytes, which \d+ bytes of deflate cannot hold$/,
    ],
    ['a size that is too small', changed(zipSync({ z: text(5000) }), 24, 4000), /"z" is damaged/],
    ['a size that is too large', changed(zipSync({ z: text(5000) }), 24, 6000), /"z" is damaged/],
    ['another check sum', changed(writeZip(files), 16, 1), /"a\/data.pkl" is damaged/],
    ['a deflated file that is none', changed(changed(writeZip(files), 10, 8, 2), 24, 1000), /^m\.zip: zip: /],
  ])('%s is refused', (_, bytes, message) => {
    expect(refusal(bytes)).toMatch(message);
  });

  test('a name that is there twice is refused', () => {
    const bytes = zipSync({ aa: text(3), ab: text(3) });
    const at = bytes.length - 22 - 46 - 2 + 46;
    expect(String.fromCharCode(...bytes.subarray(at, at + 2))).toBe('ab');
    bytes[at + 1] = 'a'.charCodeAt(0);
    expect(refusal(bytes)).toMatch(/"aa" is there twice$/);
  });
});
