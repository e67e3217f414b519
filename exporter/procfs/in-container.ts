/** Whether this process is in a container of Docker or Podman, whose network and files are its own. */
import { existsSync } from 'node:fs';

/** Of the files that runtimes put into a container. */
export const containerMarks = ['/.dockerenv', '/run/.containerenv'] as const;

export const inContainer = (): boolean => containerMarks.some((path) => existsSync(path));
