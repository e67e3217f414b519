/**
 * The web configuration file, in the format of Prometheus' exporter-toolkit
 * (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md), so that
 * one file serves node_exporter and this. Ours is one key more: `bearer_tokens`.
 *
 * A key that we do not implement is refused, not passed over: each of them makes a server
 * stricter, and somebody relies on it. Messages name the file and the key, never a value that
 * may be a secret.
 */
import { dirname, resolve } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { readSmallFile, whyUnreadable } from '../../core/read-file.ts';
import { codeOf } from '../../measure/errors.ts';
import { isMapping, type Mapping } from '../../measure/mapping.ts';

export interface TlsSettings {
  /** Certificate, key, client CA and versions, as node:tls takes them. */
  readonly context: SecureContextOptions;
  /** Only clients with a certificate of the client CA get past the handshake. */
  readonly clientCertificate: boolean;
}

export interface WebConfig {
  readonly tls?: TlsSettings;
  /** Added to every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** User name to bcrypt hash. */
  readonly users: ReadonlyMap<string, string>;
  /** SHA-256 of each bearer token, 32 bytes. */
  readonly tokens: readonly Buffer[];
}

/** What holds without a file: no TLS, no credentials. */
export const openWebConfig: WebConfig = { headers: {}, users: new Map(), tokens: [] };

/** Beyond this one check of a password takes seconds. htpasswd's default is 5, ours is 10. */
const dearestCost = 14;
const mostCredentials = 100;

const versions: Readonly<Record<string, 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

/** What the toolkit lets a file set, and the values it allows where it restricts them. */
const headerValues: Readonly<Record<string, readonly string[]>> = {
  'Content-Security-Policy': [],
  'Strict-Transport-Security': [],
  'X-Content-Type-Options': ['nosniff'],
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-XSS-Protection': [],
};

/** Collects problems instead of throwing the first, as everywhere in our configuration. */
interface Report {
  problem(key: string, text: string): void;
}

function mappingAt(parent: Mapping, key: string, report: Report): Mapping {
  const value = parent[key] ?? {};
  if (isMapping(value)) return value;
  report.problem(key, 'expected a mapping');
  return {};
}

function refuseOthers(
  mapping: Mapping,
  known: readonly string[],
  at: string,
  report: Report,
): void {
  for (const key of Object.keys(mapping)) {
    if (!known.includes(key)) {
      report.problem(`${at}${key}`, `not supported here; supported are ${known.join(', ')}`);
    }
  }
}

function textAt(mapping: Mapping, key: string, at: string, report: Report): string | undefined {
  const value = mapping[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  report.problem(`${at}${key}`, 'expected a string');
  return undefined;
}

function usersOf(file: Mapping, report: Report): Map<string, string> {
  const users = new Map<string, string>();
  for (const [name, hash] of Object.entries(mappingAt(file, 'basic_auth_users', report))) {
    const key = `basic_auth_users.${name}`;
    const cost = Number(/^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(String(hash))?.[1] ?? NaN);
    if (Number.isNaN(cost)) report.problem(key, 'expected a bcrypt hash ($2y$10$...)');
    else if (cost < 4 || cost > dearestCost) {
      report.problem(key, `expected a bcrypt cost from 4 to ${dearestCost}; got ${cost}`);
    } else users.set(name, String(hash));
  }
  if (users.size > mostCredentials) report.problem('basic_auth_users', 'over 100 users');
  return users;
}

function tokensOf(file: Mapping, report: Report): Buffer[] {
  const tokens: Buffer[] = [];
  for (const [name, hash] of Object.entries(mappingAt(file, 'bearer_tokens', report))) {
    if (/^[0-9a-f]{64}$/i.test(String(hash))) tokens.push(Buffer.from(String(hash), 'hex'));
    else {
      report.problem(
        `bearer_tokens.${name}`,
        "expected the token's SHA-256 as 64 hexadecimal digits, not the token itself",
      );
    }
  }
  if (tokens.length > mostCredentials) report.problem('bearer_tokens', 'over 100 tokens');
  return tokens;
}

function headersOf(file: Mapping, report: Report): Record<string, string> {
  const http = mappingAt(file, 'http_server_config', report);
  // http2 is taken and has no effect: clients agree on HTTP/1.1 during the handshake.
  refuseOthers(http, ['http2', 'headers'], 'http_server_config.', report);
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(mappingAt(http, 'headers', report))) {
    const key = `http_server_config.headers.${name}`;
    const allowed = headerValues[name];
    if (allowed === undefined) report.problem(key, 'this header cannot be set');
    else if (typeof value !== 'string' || /[^\x20-\x7e]/.test(value)) {
      report.problem(key, 'expected one line of text');
    } else if (allowed.length > 0 && !allowed.includes(value)) {
      report.problem(key, `expected ${allowed.join(' or ')}`);
    } else result[name] = value;
  }
  return result;
}

/** The keys that keep somebody out. */
const protections = ['tls_server_config', 'basic_auth_users', 'bearer_tokens'];
const known = ['tls_server_config', 'http_server_config', 'basic_auth_users', 'bearer_tokens'];

/** Nobody names a file to be open to everyone: one with nothing in it is cut or not written yet. */
function refuseEmpty(file: Mapping, report: Report): void {
  const keys = Object.keys(file);
  if (keys.length === 0) {
    report.problem('the file', `nothing is in it; expected ${protections.join(', ')}`);
  }
  for (const key of protections.filter((name) => keys.includes(name))) {
    const value = file[key] ?? {};
    if (isMapping(value) && Object.keys(value).length === 0) {
      report.problem(key, 'nothing is in it; expected entries, or no such key');
    }
  }
}

