/**
 * Where a Redis is, from the URL a user gives. Forms: redis://[user:password@]host[:port][/db],
 * rediss:// for TLS, unix:///path/to.sock[?db=N] with user info before the path
 * (unix://user:password@/run/redis.sock). The registered scheme is described at
 * https://www.iana.org/assignments/uri-schemes/prov/redis.
 */

export interface RedisAddress {
  readonly tls: boolean;
  /** Set unless `socketPath` is. An IPv6 address comes without brackets. */
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  /** For people: scheme, place and db, never user info. */
  readonly display: string;
}

const forms = 'redis://, rediss:// or unix:// (redis://[user:password@]host[:port][/db])';

const socketHost = 'socket.invalid';

function databaseOf(text: string): number {
  if (text === '') return 0;
  if (!/^\d{1,6}$/.test(text)) throw new Error('expected a database number after the host');
  return Number(text);
}

/** Throws an Error that says what was expected and never repeats the URL, which holds secrets. */
export function parseRedisAddress(text: string): RedisAddress {
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
