/**
 * Where a Redis is, from the URL a user gives. Forms: redis://[[user]:password@]host[:port][/db],
 * rediss:// for TLS, unix:///path/to.sock[?db=N] with user info before the path
 * (unix://user:password@/run/redis.sock). The registered scheme is described at
 * https://www.iana.org/assignments/uri-schemes/prov/redis; as for redis-cli a word alone before
 * the @ is the password. Ours, with rediss+ for TLS:
 * redis+sentinel://[user:password@]host[:port],host[:port]/master[/db] and
 * redis+cluster://[user:password@]host[:port],host[:port], any nodes of the cluster.
 * Asynq's: redis-socket://[:password@]/path[?db=N], and
 * redis-sentinel://[:password@]host[:port],host[:port]?master=NAME, whose password is Sentinel's.
 *
 * Read by hand and not by a URL parser: that one takes `default:12345#word@host` for the host
 * `default`, the port 12345 and a fragment, and a piece of the password is a port from then on,
 * which is shown. Here all that stands before the last @ is user info or an error.
 */

export interface RedisPlace {
  /** An IPv6 address comes without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface RedisLogin {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** What TLS needs beyond `rediss://`. Files are read when a connection is made. */
export interface RedisTls {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The name asked for and checked, in place of the host's. */
  readonly serverName?: string | undefined;
  /** What the settings of the files are called in a problem. */
  readonly names?: Readonly<Record<'caFile' | 'certFile' | 'keyFile', string>>;
}

/** From a place as servers announce it to where it is reached; without a port: of any port. */
export type AddressMap = ReadonlyMap<string, { readonly host: string; readonly port?: number }>;

export interface RedisAddress extends RedisLogin {
  readonly tls: boolean;
  /** Set unless `socketPath` is. An IPv6 address comes without brackets. */
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly db: number;
  /** Sentinels to ask where the master of this name is; `host` is the first of them. */
  readonly sentinel?: {
    readonly places: readonly RedisPlace[];
    readonly master: string;
    readonly login?: RedisLogin;
  };
  /** Nodes of a cluster to ask for the others; `host` is the first of them. */
  readonly cluster?: readonly RedisPlace[];
  readonly tlsSettings?: RedisTls;
  readonly addressMap?: AddressMap;
  /** There is none to watch: nobody connects. */
  readonly absent?: 'none' | 'unset';
  /** For people: scheme, place and db, never user info. */
  readonly display: string;
}

export function noRedis(absent: 'none' | 'unset'): RedisAddress {
  return { tls: false, host: '', port: 0, db: 0, absent, display: absent };
}

const forms =
  'redis://, rediss:// or unix:// (redis://[user:password@]host[:port][/db]), redis+sentinel:// or redis+cluster://';

/** Marks that end the user info of a URL, or stand for something in it, and how they are written. */
const written: Readonly<Record<string, string>> = {
  '@': '%40',
  '/': '%2F',
  '?': '%3F',
  '#': '%23',
};

function refuseMark(mark: string): never {
  throw new Error(
    `expected ${written[mark]} for ${mark}: in a user name or password these are written @ %40, / %2F, ? %3F, # %23, % %25`,
  );
}

const hasControl = (text: string): boolean => /\p{Cc}/u.test(text);

/** `%` and two digits stand for a byte; the bytes are UTF-8. */
function decoded(text: string, what: string): string {
  if (/%(?![0-9a-f]{2})/i.test(text)) {
    throw new Error(`expected %25 for % in the ${what}, or % and two hexadecimal digits`);
  }
  let value: string;
  try {
    value = decodeURIComponent(text);
  } catch {
    throw new Error(`expected UTF-8 in what % stands for in the ${what}`);
  }
  if (hasControl(value))
    throw new Error(`expected no line end or control character in the ${what}`);
  return value;
}

/** A word alone is the password, as for redis-cli. */
function loginOf(userInfo: string): RedisLogin {
  for (const mark of ['@', '/', '?', '#']) if (userInfo.includes(mark)) refuseMark(mark);
  const colon = userInfo.indexOf(':');
  const username = decoded(userInfo.slice(0, Math.max(colon, 0)), 'user name');
  const password = decoded(userInfo.slice(colon + 1), 'password');
  return {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
  };
}

function databaseOf(text: string): number {
  if (text === '') return 0;
  if (!/^\d{1,6}$/.test(text)) throw new Error('expected a database number after the host');
  return Number(text);
}

const hostPattern =
  /^(?:\[([0-9a-fA-F:.]+(?:(?:%25|%)[\p{L}\p{N}._-]+)?)\]|([\p{L}\p{N}._-]+))(?::(\d{1,5}))?$/u;

/** One `host[:port]`; undefined when it is none. `[fe80::1%eth0]` is link-local, with its interface. */
export function parsePlace(text: string, defaultPort: number): RedisPlace | undefined {
  const match = hostPattern.exec(text);
  const host = match?.[1]?.replace('%25', '%') ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port };
}