interface Source {
  readonly directory: string;
  readonly report: Report;
  readonly read: (path: string) => Promise<string>;
}

/** `NAME_file` or the text itself under `NAME`; the toolkit allows one of the two. */
async function pemAt(tls: Mapping, name: string, source: Source): Promise<string | undefined> {
  const { directory, report, read } = source;
  const at = 'tls_server_config.';
  const inline = textAt(tls, name, at, report);
  const file = textAt(tls, `${name}_file`, at, report);
  if (inline !== undefined && file !== undefined) {
    report.problem(`${at}${name}`, `give this or ${name}_file, not both`);
  }
  if (file === undefined) return inline;
  const path = resolve(directory, file);
  try {
    return await read(path);
  } catch (error) {
    report.problem(`${at}${name}_file`, `cannot read ${path} (${whyUnreadable(error)})`);
    return undefined;
  }
}

function versionAt(tls: Mapping, key: string, fallback: string, report: Report) {
  const name = textAt(tls, key, 'tls_server_config.', report) ?? fallback;
  const version = versions[name];
  if (version === undefined) {
    report.problem(
      `tls_server_config.${key}`,
      `expected one of ${Object.keys(versions).join(', ')}; got ${JSON.stringify(name)}`,
    );
  }
  return version;
}

const tlsKeys = [
  'cert_file',
  'key_file',
  'client_ca_file',
  'cert',
  'key',
  'client_ca',
  'client_auth_type',
  'min_version',
  'max_version',
];

function wantsClientCertificate(tls: Mapping, hasCa: boolean, report: Report): boolean {
  const key = 'tls_server_config.client_auth_type';
  const type = textAt(tls, 'client_auth_type', 'tls_server_config.', report) ?? 'NoClientCert';
  if (type !== 'NoClientCert' && type !== 'RequireAndVerifyClientCert') {
    // The toolkit's other three let clients in that it calls insecure itself.
    report.problem(key, 'expected RequireAndVerifyClientCert or NoClientCert');
  }
  const wanted = type === 'RequireAndVerifyClientCert';
  if (wanted && !hasCa) report.problem(key, 'needs client_ca_file to verify against');
  if (!wanted && hasCa) {
    report.problem(key, 'a client CA is given and not used; expected RequireAndVerifyClientCert');
  }
  return wanted;
}

async function tlsOf(file: Mapping, source: Source): Promise<TlsSettings | undefined> {
  const { report } = source;
  const tls = mappingAt(file, 'tls_server_config', report);
  if (Object.keys(tls).length === 0) return undefined;
  refuseOthers(tls, tlsKeys, 'tls_server_config.', report);
  const [cert, key, ca] = [
    await pemAt(tls, 'cert', source),
    await pemAt(tls, 'key', source),
    await pemAt(tls, 'client_ca', source),
  ];
  const hasCa = tls['client_ca'] !== undefined || tls['client_ca_file'] !== undefined;
  const clientCertificate = wantsClientCertificate(tls, hasCa, report);
  for (const name of ['cert', 'key']) {
    if (tls[name] === undefined && tls[`${name}_file`] === undefined) {
      report.problem(`tls_server_config.${name}_file`, 'missing');
    }
  }
  const minVersion = versionAt(tls, 'min_version', 'TLS12', report);
  const maxVersion = versionAt(tls, 'max_version', 'TLS13', report);
  if (minVersion === undefined || maxVersion === undefined) return undefined;
  if (cert === undefined || key === undefined) return undefined;
  const context = { cert, key, minVersion, maxVersion, ...(ca === undefined ? {} : { ca }) };
  try {
    createSecureContext(context);
  } catch (error) {
    const why = codeOf(error) ?? String(error);
    report.problem('tls_server_config', `certificate, key or CA do not work together (${why})`);
  }
  return { context, clientCertificate };
}

/** The parser's own messages quote the text around an error, which may be a hash: not repeated. */
async function parseYaml(text: string, report: Report): Promise<Mapping> {
  // Loaded only where a file is given: 3 MB that most exporters never need.
  const { LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    report.problem(`line ${lineCounter.linePos(error.pos[0]).line}`, `not YAML (${error.code})`);
    return {};
  }
  const value: unknown = document.toJS({ maxAliasCount: 0 }) ?? {};
  if (isMapping(value)) return value;
  report.problem('the file', 'expected a mapping');
  return {};
}

/**
 * Reads and checks the file and the files it names. Throws an Error that lists every problem, a
 * line each.
 */
export async function readWebConfig(
  path: string,
  read: (path: string) => Promise<string> = async (path) =>
    (await readSmallFile(path)).toString('utf8'),
): Promise<WebConfig> {
  const problems: string[] = [];
  const report: Report = { problem: (key, text) => problems.push(`${path}: ${key}: ${text}`) };
  let text: string;
  try {
    text = await read(path);
  } catch (error) {
    throw new Error(`${path}: cannot be read (${whyUnreadable(error)})`, { cause: error });
  }
  const file = await parseYaml(text, report);
  refuseOthers(file, known, '', report);
  refuseEmpty(file, report);
  const tls = await tlsOf(file, { directory: dirname(resolve(path)), report, read });
  const config: WebConfig = {
    ...(tls === undefined ? {} : { tls }),
    headers: headersOf(file, report),
    users: usersOf(file, report),
    tokens: tokensOf(file, report),
  };
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return config;
}
