/**
 * `GET /evidence`: what the flight recorder holds, from memory. It says more than /metrics (names of
 * processes, lines of the kernel), so nobody reads it who has not shown who they are, but for this
 * machine itself.
 */
import type { Context, Middleware } from 'koa';
import { gzipSync } from 'node:zlib';
import { createLargeAnswers, isLarge } from '../exposition/large-answer.ts';
import type { EvidenceSource } from '../evidence/evidence.ts';
import type { Access } from './access/access.ts';
import type { Connections } from './connections.ts';
import { isLoopback } from '../procfs/local-addresses.ts';

/** Behind one of these the client is somebody else, whatever the connection says. */
const ofProxies = ['Forwarded', 'X-Forwarded-For', 'X-Real-IP', 'Via'];

function isLocal(ctx: Context): boolean {
  const address = ctx.req.socket.remoteAddress ?? '';
  return isLoopback(address) && ofProxies.every((name) => ctx.get(name) === '');
}

const refusal =
  'evidence is for those who are known: give this exporter credentials (--web-config-file), or ask from the machine itself\n';

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
    if (access?.identifies() !== true && !isLocal(ctx)) {
      ctx.status = 403;
      ctx.body = refusal;
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
