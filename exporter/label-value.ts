/**
 * Text from outside as the value of a label. What a client, a kernel or a peer calls itself may be
 * long, or no text at all: here it gets an end, and two different names stay two.
 */
import { isUtf8 } from 'node:buffer';

/** In bytes of UTF-8. Names that people give are a tenth of it. */
export const longestLabelValue = 200;
const hashDigits = 12;

/** Every byte that is no text as `\xff`; the others as they are. */
function withBytesShown(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((n) => isUtf8(bytes.subarray(at, at + n)));
    text +=
      length === undefined
        ? `\\x${bytes.toString('hex', at, at + 1)}`
        : bytes.toString('utf8', at, at + length);
    at += length ?? 1;
  }
  return text;
}

/** As much of the text as fits, whole characters only. */
function cut(text: string, most: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > most) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/**
 * The name itself where it is text of at most `longestLabelValue` bytes, control characters
 * included: the exposition format escapes what it has to. Else its beginning, with bytes that are
 * no text shown, `~`, and some digits of the SHA-256 of the whole.
 */
export function labelValue(name: string | Buffer): string {
  const bytes = typeof name === 'string' ? Buffer.from(name) : name;
  if (bytes.length <= longestLabelValue && isUtf8(bytes)) return bytes.toString();
  // Not imported above: hardly anybody has such a name, and the library is memory.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const digits = createHash('sha256').update(bytes).digest('hex').slice(0, hashDigits);
  const beginning = bytes.subarray(0, longestLabelValue);
  const text = isUtf8(bytes) ? beginning.toString() : withBytesShown(beginning);
  return `${cut(text.replace(/\uFFFD$/, ''), longestLabelValue - hashDigits - 1)}~${digits}`;
}
