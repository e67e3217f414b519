import type { ListenAddress } from './values.ts';

/** Where somebody on this machine asks an exporter that listens everywhere, or at one address. */
export function urlOfListener(
  { host, port }: ListenAddress,
  protocol: 'http' | 'https' = 'http',
): URL {
  const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };
  const name = everywhere[host] ?? (host.includes(':') ? `[${host}]` : host);
  return new URL(`${protocol}://${name}:${port}`);
}
