/** docker-compose.yml as Compose reads it: anchors merged, variables filled in. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface HealthCheck {
  readonly test?: readonly string[];
  readonly start_period?: string;
  readonly start_interval?: string;
  readonly interval?: string;
  readonly timeout?: string;
  readonly retries?: number;
}

export interface Service {
  readonly image?: string;
  readonly build?: Readonly<Record<string, string>>;
  readonly profiles?: readonly string[];
  readonly restart?: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly pid?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: unknown;
  readonly security_opt?: readonly string[];
  readonly healthcheck?: HealthCheck;
  /** Whatever else is promised of a service is compared as it stands. */
  readonly [key: string]: unknown;
}

export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const path = 'docker-compose.yml';

/** Anchors merged, variables as they stand. */
export function composeFile(file = path): ComposeFile {
  return parse(readFileSync(file, 'utf8'), { merge: true, logLevel: 'error' }) as ComposeFile;
}

export interface Variable {
  readonly name: string;
  /** What it is when it is not set; none where Compose refuses to go on. */
  readonly fallback: string | undefined;
}

const variable = /(?<!\$)\$\{([A-Z_]+)(?:(:-|\??[^}:]?)([^}]*))?\}/g;

/** Every variable that a text asks for. */
export function variablesIn(text: string): Variable[] {
  return [...text.matchAll(variable)].map(([, name = '', operator, fallback = '']) => ({
    name,
    fallback: operator === ':-' ? fallback : undefined,
  }));
}

/** The file as Compose would have it with these variables and no others. */
export function filledIn(environment: Readonly<Record<string, string>>, file = path): ComposeFile {
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') {
      return value
        .replaceAll(variable, (_, name: string, operator: string, fallback = '') =>
          operator === ':-' ? environment[name] || fallback : (environment[name] ?? ''),
        )
        .replaceAll('$$', '$');
    }
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fill(one)]));
  };
  return fill(composeFile(file)) as ComposeFile;
}

/** Docker's client with its plugin, or the plugin alone; needs no engine. */
function composeProgram(): readonly [string, ...string[]] | undefined {
  const programs = [['docker', 'compose'], ['docker-compose']] as const;
  return programs.find(([program, ...args]) => {
    const { status, stdout } = spawnSync(program, [...args, 'version', '--short'], {
      encoding: 'utf8',
    });
    return status === 0 && /^v?([2-9]|\d\d)\./.test(stdout);
  });
}

/** Also the plugin of one user: below HOME, or where Docker's own variable says. */
const whereItIs = () =>
  Object.fromEntries(
    ['PATH', 'HOME', 'DOCKER_CONFIG'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** As `docker compose config` has these files with these variables and no others; undefined where there is no Compose. */
export function readByDocker(
  files: readonly string[],
  profile: string,
  environment: Readonly<Record<string, string>>,
): ComposeFile | undefined {
  const program = composeProgram();
  if (program === undefined) return undefined;
  const [name, ...before] = program;
  const chosen = files.flatMap((file) => ['-f', file]);
  const { status, stdout, stderr } = spawnSync(
    name,
    // The variables of whoever has a .env here are not these.
    [
      ...before,
      '--env-file',
      '/dev/null',
      ...chosen,
      '--profile',
      profile,
      'config',
      '--format',
      'json',
    ],
    { encoding: 'utf8', env: { ...whereItIs(), ...environment } },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as ComposeFile;
}
