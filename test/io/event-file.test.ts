import { describe, expect, test } from 'vitest';
import { crc32c, fileVersionRecord, scalarsRecord } from '../../src/io/event-file.ts';
import golden from '../golden/events.json' with { type: 'json' };

describe('event file', () => {
  test('has the bytes that TensorBoard itself writes', () => {
    const scalars = golden.steps.map(({ step, scalars }) => scalarsRecord(golden.seconds, step, scalars as never));
    const bytes = Buffer.concat([fileVersionRecord(golden.seconds), ...scalars]);
    expect(bytes.toString('base64')).toBe(golden.base64);
  });

  // RFC 3720, appendix B.4.
  test.each([
    ['zeros', new Uint8Array(32), 0x8a9136aa],
    ['ones', new Uint8Array(32).fill(255), 0x62a8ab43],
    ['ascending', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['descending', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ['nothing', new Uint8Array(0), 0],
  ])('crc32c of %s, is that of the standard', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });
});
