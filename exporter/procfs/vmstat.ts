/** Parser of /proc/vmstat (mm/vmstat.c): `pgmajfault 1234`, one name and number a line. */
import { rowReader } from './rows.ts';

/**
 * The counters asked for, by name. Per-CPU counters may be momentarily below zero there, which
 * the kernel prints as a number near 2^64.
 */
export const parseVmstat = rowReader({
  file: 'vmstat',
  separator: ' ',
  number: /^\s*(\d{1,20})\s*$/,
  unit: 1,
});
