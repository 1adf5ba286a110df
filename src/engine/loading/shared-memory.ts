// asc compiles a module that imports memory that is not shared. A module for shared memory differs only in this import,
// so the import is rewritten here and the package needs each build only once. Sections:
// https://webassembly.github.io/spec/core/binary/modules.html

const IMPORT_SECTION = 2;
const MEMORY = 2;
// Limits: shared with a maximum, from 1 page to 65,536, the latter in LEB128.
const SHARED_LIMITS = [0x03, 0x01, 0x80, 0x80, 0x04];

/** Returns the module with its only import, `env.memory`, declared as a shared memory of 1 to 65,536 pages. */
export function withSharedMemory(module: Uint8Array): Uint8Array<ArrayBuffer> {
  let at = 8;
  while (at < module.length) {
    const id = module[at]!;
    const [size, body] = readLeb(module, at + 1);
    const end = body + size;
    if (id === IMPORT_SECTION) {
      const [count, first] = readLeb(module, body);
      const [moduleLength, moduleAt] = readLeb(module, first);
      const [nameLength, nameAt] = readLeb(module, moduleAt + moduleLength);
      const kindAt = nameAt + nameLength;
      if (count !== 1 || module[kindAt] !== MEMORY) break;
      const section = [...module.subarray(body, kindAt + 1), ...SHARED_LIMITS];
      return Uint8Array.from([
        ...module.subarray(0, at + 1),
        ...leb(section.length),
        ...section,
        ...module.subarray(end),
      ]);
    }
    at = end;
  }
  throw new Error('a kernel module expected env.memory as its one import');
}

function readLeb(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
