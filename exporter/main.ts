/** Wiring: configuration, collectors, HTTP. Ends on SIGTERM and SIGINT after the answers under way. */
// First: a signal may come while the rest is being loaded.
import './core/early-signals.ts';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebConfig } from './http/access/config.ts';
import { watchAskers } from './http/askers.ts';
import { createEvidence } from './evidence/evidence.ts';
import { oncePerTurn } from './http/once-per-turn.ts';
import { firstWords } from './http/page/first-words.ts';
import { createHttpServer } from './http/server.ts';
import { logChanges } from './log/change-log.ts';
import { systemClock } from './measure/clock.ts';
import type { Collector } from './core/collector.ts';
import { collectorNames, createCollectors } from './collectors/index.ts';
import { whatIsMissing, whatWouldBeDone } from './config/check.ts';
import { urlOfListener } from './config/listen-url.ts';
import { type Config, readConfig } from './config/read.ts';
import { fewLines } from './log/few-lines.ts';
import { createLog } from './log/log.ts';
import { limitsWithin, openFilesAllowed } from './http/open-files.ts';
import { inContainer } from './procfs/in-container.ts';
import { createPseudoFs } from './procfs/reader.ts';
import { startProblem } from './procfs/start-check.ts';
import { bearDeafOutput } from './core/printing.ts';
import { createRequestCounter } from './core/requests.ts';
import { createScraper } from './core/scrape.ts';
import { reportsOf, statusOf } from './core/status.ts';
import { createTargets } from './http/probe-targets.ts';
import { version } from './core/version.ts';
import { messageOf } from './measure/errors.ts';

/** How long the answers under way may take once we were told to end. */
const drainMs = 3000;

/** How long the last lines of the log may take. */
const lastWordsMs = 500;

/** Whoever finds a request that fails can send it a thousand times a second. */
const mostFailuresToldAMinute = 10;
const longestPath = 200;

/**
 * Ends at once, whatever a thread of ours is waiting for. The canary's may sleep in D state for
 * hours, and `process.exit` joins every thread before it ends: so it would never return.
 */
function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** By then a PING was answered or not, and every clock has ticked. */
const firstLooksMs = 2500;

const loopback = /^(?:127\.|::1$|localhost$)/;

