/** The settings that say how to reach Redis: what is wrong with them together, and each address with all of them. */
import { withSettings } from '../redis/address-settings.ts';
import type { Named } from './names.ts';
import type { settings, ValuesOf } from './settings.ts';

type Values = ValuesOf<typeof settings>;

type RedisKey =
  | 'redis'
  | 'redisTlsCaFile'
  | 'redisTlsCertFile'
  | 'redisTlsKeyFile'
  | 'redisTlsServerName'
  | 'redisSentinelUsername'
  | 'redisSentinelPassword'
  | 'redisAddressMap';
type RedisValues = Pick<Values, RedisKey>;
type RedisNamed = Named<RedisKey>;

const namesOfTls = (named: RedisNamed) => ({
  caFile: named('redisTlsCaFile'),
  certFile: named('redisTlsCertFile'),
  keyFile: named('redisTlsKeyFile'),
});

/** What is said of every Redis goes with the address of each. */
function redisSettingsOf(config: RedisValues, named: RedisNamed) {
  const { redisTlsCertFile: certFile, redisTlsKeyFile: keyFile } = config;
  return {
    tls: {
      caFile: config.redisTlsCaFile,
      certFile,
      keyFile,
      serverName: config.redisTlsServerName,
      names: namesOfTls(named),
    },
    sentinelLogin: {
      username: config.redisSentinelUsername,
      password: config.redisSentinelPassword,
    },
    addressMap: config.redisAddressMap,
  };
}

/** What is wrong with settings that are right one by one. */
export function redisProblems(config: RedisValues, named: RedisNamed): string[] {
  const pair = ['redisTlsCertFile', 'redisTlsKeyFile'] as const;
  // One that was given and refused is told already.
  const understood = pair.every((key) => key in config);
  const given = pair.filter((key) => config[key] !== undefined).length;
  return understood && given === 1 ? [`${named(...pair)}: expected both or neither`] : [];
}

/** The Redis to watch, with what else is said of how to reach it. */
export function redisOf(config: RedisValues, named: RedisNamed): Values['redis'] {
  return withSettings(config.redis, redisSettingsOf(config, named));
}

export function withRedisSettings<T extends Values>(config: T, named: RedisNamed): T {
  const { targets } = config;
  const settings = redisSettingsOf(config, named);
  return {
    ...config,
    redis: redisOf(config, named),
    targets: targets.map(({ name, address }) => ({
      name,
      address: 'display' in address ? withSettings(address, settings) : address,
    })),
  };
}
