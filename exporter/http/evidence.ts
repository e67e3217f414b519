/**
 * `GET /evidence`: what the flight recorder holds, from memory. It says more than /metrics (names of
 * processes, lines of the kernel), so nobody reads it who has not shown who they are, but for this
 * machine itself.
 */
import type { Context, Middleware } from 'koa';
import type { IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { createLargeAnswers, isLarge } from '../exposition/large-answer.ts';
import type { EvidenceSource } from '../evidence/evidence.ts';
import type { Access } from './access/access.ts';
import type { Connections } from './connections.ts';
import { howToAsk, isOnThisMachine } from './on-this-machine.ts';

const refusal = (request: IncomingMessage) =>
  `evidence is for those who are known: give this exporter credentials (--web-config-file), or ask on the machine itself, as root, by 127.0.0.1 and through no proxy: sudo curl -s --compressed ${howToAsk(request)}\n`;

const keptMs = 1000;

/**
 * Writing it takes 10 ms: of any number that ask it is written once a second at most, and nothing of it
 * is kept longer.
 */
function onceASecond<T>(tagOf: () => string, make: () => T): () => T {
  let made: { readonly tag: string; readonly value: T } | undefined;
  return () => {
    const tag = tagOf();
    if (made?.tag === tag) return made.value;
    const one = { tag, value: make() };
    made = one;
    setTimeout(() => {
      if (made === one) made = undefined;
    }, keptMs).unref();
    return one.value;
  };
}

export function evidenceRoute(
  { evidence, access }: { readonly evidence: EvidenceSource; readonly access?: Access },
  connections: () => Connections,
): Middleware {
  const large = createLargeAnswers(access?.tls !== undefined);
  const plain = onceASecond(
    () => evidence.tag(),
    () => Buffer.from(evidence.text()),
  );
  const zipped = onceASecond(
    () => evidence.tag(),
    () => gzipSync(plain(), { level: 1 }),
  );

  async function send(ctx: Context, body: Buffer): Promise<void> {
    if (!isLarge(body)) {
      ctx.body = body;
      return;
    }
    const answer = await large([body])();
    ctx.body = answer.body;
    ctx.length = answer.length;
    connections().holds(ctx.res, answer.held);
  }

  return async (ctx) => {
    if (access?.identifies() !== true && !isOnThisMachine(ctx.req)) {
      ctx.status = 403;
      ctx.body = refusal(ctx.req);
      return;
    }
    ctx.status = 200;
    ctx.set('Cache-Control', 'no-cache');
    ctx.vary('Accept-Encoding');
    // Weak: zipped and plain are the same, and the time in it is another each time.
    ctx.etag = `W/"${evidence.tag()}"`;
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    ctx.type = 'json';
    const zip = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
    if (zip) ctx.set('Content-Encoding', 'gzip');
    await send(ctx, zip ? zipped() : plain());
  };
}
