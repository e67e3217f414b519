/**
 * Where a Redis is, from the URL a user gives. Forms: redis://[user:password@]host[:port][/db],
 * rediss:// for TLS, unix:///path/to.sock[?db=N] with user info before the path
 * (unix://user:password@/run/redis.sock). The registered scheme is described at
 * https://www.iana.org/assignments/uri-schemes/prov/redis. Ours, with rediss+ for TLS:
 * redis+sentinel://[user:password@]host[:port],host[:port]/master[/db] and
 * redis+cluster://[user:password@]host[:port],host[:port], any nodes of the cluster.
 */

export interface RedisPlace {
  /** An IPv6 address comes without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface RedisAddress {
  readonly tls: boolean;
  /** Set unless `socketPath` is. An IPv6 address comes without brackets. */
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  /** Sentinels to ask, in turn, where the master of this name is; `host` is the first of them. */
  readonly sentinel?: { readonly places: readonly RedisPlace[]; readonly master: string };
  /** Nodes of a cluster to ask for the others; `host` is the first of them. */
  readonly cluster?: readonly RedisPlace[];
  /** For people: scheme, place and db, never user info. */
  readonly display: string;
}

const forms =
  'redis://, rediss:// or unix:// (redis://[user:password@]host[:port][/db]), redis+sentinel:// or redis+cluster://';

const socketHost = 'socket.invalid';

function databaseOf(text: string): number {
  if (text === '') return 0;
  if (!/^\d{1,6}$/.test(text)) throw new Error('expected a database number after the host');
  return Number(text);
}

function placeOf(text: string, defaultPort: number): RedisPlace {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port > 65_535) {
    throw new Error('expected host[:port],host[:port] after the scheme');
  }
  return { host, port };
}

/** A list of hosts, which no URL parser takes. */
function parseSeveral(text: string): RedisAddress | undefined {
  const match =
    /^(rediss?)\+(sentinel|cluster):\/\/(?:([^@/]*)@)?([^@/]*)(?:\/([^/]*))?(?:\/([^/]*))?$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, scheme = '', kind, user, hosts = '', master = '', database = ''] = match;
  const places = hosts.split(',').map((host) => placeOf(host, kind === 'sentinel' ? 26_379 : 6379));
  const [first] = places;
  if (first === undefined) throw new Error('expected a host after the scheme');
  const [username = '', password = ''] = (user ?? '').split(/:(.*)/s).map(decodeURIComponent);
  const common = {
    ...first,
    tls: scheme === 'rediss',
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    display: `${scheme}+${kind}://${hosts}${master === '' ? '' : `/${master}`}`,
  };
  if (kind === 'cluster') {
    if (master !== '')
      throw new Error('expected nothing after the hosts: a cluster has one database');
    return { ...common, db: 0, cluster: places };
  }
  if (master === '') throw new Error('expected the name of the master after the hosts');
  return { ...common, db: databaseOf(database), sentinel: { places, master } };
}

/** Throws an Error that says what was expected and never repeats the URL, which holds secrets. */
export function parseRedisAddress(text: string): RedisAddress {
  const several = parseSeveral(text);
  if (several !== undefined) return several;
  let url: URL;
  try {
    // A URL with user info must have a host, and a socket has none.
    url = new URL(text.replace(/^(unix:\/\/[^/]*@)\//, `$1${socketHost}/`));
  } catch {
    throw new Error(`expected a URL of the form ${forms}`);
  }
  const user = {
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  };
  if (url.protocol === 'unix:') {
    const socketPath = decodeURIComponent(url.pathname);
    if (
      !socketPath.startsWith('/') ||
      socketPath === '/' ||
      !['', socketHost].includes(url.hostname)
    ) {
      throw new Error('expected unix:///absolute/path/to.sock');
    }
    const db = databaseOf(url.searchParams.get('db') ?? '');
    return {
      tls: false,
      host: '',
      port: 0,
      socketPath,
      ...user,
      db,
      display: `unix://${socketPath}`,
    };
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new Error(`expected a URL that starts with ${forms}, its scheme is ${url.protocol}//`);
  }
  if (url.hostname === '') throw new Error('expected a host after the scheme');
  const port = url.port === '' ? 6379 : Number(url.port);
  const db = databaseOf(url.pathname.replace(/^\//, ''));
  return {
    tls: url.protocol === 'rediss:',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    ...user,
    db,
    display: `${url.protocol}//${url.hostname}:${port}${db === 0 ? '' : `/${db}`}`,
  };
}
