/** Rows of what is kept over a reboot. */
import { type Files, type Row } from './row.ts';

const id = '0123456789abcdef0123456789abcdef';

const journalAt = (name: string) => `var/log/journal/${id}/${name}`;

const machineId: Files = { 'etc/machine-id': `${id}\n` };

export const proofRows: readonly Row[] = [
  {
    id: 'journal',
    state: 'pass',
    said: /var\/log\/journal/,
    files: { ...machineId, [journalAt('system.journal')]: 'x' },
  },
  {
    id: 'journal',
    state: 'pass',
    said: /but \/var\/log\/kern\.log/,
    files: { ...machineId, 'var/log/kern.log': 'x' },
  },
  {
    id: 'journal',
    state: 'warn',
    said: /not been written to for 2 h/,
    files: { ...machineId, [journalAt('system.journal')]: 'x' },
    ages: { [journalAt('system.journal')]: 7200 },
  },
  {
    id: 'journal',
    state: 'fail',
    said: /kern\.log was last written to 365 d ago/,
    files: { ...machineId, 'var/log/kern.log': 'x' },
    ages: { 'var/log/kern.log': 365 * 86_400 },
  },
  {
    id: 'journal',
    state: 'cannot_see',
    said: /is dated 10 d ahead: the clock was set back/,
    files: { ...machineId, [journalAt('system.journal')]: 'x' },
    ages: { [journalAt('system.journal')]: -10 * 86_400 },
  },
  {
    id: 'journal',
    state: 'cannot_see',
    said: /^\/var\/log\/syslog is dated .* ahead/,
    files: { ...machineId, 'var/log/syslog': 'x' },
    ages: { 'var/log/syslog': -86_400 - 60 },
  },
  {
    id: 'sysstat',
    state: 'cannot_see',
    said: /its last sample is dated 10 d ahead/,
    files: { 'var/log/sysstat/sa30': 'x' },
    ages: { 'var/log/sysstat/sa30': -10 * 86_400 },
  },
  {
    id: 'journal',
    state: 'fail',
    said: /in memory only/,
    files: { ...machineId, [`run/log/journal/${id}/system.journal`]: 'x' },
  },
  {
    id: 'journal',
    state: 'fail',
    said: /neither a journal nor/,
    files: { ...machineId, 'var/log/kern.log': '' },
  },
  {
    id: 'journal',
    state: 'cannot_see',
    said: /larger than 1 MiB/,
    files: { 'etc/machine-id': 'x'.repeat(2e6) },
  },

  {
    id: 'journal-depth',
    state: 'pass',
    said: /^9 d of it$/,
    files: {
      ...machineId,
      [journalAt('system.journal')]: 'x',
      [journalAt('system@a.journal')]: 'x',
    },
    ages: { [journalAt('system@a.journal')]: 9 * 86_400 },
  },
  {
    id: 'journal-depth',
    state: 'pass',
    said: /the machine is not older/,
    files: { ...machineId, [journalAt('system.journal')]: 'x' },
  },
  {
    id: 'journal-depth',
    state: 'pass',
    said: /nothing was dropped yet/,
    files: { ...machineId, [journalAt('system.journal')]: 'x' },
    ages: { 'etc/machine-id': 90 * 86_400 },
  },
  {
    // By the name of the file: its first record is older than what the file system says of it.
    id: 'journal-depth',
    state: 'pass',
    said: /^30 d of it$/,
    told: { now: 1_772_000_000 },
    files: {
      ...machineId,
      [journalAt('system.journal')]: 'x',
      [journalAt(`system@${'0'.repeat(32)}-${'1'.repeat(16)}-00064944674d8000.journal`)]: 'x',
    },
  },
  {
    id: 'journal-depth',
    state: 'warn',
    said: /^only 2 d of it$/,
    files: {
      ...machineId,
      [journalAt('system.journal')]: 'x',
      [journalAt('system@a.journal')]: 'x',
    },
    ages: { 'etc/machine-id': 90 * 86_400, [journalAt('system@a.journal')]: 2 * 86_400 },
  },
  { id: 'journal-depth', state: 'cannot_see', said: /no journal on disk/ },

  {
    id: 'sysstat',
    state: 'pass',
    said: /last sample is 5 min old/,
    files: { 'var/log/sysstat/sa30': 'x' },
    ages: { 'var/log/sysstat/sa30': 300 },
  },
  {
    id: 'sysstat',
    state: 'pass',
    said: /last sample is 2\.5 min old|150 s|3 min old/,
    files: { 'var/log/sa/sa20261130': 'x' },
    ages: { 'var/log/sa/sa20261130': 170 },
  },
  {
    id: 'sysstat',
    state: 'warn',
    said: /last sample is 5 h old/,
    files: { 'var/log/sysstat/sa30': 'x', 'var/log/sysstat/sar30': 'text' },
    ages: { 'var/log/sysstat/sa30': 18_000 },
  },
  {
    id: 'sysstat',
    state: 'warn',
    said: /switched off/,
    files: { 'etc/default/sysstat': 'ENABLED="false"\n' },
  },
  {
    id: 'sysstat',
    state: 'warn',
    said: /no file yet/,
    files: { 'etc/default/sysstat': 'ENABLED="true"\n' },
  },
  { id: 'sysstat', state: 'warn', said: /not installed/ },

  {
    id: 'sysstat-interrupts',
    state: 'pass',
    said: /DISK,INT/,
    files: { 'etc/sysstat/sysstat': 'SADC_OPTIONS="-S DISK,INT"\n' },
  },
  {
    id: 'sysstat-interrupts',
    state: 'pass',
    said: /XALL/,
    files: { 'etc/sysconfig/sysstat': 'SADC_OPTIONS="-S XALL"\n' },
  },
  {
    id: 'sysstat-interrupts',
    state: 'warn',
    said: /"-S DISK"/,
    files: { 'etc/sysstat/sysstat': '# INT\nSADC_OPTIONS="-S DISK"\n' },
  },
  {
    id: 'sysstat-interrupts',
    state: 'warn',
    said: /in \/etc\/sysconfig\/sysstat/,
    files: { 'etc/sysconfig/sysstat': 'SADC_OPTIONS="-S PRINT"\n' },
  },
  { id: 'sysstat-interrupts', state: 'cannot_see', said: /not installed/ },
];
