/** Rows of the host and its clock. */
import { type Files, type Row, uptime } from './row.ts';

const kvm: Files = {
  'sys/devices/system/clocksource/clocksource0/available_clocksource': 'kvm-clock tsc\n',
  'sys/devices/system/clocksource/clocksource0/current_clocksource': 'kvm-clock\n',
  'proc/cpuinfo': 'flags\t\t: fpu hypervisor lm\n',
};

const metal: Files = { 'proc/cpuinfo': 'flags\t\t: fpu lm\n' };

const hyp = (first: number, second: number): Files => ({
  'proc/interrupts': `           CPU0       CPU1       \nHYP: ${first} ${second}   Hypervisor callback interrupts\n`,
});

export const hostRows: readonly Row[] = [
  {
    id: 'host-pages-out',
    state: 'pass',
    said: /^0 pages in 2 h \(0\/s\)/,
    files: { ...kvm, ...hyp(1, 1), ...uptime(7200) },
  },
  { id: 'host-pages-out', state: 'pass', said: /bare metal/, files: metal },
  {
    id: 'host-pages-out',
    state: 'warn',
    said: /^2000 pages in 2 h \(0\.278\/s\)/,
    files: { ...kvm, ...hyp(1001, 1001), ...uptime(7200) },
  },
  {
    id: 'host-pages-out',
    state: 'fail',
    said: /^90000 pages in 2 h \(12\.5\/s\)/,
    files: { ...kvm, ...hyp(90_001, 1), ...uptime(7200) },
  },
  {
    id: 'host-pages-out',
    state: 'fail',
    said: /^5000 pages in 17 min \(5\/s\)/,
    files: { ...kvm, ...hyp(1, 1), ...uptime(7200) },
    told: {
      now: 10_000,
      exporter: {
        metrics: 'stealwatch_async_page_faults_total 5000\nprocess_start_time_seconds 9000\n',
      },
    },
  },
  {
    id: 'host-pages-out',
    state: 'pass',
    said: /^0 pages in 2 h/,
    files: { ...kvm, ...hyp(1, 1), ...uptime(7200) },
    told: {
      now: 10_000,
      exporter: {
        metrics: 'stealwatch_async_page_faults_total NaN\nprocess_start_time_seconds 9000\n',
      },
    },
  },
  {
    id: 'host-pages-out',
    state: 'cannot_see',
    said: /boot is only 60 s ago/,
    files: { ...kvm, ...hyp(100, 1), ...uptime(60) },
  },
  {
    id: 'host-pages-out',
    state: 'cannot_see',
    said: /does not tell/,
    files: { ...kvm, 'proc/interrupts': '  CPU0\nLOC: 1\n' },
  },
  {
    id: 'host-pages-out',
    state: 'cannot_see',
    said: /unexpected line/,
    files: { ...kvm, 'proc/interrupts': 'nonsense' },
  },

  { id: 'page-ins-visible', state: 'pass', said: /told of each/, files: { ...kvm, ...hyp(1, 1) } },
  { id: 'page-ins-visible', state: 'pass', said: /bare metal/, files: metal },
  {
    id: 'page-ins-visible',
    state: 'pass',
    said: /canary looks/,
    files: { 'proc/cpuinfo': 'flags : hypervisor\n' },
    told: { exporter: { metrics: 'stealwatch_cold_page_outstanding_seconds 0\n' } },
  },
  {
    id: 'page-ins-visible',
    state: 'warn',
    said: /host \(kvm\) does not tell/,
    files: { ...kvm, 'proc/interrupts': '  CPU0\nLOC: 1\n' },
  },
  { id: 'page-ins-visible', state: 'warn', said: /not known which hypervisor/ },
  {
    id: 'page-ins-visible',
    state: 'cannot_see',
    said: /unexpected line/,
    files: { ...kvm, 'proc/interrupts': 'nonsense' },
  },

  {
    id: 'cpu-class',
    state: 'pass',
    said: /dedicated/,
    files: {
      'sys/class/dmi/id/sys_vendor': 'Amazon EC2\n',
      'sys/class/dmi/id/product_name': 'm7i.large\n',
    },
  },
  {
    id: 'cpu-class',
    state: 'warn',
    said: /burstable/,
    files: {
      'sys/class/dmi/id/sys_vendor': 'Amazon EC2\n',
      'sys/class/dmi/id/product_name': 't3.small\n',
    },
  },
  {
    id: 'cpu-class',
    state: 'cannot_see',
    said: /Hetzner vServer does not tell/,
    files: {
      'sys/class/dmi/id/sys_vendor': 'Hetzner\n',
      'sys/class/dmi/id/product_name': 'vServer\n',
    },
  },

  { id: 'clocksource', state: 'pass', said: /^kvm-clock$/, files: kvm },
  {
    id: 'clocksource',
    state: 'warn',
    said: /^hpet/,
    files: { 'sys/devices/system/clocksource/clocksource0/current_clocksource': 'hpet\n' },
  },
  { id: 'clocksource', state: 'cannot_see', said: /does not tell/ },
];
