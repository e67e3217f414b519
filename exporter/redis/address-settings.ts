/** Settings that go with the addresses of Redis: TLS, Sentinel's password, a map of places. */
import { statSync } from 'node:fs';
import {
  type AddressMap,
  parsePlace,
  type RedisAddress,
  type RedisLogin,
  type RedisPlace,
  type RedisTls,
} from './address.ts';

export interface RedisSettings {
  readonly tls: RedisTls;
  /** Of the Sentinels; the one in the URL is Redis's. */
  readonly sentinelLogin: RedisLogin;
  readonly addressMap: AddressMap;
}

const hasSome = (values: object) => Object.values(values).some((value) => value !== undefined);

/** The address with what the settings say of every Redis. */
export function withSettings(address: RedisAddress, settings: RedisSettings): RedisAddress {
  const { tls, sentinelLogin, addressMap } = settings;
  const { username, password } = sentinelLogin;
  const login = {
    ...address.sentinel?.login,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
  return {
    ...address,
    ...(address.sentinel === undefined ? {} : { sentinel: { ...address.sentinel, login } }),
    ...(address.tls && hasSome({ ...tls, names: undefined }) ? { tlsSettings: tls } : {}),
    ...(addressMap.size === 0 ? {} : { addressMap }),
  };
}

/** Where a server is reached that others announce as `place`. */
export function reachable(place: RedisPlace, map: AddressMap | undefined): RedisPlace {
  const to = map?.get(`${place.host}:${place.port}`) ?? map?.get(place.host);
  return to === undefined ? place : { host: to.host, port: to.port ?? place.port };
}

/** `host` or `host:port`: the port is 0 where there is none. */
function sideOf(text: string): { host: string; port: number } {
  const place = parsePlace(text.trim(), 1);
  if (place === undefined) {
    throw new Error('expected ANNOUNCED=REACHABLE,... with host or host:port on each side');
  }
  return { host: place.host, port: /[^:]:\d+$/.test(text.trim()) ? place.port : 0 };
}

export function parseAddressMap(text: string): AddressMap {
  const entries = text.split(/[,\n]/).filter((entry) => entry.trim() !== '');
  return new Map(
    entries.map((entry) => {
      const [from, to, ...more] = entry.split('=');
      const announced = sideOf(from ?? '');
      const { host, port } = sideOf(more.length > 0 ? '' : (to ?? ''));
      const key = announced.port === 0 ? announced.host : `${announced.host}:${announced.port}`;
      return [key, port === 0 ? { host } : { host, port }] as const;
    }),
  );
}

/** A host name, for TLS. */
export function parseServerName(text: string): string | undefined {
  if (text === '') return undefined;
  if (!/^[\p{L}\p{N}._-]{1,253}$/u.test(text)) throw new Error('expected a host name');
  return text;
}

/** A file that is read each time a connection is made: one that cannot be waited for is refused. */
export function parseOptionalFile(text: string): string | undefined {
  if (text === '') return undefined;
  if (!text.startsWith('/')) throw new Error('expected an absolute path');
  const isFile = statSync(text, { throwIfNoEntry: false })?.isFile() ?? false;
  if (!isFile) throw new Error('expected a file that is there');
  return text;
}
