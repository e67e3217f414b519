/**
 * How many messages Alertmanager makes of a list of alerts: its routing, grouping, inhibition and
 * deduplication, over hours in a moment. It reads the shipped configuration and follows
 * dispatch.go, inhibit.go and the dedup stage of notify.go (0.25 to 0.33); the test of a running
 * Alertmanager compares the two.
 */
import { seconds } from './timeline.ts';

export interface TimedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly from: number;
  /** When Prometheus says it is over. */
  readonly to: number;
}

export interface Message {
  readonly at: number;
  readonly receiver: string;
  readonly kind: 'news' | 'reminder' | 'over';
  readonly alerts: readonly string[];
}

interface Timing {
  readonly group_by?: readonly string[];
  readonly group_wait?: string;
  readonly group_interval?: string;
  readonly repeat_interval?: string;
}

interface Route extends Timing {
  readonly receiver: string;
  readonly matchers?: readonly string[];
  readonly routes?: readonly Route[];
}

export interface AlertmanagerConfig {
  readonly route: Route;
  readonly inhibit_rules: readonly {
    readonly source_matchers: readonly string[];
    readonly target_matchers: readonly string[];
    readonly equal: readonly string[];
  }[];
}

type Labels = Readonly<Record<string, string>>;
type Matcher = (labels: Labels) => boolean;

function matcher(text: string): Matcher {
  const [, name = '', operator, value = ''] = /^(\w+)(=~|!~|!=|=)"(.*)"$/.exec(text) ?? [];
  if (operator === undefined) throw new Error(`cannot read the matcher ${text}`);
  if (operator === '=') return (labels) => (labels[name] ?? '') === value;
  if (operator === '!=') return (labels) => (labels[name] ?? '') !== value;
  const pattern = new RegExp(`^(?:${value})$`);
  return (labels) => pattern.test(labels[name] ?? '') === (operator === '=~');
}

function all(texts: readonly string[]): Matcher {
  const matchers = texts.map(matcher);
  return (labels) => matchers.every((matches) => matches(labels));
}

function inhibition({ inhibit_rules }: AlertmanagerConfig) {
  const rules = inhibit_rules.map(({ source_matchers, target_matchers, equal }) => ({
    isSource: all(source_matchers),
    isTarget: all(target_matchers),
    equal,
  }));
  return (target: TimedAlert, active: readonly TimedAlert[]): boolean =>
    rules.some(
      ({ isSource, isTarget, equal }) =>
        isTarget(target.labels) &&
        active.some(
          (source) =>
            isSource(source.labels) &&
            equal.every((name) => source.labels[name] === target.labels[name]) &&
            // Alerts on both sides of a rule do not silence one another.
            !(isSource(target.labels) && isTarget(source.labels)),
        ),
    );
}

interface Group {
  readonly route: Route;
  readonly timing: Required<Timing>;
  readonly members: Set<TimedAlert>;
  next: number;
  lastSent: { at: number; firing: Set<TimedAlert>; resolved: Set<TimedAlert> } | undefined;
}

function isSubset<T>(part: readonly T[], whole: ReadonlySet<T> | undefined): boolean {
  return part.every((item) => whole?.has(item) === true);
}

function kindOf(
  { lastSent, timing }: Group,
  firing: readonly TimedAlert[],
  resolved: readonly TimedAlert[],
  now: number,
): Message['kind'] | undefined {
  // With every alert inhibited the pipeline ends before it comes to think of messages.
  if (firing.length + resolved.length === 0) return undefined;
  if (lastSent === undefined) return firing.length > 0 ? 'news' : undefined;
  if (!isSubset(firing, lastSent.firing)) return 'news';
  if (firing.length === 0) return lastSent.firing.size > 0 ? 'over' : undefined;
  if (!isSubset(resolved, lastSent.resolved)) return 'over';
  return now - lastSent.at >= seconds(timing.repeat_interval) ? 'reminder' : undefined;
}

/** Times in whole seconds. Assumes one level of child routes and `send_resolved`. */
export function messagesOf(alerts: readonly TimedAlert[], config: AlertmanagerConfig): Message[] {
  const isInhibited = inhibition(config);
  const groups = new Map<string, Group>();
  const messages: Message[] = [];
  const defaults = { group_by: [], group_wait: '30s', group_interval: '5m', repeat_interval: '4h' };
  const routes = (config.route.routes ?? []).map((route) => ({
    route,
    matches: all(route.matchers ?? []),
  }));

  function arrive(alert: TimedAlert, now: number): void {
    const route = routes.find(({ matches }) => matches(alert.labels))?.route ?? config.route;
    const timing = { ...defaults, ...config.route, ...route };
    const values = timing.group_by.map((name) => alert.labels[name] ?? '');
    const key = `${routes.findIndex((one) => one.route === route)} ${values.join(' ')}`;
    const group = groups.get(key);
    if (group !== undefined) group.members.add(alert);
    else {
      const next = now + seconds(timing.group_wait);
      groups.set(key, { route, timing, members: new Set([alert]), next, lastSent: undefined });
    }
  }

  function flush(key: string, group: Group, now: number): void {
    const active = alerts.filter(({ from, to }) => from <= now && now < to);
    const heard = [...group.members].filter((alert) => !isInhibited(alert, active));
    const firing = heard.filter(({ to }) => now < to);
    const resolved = heard.filter(({ to }) => now >= to);
    const kind = kindOf(group, firing, resolved, now);
    if (kind !== undefined) {
      const names = firing.map(({ labels }) => labels['alertname'] ?? '');
      messages.push({ at: now, receiver: group.route.receiver, kind, alerts: names });
      group.lastSent = { at: now, firing: new Set(firing), resolved: new Set(resolved) };
    }
    group.next = now + seconds(group.timing.group_interval);
    for (const alert of group.members) if (now >= alert.to) group.members.delete(alert);
    if (group.members.size === 0) groups.delete(key);
  }

  const arrivals = [...alerts].sort((a, b) => a.from - b.from);
  const end = Math.max(0, ...alerts.map(({ to }) => to)) + 1800;
  for (let now = arrivals[0]?.from ?? end; now <= end; now += 1) {
    while (arrivals[0] !== undefined && arrivals[0].from <= now) {
      const alert = arrivals.shift();
      if (alert !== undefined) arrive(alert, now);
    }
    for (const [key, group] of groups) if (group.next <= now) flush(key, group, now);
  }
  return messages;
}
