// TensorBoard's event files: TFRecords, each of them one Event message.
import { MessageWriter } from './protobuf.ts';

/** The first record of an event file. */
export const fileVersionRecord = (seconds: number): Uint8Array<ArrayBuffer> =>
  record(new MessageWriter().double(1, seconds).string(3, 'brain.Event:2'));

/**
 * The record with the scalars of one step.
 *
 * @param seconds time of the measurement, in seconds since 1970.
 * @param scalars by tag; TensorBoard groups tags by the part before a slash.
 * @see https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto
 */
export function scalarsRecord(
  seconds: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array<ArrayBuffer> {
  const summary = new MessageWriter();
  for (const [tag, value] of Object.entries(scalars)) {
    const plugin = new MessageWriter().message(1, new MessageWriter().string(1, 'scalars'));
    summary.message(1, new MessageWriter().string(1, tag).float(2, value).message(9, plugin));
  }
  return record(new MessageWriter().double(1, seconds).int64(2, step).message(5, summary));
}

/**
 * A record: the length, its checksum, the message, its checksum. @see
 * https://www.tensorflow.org/tutorials/load_data/tfrecord
 */
function record(event: MessageWriter): Uint8Array<ArrayBuffer> {
  const data = event.bytes();
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return bytes;
}

/**
 * A checksum, rotated and with a constant added, because a plain one is unreliable for bytes that contain checksums.
 */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** The cyclic redundancy check by Castagnoli's polynomial, as an unsigned number. @see RFC 3720, appendix B.4 */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
