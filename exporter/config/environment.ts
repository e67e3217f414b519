/**
 * What is wrong with the environment as a whole. A variable of ours that means nothing was meant
 * for something: another Redis is watched, or a port stands open. One that is nearly a setting is
 * refused like an option that is misspelled; one that is near to none is somebody else's, or a newer
 * version's, and is told, because an exporter that is started again must come up.
 */
import { nearest } from './near.ts';
import { pemProblems } from './pem.ts';
import type { Setting, SettingsTable } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'STEALWATCH_';

/** Read by other programs of this project, which may share the file of the unit. */
const ofOthers = [
  'STEALWATCH_ALERTMANAGER_URL',
  'STEALWATCH_DASHBOARDS_PATH',
  'STEALWATCH_EXPORTER_TOKEN',
  'STEALWATCH_EXPORTER_URL',
  'STEALWATCH_PROMETHEUS',
  'STEALWATCH_PROMETHEUS_URL',
  'STEALWATCH_RESCUE_OUT',
  'STEALWATCH_RESCUE_STUCK_AFTER',
  'STEALWATCH_REVISION',
  'STEALWATCH_ROOT',
  'STEALWATCH_TEST_SERVERS',
];

/** Kubernetes and Docker's links write these of a service that is called as we are. */
const isOrchestrators = (name: string, value: string): boolean =>
  /_(?:SERVICE_(?:HOST|PORT)(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)$/.test(name) ||
  (name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(value));

export interface EnvironmentFindings {
  readonly problems: readonly string[];
  /** What is worth a line in the log. */
  readonly remarks: readonly string[];
}

const withFile = ({ variables, secret }: Setting<unknown>): string[] =>
  secret === true ? variables.flatMap((name) => [name, `${name}_FILE`]) : [...variables];

/** Every variable that the table knows. */
const variablesOf = (table: SettingsTable): string[] =>
  Object.values(table)
    .flatMap(withFile)
    .filter((name) => name.startsWith(prefix));

function findingOf(name: string, known: readonly string[]): EnvironmentFindings {
  // What else is in the name of a variable may be what somebody pasted there.
  const shown = /^\w{1,80}$/.test(name) ? name : `${prefix}... (not shown)`;
  const near = nearest(
    name.slice(prefix.length),
    known.map((one) => one.slice(prefix.length)),
  );
  return near === undefined
    ? { problems: [], remarks: [`${shown} is set and means nothing to this version`] }
    : { problems: [`${shown}: no such setting; is ${prefix}${near} meant?`], remarks: [] };
}

/** Variables set to nothing count as not set. */
export function unknownVariables(env: Environment, table: SettingsTable): EnvironmentFindings {
  const known = variablesOf(table);
  const findings = Object.entries(env)
    .filter(
      ([name, value = '']) =>
        name.toUpperCase().startsWith(prefix) &&
        value !== '' &&
        !known.includes(name) &&
        !ofOthers.includes(name) &&
        !isOrchestrators(name, value),
    )
    .map(([name]) => findingOf(name, known));
  return {
    problems: findings.flatMap(({ problems }) => problems),
    remarks: findings.flatMap(({ remarks }) => remarks),
  };
}

/** Node takes a file without a certificate without a word, and then trusts the public ones alone. */
export function trustProblems({ NODE_EXTRA_CA_CERTS: path = '' }: Environment): string[] {
  return path === '' ? [] : pemProblems('NODE_EXTRA_CA_CERTS', path, 'certificates');
}
