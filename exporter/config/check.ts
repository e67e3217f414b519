/** `--check-config`: what would be done, a line each, and no secret in any. */
import { existsSync, statSync } from 'node:fs';
import type { WebConfig } from '../http/access/config.ts';
import { pemProblems } from './pem.ts';
import type { Config } from './read.ts';
import { settings } from './settings.ts';
import type { TargetSetting } from './values.ts';

/** What is behind the host of a URL may be a token. */
const originOf = ({ protocol, host }: URL): string => `${protocol}//${host}`;

function list<T extends { readonly name: string }>(
  entries: readonly T[],
  where: (entry: T) => string,
): string {
  return entries.map((entry) => `${entry.name} (${where(entry)})`).join(', ');
}

const addressOf = ({ address }: TargetSetting): string =>
  'display' in address ? address.display : originOf(address);

function access({ listen }: Config, web: WebConfig | undefined): string {
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  const { tls, users, tokens = [] } = web ?? {};
  const credentials = (users?.size ?? 0) + tokens.length;
  return [
    `serves ${tls === undefined ? 'http' : 'https'}://${host}:${listen.port}`,
    tls?.clientCertificate === true ? 'to who shows a certificate' : undefined,
    credentials > 0
      ? `to ${users?.size ?? 0} users and ${tokens.length} tokens`
      : tls?.clientCertificate === true
        ? undefined
        : 'to everybody who reaches it',
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}

function redisLine({ redis }: Config): string {
  if (redis.absent === 'unset') return 'watches no Redis: nobody has said which';
  return redis.absent === 'none' ? 'watches no Redis' : `watches ${redis.display}`;
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const foldersMissing = ({ procfs, sysfs, kmsg, agents, named }: Config): readonly string[] =>
  [
    !existsSync(`${procfs}/stat`) &&
      `${named('procfs')}: expected the proc file system of a host, ${procfs} has no stat`,
    !isDirectory(sysfs) &&
      `${named('sysfs')}: expected the sys file system of a host, ${sysfs} is no directory`,
    // Whoever names no other has none on this machine, which is told as a signal that is missing.
    kmsg !== settings.kmsg.fallback &&
      !existsSync(kmsg) &&
      `${named('kmsg')}: expected the kernel log, ${kmsg} is not there`,
    agents !== undefined &&
      !isDirectory(agents) &&
      `${named('agents')}: expected the folder of the lists of agents, ${agents} is no directory`,
  ].filter((problem) => problem !== false);

function credentialsMissing(config: Config): readonly string[] {
  const { redisTlsCaFile, redisTlsCertFile, redisTlsKeyFile, agentCaFile, named } = config;
  // One that is not there is borne with: the public ones are trusted then.
  const agentCa = agentCaFile !== undefined && existsSync(agentCaFile) ? agentCaFile : undefined;
  return (
    [
      ['redisTlsCaFile', redisTlsCaFile, 'certificates'],
      ['redisTlsCertFile', redisTlsCertFile, 'certificates'],
      ['redisTlsKeyFile', redisTlsKeyFile, 'a private key'],
      ['agentCaFile', agentCa, 'certificates'],
    ] as const
  ).flatMap(([key, path, content]) =>
    path === undefined ? [] : pemProblems(named(key), path, content),
  );
}

/** What a start would bear with, and its page would tell: no reason to find the settings right. */
export const whatIsMissing = (config: Config): readonly string[] => [
  ...foldersMissing(config),
  ...credentialsMissing(config),
];

/** What is off by default, and on. */
function extras(config: Config): string[] {
  const { apps, targets, canary, without, heartbeatUrl, evidenceDir, agents } = config;
  const lines = [
    apps.length > 0 && `asks ${list(apps, ({ url }) => originOf(url))}`,
    targets.length > 0 && `answers /probe for ${list(targets, addressOf)}`,
    heartbeatUrl !== undefined && `beats to ${originOf(heartbeatUrl)} every 15 s`,
    evidenceDir !== undefined && `keeps evidence of the agents in ${agents} in ${evidenceDir}`,
    canary > 0 && `keeps a canary of ${canary} MiB`,
    without.length > 0 && `leaves out ${without.join(', ')}`,
  ];
  return lines.filter((line) => line !== false);
}

export function whatWouldBeDone(config: Config, web: WebConfig | undefined): readonly string[] {
  return [
    access(config, web),
    redisLine(config),
    `reads this machine at ${config.procfs}`,
    ...extras(config),
  ];
}
