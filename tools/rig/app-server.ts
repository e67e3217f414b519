/** The HTTP server with collectors of a test's own, on a port of its own. */
import { once } from 'node:events';
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { TestContext } from 'node:test';
import { watchAskers } from '../../exporter/http/askers.ts';
import type { App } from '../../exporter/http/app.ts';
import { createHttpServer } from '../../exporter/http/server.ts';
import { systemClock } from '../../exporter/measure/clock.ts';
import { type Collector, counter, gauge, single } from '../../exporter/core/collector.ts';
import { connectionLimits } from '../../exporter/http/open-files.ts';
import { createRequestCounter } from '../../exporter/core/requests.ts';
import { createScraper } from '../../exporter/core/scrape.ts';
import { createTargets } from '../../exporter/http/probe-targets.ts';
import { noEvidence } from './no-evidence.ts';
import { listening } from './listening.ts';

export const total = counter({ name: 'things_total', help: 'Things, from the test.' });
export const level = gauge({ name: 'level', help: 'Level, from the test.' });

export const healthy: Collector = {
  name: 'healthy',
  metrics: [total, level],
  collect: async () => [single(total, 3), single(level, 1)],
};

/** A source that never answers. */
export const hanging: Collector = {
  name: 'hanging',
  metrics: [],
  collect: () => new Promise(() => undefined),
};

export function serverOf(collectors: readonly Collector[], more: Partial<App> = {}) {
  const changes: string[] = [];
  const requests = createRequestCounter();
  const { server } = createHttpServer({
    clock: systemClock,
    collectors,
    scraper: createScraper(collectors, systemClock, {
      collectorChanged: (name, error) => changes.push(`${name}: ${error?.message ?? 'works'}`),
    }),
    targets: createTargets([], systemClock),
    requests,
    askers: watchAskers(systemClock),
    limits: connectionLimits,
    evidence: noEvidence,
    version: 'test',
    requestFailed: (path, error) => changes.push(`${path}: ${String(error)}`),
    ...more,
  });
  return { server, requests, changes };
}

export async function serve(
  t: TestContext,
  collectors: readonly Collector[],
  more: Partial<App> = {},
) {
  const { server, requests, changes } = serverOf(collectors, more);
  const port = await listening(t, server);

  async function get(path: string, headers: OutgoingHttpHeaders = {}, method = 'GET') {
    const sent = request({ host: '127.0.0.1', port, path, headers, method });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
  }
  return { get, port, requests, changes };
}
