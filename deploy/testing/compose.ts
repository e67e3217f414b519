/** docker-compose.yml as Compose reads it: anchors merged, variables filled in. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface HealthCheck {
  readonly test?: readonly string[];
  readonly start_period: string;
  readonly start_interval: string;
  readonly interval: string;
  readonly timeout: string;
  readonly retries: number;
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
  readonly devices?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: Readonly<Record<string, { readonly aliases: readonly string[] }>>;
  readonly extra_hosts?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly network_mode?: string;
  readonly mem_limit?: string;
  readonly memswap_limit?: string;
  readonly oom_score_adj?: string;
  readonly cpu_shares?: number;
  readonly pids_limit?: number;
  readonly logging?: {
    readonly driver: string;
    readonly options: Readonly<Record<string, string>>;
  };
  readonly healthcheck?: HealthCheck;
}

export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const path = 'docker-compose.yml';

export function composeFile(): ComposeFile {
  return parse(readFileSync(path, 'utf8'), { merge: true }) as ComposeFile;
}
