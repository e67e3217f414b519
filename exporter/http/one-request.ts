/**
 * One request at a time on a connection, and nothing of the next is parsed before the first is
 * answered. Node parses all that one read brings, 64 KiB and thousands of requests, and keeps an
 * answer for each: who sends them without reading makes everybody else wait. Nobody who scrapes
 * sends a second request early, so what comes early is thrown away, and its connection is closed
 * after the answer, as HTTP allows. Early it is not once all of the answer is on its way: its client
 * may have it before we hear that it was sent.
 */
import type { Socket } from 'node:net';

/** Twice what Node takes for the headers of a request: it has refused the request by then. */
const longestHead = 16 * 1024;

const lineFeed = 10;
const carriageReturn = 13;

interface Head {
  /** How many bytes of this request were handed on. */
  length: number;
  /** A line of it has begun; empty lines before the first one are none. */
  begun: boolean;
  /** The line under way has no byte yet but a carriage return. */
  blank: boolean;
}

const newHead = (): Head => ({ length: 0, begun: false, blank: true });

/**
 * Where the head ends in this chunk: behind the first empty line, whichever way its end is
 * written, or the chunk's own end. `head` remembers what goes on in the next chunk.
 */
function endOfHead(chunk: Buffer, head: Head): number {
  let at = 0;
  while (at < chunk.length) {
    const found = chunk.indexOf(lineFeed, at);
    const end = found < 0 ? chunk.length : found;
    const empty = end === at || (end === at + 1 && chunk[at] === carriageReturn);
    head.blank &&= empty;
    if (found < 0) return chunk.length;
    at = found + 1;
    if (head.blank && head.begun) return at;
    head.begun ||= !head.blank;
    head.blank = true;
  }
  return chunk.length;
}

/** What the HTTP server does with the bytes of its connection. Node has no name for it. */
function takeParser(socket: Socket): (chunk: Buffer) => void {
  const [parse, ...others] = socket.listeners('data');
  if (parse === undefined || others.length > 0) {
    throw new Error(`Node.js ${process.version} reads HTTP in a way that is not known here`);
  }
  socket.off('data', parse as () => void);
  return (chunk) => void Reflect.apply(parse, socket, [chunk]);
}

export interface OneRequest {
  /** An answer is under way, */
  readonly busy: () => boolean;
  /** and all of it was handed to the socket. */
  readonly given: () => boolean;
  /** Told that something came too early. */
  readonly early: () => void;
}

/**
 * Call it once the HTTP server has taken the connection, and what it gives each time an answer has
 * been sent.
 */
export function readOneRequestAtATime(
  socket: Socket,
  { busy, given, early }: OneRequest,
): () => void {
  const parse = takeParser(socket);
  let head = newHead();
  /** Came when the answer before it was given. */
  let held: Buffer | undefined;

  function read(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && !busy() && socket.writable) {
      const piece = rest.subarray(0, endOfHead(rest.subarray(0, longestHead), head));
      rest = rest.subarray(piece.length);
      head.length += piece.length;
      parse(piece);
      if (busy()) head = newHead();
      else if (head.length >= longestHead) socket.destroy();
    }
    if (rest.length === 0) return;
    if (held === undefined && rest.length <= longestHead && busy() && given()) held = rest;
    else early();
  }

  socket.on('data', read);
  return () => {
    const chunk = held;
    held = undefined;
    if (chunk !== undefined) read(chunk);
  };
}
