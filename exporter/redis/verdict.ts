/** What one probe says about Redis: from a reply line, a failed connection, or silence. */
import type { RedisAddress } from './address.ts';
import type { ProbeLink } from './probe-link.ts';
import { wantsPasswordAlone } from './login.ts';
import { meaningOf, refusalWord, type RefusalWord } from './refusal-words.ts';
import { safeMessage } from './safe-text.ts';
import type { RedisState } from './state.ts';
import { limits } from '../measure/limits.ts';
import { durationText } from '../measure/duration.ts';

export const probeResults = ['ok', 'slow', 'timeout', 'refused', 'error'] as const;
export type ProbeResult = (typeof probeResults)[number];

export interface ProbeVerdict {
  readonly state: RedisState;
  readonly result: ProbeResult;
  /** A sentence for people, with the place and never a secret. */
  readonly reason: string;
  /**
   * Redis answered something in time, so its event loop turns, even if it turned us away. False
   * while it answers LOADING or BUSY: then it serves nobody.
   */
  readonly alive: boolean;
  /** Other commands would be answered. */
  readonly answers: boolean;
  /** Its word for what is the matter with it, where it refuses for that. */
  readonly code?: RefusalWord;
}

/** An answer that took longer than this is slow. */
const slowSeconds = limits.redisPingSeconds.bad;

const failed = { result: 'error', alive: false, answers: false } as const;

/** No word of a peer that may not be a Redis is shown without a limit. */
function quoted(text: string, address: RedisAddress): string {
  return JSON.stringify(safeMessage(text, address).slice(0, 120));
}

export function pong(seconds: number, { display }: RedisAddress): ProbeVerdict {
  const slow = seconds > slowSeconds;
  return {
    state: slow ? 'slow' : 'up',
    result: slow ? 'slow' : 'ok',
    reason: slow
      ? `Redis at ${display} took ${durationText(seconds)} to answer a PING.`
      : `Redis at ${display} answers.`,
    alive: true,
    answers: true,
  };
}

/** What Redis says instead of PONG, or to AUTH. A line starts with "-". */
export function refusal(line: string, address: RedisAddress): ProbeVerdict {
  const { display } = address;
  const text = line.slice(1);
  const [code = ''] = text.split(' ', 1);
  if (wantsPasswordAlone(text)) {
    return {
      ...failed,
      state: 'auth_failed',
      reason: `Redis at ${display} takes no user name with AUTH: ${quoted(text, address)}. Redis before 6 has passwords only: leave the user name out of the URL.`,
      alive: true,
    };
  }
  if (code === 'LOADING') {
    return {
      ...failed,
      state: 'loading',
      code,
      reason: `Redis at ${display} is loading its data set and serves nobody yet: ${quoted(text, address)}.`,
    };
  }
  if (['NOAUTH', 'WRONGPASS', 'NOPERM'].includes(code) || /invalid password/.test(text)) {
    return {
      ...failed,
      state: 'auth_failed',
      reason: `Redis at ${display} does not let us in: ${quoted(text, address)}. It needs a user who may PING and INFO.`,
      alive: true,
    };
  }
  if (code === 'BUSY') {
    // Answered, but like this to every client until the script ends or is killed.
    return {
      ...failed,
      state: 'error',
      code,
      reason: `Redis at ${display} is blocked by a script, a function or a module and refuses all else: ${quoted(text, address)}. A kill ends only what has not written.`,
    };
  }
  // A failed save, a lost master, too few replicas: PING is refused, INFO is not.
  const word = refusalWord(text);
  return {
    ...failed,
    state: 'error',
    ...(word === undefined ? {} : { code: word }),
    reason: `Redis at ${display} answers PING with ${quoted(text, address)}${word === undefined ? '' : `: ${meaningOf(word)}`}.`,
    alive: true,
    answers: word !== undefined,
  };
}

/** SELECT was refused: what answers has not the database that was asked for. */
export function noDatabase(line: string, address: RedisAddress): ProbeVerdict {
  const text = line.slice(1);
  if (/^(?:NOAUTH|LOADING|BUSY)\b/.test(text)) return refusal(line, address);
  const clustered = /cluster mode/i.test(text) ? ' A cluster has database 0 alone.' : '';
  return {
    ...failed,
    state: /^NOPERM\b/.test(text) ? 'auth_failed' : 'error',
    reason: `Redis at ${address.display} answers, but does not give us database ${address.db}: ${quoted(text, address)}.${clustered}`,
    alive: true,
  };
}

export function notRedis(line: string, address: RedisAddress): ProbeVerdict {
  return {
    ...failed,
    state: 'error',
    reason: `What listens at ${address.display} is no Redis: it said ${quoted(line, address)}.`,
  };
}

const unreachableCodes = new Set([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
]);

function codeOf(error: Error | undefined): string {
  if (error === undefined) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first instanceof Error ? codeOf(first) : '';
}

/** The one of a cluster that the probe looks at, and that the others are not. */
function watchedPlace({ display, cluster }: RedisAddress): string {
  const [first, ...others] = cluster ?? [];
  if (first === undefined || others.length === 0) return display;
  return `${first.host}:${first.port}, the first node of ${display}`;
}

function othersOf({ cluster }: RedisAddress): string {
  return (cluster ?? []).length > 1 ? ' The other nodes are not looked at by the PING.' : '';
}

/** What TLS said of our certificate, or that we have none (RFC 8446, 6.2; TLS 1.2 says less). */
const wantsCertificate =
  /certificate required|bad certificate|handshake failure|alert number (?:116|42|40)\b/i;
