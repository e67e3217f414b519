/**
 * Why a thread sleeps in D state, from the kernel function it sleeps in. One table serves the
 * wait channel of /proc/PID/wchan and the frames of a hung task's call trace, so both say the
 * same. The first row whose prefix fits decides; for a trace, frames are tried from the top,
 * where the thread sleeps, downwards, and scheduler frames say nothing.
 */

export const reasons = ['host_page_in', 'disk', 'filesystem', 'lock', 'other', 'unknown'] as const;

/**
 * `other`: the kernel named a function that is in no row. `unknown`: the kernel did not name
 * one (wchan reads 0 without CAP_SYS_PTRACE, and on x86 between 4.14 and 5.15).
 */
export type Reason = (typeof reasons)[number];
