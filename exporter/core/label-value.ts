/**
 * Text from outside as the value of a label. What a client, a kernel or a peer calls itself may be
 * long, or no text at all: here it gets an end, and two different names stay two.
 */
import { isUtf8 } from 'node:buffer';

/** In bytes of UTF-8. Names that people give are a tenth of it. */
export const longestLabelValue = 200;
const hashDigits = 12;

const hex = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;

/** How many bytes the character has that begins with this one; 1 where none begins. */
function lengthOf(lead: number): number {
  if (lead < 0xc2) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** Character by character takes time: of more than this, what is no UTF-8 is shown as U+FFFD. */
const mostByCharacter = 65_536;

/** Bytes that are no UTF-8 as \xNN, all others as they are. */
export function textOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes) || bytes.length > mostByCharacter) return bytes.toString();
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0;
    const end = at + lengthOf(lead);
    const good = isUtf8(bytes.subarray(at, end));
    text += good ? bytes.toString('utf8', at, end) : hex(lead);
    at = good ? end : at + 1;
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

/** The beginning of a name that cannot be shown as it is, `~`, and some digits of its SHA-256. */
function marked(beginning: string, whole: Buffer): string {
  // Not imported above: hardly anybody has such a name, and the library is memory.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const digits = createHash('sha256').update(whole).digest('hex').slice(0, hashDigits);
  return `${cut(beginning, longestLabelValue - hashDigits - 1)}~${digits}`;
}

/**
 * The name itself where it is text of at most `longestLabelValue` bytes, control characters
 * included: the exposition format escapes what it has to. Else its beginning, with bytes that are
 * no text shown, `~`, and some digits of the SHA-256 of the whole.
 */
export function labelValue(name: string | Buffer): string {
  const bytes = typeof name === 'string' ? Buffer.from(name) : name;
  if (bytes.length <= longestLabelValue && isUtf8(bytes)) return bytes.toString();
  const beginning = bytes.subarray(0, longestLabelValue);
  const text = isUtf8(bytes) ? beginning.toString() : textOfBytes(beginning);
  return marked(text.replace(/\uFFFD$/, ''), bytes);
}

const plain = /^[ -~]*$/;

/** As `labelValue`, of what is no name that a user gave: control characters are shown as \xNN. */
export function shownLabelValue(text: string): string {
  if (text.length <= longestLabelValue && plain.test(text)) return text;
  const beginning = text.slice(0, longestLabelValue);
  const shown = beginning.replace(/\p{Cc}/gu, (control) => hex(control.charCodeAt(0)));
  return shown === beginning ? labelValue(text) : marked(shown, Buffer.from(text));
}
