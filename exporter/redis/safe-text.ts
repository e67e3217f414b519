/** Text of others on its way to people: without secrets, readable, and not longer than fits. */
import type { RedisAddress } from './address.ts';
import { messageOf } from '../measure/errors.ts';

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

/** Of a secret this short a piece of a word is no sign of it. */
const shortSecret = 4;

/**
 * What Redis says anyway. A password that is a word of it gives nothing away by standing there, and
 * itself away by the hole it leaves.
 */
const ownWords = [
  'ERR NOAUTH Authentication required. WRONGPASS invalid username-password pair or user is disabled.',
  'AUTH failed: ERR invalid password. Client sent AUTH, but no password is set',
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
  "NOPERM this user default has no permissions to run the 'info' command or its subcommand",
  'No permissions to access a key, one of the keys used as arguments, a channel used',
  "ERR unknown command 'PING' 'INFO' 'HELLO', wrong number of arguments for 'auth' 'ping' command",
  'ping auth hello select config get slowlog len latency latest client setname cluster slots sentinel role memory usage commandstats',
  'LOADING Redis is loading the dataset in memory. BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'. CLUSTERDOWN Hash slot not served, The cluster is down",
  'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist on disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.',
  'DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. max number of clients reached',
  'DB index is out of range, SELECT is not allowed in cluster mode, connect ECONNREFUSED ECONNRESET EHOSTUNREACH ETIMEDOUT ENOENT getaddrinfo read socket hang up, no answer within the time',
].join('\n');

function withoutSecret(text: string, secret: string): string {
  if (ownWords.includes(secret)) return text;
  if (secret.length >= shortSecret) return text.replaceAll(secret, '***');
  const literal = secret.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, 'gu'), '***');
}

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
    const piece = text.slice(at, at + length);
    kept += length === 0 ? text[at] : ownWords.includes(piece) ? piece : '***';
    at += Math.max(length, 1);
  }
  return kept;
}

/**
 * The text of an error without what must not be seen. Redis before 7 repeats the arguments of a
 * command it does not know, and what stands in front of a Redis may repeat any.
 */
export function safeMessage(error: unknown, address: RedisAddress): string {
  let text = messageOf(error);
  // A failed connect to a name with several addresses has an empty message and a list.
  if (text === '' && error instanceof AggregateError) {
    text = error.errors.map((one) => messageOf(one)).join('; ');
  }
  text = text.slice(0, longestText).replace(/,? with args beginning with:.*$/s, '');
  text = withoutOpenSslNoise(text);
  for (const secret of secretsOf(address)) {
    text = withoutPieces(withoutSecret(text, secret), secret);
  }
  // Less than was looked at: where that ends, a piece may be too short to be known for one.
  return text.slice(0, longestText / 2);
}