const readsNoTls = /wrong version number|packet length too long|unexpected message/i;

const unknownAuthority =
  /unable to get (?:local )?issuer certificate|self[- ]signed certificate|unable to verify the first certificate/i;
const otherName = /does not match certificate's altnames|ERR_TLS_CERT_ALTNAME_INVALID/i;
const noPem = /no start line/i;
const otherKey = /key values mismatch/i;

const usualNames = {
  caFile: '--redis-tls-ca-file',
  certFile: '--redis-tls-cert-file',
  keyFile: '--redis-tls-key-file',
};

/** What to set about a certificate that TLS does not take. */
function certificateHint(text: string, { tls, tlsSettings }: RedisAddress): string | undefined {
  if (!tls) return undefined;
  const { caFile, certFile, keyFile } = tlsSettings?.names ?? usualNames;
  if (unknownAuthority.test(text)) {
    return tlsSettings?.caFile === undefined
      ? 'Its certificate is of an authority that is not known here: --redis-tls-ca-file names the file of that authority.'
      : `Its certificate is not of the authority in the file that ${caFile} names.`;
  }
  if (otherName.test(text)) {
    return 'Its certificate is for another name: --redis-tls-server-name says for which.';
  }
  if (noPem.test(text)) {
    return `Of the files that ${caFile}, ${certFile} and ${keyFile} name, one holds no PEM text (-----BEGIN CERTIFICATE----- or PRIVATE KEY).`;
  }
  return otherKey.test(text)
    ? `The key in ${keyFile} does not belong to the certificate in ${certFile}.`
    : undefined;
}

/** Node's advice is for whoever starts Node by hand. */
const withoutAdvice = (text: string) =>
  text.replace(/; if the root CA is installed.*?--use-system-ca/, '');

/** Why a connection that was there is not, as far as TLS and what stands in front may be to blame. */
function hintOf(text: string, { tls, tlsSettings }: RedisAddress, everUp: boolean): string {
  if (tls && wantsCertificate.test(text)) {
    return tlsSettings?.certFile === undefined
      ? 'It wants a client certificate: --redis-tls-cert-file and --redis-tls-key-file.'
      : 'It does not take our client certificate.';
  }
  if (tls && readsNoTls.test(text)) return 'It may not speak TLS.';
  if (everUp) return 'It answered before: it is gone, or what stands in front of it has none.';
  return tls ? 'It may not speak TLS.' : 'It may want TLS (rediss://).';
}

/** The connection could not be made, or ended before it answered. `everUp`: it answered once. */
export function disconnected(
  error: Error | undefined,
  address: RedisAddress,
  everUp: boolean,
): ProbeVerdict {
  const { display } = address;
  const code = codeOf(error);
  const text = error === undefined ? '' : safeMessage(error, address).trim();
  if (code === 'SENTINEL_LOCKED') {
    return {
      ...failed,
      state: 'auth_failed',
      reason: `No master of ${display} is known: ${text}.`,
    };
  }
  if (code === 'SENTINEL') {
    return {
      ...failed,
      state: 'unreachable',
      reason: `No master of ${display} is known: ${text}.`,
    };
  }
  // ENOENT: no socket file. Only then: a TLS certificate file may be missing as well.
  if (code === 'ECONNREFUSED' || (code === 'ENOENT' && address.socketPath !== undefined)) {
    return {
      ...failed,
      state: 'refused',
      result: 'refused',
      reason: `Nothing listens at ${watchedPlace(address)}.${othersOf(address)}`,
    };
  }
  // A Unix socket whose queue of waiting connections is full: nobody has accepted for long.
  if (code === 'EAGAIN') return silent(display, 'its queue of waiting connections is full');
  if (unreachableCodes.has(code)) {
    const reason = `${watchedPlace(address)} cannot be reached: ${text}.${othersOf(address)}`;
    return { ...failed, state: 'unreachable', reason };
  }
  const ofCertificate = certificateHint(text, address);
  const hint = ofCertificate ?? hintOf(text, address, everUp);
  const broken = ['ECONNRESET', 'EPROTO', 'EPIPE'].includes(code) || code.startsWith('ERR_SSL');
  return {
    ...failed,
    state: 'error',
    reason:
      text === ''
        ? `${display} accepts the connection and closes it without an answer. ${hint}`
        : `The connection to ${display} failed: ${withoutAdvice(text)}. ${broken || ofCertificate !== undefined ? hint : ''}`.trimEnd(),
  };
}

/** TCP accepts, nothing answers. */
export function silent(display: string, why = 'nothing answers'): ProbeVerdict {
  return {
    ...failed,
    state: 'frozen',
    result: 'timeout',
    reason: `${display} accepts connections and ${why}.`,
  };
}

/** Nothing came of connecting. */
export function unconnected(
  address: RedisAddress,
  stage: Exclude<ReturnType<ProbeLink['stage']>, 'connected'>,
): ProbeVerdict {
  const { display } = address;
  const reasons = {
    searching: `No master of ${display} is known: no Sentinel answers.`,
    resolving: `The name in ${display} does not resolve: the name server is silent.`,
    reading: `No connection to ${display}: the disk that holds its certificate files does not answer.`,
    connecting: `${watchedPlace(address)} cannot be reached: no answer to the connection request.${othersOf(address)}`,
  };
  return { ...failed, state: 'unreachable', result: 'timeout', reason: reasons[stage] };
}

export function unacknowledged(display: string): ProbeVerdict {
  return {
    ...failed,
    state: 'unreachable',
    result: 'timeout',
    reason: `${display} cannot be reached any more: not even its kernel acknowledges what we send.`,
  };
}
