/**
 * One connection to Redis: made when something is first asked, logged in, one exchange at a time.
 * It ends by itself when the peer closes it, turns the login away or sends what is no reply or too
 * much of one, and never because an answer is late: that is for its owner to judge.
 */
import type { RedisAddress } from './address.ts';
import { authCommand, isNeedlessPassword, selectCommand, wantsPasswordAlone } from './login.ts';
import { createReplyReader, encode, type RedisCommand, type Reply } from './resp.ts';
import { dial } from './socket.ts';
import type { TcpEnds } from './unacknowledged.ts';

/** Answers to AUTH and SELECT, and what a peer may say unasked: why it turns us away. */
const fewBytes = 16_384;

export interface Link {
  /** The replies in order. Not while another exchange is under way. */
  ask(commands: readonly RedisCommand[], mostBytes: number): Promise<readonly Reply[]>;
  /** How long the other side owes us an answer and has not sent a byte, in ms. */
  quietMs(): number;
  /** How long the exchange is under way, in ms; 0 for none. */
  busyMs(): number;
  /** Has not ended: it may be asked, again or for the first time. */
  usable(): boolean;
  /** Nothing can be taken back while a name is looked up. */
  isResolving(): boolean;
  ends(): TcpEnds | undefined;
  close(why: string): void;
}

interface Exchange {
  readonly count: number;
  readonly replies: Reply[];
  readonly resolve: (replies: readonly Reply[]) => void;
  readonly reject: (error: Error) => void;
}

export interface LinkOptions {
  readonly buffers: boolean;
  /** For the other side's kernel to take the connection. */
  readonly connectMs: number;
}

export function openLink(address: RedisAddress, { buffers, connectMs }: LinkOptions): Link {
  const { promise: ready, resolve: isReady, reject: isLost } = Promise.withResolvers<void>();
  // Whoever asks hears of it; nobody may be asking.
  ready.catch(() => undefined);
  let connected = false;
  let entered: Promise<void> | undefined;
  let exchange: Exchange | undefined;
  let ended: Error | undefined;
  /** What the peer said before it was asked: why it hangs up. */
  let unasked: Error | undefined;
  let askedAt: number | undefined;
  let lastByte = 0;

  const reader = createReplyReader(buffers, (reply) => {
    if (exchange === undefined) {
      if (!(reply instanceof Error)) throw new Error('it speaks without being asked');
      unasked = reply;
      return;
    }
    const { count, replies, resolve } = exchange;
    replies.push(reply);
    if (replies.length < count) return;
    exchange = undefined;
    reader.allow(fewBytes);
    resolve(replies);
  });
  reader.allow(fewBytes);

  function end(error: Error | undefined): void {
    if (ended !== undefined) return;
    // An error in place of the first answer is why the connection ends: too many clients.
    const [said] = exchange?.replies ?? [];
    const words = said instanceof Error ? said : unasked;
    ended = error ?? words ?? new Error('the connection was closed');
    clearTimeout(connecting);
    dialled.close();
    exchange?.reject(ended);
    isLost(ended);
  }

  const dialled = dial(address, address, {
    connected() {
      connected = true;
      clearTimeout(connecting);
    },
    ready: isReady,
    data(chunk) {
      lastByte = performance.now();
      try {
        reader.feed(chunk);
      } catch (error) {
        end(error instanceof Error ? error : new Error(String(error)));
      }
    },
    ended: end,
  });
  const connecting = setTimeout(() => {
    if (!connected && dialled.socket() !== undefined) {
      end(new Error('no answer to the connection request'));
    }
  }, connectMs);
  connecting.unref();

  function send(commands: readonly RedisCommand[], mostBytes: number): Promise<readonly Reply[]> {
    return new Promise((resolve, reject) => {
      if (ended !== undefined) {
        reject(ended);
        return;
      }
      exchange = { count: commands.length, replies: [], resolve, reject };
      reader.allow(mostBytes);
      dialled.socket()?.write(encode(commands));
    });
  }

  async function refusal(command: readonly [string, ...string[]] | undefined) {
    const [reply] = command === undefined ? [] : await send([command], fewBytes);
    return reply instanceof Error && !isNeedlessPassword(reply.message) ? reply : undefined;
  }

  /** Nothing is asked of a Redis that turned the login away, or has no such database. */
  async function enter(): Promise<void> {
    await ready;
    let refused = await refusal(authCommand(address, false));
    if (refused !== undefined && wantsPasswordAlone(refused.message)) {
      refused = await refusal(authCommand(address, true));
    }
    refused ??= await refusal(selectCommand(address));
    if (refused === undefined) return;
    end(refused);
    throw refused;
  }

  return {
    async ask(commands, mostBytes) {
      askedAt = performance.now();
      try {
        entered ??= enter();
        await entered;
        return await send(commands, mostBytes);
      } finally {
        askedAt = undefined;
      }
    },
    quietMs: () => (askedAt === undefined ? 0 : performance.now() - Math.max(askedAt, lastByte)),
    busyMs: () => (askedAt === undefined ? 0 : performance.now() - askedAt),
    usable: () => ended === undefined,
    isResolving: () => ended === undefined && dialled.socket() === undefined,
    ends() {
      const { localPort, remotePort } = dialled.socket() ?? {};
      return localPort === undefined || remotePort === undefined
        ? undefined
        : { localPort, remotePort };
    },
    close: (why) => end(new Error(why)),
  };
}
