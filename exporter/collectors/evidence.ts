/**
 * On a watcher: what is kept of the agents' flight recorders (evidence/keeper/), which a machine that
 * is reset takes with it.
 */
import type { Clock } from '../measure/clock.ts';
import { byLabel, type Check, type Collector, counter, gauge } from '../core/collector.ts';
import type { Config } from '../config/read.ts';
import { labelValue } from '../core/label-value.ts';
import type { AgentStatus, Keeper, KeeperSettings } from '../evidence/keeper/keeper.ts';
import { messageOf } from '../measure/errors.ts';

const incidents = gauge({
  name: 'stealwatch_evidence_incidents',
  help: 'Incidents of an agent whose evidence this watcher keeps.',
  note: 'Incidents of an agent whose evidence this watcher keeps in --evidence-dir, at most 50 a host.',
  labels: ['host'],
});
const failures = counter({
  name: 'stealwatch_evidence_fetch_failures_total',
  help: "Looks at an agent's /evidence that came to nothing, or could not be kept.",
  note: "Looks at an agent's /evidence, one every 15 s, that came to nothing or whose answer the disk did not take. A machine that does not answer has a page of its own.",
  labels: ['host'],
});

const mostNamed = 3;

type Settings = Pick<
  Config,
  'evidenceDir' | 'agents' | 'agentToken' | 'agentUser' | 'agentPassword' | 'agentCaFile'
>;

function authorizationOf(config: Settings): string | undefined {
  const { agentToken, agentUser, agentPassword } = config;
  if (agentToken !== undefined) return `Bearer ${agentToken}`;
  if (agentUser === undefined) return undefined;
  return `Basic ${Buffer.from(`${agentUser}:${agentPassword ?? ''}`).toString('base64')}`;
}

/** YAML and what fetches are memory that only a watcher spends. */
async function startKeeper(settings: KeeperSettings, clock: Clock): Promise<Keeper> {
  const { keepEvidence } = await import('../evidence/keeper/keeper.ts');
  return keepEvidence(settings, { clock });
}

function problemsOf(keeper: Keeper): string[] {
  const failing = keeper.agents().filter(({ problem }) => problem !== undefined);
  const named = failing.slice(0, mostNamed).map(({ host, problem }) => `${host}: ${problem}`);
  const more = failing.length - named.length;
  return [...keeper.problems(), ...named, ...(more > 0 ? [`${more} more agents`] : [])];
}

type Join = (known: number, one: number) => number;

/** Two agents of one host are one series. */
function byHost(
  agents: readonly AgentStatus[],
  value: (one: AgentStatus) => number,
  join: Join,
): Map<string, number> {
  const values = new Map<string, number>();
  for (const agent of agents) {
    const host = labelValue(agent.host);
    values.set(host, join(values.get(host) ?? 0, value(agent)));
  }
  return values;
}

const sum: Join = (known, one) => known + one;

export function evidenceCollector({
  config,
  clock,
  start = startKeeper,
}: {
  config: Settings;
  clock: Clock;
  start?: typeof startKeeper;
}): Collector {
  let keeper: Keeper | undefined;
  let broken: Error | undefined;
  let since = clock.monotonic();
  let wasOk: boolean | undefined;
  const { evidenceDir: directory = '', agents = '' } = config;
  const authorization = authorizationOf(config);
  const starting = start({ directory, agents, authorization, caFile: config.agentCaFile }, clock)
    .then((started) => (keeper = started))
    .catch((error: unknown) => {
      broken = error instanceof Error ? error : new Error(messageOf(error));
      return undefined;
    });

  /** Not critical: it says nothing of this machine. */
  function check(): Check {
    const problems = keeper === undefined ? [] : problemsOf(keeper);
    if (broken !== undefined) problems.push(broken.message);
    const ok = problems.length === 0;
    const count = keeper?.agents().length ?? 0;
    if (ok !== wasOk) since = clock.monotonic();
    wasOk = ok;
    return {
      name: 'evidence',
      critical: false,
      ok,
      state: ok ? 'kept' : 'failing',
      reason: ok
        ? `evidence of ${count === 1 ? 'one agent' : `${count} agents`} is kept in ${directory}`
        : `evidence is not kept of all agents: ${problems.join('; ')}`,
      sinceSeconds: clock.monotonic() - since,
      ageSeconds: 0,
    };
  }

  return {
    name: 'evidence',
    source: 'memory',
    metrics: [incidents, failures],
    async collect() {
      if (broken !== undefined) throw broken;
      const agents = keeper?.agents() ?? [];
      return [
        byLabel(
          incidents,
          byHost(agents, (one) => one.incidents, Math.max),
        ),
        byLabel(
          failures,
          byHost(agents, (one) => one.failures, sum),
        ),
      ];
    },
    report() {
      const now = check();
      const text = `${now.reason.charAt(0).toUpperCase()}${now.reason.slice(1)}.`;
      return { checks: [now], findings: now.ok ? [] : [{ severity: 'warning', text }] };
    },
    async close() {
      (await starting)?.close();
    },
  };
}
