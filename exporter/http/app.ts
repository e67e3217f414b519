/**
 * HTTP. The only file that knows Koa.
 *
 * Nothing here waits for a source except /metrics, and that waits at most for the scrape's
 * deadline. Requests carry no body and no state; the only input is the path and three headers.
 */
import { Router } from '@koa/router';
import Koa, { type Context, type Middleware } from 'koa';
import type { IncomingMessage } from 'node:http';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { Clock } from '../measure/clock.ts';
import type { Collector, Family } from '../core/collector.ts';
import { formatOf, wantsHtml } from './page/accept.ts';
import type { Askers } from './askers.ts';
import type { ConnectionLimits, Connections } from './connections.ts';
import { createExposition, type Encoding, gzip } from '../exposition/exposition.ts';
import { createGarbageCollection } from '../core/garbage.ts';
import { contentTypes } from '../exposition/metrics.ts';
import { oncePerTurn } from './once-per-turn.ts';
import { contentSecurityPolicy, htmlOf } from './page/html.ts';
import { overviewOf, stateHeader } from './page/overview.ts';
import { type TextWidth, textOf, textWidths, widthFor } from './page/text.ts';
import { pathOf } from './request-target.ts';
import { runbookRoute } from './runbooks/route.ts';
import { readRunbooks } from './runbooks/runbooks.ts';
import type { RequestCounter } from '../core/requests.ts';
import { longestSeconds } from '../core/round.ts';
import type { Scraper } from '../core/scrape.ts';
import { reportsOf, statusOf } from '../core/status.ts';
import { evidenceRoute } from './evidence.ts';
import type { EvidenceSource } from '../evidence/evidence.ts';
import type { Targets } from './probe-targets.ts';
import type { Access } from './access/access.ts';
import { codeOf } from '../measure/errors.ts';

/** What is left of Prometheus' own timeout for rendering and the way back. */
const deadlineMarginSeconds = 0.25;
const shortestDeadlineSeconds = 0.1;

export interface App {
  readonly collectors: readonly Collector[];
  readonly scraper: Scraper;
  readonly targets: Targets;
  readonly requests: RequestCounter;
  readonly askers: Askers;
  readonly evidence: EvidenceSource;
  readonly version: string;
  readonly clock: Pick<Clock, 'monotonic' | 'wall' | 'every'>;
  readonly limits: ConnectionLimits;
  /** TLS and credentials; plain HTTP for everyone without it. */
  readonly access?: Access;
  /** A request failed for a reason of ours. The reason is logged, not shown. */
  requestFailed(path: string, error: unknown): void;
}

/** Prometheus sends its timeout with every scrape; a lower one than ours lowers ours. */
function deadlineOf(ctx: Context): number {
  const asked = Number(ctx.get('X-Prometheus-Scrape-Timeout-Seconds'));
  if (!Number.isFinite(asked) || asked <= 0) return longestSeconds;
  return Math.min(longestSeconds, Math.max(shortestDeadlineSeconds, asked - deadlineMarginSeconds));
}

/** What the client takes; said in the answer's headers. */
function encodingFor(ctx: Context): Encoding {
  ctx.vary('Accept-Encoding');
  if (ctx.acceptsEncodings('gzip', 'identity') !== 'gzip') return 'identity';
  ctx.set('Content-Encoding', 'gzip');
  return 'gzip';
}

/** `/?columns=40`: of a terminal, of which only the terminal knows. */
function widthAskedFor({ query: { columns } }: Context): TextWidth {
  return typeof columns === 'string' && /^\d{1,4}$/.test(columns) ? widthFor(Number(columns)) : 80;
}

/** Made once for all that ask in one turn of the event loop, and zipped where one of them takes that. */
function inBothEncodings(make: () => string): Readonly<Record<Encoding, () => string | Buffer>> {
  const identity = oncePerTurn(make);
  return { identity, gzip: oncePerTurn(() => gzip(identity())) };
}

