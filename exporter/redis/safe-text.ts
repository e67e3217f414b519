/** Text of others on its way to people: without secrets, readable, and not longer than fits. */
import type { RedisAddress } from './address.ts';

/** Secrets as they were given, and as a peer's bytes look when they are read as latin1. */
function secretsOf({ password, sentinel }: RedisAddress): string[] {
  const secrets = [password, sentinel?.login?.password].filter((secret) => secret !== undefined);
  const forms = secrets.flatMap((secret) => [
    secret,
    Buffer.from(secret).toString('latin1'),
    encodeURIComponent(secret.toWellFormed()),
    JSON.stringify(secret).slice(1, -1),
  ]);
  // The longest first: a form may hold another.
  return [...new Set(forms)].filter((form) => form !== '').sort((a, b) => b.length - a.length);
}

/** Of OpenSSL: `406D...:error:0A00045C:SSL routines:ssl3_read_bytes:REASON:file.c:918:SSL alert 116`. */
function withoutOpenSslNoise(text: string): string {
  return text.replace(
    /[0-9A-F]{8,}:error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]*):[^\n]*\n?/g,
    (_all, reason: string) => `TLS: ${reason}`,
  );
}

/** What Redis says has a hundred characters; of more, this much is looked at. */
const longestText = 2048;

/** A piece of a secret this long is one: a peer may cut what it repeats. */
const pieceLength = 8;

/** The text without pieces of the secret, however it was cut. */
function withoutPieces(text: string, secret: string): string {
  if (secret.length <= pieceLength) return text;
  let kept = '';
  let at = 0;
  while (at < text.length) {
    let length = 0;
    // Grows while it is in the secret.
    while (secret.includes(text.slice(at, at + Math.max(pieceLength, length + 1)))) {
      if (at + Math.max(pieceLength, length + 1) > text.length) break;
      length = Math.max(pieceLength, length + 1);
    }
    kept += length === 0 ? text[at] : '***';
    at += Math.max(length, 1);
  }
  return kept;
}

/**
 * The text of an error without what must not be seen. Redis before 7 repeats the arguments of a
 * command it does not know, and what stands in front of a Redis may repeat any.
 */
export function safeMessage(error: unknown, address: RedisAddress): string {
  let text = error instanceof Error ? error.message : String(error);
  // A failed connect to a name with several addresses has an empty message and a list.
  if (text === '' && error instanceof AggregateError) {
    text = error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
  }
  text = text.slice(0, longestText).replace(/,? with args beginning with:.*$/s, '');
  text = withoutOpenSslNoise(text);
  for (const secret of secretsOf(address)) {
    text = withoutPieces(text.replaceAll(secret, '***'), secret);
  }
  // Less than was looked at: where that ends, a piece may be too short to be known for one.
  return text.slice(0, longestText / 2);
}