async function run(config: Config, remarks: readonly string[]): Promise<void> {
  const { log, destination } = createLog(config.logLevel);
  for (const remark of remarks) log.warn(remark);
  // In a container it listens everywhere, and who reaches it is for who publishes the port to say.
  if (config.webConfigFile === undefined && !loopback.test(config.listen.host) && !inContainer()) {
    log.warn(
      { listen: config.listen.host },
      'everybody who reaches this address may read: there is no --web-config-file',
    );
  }
  const limits = limitsWithin(openFilesAllowed(), (message) => log.warn(message));
  const access =
    config.webConfigFile === undefined
      ? undefined
      : // YAML, TLS and passwords cost 6 MB of memory: not before somebody uses them.
        await (
          await import('./http/access/access.ts')
        ).openAccess(config.webConfigFile, systemClock, log, config.named('webConfigFile'));

  const fewFailures = fewLines(mostFailuresToldAMinute, systemClock);
  const requests = createRequestCounter();
  const procfs = createPseudoFs(config.procfs);
  const sysfs = createPseudoFs(config.sysfs);
  const { stealThreshold } = config;
  const evidence = createEvidence({
    procfs,
    sysfs,
    clock: systemClock,
    stealThreshold,
    version,
    log,
  });
  const collectors: readonly Collector[] = createCollectors({
    config,
    clock: systemClock,
    procfs,
    sysfs,
    requests,
    log: destination,
    webConfig: access,
    kernelLog: (excerpt) => evidence.kernel(excerpt),
    checks: () => statusOf(reportsOf(collectors)).checks,
  });
  const scraper = createScraper(collectors, systemClock, {
    collectorChanged(collector, error) {
      if (error === undefined) log.info({ collector }, 'collector works again');
      else log.warn({ collector, error: error.message }, 'collector fails');
    },
  });
  const targets = createTargets(config.targets, systemClock);
  const { server, end } = createHttpServer({
    clock: systemClock,
    limits,
    collectors,
    scraper,
    targets,
    requests,
    askers: watchAskers(systemClock),
    evidence,
    version,
    ...(access === undefined ? {} : { access }),
    requestFailed(path, error) {
      fewFailures((leftOut) => {
        const text = messageOf(error);
        const more = leftOut > 0 ? { leftOut } : {};
        log.error({ path: path.slice(0, longestPath), error: text, ...more }, 'request failed');
      });
    },
  });

  access?.follow(server);
  const ending = Promise.withResolvers<NodeJS.Signals>();
  process.once('SIGTERM', ending.resolve);
  process.once('SIGINT', ending.resolve);
  process.on('SIGHUP', () => {
    if (access === undefined) log.info('nothing to read again: there is no web configuration file');
    else access.reload();
  });

  server.listen(config.listen.port, config.listen.host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new Error(`${config.named('listen')}: ${messageOf(error)}`, { cause: error });
  });
  const { address, port } = server.address() as AddressInfo;
  log.info({ address, port, redis: config.redis.display, version }, 'listening');
  if (process.stdout.isTTY) {
    const url = urlOfListener(
      { host: address, port },
      access?.tls === undefined ? 'http' : 'https',
    );
    const redisUnset = config.redis.absent === 'unset';
    setTimeout(
      () => process.stderr.write(firstWords({ url, reports: reportsOf(collectors), redisUnset })),
      firstLooksMs,
    ).unref();
  }
  // Both look once a second, in the same turn.
  const look = oncePerTurn(() => {
    const reports = reportsOf(collectors);
    return { reports, status: statusOf(reports) };
  });
  logChanges(() => look().status, systemClock, log);
  systemClock.every(1, () => evidence.tick(look()));

  const signal = await ending.promise;
  log.info({ signal }, 'ending');
  setTimeout(() => dieOf(signal), drainMs).unref();
  await end();
  access?.close();
  targets.close();
  await Promise.all(collectors.map(async (collector) => collector.close?.()));
  const late = sleep(lastWordsMs, true);
  const stuck = await Promise.race([destination.settled().then(() => false), late]);
  // A write under way holds a thread, which `process.exit` would wait for.
  if (stuck) dieOf(signal);
  else process.exit(0);
}

/** What only a person can mend, and no further start: the unit takes 2 for that. */
const refused = 2;
const mayPassBy = 1;

function cannotStart(problems: readonly string[], code = refused): void {
  process.stderr.write(
    ['stealwatch cannot start:', ...problems.map((p) => `  ${p}`), ''].join('\n'),
  );
  process.exitCode = code;
}

/** What it lacks goes to `missing`. */
async function webConfigOf(config: Config, missing: string[]): Promise<WebConfig | undefined> {
  if (config.webConfigFile === undefined) return undefined;
  const { readWebConfigFile, problemsOf } = await import('./http/access/access.ts');
  return readWebConfigFile(config.webConfigFile).catch((error: unknown) => {
    missing.push(...problemsOf(error, config.named('webConfigFile')));
    return undefined;
  });
}

/** Reads what the settings name, and says what a start would do. Connects to nobody. */
async function check(config: Config, remarks: readonly string[]): Promise<void> {
  const missing = [...whatIsMissing(config)];
  const web = await webConfigOf(config, missing);
  if (missing.length > 0) return cannotStart(missing);
  const lines = ['stealwatch would start:', ...whatWouldBeDone(config, web), ...remarks];
  process.stdout.write(`${lines.join('\n  ')}\n`);
}

async function checkAndRun(config: Config, remarks: readonly string[]): Promise<void> {
  const problem = await startProblem(config);
  if (problem === undefined) return (config.checkConfig ? check : run)(config, remarks);
  const { hangs } = problem;
  cannotStart([problem.text], hangs && !config.checkConfig ? mayPassBy : refused);
  if (hangs) dieOf('SIGKILL');
}

async function main(): Promise<void> {
  bearDeafOutput('stealwatch');
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
      cannotStart(
        command.problems,
        command.mayPass && !process.argv.includes('--check-config') ? mayPassBy : refused,
      );
      break;
    case 'run':
      await checkAndRun(command.config, command.remarks);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`stealwatch: ${messageOf(error)}\n`);
  process.exit(1);
});
