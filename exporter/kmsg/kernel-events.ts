/** Other lines by which the kernel shows that it did not get the CPU or memory it needed. */

export const kernelEvents = [
  'soft_lockup',
  'hard_lockup',
  'workqueue_lockup',
  'rcu_stall',
  'clocksource_unstable',
  'oom_kill',
] as const;
export type KernelEvent = (typeof kernelEvents)[number];

/** What a line says beyond its event, where that makes another sentence. */
export type KernelEventKind =
  | 'soft_lockup'
  | 'hard_lockup'
  | 'workqueue_lockup'
  | 'rcu_stall'
  | 'rcu_tasks_stall'
  | 'clock_skew'
  | 'clock_slow_read'
  | OomScope;

/** Whose memory ran out: the machine's, a control group's, that of some of its nodes; or not told. */
type OomScope = 'oom_machine' | 'oom_cgroup' | 'oom_nodes' | 'oom_somewhere';

export interface KernelEventLine {
  readonly event: KernelEvent;
  readonly kind: KernelEventKind;
}

type Pattern = readonly [RegExp, KernelEvent, KernelEventKind];

/** With `NMI watchdog: ` in front on later 3.x up to 4.11, `watchdog: ` since; PowerPC has its own. */
const watchdog = String.raw`^(?:NMI watchdog: |watchdog: )?`;

const patterns: readonly Pattern[] = [
  // `BUG: soft lockup - CPU#1 stuck for 23s! [comm:pid]`. Repeated about every 20 s while it lasts.
  [
    new RegExp(String.raw`${watchdog}BUG: soft lockup - CPU#\d+ stuck for \d+s!`),
    'soft_lockup',
    'soft_lockup',
  ],
  // By the performance counter's NMI and, since 6.5, by a neighbouring CPU, in VMs too:
  // `watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 4`. PowerPC: `CPU 4 self-detected hard
  // LOCKUP @ ...`, `CPU 1 detected hard LOCKUP on other CPUs 2,3`; `CPU 2 Hard LOCKUP` follows it.
  [
    new RegExp(
      String.raw`${watchdog}(?:CPU ?\d+:? )?(?:Watchdog detected hard LOCKUP on cpu|self-detected hard LOCKUP|detected hard LOCKUP on other CPUs)`,
    ),
    'hard_lockup',
    'hard_lockup',
  ],
  // Since 4.5. The rest of the line may come as records of their own. Repeated every 30 s.
  [/^(?:workqueue: )?BUG: workqueue lockup - pool/, 'workqueue_lockup', 'workqueue_lockup'],
  // RCU-tasks waits ten minutes for a thread to give up the CPU by itself; every CPU answers.
  [/^(?:rcu: )?INFO: rcu_tasks\w* detected stalls on tasks/, 'rcu_stall', 'rcu_tasks_stall'],
  // `rcu: ` in front on newer kernels; `detected stall on CPU 0` on 3.0; `RCU detected CPU 0
  // stall` on 2.6.32; without `detected` on kernels for one CPU.
  [
    /^(?:rcu: )?INFO: (?:rcu\w* (?:self-detected stall on CPU|(?:detected (?:expedited )?)?stalls? on )|RCU detected CPU \d+ stall)/,
    'rcu_stall',
    'rcu_stall',
  ],
  // On 3.x `Clocksource tsc unstable (delta = -112988173 ns)`; since 3.19 `Marking clocksource
  // 'tsc' as unstable because the skew is too large`, `clocksource: ` in front since 4.1, `on
  // CPU2` since 4.11.
  [/^Clocksource \S+ unstable \(delta = /, 'clocksource_unstable', 'clock_skew'],
  [
    /^(?:clocksource: )?timekeeping watchdog\b.*: Marking clocksource .* as unstable/,
    'clocksource_unstable',
    'clock_skew',
  ],
  // 5.13 to 5.16 `hpet read-back delay of 525200ns, attempt 4, marking unstable`; then
  // `wd-tsc-wd excessive read-back delay of ..., attempt 3, marking tsc unstable`.
  [
    /^clocksource: timekeeping watchdog\b.* read-back delay of .*, marking (?:\S+ )?unstable/,
    'clocksource_unstable',
    'clock_slow_read',
  ],
  // 7.x: `due to frequency skew`, `due to inter CPU skew`.
  [/^clocksource: Marking clocksource \S+ (?:as )?unstable/, 'clocksource_unstable', 'clock_skew'],
  // The line of the kill itself, printed once a victim: `Killed process 123 (name)` up to 5.0,
  // since 5.1 with whose memory it was in front. The line `Out of memory: Kill process 123 (name)
  // score ...` before it only announces it.
  [/^Memory cgroup out of memory[^:]*: Killed process \d+/, 'oom_kill', 'oom_cgroup'],
  [/^Out of memory[^:]*: Killed process \d+/, 'oom_kill', 'oom_machine'],
  [/^Killed process \d+/, 'oom_kill', 'oom_somewhere'],
];

/** What one line says by itself. */
export function kernelEventOf(text: string): KernelEventLine | undefined {
  const found = patterns.find(([pattern]) => pattern.test(text));
  return found === undefined ? undefined : { event: found[1], kind: found[2] };
}

/** Lines before a kill that say whose memory ran out. */
const announcements: readonly (readonly [RegExp, OomScope])[] = [
  // Since 4.20: `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=...`.
  [/^oom-kill:constraint=CONSTRAINT_MEMCG\b/, 'oom_cgroup'],
  [/^oom-kill:constraint=CONSTRAINT_(?:CPUSET|MEMORY_POLICY)\b/, 'oom_nodes'],
  [/^oom-kill:constraint=CONSTRAINT_NONE\b/, 'oom_machine'],
  // Up to 5.0, and up to 4.19 `Task in /docker/3f2a killed as a result of limit of /docker`.
  [/^Memory cgroup out of memory[^:]*: Kill process \d+/, 'oom_cgroup'],
  [/^Task in .* killed as a result of limit of /s, 'oom_cgroup'],
  [/^Out of memory[^:]*: Kill process \d+/, 'oom_machine'],
];

/** An announcement and its kill come at once; older ones are of a kill that never came. */
const announcedMicroseconds = 10e6;

/** Reads line after line: an older kernel says whose memory ran out in a line before the kill. */
export function createKernelEventReader(): (
  text: string,
  microseconds: number,
) => KernelEventLine | undefined {
  let announced: { readonly scope: OomScope; readonly at: number } | undefined;

  function announce(scope: OomScope, text: string, at: number): void {
    // `Out of memory: Kill process` follows every constraint but that of a control group.
    if (text.startsWith('Out of') && scopeAt(at) === 'oom_nodes') return;
    announced = { scope, at };
  }

  function scopeAt(at: number): OomScope | undefined {
    return announced !== undefined && at - announced.at <= announcedMicroseconds
      ? announced.scope
      : undefined;
  }

  function kindOf(kind: KernelEventKind, at: number): KernelEventKind {
    const scope = scopeAt(at);
    if (kind === 'oom_somewhere') return scope ?? kind;
    return kind === 'oom_machine' && scope === 'oom_nodes' ? scope : kind;
  }

  return (text, microseconds) => {
    const line = kernelEventOf(text);
    if (line !== undefined) return { ...line, kind: kindOf(line.kind, microseconds) };
    const scope = announcements.find(([pattern]) => pattern.test(text))?.[1];
    if (scope !== undefined) announce(scope, text, microseconds);
    return undefined;
  };
}
