/**
 * Who may read. Basic authentication against bcrypt hashes, bearer tokens against SHA-256.
 *
 * Nobody who does not know a password can keep somebody who does from scraping:
 * - a token waits for nobody, and a password that was right once is known by its hash: both cost
 *   microseconds;
 * - one bcrypt comparison runs at a time, on a thread of its own, and rests for three times as
 *   long as it took: guessing costs a quarter of one core at the most;
 * - whose turn it is says password-queue.ts.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { clientOf } from './client-address.ts';
import type { WebConfig } from './config.ts';
import { createPasswordQueue } from './password-queue.ts';

/** `busy`: too many passwords are being checked; the same header may be right later. */
export type Decision = 'allowed' | 'refused' | 'busy';

export interface Authenticator {
  /** The `WWW-Authenticate` header of a refusal. */
  readonly challenge: () => string;
  /** `authorization` is the header as it came, '' for none; `address` is the client's. */
  readonly check: (authorization: string, address: string) => Decision | Promise<Decision>;
  /** New users and tokens. What was remembered is forgotten. */
  readonly replace: (config: WebConfig) => void;
}

export interface AuthenticatorOptions {
  /** bcrypt, one call at a time. */
  readonly verify: (password: string, hash: string) => Promise<boolean>;
  /** How long to rest after a comparison, as a multiple of what it took. */
  readonly rest?: number;
}

/** Right and wrong ones apart: guesses must not push out what is known to be right. */
const mostRemembered = 200;
/** bcrypt passes over what follows: any password with the same beginning would be right. */
const longestPassword = 72;

interface Credentials {
  readonly user: string;
  readonly password: string;
}

function basicCredentials(authorization: string): Credentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Every token is compared, equal or not, so the time tells nothing. */
function isToken(authorization: string, tokens: readonly Buffer[]): boolean {
  const token = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (token === undefined) return false;
  const digest = createHash('sha256').update(token).digest();
  return tokens.reduce((found, known) => timingSafeEqual(digest, known) || found, false);
}

function remember(known: Set<string>, key: string): void {
  const oldest = known.values().next();
  if (known.size >= mostRemembered && oldest.done !== true) known.delete(oldest.value);
  known.add(key);
}

export function createAuthenticator(
  first: WebConfig,
  { verify, rest = 3 }: AuthenticatorOptions,
): Authenticator {
  let config = first;
  /** Passwords are remembered under a key of this process, so look-ups tell a guesser nothing. */
  const secret = randomBytes(32);
  const right = new Set<string>();
  const wrong = new Set<string>();
  const queue = createPasswordQueue<Decision>(rest, 'busy');

  function keyOf({ user, password }: Credentials): Buffer {
    return createHmac('sha256', secret).update(`${user}:${password}`).digest();
  }

  async function compare(key: string, { user, password }: Credentials): Promise<Decision> {
    const asked = config;
    const hash = asked.users.get(user);
    // An unknown user costs as much as a known one, or names could be guessed by the time.
    const [anyHash = ''] = asked.users.values();
    const matches = await verify(password, hash ?? anyHash);
    const allowed = matches && hash !== undefined;
    if (asked === config) remember(allowed ? right : wrong, key);
    return allowed ? 'allowed' : 'refused';
  }

  function checkPassword(authorization: string, address: string): Decision | Promise<Decision> {
    const credentials = basicCredentials(authorization);
    if (credentials === undefined || config.users.size === 0) return 'refused';
    const { user, password } = credentials;
    if (Buffer.byteLength(password) > longestPassword || password.includes('\0')) return 'refused';
    const digest = keyOf(credentials);
    const key = digest.toString('base64');
    if (right.has(key)) return 'allowed';
    if (wrong.has(key)) return 'refused';
    const place = `${clientOf(address)} ${config.users.has(user) ? user : ''}`;
    return queue.submit(digest, place, async () => compare(key, credentials));
  }

  return {
    challenge: () =>
      config.users.size > 0
        ? 'Basic realm="stealwatch", charset="UTF-8"'
        : 'Bearer realm="stealwatch"',
    check(authorization, address) {
      if (config.users.size === 0 && config.tokens.length === 0) return 'allowed';
      if (isToken(authorization, config.tokens)) return 'allowed';
      return checkPassword(authorization, address);
    },
    replace(next) {
      config = next;
      right.clear();
      wrong.clear();
    },
  };
}
