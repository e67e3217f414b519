/**
 * Lines of programs that a report needs, known by their shape. What is said of one is ours: names
 * of people, addresses and the text itself stay where they are.
 */
import type { SystemEventKind } from '../facts/facts.ts';

interface Shape {
  readonly kind: SystemEventKind;
  /** Who writes it; undefined for anybody. */
  readonly tag?: RegExp;
  readonly pattern: RegExp;
  readonly said: string;
}

const shapes: readonly Shape[] = [
  {
    kind: 'login',
    tag: /^sshd/,
    pattern: /^Accepted [\w/-]+ for /,
    said: 'somebody logged in by ssh',
  },
  {
    kind: 'login',
    tag: /^login$/,
    pattern: /^(?:ROOT )?LOGIN ON |session opened for user/,
    said: 'somebody logged in at the console',
  },
  {
    kind: 'shutdown_began',
    tag: /^systemd-logind$/,
    pattern:
      /^(?:System is (?:powering down|rebooting|halting)|The system will (?:reboot|power off|halt)|Power key pressed)/,
    said: 'a shutdown or a reboot was asked for',
  },
  {
    kind: 'shutdown_began',
    tag: /^systemd$/,
    pattern: /^(?:Shutting down\.|Reached target .*(?:Shutdown|Power.?Off|Reboot))/i,
    said: 'the system shut down',
  },
  {
    kind: 'shutdown_began',
    tag: /^qemu-ga$/,
    pattern: /guest-shutdown called/,
    said: "the provider's agent asked for a shutdown",
  },
  {
    kind: 'container_stop_failed',
    tag: /^(?:dockerd|docker|containerd|podman|conmon|kubelet|crio)$/,
    pattern:
      /[Cc]ontainer (?:\S+ )?failed to exit within |did not receive an exit event|[Ff]ailed to (?:stop|kill) container|[Ee]rror (?:stopping|killing) container|stop container .*(?:timed out|deadline exceeded)/,
    said: 'stopping a container did not work',
  },
  {
    kind: 'unit_stop_failed',
    tag: /^systemd$/,
    pattern:
      /(?:State '(?:stop|final)-\S+' timed out|Processes still around after (?:final )?SIGKILL|(?:stop|stopping|final)\S* timed out\. Killing|still around after SIGKILL)/i,
    said: 'stopping a service did not work',
  },
  {
    kind: 'journal_recovered',
    tag: /^systemd-journald?$/,
    pattern: /corrupted or uncleanly shut down, renaming and replacing/,
    said: 'the journal was found not closed: an unclean stop came before',
  },
  {
    kind: 'guest_agent_froze',
    tag: /^(?:qemu-ga|qemu-guest-agent|vmsvc|VMTools|vmtoolsd)$/,
    pattern: /guest-fsfreeze(?:-freeze\S*)? called|fsfreeze.*\bfreeze\b|freezing file ?systems?/i,
    said: "the provider's agent froze the file systems, as a backup does",
  },
  {
    kind: 'guest_agent_thawed',
    tag: /^(?:qemu-ga|qemu-guest-agent|vmsvc|VMTools|vmtoolsd)$/,
    pattern: /guest-fsfreeze-thaw|fsfreeze.*\bthaw|thawing file ?systems?/i,
    said: "the provider's agent thawed the file systems",
  },
  {
    kind: 'connection_failed',
    pattern:
      /dial tcp \S+: |context deadline exceeded|\bi\/o timeout\b|redis: connection pool|\bETIMEDOUT\b|\bECONNREFUSED\b|Connection timed out|Error connecting to redis|Timeout reading from socket/i,
    said: 'programs could not reach a server',
  },
];

export interface SystemLine {
  readonly kind: SystemEventKind;
  readonly said: string;
}

/** Undefined for all other lines. */
export function systemShape(tag: string, text: string): SystemLine | undefined {
  return shapes.find((shape) => shape.tag?.test(tag) !== false && shape.pattern.test(text));
}

/** All of them, for a search that is not ours: it may find too much, never too little. */
export const anySystemShape: string = shapes
  .map(({ pattern }) => `(?:${pattern.source})`)
  .join('|');
