/** Wiring: configuration, collectors, HTTP. Ends on SIGTERM and SIGINT after the answers under way. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { createHttpServer } from './app.ts';
import { systemClock } from './clock.ts';
import type { Collector } from './collector.ts';
import { collectorNames, createCollectors } from './collectors/index.ts';
import { type Config, readConfig } from './config.ts';
import { createPseudoFs } from './procfs/reader.ts';
import { createRequestCounter } from './requests.ts';
import { createScraper } from './scrape.ts';
import { reportsOf, statusOf } from './status.ts';
import { createTargets } from './targets.ts';
import { version } from './version.ts';

/** How long the answers under way may take once we were told to end. */
const drainMs = 3000;

/**
 * Ends at once, whatever a thread of ours is waiting for. The canary's may sleep in D state for
 * hours, and `process.exit` joins every thread before it ends: so it would never return.
 */
function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

async function run(config: Config): Promise<void> {
  const log = pino({
    level: config.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
  });
  const access =
    config.webConfigFile === undefined
      ? undefined
      : // YAML, TLS and passwords cost 6 MB of memory: not before somebody uses them.
        await (await import('./web/access.ts')).openAccess(config.webConfigFile, systemClock, log);

  const requests = createRequestCounter();
  const collectors: readonly Collector[] = createCollectors({
    config,
    clock: systemClock,
    procfs: createPseudoFs(config.procfs),
    sysfs: createPseudoFs(config.sysfs),
    requests,
    checks: () => statusOf(reportsOf(collectors)).checks,
  });
  const scraper = createScraper(collectors, systemClock, {
    collectorChanged(collector, error) {
      if (error === undefined) log.info({ collector }, 'collector works again');
      else log.warn({ collector, error: error.message }, 'collector fails');
    },
  });
  const targets = createTargets(config.targets, systemClock);
  const server = createHttpServer({
    collectors,
    scraper,
    targets,
    requests,
    version,
    ...(access === undefined ? {} : { access }),
    requestFailed(path, error) {
      log.error(
        { path, error: error instanceof Error ? error.message : String(error) },
        'request failed',
      );
    },
  });

  access?.follow(server);
  const ending = Promise.withResolvers<NodeJS.Signals>();
  process.once('SIGTERM', ending.resolve);
  process.once('SIGINT', ending.resolve);

  server.listen(config.listen.port, config.listen.host);
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  log.info({ address, port, redis: config.redis.display, version }, 'listening');

  const signal = await ending.promise;
  log.info({ signal }, 'ending');
  server.close();
  server.closeIdleConnections();
  setTimeout(() => dieOf(signal), drainMs).unref();
  access?.close();
  targets.close();
  await Promise.all(collectors.map(async (collector) => collector.close?.()));
  if (server.listening) await once(server, 'close');
  process.exit(0);
}

async function main(): Promise<void> {
  const command = readConfig({
    argv: process.argv.slice(2),
    env: process.env,
    version,
    collectors: collectorNames,
  });
  switch (command.kind) {
    case 'print':
      process.stdout.write(command.text);
      break;
    case 'invalid':
      process.stderr.write(
        ['stealwatch cannot start:', ...command.problems.map((p) => `  ${p}`), ''].join('\n'),
      );
      process.exitCode = 2;
      break;
    case 'run':
      await run(command.config);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`stealwatch: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