function routes(app: App, connections: () => Connections): Router {
  const { collectors, scraper, targets, evidence, version, access, askers, clock } = app;
  const router = new Router();
  const exposition = createExposition(access?.tls !== undefined);
  const collectGarbage = createGarbageCollection();

  const status = oncePerTurn(() => {
    const now = statusOf(reportsOf(collectors));
    const askedSecondsAgo = {
      fromElsewhere: askers.secondsAgo('elsewhere'),
      throughGateway: askers.secondsAgo('hidden'),
    };
    // The line end is for who reads it with curl: a prompt stands on a line of its own.
    const text = `${JSON.stringify({ ...now, askedSecondsAgo })}\n`;
    return { code: now.status === 'ok' ? 200 : 503, text };
  });
  const overview = oncePerTurn(() =>
    overviewOf({
      reports: reportsOf(collectors),
      version,
      incidents: evidence.incidents(),
      wall: clock.wall(),
      identified: access?.identifies() === true,
    }),
  );
  const page = inBothEncodings(() => htmlOf(overview()));
  const plainPages = new Map(
    textWidths.map((width) => [width, inBothEncodings(() => textOf(overview(), width))]),
  );

  async function sendFamilies(
    ctx: Context,
    source: string,
    families: readonly Family[],
  ): Promise<void> {
    const format = formatOf(ctx.get('Accept'));
    ctx.vary('Accept');
    ctx.set('Content-Type', contentTypes[format]);
    const encoding = encodingFor(ctx);
    const answer = await exposition.answer(families, { format, encoding, source });
    ctx.body = answer.body;
    if ('held' in answer) {
      ctx.length = answer.length;
      connections().holds(ctx.res, answer.held);
    }
  }

  router.get('/metrics', async (ctx) => {
    const seconds = deadlineOf(ctx);
    // Who cannot wait for all of it is answered apart: nobody else may get less than all.
    const source = seconds < longestSeconds ? 'hasty' : 'patient';
    const ready = async () => {
      const underWay = exposition.underWay(source);
      if (underWay === undefined) return;
      await underWay;
      // One turn of the loop takes the connections that came meanwhile, the next their requests.
      for (let turns = 0; turns < 2; turns += 1) await turnOfTheLoop();
    };
    await sendFamilies(ctx, source, await scraper.scrape(seconds, ready));
    collectGarbage();
  });
  router.get('/probe', async (ctx) => {
    const { target } = ctx.query;
    const families =
      typeof target === 'string' ? await targets.probe(target, deadlineOf(ctx)) : undefined;
    if (families === undefined) {
      ctx.status = 404;
      ctx.body = 'no such target: /probe?target=NAME with a NAME given as --target NAME=URL\n';
    } else {
      await sendFamilies(ctx, `probe ${String(target)}`, families);
    }
  });
  router.get('/status', (ctx) => {
    const { code, text } = status();
    ctx.status = code;
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'json';
    ctx.body = text;
  });
  router.get('/evidence', evidenceRoute(app, connections));
  // The names that supervisors try by themselves: Kubernetes' and Prometheus'.
  router.get(['/livez', '/healthz', '/-/healthy'], (ctx) => {
    ctx.body = 'ok\n';
  });
  router.get(['/runbook', '/runbook/:name'], runbookRoute(oncePerTurn(readRunbooks)));
  router.get('/', (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Content-Security-Policy', contentSecurityPolicy);
    ctx.set(stateHeader, overview().state);
    ctx.vary('Accept');
    // Who names no type at all gets the page, as ever; curl sends */*.
    const html = ctx.headers.accept === undefined || wantsHtml(ctx.headers.accept);
    ctx.type = html ? 'html' : 'text';
    const plainPage = plainPages.get(widthAskedFor(ctx)) ?? page;
    ctx.body = (html ? page : plainPage)[encodingFor(ctx)]();
  });
  return router;
}

/**
 * Everything is behind the credentials, /livez and unknown paths too, as in every exporter that
 * takes this file. A liveness check can count the 401: something answered.
 */
function guard(access: Access): Middleware {
  const { authenticator } = access;
  return async (ctx, next) => {
    ctx.set(access.headers());
    const verdict = await authenticator.check(
      ctx.get('Authorization'),
      ctx.req.socket.remoteAddress ?? '',
    );
    if (verdict === 'allowed') {
      await next();
    } else if (verdict === 'busy') {
      ctx.status = 429;
      ctx.set('Retry-After', '1');
      ctx.body = 'too many passwords are being checked\n';
    } else {
      ctx.status = 401;
      ctx.set('WWW-Authenticate', authenticator.challenge());
      ctx.body = 'unauthorized\n';
    }
  };
}

/** What happens to a connection, or to what is parsed of it: the other side does that. */
const connectionErrors =
  /^(HPE_|ERR_SSL_|ERR_TLS_|ERR_STREAM_|ECONN|EPIPE$|EPROTO$|ETIMEDOUT$|E(HOST|NET)(UNREACH|DOWN)$)/;

function isOfConnection(error: unknown): boolean {
  return connectionErrors.test(codeOf(error) ?? '');
}

/** A client that goes away, or sends nonsense behind its request, is no failure of ours. */
function failed(app: App, request: IncomingMessage | undefined, error: unknown): void {
  if (isOfConnection(error)) return;
  app.requestFailed(pathOf(request?.url ?? ''), error);
}

/** What a client is told of a fault of ours. */
export const internalError = 'internal error; the log says why';

/** Whatever a handler had said of an answer that will not come is taken back. */
function sayInternalError(ctx: Context): void {
  for (const name of ['Content-Encoding', 'Content-Length', 'Cache-Control']) ctx.remove(name);
  ctx.status = 500;
  ctx.type = 'text';
  ctx.body = `${internalError}\n`;
}

/** The request handler, apart from the server that listens. */
export function createApp(app: App, connections: () => Connections): Koa {
  const koa = new Koa();
  const router = routes(app, connections);
  koa.silent = true;
  koa.on('error', (error: unknown, ctx: Context | undefined) => {
    failed(app, ctx?.req, error);
  });
  koa.use(async (ctx, next) => {
    ctx.set('X-Content-Type-Options', 'nosniff');
    try {
      await next();
    } catch (error) {
      // Koa would take the status, if it has one, from the error, and 404 for a file that is not there.
      app.requestFailed(pathOf(ctx.req.url ?? ''), error);
      sayInternalError(ctx);
    }
  });
  if (app.access !== undefined) koa.use(guard(app.access));
  koa.use(router.routes());
  koa.use(router.allowedMethods());
  return koa;
}
