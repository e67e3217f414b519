/** How a setting of Redis is changed, now and after its next restart. */
import { advice, type Mend, tried } from './check.ts';
import type { RedisFacts } from './redis.ts';

export interface SettingMend {
  /** CONFIG REWRITE writes it down. */
  readonly withFile: Mend;
  /** As in most containers: only the arguments it is started with last. */
  readonly withoutFile: Mend;
}

export function settingMend(name: string, value: number | string): SettingMend {
  const set = tried(`redis-cli CONFIG SET ${name} ${value}`);
  return {
    withFile: [...set, ...tried('redis-cli CONFIG REWRITE')],
    withoutFile: [
      ...set,
      ...advice(
        `and --${name} ${value} among the arguments it is started with, or a restart takes it back`,
      ),
    ],
  };
}

export const bothOf = ({ withFile, withoutFile }: SettingMend): readonly Mend[] => [
  withFile,
  withoutFile,
];

export function hasFile({ info }: RedisFacts): boolean {
  return (info.get('config_file') ?? '') !== '';
}

export function mendFor(redis: RedisFacts, { withFile, withoutFile }: SettingMend): Mend {
  return hasFile(redis) ? withFile : withoutFile;
}
