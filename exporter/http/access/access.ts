/** The web configuration file at work: in the server's TLS, in front of every path, and renewed. */
import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { Clock } from '../../measure/clock.ts';
import { type Authenticator, createAuthenticator } from './auth.ts';
import { messageOf } from '../../measure/errors.ts';
import { createBcryptVerifier } from './bcrypt.ts';
import { readSmallFile } from '../../core/read-file.ts';
import { readWebConfig, type TlsSettings, type WebConfig } from './config.ts';
import { type Following, followWebConfig } from './follow.ts';

export interface Access {
  readonly tls: TlsSettings | undefined;
  readonly authenticator: Authenticator;
  /** Whoever is let in has shown who they are: by a password, a token or a certificate. */
  identifies(): boolean;
  /** Headers that every answer gets. */
  headers(): Readonly<Record<string, string>>;
}

export interface OpenAccess extends Access {
  /** Give the server new certificates, and the guard new credentials, as the files change. */
  follow(server: Server | TlsServer): void;
  /** Read the files now. */
  reload(): void;
  /** Why what the files say now is not in force, and for how long; undefined while it is. */
  problem(): AccessProblem | undefined;
  close(): void;
}

export interface AccessProblem {
  readonly reason: string;
  readonly sinceSeconds: number;
}

export interface AccessLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const hasCredentials = ({ users, tokens }: WebConfig) => users.size + tokens.length > 0;

/**
 * What the new file asks for and a running server does not do. A file that is being written, or
 * was cut by a full disk, looks like one that wants everybody let in: to open takes a restart.
 */
function refusals(now: WebConfig, next: WebConfig): string[] {
  return [
    (now.tls === undefined) !== (next.tls === undefined) &&
      `TLS is ${next.tls === undefined ? 'gone from' : 'new in'} the file, to switch it takes a restart`,
    now.tls !== undefined &&
      next.tls !== undefined &&
      now.tls.clientCertificate !== next.tls.clientCertificate &&
      'to switch client certificates on or off takes a restart',
    hasCredentials(now) &&
      !hasCredentials(next) &&
      'all users and tokens are gone from the file, to let everybody in takes a restart',
  ].filter((reason) => reason !== false);
}

/** The new file, but for what it may not change. */
function allowed(now: WebConfig, next: WebConfig): WebConfig {
  const keepsTls = now.tls?.clientCertificate !== next.tls?.clientCertificate;
  const { users, tokens } = hasCredentials(next) ? next : now;
  const tls = keepsTls ? now.tls : next.tls;
  return { headers: next.headers, users, tokens, ...(tls === undefined ? {} : { tls }) };
}

/** Each names the file and a place in it; before that stands who names the file. */
export const problemsOf = (error: unknown, name: string): readonly string[] =>
  messageOf(error)
    .split('\n')
    .map((line) => `${name}: ${line}`);

/** What the file says, once. Rejects with every problem that it has, a line each. */
export async function readWebConfigFile(path: string): Promise<WebConfig> {
  return readWebConfig(path, async (file) => (await readSmallFile(file)).toString('utf8'));
}

/** `name`: of the setting that names the file. Rejects with every problem that the file has. */
export async function openAccess(
  path: string,
  clock: Clock,
  log: AccessLog,
  name = '--web-config-file',
): Promise<OpenAccess> {
  const followed = await followWebConfig(path, clock).catch((error: unknown) => {
    const problems = problemsOf(error, name);
    throw new Error(['cannot start:', ...problems].join('\n  '), { cause: error });
  });
  let config = followed.first;
  if (!hasCredentials(config) && config.tls === undefined) {
    log.error({ file: path }, 'everybody is let in: the web configuration sets headers only');
  }
  const bcrypt = createBcryptVerifier();
  const authenticator = createAuthenticator(config, bcrypt);
  let following: Following | undefined;
  let problem: { reason: string; since: number } | undefined;

  function keep(reasons: readonly string[]): void {
    problem = { reason: reasons.join('; '), since: problem?.since ?? clock.monotonic() };
    log.error({ file: path, problems: reasons }, 'web configuration kept as it was');
  }

  function change(server: Server | TlsServer, next: WebConfig): void {
    const refused = refusals(config, next);
    config = allowed(config, next);
    authenticator.replace(config);
    if (server instanceof TlsServer && config.tls !== undefined) {
      server.setSecureContext(config.tls.context);
    }
    if (refused.length > 0) {
      keep(refused);
      return;
    }
    problem = undefined;
    log.info({ file: path }, 'web configuration read again');
  }

  return {
    tls: followed.first.tls,
    authenticator,
    identifies: () => hasCredentials(config) || config.tls?.clientCertificate === true,
    headers: () => config.headers,
    follow(server) {
      following = followed.follow(
        (next) => change(server, next),
        (error) => keep(error.message.split('\n')),
      );
    },
    reload: () => following?.look(),
    problem: () =>
      problem && { reason: problem.reason, sinceSeconds: clock.monotonic() - problem.since },
    close() {
      following?.stop();
      void bcrypt.close();
    },
  };
}
