/** The few lines of RESP that the demo needs, so that it runs from its folder with nothing installed. */
import { connect } from 'node:net';

export interface Redis {
  /** Commands go out as they come; an answer that is an error rejects. */
  readonly send: (...words: readonly (string | number | Buffer)[]) => Promise<unknown>;
}

interface Parsed {
  readonly value: unknown;
  readonly end: number;
}

/** One reply from `at` on, or undefined when it is not all there. */
function parse(buffer: Buffer, at: number): Parsed | undefined {
  const line = buffer.indexOf('\r\n', at);
  if (line < 0) return undefined;
  const text = buffer.toString('utf8', at + 1, line);
  const end = line + 2;
  switch (String.fromCharCode(buffer[at] ?? 0)) {
    case '$': {
      const length = Number(text);
      if (length < 0) return { value: null, end };
      if (buffer.length < end + length + 2) return undefined;
      return { value: buffer.toString('utf8', end, end + length), end: end + length + 2 };
    }
    case '*': {
      const values: unknown[] = [];
      let next = end;
      for (let i = 0; i < Number(text); i++) {
        const item = parse(buffer, next);
        if (item === undefined) return undefined;
        values.push(item.value);
        next = item.end;
      }
      return { value: values, end: next };
    }
    case ':':
      return { value: Number(text), end };
    case '-':
      return { value: new Error(text), end };
    default:
      return { value: text, end };
  }
}

/** Connects again for ever. What was under way when the connection ended rejects. */
export function connectRedis(host: string, port: number): Redis {
  let waiting: PromiseWithResolvers<unknown>[] = [];
  let received: Buffer = Buffer.alloc(0);

  function open() {
    const socket = connect(port, host);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let reply = parse(received, 0); reply !== undefined; reply = parse(received, 0)) {
        received = received.subarray(reply.end);
        const asked = waiting.shift();
        if (reply.value instanceof Error) asked?.reject(reply.value);
        else asked?.resolve(reply.value);
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const lost = waiting;
      waiting = [];
      received = Buffer.alloc(0);
      for (const asked of lost) asked.reject(new Error('the connection to Redis ended'));
      setTimeout(() => {
        current = open();
      }, 500);
    });
    return socket;
  }

  let current = open();
  return {
    send(...words) {
      const asked = Promise.withResolvers<unknown>();
      waiting.push(asked);
      current.write(`*${words.length}\r\n`);
      for (const word of words) {
        const bytes = Buffer.isBuffer(word) ? word : Buffer.from(String(word));
        current.write(`$${bytes.length}\r\n`);
        current.write(bytes);
        current.write('\r\n');
      }
      return asked.promise;
    },
  };
}