interface Parts {
  readonly login: RedisLogin;
  /** The text of the hosts, which may be a list. */
  readonly hosts: string;
  /** From the first slash behind the hosts on, with it. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** What is written behind `scheme://`. */
function partsOf(text: string): Parts {
  // A path alone may hold an @; with user info in front of it, that ends at the last one.
  const at = text.startsWith('/') && !/[:@]\//.test(text) ? -1 : text.lastIndexOf('@');
  const login = loginOf(text.slice(0, Math.max(at, 0)));
  const place = text.slice(at + 1);
  if (place.includes('#')) refuseMark('#');
  const [front = '', query = ''] = place.split(/\?(.*)/s);
  if (query !== '' && !/^[a-z_]+=[^?]*$/i.test(query)) refuseMark('?');
  const [hosts = '', path = ''] = front.split(/(?=\/)(.*)/s);
  if (hasControl(place)) throw new Error('expected no line end or control character in the URL');
  // Redis's own user name where a host is expected: the place is missing, and this is a password.
  if (at === -1 && /^default(?::|$)/.test(hosts))
    throw new Error('expected @host after the password');
  return { login, hosts, path, query: new URLSearchParams(query) };
}

/** Options of other clients that say who logs in, or where: passed over, another Redis is watched. */
const telling = /pass|pwd|^pw$|auth|user|login|token|secret|credential|database|^db$/i;

/** The one database that is named, behind the host or as `?db=`; no option is passed over that counts. */
function databaseIn(behindHost: string, query: URLSearchParams): number {
  refuseOptions(query, 'db');
  const [named = '', ...more] = query.getAll('db');
  if (more.length > 0 || (query.has('db') && behindHost !== '')) {
    throw new Error('expected one database, behind the host or as ?db=N');
  }
  return databaseOf(behindHost === '' ? named : behindHost);
}

function refuseOptions(query: URLSearchParams, known = ''): void {
  for (const name of query.keys()) {
    if (name !== known && telling.test(name)) {
      throw new Error(
        'expected no user name, password or database behind the ?: they are written redis://user:password@host/db',
      );
    }
  }
}

function placesOf(hosts: string, defaultPort: number): [RedisPlace, ...RedisPlace[]] {
  const [first, ...others] = hosts.split(',').map((host) => {
    const place = parsePlace(host, defaultPort);
    if (place === undefined) throw new Error('expected host[:port],host[:port] after the scheme');
    return place;
  });
  if (first === undefined) throw new Error('expected a host after the scheme');
  return [first, ...others];
}

type Form = (parts: Parts, scheme: string) => RedisAddress;

/** `/master/db` of ours, `?master=` of Asynq's. */
function masterOf(path: string): { master: string; db: number } {
  const [, master = '', database = '', ...more] = path.split('/');
  if (more.length > 0) throw new Error('expected /master or /master/db after the hosts');
  const name = decoded(master, 'name of the master').trim();
  if (name === '') throw new Error('expected the name of the master after the hosts');
  return { master: name, db: databaseOf(database) };
}

const ourSentinel: Form = ({ login, hosts, path, query }, scheme) => {
  refuseOptions(query);
  const places = placesOf(hosts, 26_379);
  const { master, db } = masterOf(path);
  const display = `${scheme}://${hosts}/${master}`;
  const tls = scheme.startsWith('rediss');
  return { ...places[0], tls, ...login, db, sentinel: { places, master }, display };
};

const asynqSentinel: Form = ({ login, hosts, path, query }, scheme) => {
  refuseOptions(query);
  if (!['', '/'].includes(path)) throw new Error('expected ?master=NAME after the hosts');
  const places = placesOf(hosts, 26_379);
  const master = (query.get('master') ?? '').trim();
  if (master === '') throw new Error('expected ?master=NAME after the hosts');
  const display = `${scheme}://${hosts}?master=${master}`;
  return { ...places[0], tls: false, db: 0, sentinel: { places, master, login }, display };
};

const cluster: Form = ({ login, hosts, path, query }, scheme) => {
  refuseOptions(query);
  const places = placesOf(hosts, 6379);
  if (!['', '/', '/0'].includes(path)) {
    throw new Error('expected nothing after the hosts: a cluster has one database');
  }
  const display = `${scheme}://${hosts}`;
  return {
    ...places[0],
    tls: scheme.startsWith('rediss'),
    ...login,
    db: 0,
    cluster: places,
    display,
  };
};

const socket: Form = ({ login, hosts, path, query }, scheme) => {
  const socketPath = decoded(path, 'path of the socket');
  if (hosts !== '' || socketPath === '' || socketPath.endsWith('/')) {
    throw new Error(`expected ${scheme}:///absolute/path/to.sock`);
  }
  if (/:[^/]*@/.test(path)) {
    throw new Error(
      `expected user name and password before the path, ${scheme}://user:password@/path/to.sock; in a path : is written %3A and @ %40`,
    );
  }
  const db = databaseIn('', query);
  const display = `unix://${socketPath}${db === 0 ? '' : `?db=${db}`}`;
  return { tls: false, host: '', port: 0, socketPath, ...login, db, display };
};

const server: Form = ({ login, hosts, path, query }, scheme) => {
  if (hosts === '') throw new Error('expected a host after the scheme');
  const place = parsePlace(hosts, 6379);
  if (place === undefined) throw new Error('expected host[:port] after the scheme and user info');
  const db = databaseIn(path.replace(/^\/|\/$/g, ''), query);
  const host = place.host.includes(':') ? `[${place.host}]` : place.host;
  const display = `${scheme}://${host}:${place.port}${db === 0 ? '' : `/${db}`}`;
  return { ...place, tls: scheme === 'rediss', ...login, db, display };
};

const formOf: ReadonlyMap<string, Form> = new Map([
  ['redis', server],
  ['rediss', server],
  ['unix', socket],
  ['redis-socket', socket],
  ['redis-sentinel', asynqSentinel],
  ['redis+sentinel', ourSentinel],
  ['rediss+sentinel', ourSentinel],
  ['redis+cluster', cluster],
  ['rediss+cluster', cluster],
]);

/** Throws an Error that says what was expected and never repeats the URL, which holds secrets. */
export function parseRedisAddress(text: string): RedisAddress {
  const [, scheme = '', rest = ''] = /^([a-z+-]+):\/\/(.*)$/is.exec(text.trim()) ?? [];
  const form = formOf.get(scheme.toLowerCase());
  // Not even the scheme is repeated: of a URL that was cut it is a user name or worse.
  if (form === undefined) throw new Error(`expected a URL that starts with ${forms}`);
  return form(partsOf(rest), scheme.toLowerCase());
}
