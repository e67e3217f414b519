/** A row: a machine, and what one check of the doctor says of it. */
import type { State } from '../../../exporter/doctor/check.ts';
import type { Told } from '../doctor-machine.ts';

export type Files = Readonly<Record<string, string>>;

export interface Row {
  readonly id: string;
  readonly state: State;
  readonly said: RegExp;
  readonly files?: Files;
  readonly told?: Told;
  /** Seconds ago at which these files were last written. */
  readonly ages?: Readonly<Record<string, number>>;
}

export const uptime = (seconds: number): Files => ({ 'proc/uptime': `${seconds}.00 1.00\n` });

export const told = (config: Readonly<Record<string, string | Error>>, info = '') => ({
  redis: { config, info },
});

export const rdbProcess = { pid: 42, comm: 'redis-server', startTicks: 1 };

export interface ContainerFiles {
  readonly name: string;
  readonly args?: readonly string[];
  readonly image?: string;
  readonly running?: boolean;
  readonly pid?: number;
  readonly test?: readonly string[];
  readonly everySeconds?: number;
  readonly restart?: string;
  readonly pids?: number | null;
}

export function container(c: ContainerFiles): Files {
  const folder = `var/lib/docker/containers/${c.name.padEnd(64, '0')}`;
  const { args = ['redis-server'], image = 'redis:7', running = true } = c;
  return {
    [`${folder}/config.v2.json`]: JSON.stringify({
      Name: `/${c.name}`,
      Path: 'docker-entrypoint.sh',
      Args: args,
      State: { Running: running, Pid: c.pid ?? 1234 },
      Config: {
        Image: image,
        ...(c.test === undefined
          ? {}
          : { Healthcheck: { Test: c.test, Interval: (c.everySeconds ?? 0) * 1e9 } }),
      },
    }),
    [`${folder}/hostconfig.json`]: JSON.stringify({
      RestartPolicy: { Name: c.restart ?? 'unless-stopped', MaximumRetryCount: 0 },
      PidsLimit: c.pids === undefined ? 64 : c.pids,
    }),
  };
}

export const drift = (live: string, file = '/etc/redis.conf'): Told => ({
  redis: { config: { save: live }, info: `config_file:${file}`, process: rdbProcess },
});

export const meminfo = (total: number, available: number, swap: number, free: number): Files => ({
  'proc/meminfo': `MemTotal: ${total} kB\nMemAvailable: ${available} kB\nSwapTotal: ${swap} kB\nSwapFree: ${free} kB\n`,
});
