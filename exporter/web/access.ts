/** The web configuration file at work: in the server's TLS, in front of every path, and renewed. */
import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { Access } from '../app.ts';
import type { Clock } from '../clock.ts';
import { createAuthenticator } from './auth.ts';
import { createBcryptVerifier } from './bcrypt.ts';
import type { WebConfig } from './config.ts';
import { followWebConfig } from './follow.ts';

export interface OpenAccess extends Access {
  /** Give the server new certificates, and the guard new credentials, as the files change. */
  follow(server: Server | TlsServer): void;
  close(): void;
}

export interface AccessLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What a running server cannot change. */
function needsRestart(before: WebConfig, after: WebConfig): boolean {
  return (
    (before.tls === undefined) !== (after.tls === undefined) ||
    before.tls?.clientCertificate !== after.tls?.clientCertificate
  );
}

/** Rejects with every problem that the file has. */
export async function openAccess(path: string, clock: Clock, log: AccessLog): Promise<OpenAccess> {
  const followed = await followWebConfig(path, clock).catch((error: unknown) => {
    const problems = error instanceof Error ? error.message.split('\n') : [String(error)];
    throw new Error(['cannot start:', ...problems].join('\n  '), { cause: error });
  });
  let config = followed.first;
  const bcrypt = createBcryptVerifier();
  const authenticator = createAuthenticator(config, bcrypt);
  let end: (() => void) | undefined;

  function change(server: Server | TlsServer, next: WebConfig): void {
    authenticator.replace(next);
    config = { ...next, ...(config.tls === undefined ? {} : { tls: config.tls }) };
    if (needsRestart(followed.first, next)) {
      log.error({ file: path }, 'switching TLS or client certificates on or off needs a restart');
      return;
    }
    if (server instanceof TlsServer && next.tls !== undefined) {
      server.setSecureContext(next.tls.context);
    }
    log.info({ file: path }, 'web configuration read again');
  }

  return {
    tls: followed.first.tls,
    authenticator,
    headers: () => config.headers,
    follow(server) {
      end = followed.follow(
        (next) => change(server, next),
        (error) => {
          log.error({ problems: error.message.split('\n') }, 'web configuration kept as it was');
        },
      );
    },
    close() {
      end?.();
      void bcrypt.close();
    },
  };
}
