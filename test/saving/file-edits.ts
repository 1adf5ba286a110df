// Model files with changes that break the format or the content.
import fc from 'fast-check';
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from '../../src/io/safetensors.ts';

interface Content {
  tensors: Map<string, SafetensorsTensor>;
  metadata: Record<string, string>;
}

/** Ways to spoil a file; each gives another and leaves this one as it is. */
export function editsOf(file: Uint8Array) {
  /** The file with something changed in its tensors or its metadata, the format itself in order. */
  function edited(change: (content: Content) => void): Uint8Array {
    const content = decodeSafetensors(file);
    change(content);
    return encodeSafetensors(content.tensors, content.metadata);
  }

  // biome-ignore lint/suspicious/noExplicitAny: what a hostile file may hold has no type.
  const withJson = (key: string, change: (value: any) => unknown): Uint8Array =>
    edited(({ metadata }) => {
      const value = JSON.parse(metadata[key]!);
      metadata[key] = JSON.stringify(change(value) ?? value);
    });

  const withTensor = (name: string, shape: number[], fill = 0): Uint8Array =>
    edited(({ tensors }) => {
      const size = shape.reduce((product, n) => product * n, 1);
      tensors.set(name, { dtype: 'F32', shape, data: new Float32Array(size).fill(fill) });
    });

  /** The file with its header, parsed, changed, and its data left as it is. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  function withHeader(change: (header: any) => void): Uint8Array {
    const length = Number(new DataView(file.buffer, 0, 8).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    change(header);
    const text = new TextEncoder().encode(JSON.stringify(header));
    const bytes = new Uint8Array(8 + text.length + file.length - 8 - length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    bytes.set(file.subarray(8 + length), 8 + text.length);
    return bytes;
  }

  function withLength(length: bigint): Uint8Array {
    const bytes = file.slice();
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return bytes;
  }

  /** Random bytes changed anywhere. */
  function damaged(): fc.Arbitrary<Uint8Array> {
    const header = Number(new DataView(file.buffer, 0, 8).getBigUint64(0, true));
    // The header is where a change is understood; the numbers behind it are seldom refused.
    const at = fc.oneof(
      { weight: 4, arbitrary: fc.nat(7 + header) },
      { weight: 1, arbitrary: fc.nat(file.length - 1) },
    );
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('0123456789-"{}[],:.e')));
    return fc.array(fc.tuple(at, byte), { minLength: 1, maxLength: 4 }).map((changes) => {
      const bytes = file.slice();
      for (const [index, value] of changes) bytes[index] = value;
      return bytes;
    });
  }

  /** Any JSON in place of any part of the metadata of some keys. */
  function misconfigured(...keys: string[]): fc.Arbitrary<Uint8Array> {
    const values = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(-1, 0, 1e9, 1e300, 1.5, '', '__proto__', null, [], {}),
    );
    return fc
      .tuple(fc.constantFrom(...keys), fc.nat(), values)
      .map(([key, place, value]) => withJson(key, (parsed) => replaceAt(parsed, place, value)));
  }

  return { edited, withHeader, withJson, withLength, withTensor, damaged, misconfigured };
}

/** `value` in place of one of the parts of `root`, chosen by number, at any depth. */
function replaceAt(root: unknown, place: number, value: unknown): unknown {
  const slots: [Record<string, unknown>, string][] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, child] of Object.entries(node)) {
      slots.push([node as Record<string, unknown>, key]);
      walk(child);
    }
  };
  const holder = { root };
  walk(holder);
  const [parent, key] = slots[place % slots.length]!;
  parent[key] = value;
  return holder.root;
}
