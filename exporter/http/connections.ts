/**
 * What the connections of strangers may cost: one request under way on each, so many of them, so
 * many bytes of answers that nobody reads. Whoever comes when a bound is reached gets in, and the
 * one that has been of no use for longest gives way: a scraper that was restarted must not be kept
 * out by 2,000 idle connections.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../measure/clock.ts';
import { clientOf } from './access/client-address.ts';
import type { Held } from '../exposition/large-answer.ts';
import { discardRest, stopAtEarly } from './one-request.ts';

export interface ConnectionLimits {
  /** In all; `ulimit -n` may allow fewer. */
  readonly connections: number;
  /** Of one address: a reverse proxy and Docker's own proxy are one address for everybody. */
  readonly perAddress: number;
  /** In memory for answers that wait for their clients, all together. */
  readonly unreadBytes: number;
  /** How long a client may take to read an answer, */
  readonly answerSeconds: number;
  /** or longer, if it has taken so many bytes for each second by then. */
  readonly slowestBytesPerSecond: number;
}

interface Connection {
  /** The one that carries HTTP: with TLS, the one inside. */
  socket: Socket;
  /** Whether a single byte came: the first of a TLS handshake is one. */
  readonly heard: () => boolean;
  readonly address: string;
  /** The answer under way, and since when. */
  response?: ServerResponse;
  since: number;
  /** What the answer under way keeps in memory besides what waits in the socket. */
  held?: () => readonly Held[];
  /** Bytes that the client took before this answer, */
  takenBefore: number;
  /** and by now, and when that became more. */
  taken: number;
  movedAt: number;
  /** Answers of which not all was sent: two, when a request came while the last of one was on its way. */
  unsent: number;
  /** Bytes that it had sent when the answer before was done. */
  read: number;
  /** Had an answer that was no refusal. */
  known: boolean;
  /** To be closed after the answer under way. */
  last: boolean;
}

export interface Connections {
  /** False for a request that must not be answered: the connection is closed. */
  begin(request: IncomingMessage, response: ServerResponse): boolean;
  /**
   * Told of what is no request, or comes too early. False where no answer is under way; else the
   * connection is closed after it, and what still comes is thrown away.
   */
  early(socket: Duplex): boolean;
  /** Told of an answer that is given in pieces. */
  holds(response: ServerResponse, held: () => readonly Held[]): void;
  /** Ends those that wait for a request, and the others after the answer under way. */
  end(): void;
}

