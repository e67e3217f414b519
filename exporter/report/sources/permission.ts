/** Places that whoever runs the report may not look into: what is there is not missing, but unseen. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../measure/errors.ts';
import type { Missing } from '../facts/facts.ts';

export const places = {
  redis: [
    'var/log/redis',
    'var/log/valkey',
    'var/log/keydb',
    'var/lib/docker/containers',
    'var/lib/containers/storage/overlay-containers',
  ],
  sysstat: ['var/log/sysstat', 'var/log/sa'],
  kernel: ['var/log'],
  journal: ['var/log/journal'],
} as const;

type Access = (path: string, mode: number) => void;

function isRefused(path: string, access: Access): boolean {
  try {
    access(path, constants.R_OK | constants.X_OK);
    return false;
  } catch (error) {
    return codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM';
  }
}

/** One for each folder that may not be looked into. */
export function refusedIn(
  root: string,
  folders: readonly string[],
  access: Access = accessSync,
): Missing[] {
  return folders
    .map((folder) => join(root, folder))
    .filter((path) => isRefused(path, access))
    .map((path) => ({
      what: `what ${path} holds`,
      why: 'there is no permission to look into it',
      command: 'sudo stealwatch report',
    }));
}
