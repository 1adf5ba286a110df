// Object headers: the messages of a group or a dataset.
// https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, IV.A.1
import type { Cursor, Source } from './source.ts';

/** The kinds of messages that are read. */
export const MESSAGE = {
  dataspace: 0x1,
  linkInfo: 0x2,
  datatype: 0x3,
  link: 0x6,
  layout: 0x8,
  filters: 0xb,
  attribute: 0xc,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

export interface Message {
  readonly type: number;
  /** Whether the content is elsewhere, shared by several objects. */
  readonly isShared: boolean;
  readonly content: Cursor;
}

/** Blocks of one header. More than that is no header of a file that a program wrote. */
const MAX_BLOCKS = 10_000;

/** The messages of the object whose header is at an address. */
export function messagesOf(source: Source, address: number): Message[] {
  const [version] = source.at(address, 4, 'an object header').bytes as unknown as [number];
  if (version === 1) return oldMessages(source, address);
  if (version === 0x4f) return newMessages(source, address);
  return source.fail(`the object header at ${address} expected version 1 or 2, got ${version}`);
}

function oldMessages(source: Source, address: number): Message[] {
  const prefix = source.at(address, 16, 'an object header');
  prefix.skip(8);
  const size = prefix.u32();
  return readBlocks(source, source.at(address + 16, size, 'an object header'), {
    read(block) {
      const type = block.u16();
      const length = block.u16();
      const flags = block.u8();
      block.skip(3);
      return { type, isShared: (flags & 2) !== 0, content: block.part(length) };
    },
    headSize: 8,
    next: (at, length) => source.at(at, length, 'a block of an object header'),
  });
}

function newMessages(source: Source, address: number): Message[] {
  const prefix = source.at(address, Math.min(34, source.bytes.length - source.base - address), 'an object header');
  prefix.expectSignature('OHDR', 'an object header');
  const version = prefix.u8();
  if (version !== 2) source.fail(`the object header at ${address} expected version 2, got ${version}`);
  const flags = prefix.u8();
  if (flags & 0x20) prefix.skip(16);
  if (flags & 0x10) prefix.skip(4);
  const size = prefix.uint(1 << (flags & 3));
  const hasOrder = (flags & 4) !== 0;
  return readBlocks(source, source.at(address + prefix.offset, size, 'an object header'), {
    read(block) {
      const type = block.u8();
      const length = block.u16();
      const messageFlags = block.u8();
      if (hasOrder) block.skip(2);
      return { type, isShared: (messageFlags & 2) !== 0, content: block.part(length) };
    },
    headSize: hasOrder ? 6 : 4,
    next(at, length) {
      const block = source.signed(at, length, 'OCHK', 'a block of an object header');
      // A check sum ends the block.
      return block.part(Math.max(0, block.left - 4));
    },
  });
}

interface Blocks {
  read(block: Cursor): Message;
  readonly headSize: number;
  next(address: number, length: number): Cursor;
}

function readBlocks(source: Source, first: Cursor, { read, headSize, next }: Blocks): Message[] {
  const messages: Message[] = [];
  const blocks = [first];
  for (let i = 0; i < blocks.length; i++) {
    // A gap that is too small for a message may end a block.
    while (blocks[i]!.left >= headSize) {
      const message = read(blocks[i]!);
      if (message.type !== MESSAGE.continuation) messages.push(message);
      else {
        if (blocks.length >= MAX_BLOCKS) source.fail('an object header has blocks without end');
        blocks.push(next(message.content.address(), message.content.length()));
      }
    }
  }
  return messages;
}

/** The content of the first message of a type; undefined without one. Throws if it is shared. */
export function contentOf(messages: readonly Message[], type: number, what: string): Cursor | undefined {
  const found = messages.find((message) => message.type === type);
  if (found?.isShared) found.content.source.fail(`${what} is shared between objects, which is not supported`);
  return found?.content;
}