/** The same for a TLS socket and the one below it. */
function peerOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`;
}

/** Bytes that make no request: of one that Node takes, the head has 8 KiB at most. */
const mostWithoutRequest = 64 * 1024;

/** Requests after which is looked at what waits. None brings more than a slice and a page at once. */
const begunBetweenLooks = 8;

/** What waits in the socket is not taken; what the kernel has is. */
function noteTaken(connection: Connection, now: number): void {
  const taken = connection.socket.bytesWritten - connection.socket.writableLength;
  if (taken > connection.taken) connection.movedAt = now;
  connection.taken = taken;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Strangers that say nothing first, then those that have not asked yet, then idle scrapers, then
 * those whose answer takes longest. Which of the strangers is chance: were it the oldest, a flood
 * of connections would push out everyone whose handshake takes longer than the flood needs.
 */
function leastUseful(
  candidates: readonly Connection[],
  random: () => number,
): Connection | undefined {
  const idle = candidates.filter(({ response }) => response === undefined);
  const strangers = idle.filter(({ known }) => !known);
  const silent = strangers.filter(({ heard }) => !heard());
  const anyOf = silent.length > 0 ? silent : strangers;
  return anyOf[Math.floor(random() * anyOf.length)] ?? idle[0] ?? candidates[0];
}

function ofTheBusiestAddress(connections: Iterable<Connection>): readonly Connection[] {
  return [...Map.groupBy(connections, ({ address }) => address).values()].reduce((most, some) =>
    some.length > most.length ? some : most,
  );
}

export function watchConnections(
  server: Server,
  limits: ConnectionLimits,
  clock: Pick<Clock, 'monotonic' | 'every'>,
  random: () => number = Math.random,
): Connections {
  /** In the order in which they began to wait for a request or for their answer. */
  const connections = new Set<Connection>();
  /** By the socket that carries HTTP. */
  const carriers = new WeakMap<Duplex, Connection>();
  /** With TLS: until it is known which socket that is, and for as long as it is open. */
  const encrypted = 'setSecureContext' in server;
  const peers = new Map<string, Connection>();
  const busy = new Set<Connection>();
  let ending = false;

  function touch(connection: Connection): void {
    connection.since = clock.monotonic();
    if (connections.delete(connection)) connections.add(connection);
  }

  function closeAfterAnswer(connection: Connection): void {
    connection.last = true;
    const { response } = connection;
    if (response?.headersSent === false) response.setHeader('Connection', 'close');
  }

  function dismiss(connection: Connection | undefined): void {
    if (connection === undefined) return;
    connections.delete(connection);
    connection.socket.destroy();
  }

  /** For one more from this address. */
  function makeRoom(address: string): void {
    if (connections.size < Math.min(limits.perAddress, limits.connections)) return;
    const ofAddress = [...connections].filter((one) => one.address === address);
    if (ofAddress.length >= limits.perAddress) dismiss(leastUseful(ofAddress, random));
    else if (connections.size >= limits.connections) {
      dismiss(leastUseful(ofTheBusiestAddress(connections), random));
    }
  }

  function opened(socket: Socket): void {
    const address = clientOf(socket.remoteAddress ?? '');
    const since = clock.monotonic();
    makeRoom(address);
    const heard = () => socket.bytesRead > 0;
    const taken = { takenBefore: 0, taken: 0, movedAt: since };
    const nothing = { unsent: 0, read: 0, known: false, last: false };
    const connection = { socket, heard, address, since, ...taken, ...nothing };
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
    if (encrypted) knowByPeer(connection);
    else carriers.set(socket, connection);
  }

  function knowByPeer(connection: Connection): void {
    const peer = peerOf(connection.socket);
    peers.set(peer, connection);
    connection.socket.once('close', () => {
      if (peers.get(peer) === connection) peers.delete(peer);
    });
  }

  function carriesHttp(socket: Socket): void {
    const connection = encrypted ? peers.get(peerOf(socket)) : carriers.get(socket);
    if (connection === undefined || !connections.has(connection)) {
      socket.destroy();
      return;
    }
    connection.socket = socket;
    carriers.set(socket, connection);
    stopAtEarly(socket, () => isEarly(connection));
  }

  function isLate({ since, taken, takenBefore }: Connection, now: number): boolean {
    const seconds = now - since;
    const tooSlow = taken - takenBefore < seconds * limits.slowestBytesPerSecond;
    return seconds > limits.answerSeconds && tooSlow;
  }

  /** Who reads takes some in milliseconds, so those that took none for longest are who does not. */
  function dropUnread(): void {
    const now = clock.monotonic();
    for (const connection of busy) noteTaken(connection, now);
    const added = new Set<object>();
    let unread = 0;
    for (const connection of [...busy].reverse().sort((a, b) => b.movedAt - a.movedAt)) {
      const { socket, held } = connection;
      const fresh = held?.().filter(({ key }) => !added.has(key)) ?? [];
      // TLS encrypts a copy for each; without it what waits is the very memory that is held.
      const own = held === undefined || encrypted ? socket.writableLength : 0;
      const waiting = fresh.reduce((sum, { bytes }) => sum + bytes, own);
      const tooMuch = unread > 0 && unread + waiting > limits.unreadBytes;
      if (tooMuch || isLate(connection, now)) {
        socket.destroy();
        continue;
      }
      unread += waiting;
      for (const { key } of fresh) added.add(key);
    }
  }

  /** Empty lines before a request are allowed, without end they are not. */
  function dropEndless(): void {
    for (const { socket, read, response } of connections) {
      if (response === undefined && socket.bytesRead - read > mostWithoutRequest) socket.destroy();
    }
  }

  /** Between two seconds as well, and a crowd not for each of it: that alone took 0.1 s of 240. */
  let begun = 0;
  function dropNowAndThen(): void {
    begun += 1;
    if (begun % begunBetweenLooks === 0) dropUnread();
  }

  function answered(connection: Connection, response: ServerResponse): void {
    connection.unsent -= 1;
    connection.known ||= response.statusCode < 400;
    if (connection.last) connection.socket.destroySoon();
    if (connection.response !== response) return;
    delete connection.response;
    delete connection.held;
    connection.read = connection.socket.bytesRead;
    busy.delete(connection);
    touch(connection);
  }

  /**
   * Early a request is not once all of the answer before it is on its way: its client may have it
   * before we hear that it was sent.
   */
  function isEarly({ response, unsent }: Connection): boolean {
    return response !== undefined && !(unsent === 1 && response.writableEnded);
  }

  server.on('connection', opened);
  server.on(encrypted ? 'secureConnection' : 'connection', carriesHttp);
  const stop = clock.every(1, () => {
    dropUnread();
    dropEndless();
  });
  server.on('close', stop);

  return {
    begin(request, response) {
      const connection = carriers.get(request.socket);
      if (connection === undefined || !connections.has(connection)) {
        request.socket.destroy();
        return false;
      }
      connection.response = response;
      delete connection.held;
      connection.unsent += 1;
      busy.add(connection);
      touch(connection);
      noteTaken(connection, connection.since);
      connection.takenBefore = connection.taken;
      connection.movedAt = connection.since;
      const body = hasBody(request);
      if (ending || body) closeAfterAnswer(connection);
      // Nobody here reads one.
      if (body) request.resume();
      response.once('close', () => answered(connection, response));
      dropNowAndThen();
      return true;
    },
    early(socket) {
      const connection = carriers.get(socket);
      if (connection?.response === undefined) return false;
      closeAfterAnswer(connection);
      discardRest(connection.socket);
      return true;
    },
    holds(response, held) {
      const connection = carriers.get(response.req.socket);
      if (connection?.response === response) connection.held = held;
    },
    end() {
      ending = true;
      for (const connection of connections) {
        if (connection.response === undefined) connection.socket.destroy();
        else closeAfterAnswer(connection);
      }
    },
  };
}
