/**
 * One connection to Redis: made when something is first asked, logged in, one exchange at a time.
 * It ends by itself when the peer closes it, turns the login away or sends what is no reply or too
 * much of one, and never because an answer is late: that is for its owner to judge.
 */
import { Redis } from 'ioredis';
import type { RedisAddress } from './address.ts';
import type { FirstReplies, RedisCommand, Reply } from './commands.ts';
import { createHandedStream } from './handed-stream.ts';
import { authCommand, isNeedlessPassword, selectCommand, wantsPasswordAlone } from './login.ts';
import { createReplyBounds, type ReplyLimits } from './reply-bounds.ts';
import { dial } from './socket.ts';
import type { TcpEnds } from './unacknowledged.ts';
import { asError } from '../measure/errors.ts';

/** Answers to AUTH and SELECT, and what a peer may say unasked: why it turns us away. */
const few: ReplyLimits = { bytes: 16_384, values: 100 };
/** The connection ended before the answer to a command. */
const noReply = Symbol('no reply');

export interface Link {
  /** The replies in order. Not while another exchange is under way. */
  ask(
    commands: readonly RedisCommand[],
    limits: ReplyLimits,
    first?: FirstReplies,
  ): Promise<readonly Reply[]>;
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
  let asked = false;
  let ended: Error | undefined;
  /** What the peer said before it was asked: why it hangs up. */
  let unasked = '';
  let askedAt: number | undefined;
  let lastByte = 0;
  const bounds = createReplyBounds();
  bounds.allow(few);
  const stream = createHandedStream((chunk) => dialled.socket()?.write(chunk));
  const redis = new Redis({
    Connector: stream.Connector,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    // The ready check is an INFO that fails on a busy or loading Redis; the probe knows better.
    enableReadyCheck: false,
    // RESP2 and no CLIENT SETINFO: nothing is sent that an ACL could forbid or Redis 5 not know.
    protocol: 2,
    disableClientInfo: true,
  });
  // Replies that nobody asked for; what ioredis says of them holds them.
  redis.on('error', () => end(new Error('it says more than was asked')));

  function end(error: Error | undefined): void {
    if (ended !== undefined) return;
    const said = /^-(.+?)\r?$/m.exec(unasked)?.[1];
    ended = error ?? new Error(said ?? 'the connection was closed');
    clearTimeout(connecting);
    dialled.close();
    // Ends what ioredis waits for as well.
    stream.destroy();
    isLost(ended);
  }

  function take(chunk: Buffer): void {
    bounds.check(chunk);
    if (asked) stream.push(chunk);
    else unasked += chunk.toString();
    if (unasked !== '' && !unasked.startsWith('-'))
      throw new Error('it speaks without being asked');
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
        take(chunk);
      } catch (error) {
        // What was answered before is.
        if (asked) stream.push(chunk.subarray(0, bounds.whole()));
        end(asError(error));
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

  const lost = () => ended ?? new Error('the connection was closed');

  /** Never rejects: those behind the first that fails are not waited for. */
  async function answerTo([name, ...args]: RedisCommand): Promise<Reply | typeof noReply> {
    try {
      const answer = buffers ? redis.callBuffer(name, ...args) : redis.call(name, ...args);
      return (await answer) as Reply;
    } catch (error) {
      // ioredis's own error carries the arguments of the command: AUTH's.
      return error instanceof Error && error.name === 'ReplyError'
        ? new Error(error.message)
        : noReply;
    }
  }

  async function send(
    commands: readonly RedisCommand[],
    limits: ReplyLimits,
    first?: FirstReplies,
  ): Promise<readonly Reply[]> {
    if (ended !== undefined) throw ended;
    bounds.allow(limits);
    asked = true;
    const answers = stream.inOneGo(() => commands.map(answerTo));
    const replies: Reply[] = [];
    for (const answer of answers) {
      const reply = await answer;
      // An error in place of the first answer is why the connection ends: too many clients.
      if (reply === noReply) throw replies[0] instanceof Error ? replies[0] : lost();
      replies.push(reply);
      if (replies.length === first?.count) first.tell([...replies]);
    }
    asked = false;
    bounds.allow(few);
    return replies;
  }

  async function refusal(command: readonly [string, ...string[]] | undefined) {
    const [reply] = command === undefined ? [] : await send([command], few);
    return reply instanceof Error && !isNeedlessPassword(reply.message) ? reply : undefined;
  }

  /** Nothing is asked of a Redis that turned the login away, or has no such database. */
  async function enter(): Promise<void> {
    await ready;
    await redis.connect().catch(() => {
      throw lost();
    });
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
    async ask(commands, limits, first) {
      askedAt = performance.now();
      try {
        entered ??= enter();
        await entered;
        return await send(commands, limits, first);
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
