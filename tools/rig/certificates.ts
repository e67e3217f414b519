/** Certificates for one test: a CA, and what it signs. Made by the openssl program. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scope } from './redis-server.ts';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  readonly directory: string;
  readonly caFile: string;
  readonly ca: string;
  /** NAME.pem and NAME.key for localhost and 127.0.0.1, for a server or a client. */
  issue(name: string): CertificateFiles;
}

/** An elliptic-curve key and a certificate that holds for two days. */
function request(certFile: string, keyFile: string, name: string, args: readonly string[]) {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', keyFile, '-out', certFile];
  const subject = ['-days', '2', '-subj', `/CN=${name}`];
  execFileSync('openssl', ['req', '-x509', ...key, ...files, ...subject, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [cert, secret] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')];
  return { certFile, keyFile, cert, key: secret };
}

export function createAuthority(scope: Scope): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-ca-'));
  scope.after(() => rmSync(directory, { recursive: true, force: true }));
  const at = (file: string) => join(directory, file);
  const { certFile, keyFile, cert } = request(at('ca.pem'), at('ca.key'), 'test CA', []);
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const signed = ['-CA', certFile, '-CAkey', keyFile, ...names];
  return {
    directory,
    caFile: certFile,
    ca: cert,
    issue: (name) => request(at(`${name}.pem`), at(`${name}.key`), name, signed),
  };
}
