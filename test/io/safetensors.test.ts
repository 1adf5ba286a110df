import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  ModelFileError,
  type SafetensorsTensor,
} from '../../src/io/safetensors.ts';

const seed = 7;
const golden: { everyDtype: string; halves: string } = JSON.parse(
  readFileSync(new URL('safetensors-golden.json', import.meta.url), 'utf8'),
);
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

/** A file with any header, honest about the header's length. */
function file(header: unknown, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

// What test/io/safetensors-golden.py gave the official writer, in another order than the file's.
const everyDtype = new Map<string, SafetensorsTensor>([
  ['mask', { dtype: 'BOOL', shape: [3], data: new Uint8Array([1, 0, 1]) }],
  ['layer.0.kernel', { dtype: 'F32', shape: [1, 3], data: new Float32Array([1.5, -2, 0.25]) }],
  ['bias', { dtype: 'F32', shape: [1], data: new Float32Array([0.1]) }],
  ['scalar', { dtype: 'F64', shape: [], data: new Float64Array([3.25]) }],
  ['ids', { dtype: 'I64', shape: [2], data: new BigInt64Array([1n, -(2n ** 63n)]) }],
  ['counts', { dtype: 'U64', shape: [1], data: new BigUint64Array([2n ** 64n - 1n]) }],
  ['i32', { dtype: 'I32', shape: [1], data: new Int32Array([-5]) }],
  ['u32', { dtype: 'U32', shape: [1], data: new Uint32Array([2 ** 32 - 1]) }],
  ['i16', { dtype: 'I16', shape: [1], data: new Int16Array([-6]) }],
  ['u16', { dtype: 'U16', shape: [1], data: new Uint16Array([65535]) }],
  ['i8', { dtype: 'I8', shape: [1], data: new Int8Array([-7]) }],
  ['u8', { dtype: 'U8', shape: [2], data: new Uint8Array([250, 251]) }],
  ['12', { dtype: 'F32', shape: [0, 3], data: new Float32Array(0) }],
  ['__proto__', { dtype: 'U8', shape: [1], data: new Uint8Array([8]) }],
  ['ünïcode "\\\n😀', { dtype: 'U8', shape: [1], data: new Uint8Array([9]) }],
]);
const note = { note: 'a "quoted" line\n' };

const arbitraryShape = fc.array(fc.nat(4), { maxLength: 3 });
const product = (shape: number[]): number => shape.reduce((a, b) => a * b, 1);
const arbitraryTensor: fc.Arbitrary<SafetensorsTensor> = arbitraryShape.chain((shape) => {
  const length = { minLength: product(shape), maxLength: product(shape) };
  return fc.oneof(
    fc.float32Array(length).map((data): SafetensorsTensor => ({ dtype: 'F32', shape, data })),
    fc.float64Array(length).map((data): SafetensorsTensor => ({ dtype: 'F64', shape, data })),
    fc.bigInt64Array(length).map((data): SafetensorsTensor => ({ dtype: 'I64', shape, data })),
    fc.int16Array(length).map((data): SafetensorsTensor => ({ dtype: 'I16', shape, data })),
    fc.uint8Array(length).map((data): SafetensorsTensor => ({ dtype: 'U8', shape, data })),
  );
});
const arbitraryName = fc
  .oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', '0', '"', '\\"'))
  .filter((name) => name !== '__metadata__');
const arbitraryFile = fc.record({
  tensors: fc.array(fc.tuple(arbitraryName, arbitraryTensor), { maxLength: 5 }).map((entries) => new Map(entries)),
  metadata: fc
    .array(fc.tuple(arbitraryName, fc.string({ unit: 'binary' })), { maxLength: 3 })
    .map((entries) => Object.fromEntries(entries) as Record<string, string>),
});

describe('encodeSafetensors', () => {
  test('every dtype, matches the official writer byte for byte', () => {
    expect(Buffer.from(encodeSafetensors(everyDtype, note)).toString('hex')).toBe(golden.everyDtype);
  });

  test('no tensors and no metadata, writes an empty header padded to 8 bytes', () => {
    expect([...encodeSafetensors(new Map(), {})]).toEqual([8, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d, ...Array(6).fill(0x20)]);
  });

  test('view on a larger buffer, writes only the view', () => {
    const data = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
    const { tensors } = decodeSafetensors(encodeSafetensors(new Map([['v', { dtype: 'F32', shape: [2], data }]]), {}));
    expect(tensors.get('v')!.data).toEqual(new Float32Array([2, 3]));
  });

  test.each<[string, string, unknown, Record<string, unknown>, RegExp]>([
    ['reserved name', '__metadata__', { dtype: 'U8', shape: [0], data: new Uint8Array(0) }, {}, /keeps this name/],
    [
      'half a surrogate pair in a name',
      '\ud800',
      { dtype: 'U8', shape: [0], data: new Uint8Array(0) },
      {},
      /surrogate/,
    ],
    ['unknown dtype', 'x', { dtype: 'F16', shape: [0], data: new Uint8Array(0) }, {}, /dtype expected one of .*"F16"/],
    [
      'array of another dtype',
      'x',
      { dtype: 'F32', shape: [1], data: new Float64Array(1) },
      {},
      /Float32Array.*Float64Array/,
    ],
    ['shape of another product', 'x', { dtype: 'U8', shape: [2, 2], data: new Uint8Array(3) }, {}, /\[2, 2\].*of 3/],
    ['negative shape', 'x', { dtype: 'U8', shape: [-1, -3], data: new Uint8Array(3) }, {}, /\[-1, -3\]/],
    [
      'metadata not a string',
      'x',
      { dtype: 'U8', shape: [0], data: new Uint8Array(0) },
      { k: 3 },
      /"k".*string, got 3/,
    ],
  ])('%s, throws and says so', (_, name, tensor, metadata, message) => {
    const tensors = new Map([[name, tensor as SafetensorsTensor]]);
    expect(() => encodeSafetensors(tensors, metadata as Record<string, string>)).toThrow(message);
  });
});

describe('decodeSafetensors', () => {
  test('official file of every dtype, gives the values back', () => {
    const { tensors, metadata } = decodeSafetensors(fromHex(golden.everyDtype));
    expect({ ...metadata }).toEqual(note);
    expect(new Map([...tensors].sort())).toEqual(new Map([...everyDtype].sort()));
  });

  test('official file of halves, gives the same values as f32', () => {
    const { tensors, metadata } = decodeSafetensors(fromHex(golden.halves));
    expect(Object.keys(metadata)).toEqual([]);
    expect(tensors.get('f16')).toEqual({
      dtype: 'F32',
      shape: [7],
      data: new Float32Array([1, -0.5, 65504, 2 ** -24, 1023 * 2 ** -24, -0, Number.POSITIVE_INFINITY]),
    });
    expect(tensors.get('bf16')).toEqual({
      dtype: 'F32',
      shape: [3, 1],
      data: new Float32Array([1, -2.5, 255 * 2 ** 120]),
    });
  });

  test('whatever was encoded, comes back bit for bit', () => {
    fc.assert(
      fc.property(arbitraryFile, fc.nat(9), ({ tensors, metadata }, shift) => {
        const bytes = encodeSafetensors(tensors, metadata);
        expect((8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))) % 8).toBe(0);
        // Unaligned inside a larger buffer, as a slice of a download would be.
        const embedded = new Uint8Array(bytes.length + shift);
        embedded.set(bytes, shift);
        const back = decodeSafetensors(embedded.subarray(shift));
        expect(Object.entries(back.metadata).sort()).toEqual(Object.entries(metadata).sort());
        expect([...back.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [name, tensor] of tensors) expect(back.tensors.get(name)).toEqual(tensor);
      }),
      { seed },
    );
  });

  test('valid file with bytes changed, cut or added, decodes or throws ModelFileError, and allocates in proportion', () => {
    const change = fc.record({ at: fc.nat(2000), value: fc.integer({ min: 0, max: 255 }) });
    // Digits and punctuation hit the header's numbers and structure more often than any byte would.
    const pointed = fc.record({
      at: fc.nat(2000),
      value: fc.constantFrom(...new TextEncoder().encode('09-.,:"[]{}eE\\')),
    });
    const changes = fc.array(fc.oneof(change, pointed), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.boolean(),
        changes,
        fc.integer({ min: -40, max: 40 }),
        fc.boolean(),
        (halves, edits, growth, resize) => {
          const valid = fromHex(halves ? golden.halves : golden.everyDtype);
          const bytes = new Uint8Array(resize ? Math.max(0, valid.length + growth) : valid.length);
          bytes.set(valid.subarray(0, bytes.length));
          for (const { at, value } of edits) bytes[at % bytes.length] = value;
          try {
            const { tensors } = decodeSafetensors(bytes, 'm.safetensors');
            const total = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
            expect(total).toBeLessThanOrEqual(2 * bytes.length);
          } catch (error) {
            if (!(error instanceof ModelFileError)) throw error;
            expect(error.file).toBe('m.safetensors');
            expect(error.message).toMatch(/^m\.safetensors: .{1,600}$/s);
          }
        },
      ),
      { seed, numRuns: 3000 },
    );
  });

  test('random bytes, throw nothing but ModelFileError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.string(), (bytes, header) => {
        for (const candidate of [bytes, file(header), file(`{${header}}`)]) {
          try {
            decodeSafetensors(candidate);
          } catch (error) {
            if (!(error instanceof ModelFileError)) throw error;
          }
        }
      }),
      { seed, numRuns: 1000 },
    );
  });

  test('old file whose tensors are not aligned, decodes', () => {
    const bytes = file(
      { a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] }, b: { dtype: 'F32', shape: [1], data_offsets: [1, 5] } },
      5,
    );
    bytes.set(new Uint8Array(new Float32Array([2.5]).buffer), bytes.length - 4);
    expect(decodeSafetensors(bytes).tensors.get('b')!.data).toEqual(new Float32Array([2.5]));
  });

  test('empty tensor listed behind the one that begins where it does, decodes', () => {
    const at = (shape: number[], data_offsets: number[]) => ({ dtype: 'U8', shape, data_offsets });
    const { tensors } = decodeSafetensors(file({ full: at([1], [0, 1]), empty: at([0], [0, 0]) }, 1));
    expect([...tensors.keys()]).toEqual(['empty', 'full']);
  });

  test('in a scope without TextDecoder, reads names beyond ASCII and refuses what is not UTF-8', () => {
    vi.stubGlobal('TextDecoder', undefined);
    try {
      const { tensors } = decodeSafetensors(fromHex(golden.everyDtype));
      expect(tensors.get('ünïcode "\\\n😀')!.data).toEqual(new Uint8Array([9]));
      const bad = file('{"a":"?"}').map((byte) => (byte === 0x3f ? 0xff : byte));
      expect(() => decodeSafetensors(bad)).toThrow('header expected to be UTF-8, got bytes that are not');
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test('result, shares no bytes with the file', () => {
    const bytes = Buffer.from(golden.everyDtype, 'hex');
    const { tensors } = decodeSafetensors(bytes);
    bytes.fill(0);
    expect(tensors.get('u8')!.data).toEqual(new Uint8Array([250, 251]));
  });

  const u8 = (shape: unknown, data_offsets: unknown) => ({ dtype: 'U8', shape, data_offsets });
  const cut = fromHex(golden.everyDtype).subarray(0, 500);
  const hugeLength = new Uint8Array(16).fill(0xff);
  const lying = file({}, 0);
  lying[0] = 200;
  const deep = file(`{"a":{"dtype":"U8","shape":${'['.repeat(1e5)}${']'.repeat(1e5)},"data_offsets":[0,0]}}`);
  test.each<[string, Uint8Array, RegExp]>([
    ['empty file', new Uint8Array(0), /at least the 8 bytes.*got 0 bytes/],
    ['file of 7 bytes', new Uint8Array(7), /got 7 bytes/],
    ['header length near 2^64', hugeLength, /at most 100000000, got 18446744073709551615/],
    ['header length past the end', lying, /says 200 bytes, got 2 after it/],
    ['file cut inside the header', cut, /says 944 bytes, got 492 after it/],
    ['file cut inside the data', fromHex(golden.everyDtype).subarray(0, -1), /"mask".*end past the file's 67 bytes/],
    ['bytes after the data', file({ a: u8([1], [0, 1]) }, 3), /expected 1 bytes of data.*got 3/],
    ['header of no bytes', file(''), /begin with '\{', got no header/],
    ['header an array', file([]), /begin with '\{', got byte 91/],
    ['header behind a byte-order mark', file('\ufeff{}'), /begin with '\{', got byte 239/],
    ['header not JSON', file('{"a":'), /JSON, got a fault/],
    ['header followed by more', file('{}{}'), /JSON, got a fault/],
    ['header not UTF-8', Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0xff, 0x22), /expected to be UTF-8/],
    ['tensor twice', file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{}}'), /"a" twice/],
    ['field twice', file('{"a":{"dtype":"U8","shape":[1],"shape":[0],"data_offsets":[0,0]}}'), /"shape" twice/],
    ['metadata key twice', file('{"__metadata__":{"k":"{\\"","k" : "2"}}'), /"k" twice/],
    [
      'metadata not an object',
      file({ __metadata__: ['a'] }),
      /__metadata__ expected an object of strings, got a list of 1/,
    ],
    ['metadata value not a string', file({ __metadata__: { k: 1 } }), /__metadata__ "k" expected a string, got 1/],
    ['tensor not an object', file({ a: null }), /"a" expected an object, got null/],
    ['__proto__ not a tensor', file('{"__proto__":{"x":1}}'), /"__proto__": dtype expected/],
    [
      'dtype unknown',
      file({ a: { ...u8([0], [0, 0]), dtype: 'F8_E4M3' } }),
      /dtype expected one of U64.*got "F8_E4M3"/,
    ],
    [
      'dtype a property of every object',
      file({ a: { ...u8([0], [0, 0]), dtype: 'constructor' } }),
      /got "constructor"/,
    ],
    ['dtype missing', file({ a: { shape: [0], data_offsets: [0, 0] } }), /dtype expected .*got none/],
    ['shape not an array', file({ a: u8(3, [0, 3]) }, 3), /shape expected an array, got 3/],
    ['shape negative', file({ a: u8([-1, -3], [0, 3]) }, 3), /shape expected whole sizes of 0 or more, got -1/],
    ['shape fractional', file({ a: u8([1.5, 2], [0, 3]) }, 3), /got 1.5/],
    ['shape of strings', file({ a: u8(['3'], [0, 3]) }, 3), /got "3"/],
    ['shape beyond exact numbers', file('{"a":{"dtype":"U8","shape":[1e300],"data_offsets":[0,0]}}'), /got 1e\+300/],
    ['shape with an overflowing product', file({ a: u8([2 ** 40, 2 ** 40, 0], [0, 0]) }), /product below 2\^53/],
    ['shape nested very deep', deep, /got a list of 1/],
    ['shape and offsets that differ', file({ a: u8([4], [0, 3]) }, 3), /expected 4 bytes for its U8 shape, got 3/],
    ['offsets missing', file({ a: { dtype: 'U8', shape: [0] } }), /data_offsets expected two whole numbers.*got none/],
    ['three offsets', file({ a: u8([0], [0, 0, 0]) }), /got \[0, 0, 0\]/],
    ['offset negative', file({ a: u8([1], [-1, 0]) }), /got \[-1, 0\]/],
    ['offset minus zero', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[-0,1]}}', 1), /two whole numbers/],
    ['offsets reversed', file({ a: u8([3], [3, 0]) }, 3), /begin <= end, got \[3, 0\]/],
    ['offsets past the end', file({ a: u8([2 ** 45], [0, 2 ** 45]) }, 3), /end past the file's 3 bytes/],
    [
      'tensors that overlap',
      file({ a: u8([2], [0, 2]), b: u8([2], [1, 3]) }, 3),
      /"b".*overlap the tensor before, which ends at 2/,
    ],
    ['tensors on the same bytes', file({ a: u8([2], [0, 2]), b: u8([2], [0, 2]) }, 2), /overlap/],
    [
      'gap between tensors',
      file({ a: u8([1], [0, 1]), b: u8([1], [2, 3]) }, 3),
      /"b".*leave a gap, expected to begin at 1/,
    ],
    ['gap at the start', file({ a: u8([1], [1, 2]) }, 2), /leave a gap, expected to begin at 0/],
  ])('%s, throws ModelFileError and says so', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(ModelFileError);
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });

  test('name of a million characters, stays out of the message', () => {
    const bytes = file({ ['n'.repeat(1e6)]: null });
    expect(() => decodeSafetensors(bytes)).toThrow(/^tensor "n{80}…" expected an object, got null$/);
  });
});
