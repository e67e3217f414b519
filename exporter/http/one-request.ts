/**
 * One request at a time on a connection. Node parses all that one read brings, 64 KiB and thousands
 * of requests, and keeps an answer for each: who sends them without reading makes everybody else
 * wait. Nobody who scrapes sends a second request early. So Node's parser is stopped at the first
 * that comes too early, what follows is thrown away, and the connection is closed after the answer
 * under way, as HTTP allows.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

type OnIncoming = (request: IncomingMessage, keepAlive: boolean) => number;

/** What Node's HTTP server has on a socket. Node has no public name for it. */
interface Parsed {
  readonly parser?: { onIncoming?: OnIncoming | null } | null;
}

/** To Node's parser: no further. It tells of it as of a fault in the text, by `clientError`. */
const stop = -1;

/** Call it once the HTTP server has taken the connection. Where `early`, the parser stops. */
export function stopAtEarly(socket: Socket, early: () => boolean): void {
  const { parser } = socket as Parsed;
  const onIncoming = parser?.onIncoming;
  if (!parser || !onIncoming) {
    throw new Error(`Node.js ${process.version} reads HTTP in a way that is not known here`);
  }
  parser.onIncoming = (request, keepAlive) => (early() ? stop : onIncoming(request, keepAlive));
}

/**
 * Throws away what still comes, after an error of the parser. It is read all the same: a connection
 * that is closed with bytes unread loses the answer that is on its way.
 */
export function discardRest(socket: Socket): void {
  const parses = socket.listeners('data');
  // Takes the socket back from the parser, which has read it without telling.
  socket.on('data', () => undefined);
  for (const parse of parses) socket.off('data', parse as () => void);
  socket.resume();
}
