/** Other lines by which the kernel shows that it did not get the CPU or memory it needed. */

export const kernelEvents = [
  'soft_lockup',
  'rcu_stall',
  'clocksource_unstable',
  'oom_kill',
] as const;
export type KernelEvent = (typeof kernelEvents)[number];

const patterns: readonly (readonly [RegExp, KernelEvent])[] = [
  // `BUG: soft lockup - CPU#1 stuck for 23s! [comm:pid]`, with `NMI watchdog: ` in front on later
  // 3.x up to 4.11, `watchdog: ` since. Repeated about every 20 s while it lasts.
  [/^(?:NMI watchdog: |watchdog: )?BUG: soft lockup - CPU#\d+ stuck for \d+s!/, 'soft_lockup'],
  // `rcu: ` in front on newer kernels; `detected stall on CPU 0` on 3.0; `stalls on tasks` is
  // RCU-tasks.
  [
    /^(?:rcu: )?INFO: rcu\w* (?:self-detected stall on CPU|detected (?:expedited )?stalls? on )/,
    'rcu_stall',
  ],
  // On 3.x `Clocksource tsc unstable (delta = -112988173 ns)`.
  [
    /^clocksource: timekeeping watchdog.*Marking clocksource .* as unstable/,
    'clocksource_unstable',
  ],
  [/^Clocksource \S+ unstable \(delta = /, 'clocksource_unstable'],
  // The line of the kill itself, printed once a victim: `Killed process 123 (name)` up to 5.0,
  // with `Out of memory: ` or `Memory cgroup out of memory: ` in front since 5.1. The line
  // `Out of memory: Kill process 123 (name) score ...` before it only announces it.
  [/^(?:(?:Memory cgroup o|O)ut of memory[^:]*: )?Killed process \d+/, 'oom_kill'],
];

export function kernelEventOf(text: string): KernelEvent | undefined {
  return patterns.find(([pattern]) => pattern.test(text))?.[1];
}
