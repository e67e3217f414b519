/** Pressure stall information as lines: cpu, memory, io in their colours, the worst host. */
import { colors } from './palette.ts';
import { type Line, line } from './panels.ts';
import { here } from './query.ts';

const resources = { cpu: colors.own, memory: colors.memory, io: colors.disk } as const;

export const pressureLines: readonly Line[] = Object.entries(resources).map(([resource, color]) =>
  line(
    `max(rate(stealwatch_pressure_seconds_total{${here},resource="${resource}",kind="some"}[$__rate_interval]))`,
    `waits for ${resource}`,
    { color, dashed: true },
  ),
);
