// The links of a group and the attributes of an object, in every form that files have them.
// https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, III.A.1 to III.D and IV.A.2
import { quote } from '../../io/parsed-json.ts';
import { eachRecord, FractalHeap } from './dense.ts';
import { contentOf, MESSAGE, type Message } from './objects.ts';
import type { Cursor, Source } from './source.ts';
import { UNDEFINED } from './source.ts';
import type { HdfArray } from './tree.ts';
import { countOf, readDatatype, readShape, type Texts } from './values.ts';

/** The addresses of the objects that a group links, by name. Links to other files and by path are left out. */
export function linksOf(source: Source, messages: readonly Message[]): Map<string, number> {
  const links = new Map<string, number>();
  const add = (name: string, address: number): void => {
    if (links.has(name)) source.fail(`a group has two members named ${quote(name)}`);
    links.set(name, address);
  };
  const table = contentOf(messages, MESSAGE.symbolTable, 'a symbol table');
  if (table) readSymbolTable(source, table, add);
  for (const { type, content } of messages) if (type === MESSAGE.link) readLink(content, add);
  const info = contentOf(messages, MESSAGE.linkInfo, 'the links of a group');
  if (info) {
    info.skip(1);
    if (info.u8() & 1) info.skip(8);
    const heapAddress = info.address();
    if (heapAddress !== UNDEFINED) {
      const heap = new FractalHeap(source, heapAddress);
      eachRecord(source, info.address(), (record) => {
        record.skip(4);
        readLink(heap.object(record), add);
      });
    }
  }
  return links;
}

type AddLink = (name: string, address: number) => void;

/** Reads one link. Hard links have kind 0. */
function readLink(cursor: Cursor, add: AddLink): void {
  cursor.skip(1);
  const flags = cursor.u8();
  const kind = flags & 8 ? cursor.u8() : 0;
  if (flags & 4) cursor.skip(8);
  if (flags & 16) cursor.skip(1);
  const name = cursor.source.text(cursor.take(cursor.uint(1 << (flags & 3))));
  if (kind === 0) add(name, cursor.address());
}

function readSymbolTable(source: Source, table: Cursor, add: AddLink): void {
  const tree = table.address();
  const head = source.signed(table.address(), 32, 'HEAP', 'the names of a group');
  head.skip(4);
  const size = head.length();
  head.skip(8);
  const names = source.at(head.address(), size, 'the names of a group').bytes;
  const readSymbols = (address: number): void => {
    const node = source.signed(address, 8, 'SNOD', 'a symbol node');
    node.skip(2);
    const entries = source.at(address + 8, 40 * node.u16(), 'a symbol node');
    while (entries.left > 0) {
      const start = entries.length();
      const object = entries.address();
      const cacheType = entries.u32();
      entries.skip(20);
      const end = names.indexOf(0, start);
      if (end < 0) source.fail('a name of a group expected to end with 0 inside its heap');
      // 2 marks a link by path.
      if (cacheType !== 2) add(source.text(source.counted(names.subarray(start, end))), object);
    }
  };
  eachLeaf(source, tree, { type: 0, keySize: 8, visit: (_, address) => readSymbols(address) });
}

/** What a tree of the older version holds: groups' symbols (0) or chunks (1). */
export interface TreeOptions {
  readonly type: 0 | 1;
  readonly keySize: number;
  /** Gets the key before a leaf and the leaf's address. */
  visit(key: Cursor, address: number): void;
}

export function eachLeaf(source: Source, address: number, options: TreeOptions, above = 256): void {
  const { type, keySize, visit } = options;
  const node = source.signed(address, 24, 'TREE', 'a tree');
  const kind = node.u8();
  const level = node.u8();
  if (kind !== type) source.fail(`a tree expected type ${type}, got ${kind}`);
  if (level >= above) source.fail('a node of a tree expected a lower level than the node above it');
  const entries = source.at(address + 24, node.u16() * (keySize + 8), 'a tree');
  while (entries.left > 0) {
    const key = entries.part(keySize);
    const child = entries.address();
    if (level === 0) visit(key, child);
    else eachLeaf(source, child, options, level);
  }
}

/** The attributes of an object. */
export function attributesOf(source: Source, messages: readonly Message[], texts: Texts): Map<string, HdfArray> {
  const attributes = new Map<string, HdfArray>();
  const add = (content: Cursor): void => {
    const [name, array] = readAttribute(content, texts);
    if (attributes.has(name)) source.fail(`an object has two attributes named ${quote(name)}`);
    attributes.set(name, array);
  };
  for (const { type, content, isShared } of messages) {
    if (type !== MESSAGE.attribute) continue;
    if (isShared) source.fail('an attribute is shared between objects, which is not supported');
    add(content);
  }
  const info = contentOf(messages, MESSAGE.attributeInfo, 'the attributes of an object');
  if (info) {
    info.skip(1);
    if (info.u8() & 1) info.skip(2);
    const heapAddress = info.address();
    if (heapAddress !== UNDEFINED) {
      const heap = new FractalHeap(source, heapAddress);
      eachRecord(source, info.address(), (record) => add(heap.object(record.part(8))));
    }
  }
  return attributes;
}

function readAttribute(cursor: Cursor, texts: Texts): [string, HdfArray] {
  const { source } = cursor;
  const version = cursor.u8();
  const flags = cursor.u8();
  const sizes = [cursor.u16(), cursor.u16(), cursor.u16()];
  if (version === 3) cursor.skip(1);
  else if (version !== 1 && version !== 2) source.fail(`an attribute expected version 1 to 3, got ${version}`);
  // The first version fills each part up to 8 bytes.
  const [nameSize, typeSize, shapeSize] = sizes.map((size) => (version === 1 ? (size + 7) & ~7 : size));
  const name = source.text(cursor.take(nameSize!));
  if (version > 1 && flags & 3) source.fail(`attribute ${quote(name)}: a shared type is not supported`);
  const type = readDatatype(cursor.part(typeSize!), texts);
  const shape = readShape(cursor.part(shapeSize!));
  const count = countOf(source, shape);
  if (!(count * type.size <= cursor.left)) source.fail(`attribute ${quote(name)} is longer than its object says`);
  const bytes = cursor.take(count * type.size);
  return [name, { shape, values: () => type.decode(source.counted(bytes), count) }];
}
