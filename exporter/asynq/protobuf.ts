/**
 * Reads the protobuf wire format (https://protobuf.dev/programming-guides/encoding/), as far as
 * proto3 messages of Asynq use it. Unknown fields are skipped by whoever does not ask for them;
 * text that is not protobuf throws.
 */

export interface Field {
  readonly number: number;
  readonly value: number | bigint | Buffer;
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

function broken(cursor: Cursor, what: string): Error {
  const shown = cursor.bytes.subarray(0, 32).toString('hex');
  return new Error(`protobuf: ${what} at byte ${cursor.at} of ${cursor.bytes.length}: ${shown}`);
}

/** Numbers of one byte, which tags, lengths and most values are, without a bigint. */
function varint(cursor: Cursor): bigint | number {
  const first = cursor.bytes[cursor.at];
  if (first !== undefined && first < 0x80) {
    cursor.at += 1;
    return first;
  }
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = cursor.bytes[cursor.at];
    if (byte === undefined) throw broken(cursor, 'a number is cut off');
    cursor.at += 1;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw broken(cursor, 'a number of more than ten bytes');
}

function bytes(cursor: Cursor, length: number): Buffer {
  const end = cursor.at + length;
  if (end > cursor.bytes.length) throw broken(cursor, `${length} bytes are announced and missing`);
  const value = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return value;
}

/** So that one value is decoded in milliseconds, whatever it is made of. */
const mostFields = 4096;

/** The fields of one message in the order of the wire. */
export function fieldsOf(message: Buffer): Field[] {
  const cursor: Cursor = { bytes: message, at: 0 };
  const fields: Field[] = [];
  while (cursor.at < message.length) {
    if (fields.length >= mostFields) throw broken(cursor, `more than ${mostFields} fields`);
    const tag = Number(varint(cursor));
    const number = Math.floor(tag / 8);
    if (number === 0) throw broken(cursor, 'field number 0');
    const wireType = tag % 8;
    if (wireType === 0) fields.push({ number, value: varint(cursor) });
    else if (wireType === 1) fields.push({ number, value: bytes(cursor, 8) });
    else if (wireType === 2) {
      fields.push({ number, value: bytes(cursor, Number(varint(cursor))) });
    } else if (wireType === 5) fields.push({ number, value: bytes(cursor, 4) });
    else throw broken(cursor, `wire type ${wireType}`);
  }
  return fields;
}

const empty = Buffer.alloc(0);

/** The last value of a scalar field, as proto3 wants it; undefined when the field is absent. */
function last(fields: readonly Field[], number: number): Field['value'] | undefined {
  return fields.findLast((field) => field.number === number)?.value;
}

/** As it stands there: what is text by its definition need not be. */
export function bytesAt(fields: readonly Field[], number: number): Buffer {
  const value = last(fields, number);
  if (value === undefined) return empty;
  if (!Buffer.isBuffer(value)) throw new Error(`protobuf: field ${number} is a number, not text`);
  return value;
}

/** A signed integer that fits a double, which every one Asynq writes does. */
export function integerAt(fields: readonly Field[], number: number): number {
  const value = last(fields, number) ?? 0;
  if (Buffer.isBuffer(value)) throw new Error(`protobuf: field ${number} is no number`);
  return typeof value === 'number' ? value : Number(BigInt.asIntN(64, value));
}

export function messagesAt(fields: readonly Field[], number: number): Field[][] {
  return fields
    .filter((field) => field.number === number)
    .map(({ value }) => {
      if (!Buffer.isBuffer(value)) throw new Error(`protobuf: field ${number} is no message`);
      return fieldsOf(value);
    });
}
