/**
 * Whether a request without credentials is from this machine itself. That the connection is says
 * little: a proxy on this machine asks by loopback for the whole world, and a browser here for every
 * page that is open in it. So whoever holds the other end must be one who may see all of this anyway,
 * the superuser or the user we run as, which a proxy is not. And it must look like the command that
 * the documentation shows, in all that proxies and browsers do otherwise; docs/security.md says what is left.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { isLoopback } from '../procfs/local-addresses.ts';
import { ownerOfPeer } from '../procfs/socket-owner.ts';

/** Behind one of these the client is somebody else, whatever the connection says. */
const ofProxies =
  /^(?:forwarded|via|x-forwarded-.*|x-real-ip|x-client-ip|x-cluster-client-ip|x-original-.*|x-envoy-.*|true-client-ip|client-ip|cf-.*|fastly-.*|proxy-.*)$/;

/** A name that was made to lead here is another than ours, and a browser says it. */
const authority = /^(?:\[(?<ipv6>[\da-f:.]+)\]|(?<name>[\w.-]+))(?::(?<port>\d{1,5}))?$/i;

/** Whom the client believes to ask: only a name or an address that can be nobody but ourselves. */
export function namesLoopback(host: string | undefined, port: number, usualPort: number): boolean {
  const parts = authority.exec(host ?? '')?.groups;
  if (parts === undefined) return false;
  const { ipv6, name = '' } = parts;
  const own = name.toLowerCase() === 'localhost' || isLoopback(ipv6 ?? name);
  return own && Number(parts['port'] ?? usualPort) === port;
}

/** Of two that differ nobody knows which one a proxy went by. */
function onlyHost({ headers, rawHeaders }: IncomingMessage): string | undefined {
  const count = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  return count === 1 ? headers.host : undefined;
}

/** `nobody`: what services run as that have no user of their own, and who users of other namespaces seem to be. */
const nobody = 65_534;

/** May see what the recorder tells: it is in the kernel log and in /proc, or in our own memory. */
export const mayAsk = (owner: number | undefined, own: number | undefined): boolean =>
  owner === 0 || (owner !== undefined && owner === own && owner !== nobody);

/** A connection stays whose it is: of each it is looked up once. */
const asked = new WeakMap<Socket, boolean>();

function isOfOurs(socket: Socket): boolean {
  const known = asked.get(socket);
  if (known !== undefined) return known;
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
  const owner = ownerOfPeer({ remoteAddress, remotePort, localAddress, localPort });
  const may = mayAsk(owner, process.getuid?.());
  asked.set(socket, may);
  return may;
}

export function isOnThisMachine(request: IncomingMessage): boolean {
  const { socket, headers, httpVersion } = request;
  const usualPort = 'encrypted' in socket ? 443 : 80;
  return (
    isLoopback(socket.remoteAddress ?? '') &&
    // nginx asks in HTTP/1.0 where nobody told it otherwise, and names whom it asks in Host.
    httpVersion === '1.1' &&
    namesLoopback(onlyHost(request), socket.localPort ?? 0, usualPort) &&
    // A page of another place asks.
    headers.origin === undefined &&
    !Object.keys(headers).some((name) => ofProxies.test(name)) &&
    // Last: it costs a look at all connections there are.
    isOfOurs(socket)
  );
}

/** What to type instead. Said to those who come from elsewhere as well: it holds nothing they did not use. */
export function howToAsk({ socket }: IncomingMessage): string {
  const scheme = 'encrypted' in socket ? 'https' : 'http';
  return `${scheme}://127.0.0.1:${socket.localPort ?? 10_190}/evidence`;
}
