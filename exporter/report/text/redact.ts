/**
 * What is replaced before a document leaves the box: names of hosts, addresses, ids of containers,
 * homes of users, and names of processes that nobody but us knows. One name is one tag in all
 * documents of a run.
 */
import { isRedisProcess } from '../../tasks/redis-names.ts';
import type { Machine } from '../facts/facts.ts';
import { asItIs, type Replace, type ValueKind } from './say.ts';

export interface Replaced {
  readonly tag: string;
  readonly original: string;
}

export interface Redactor {
  readonly replace: Replace;
  /** In order of appearance. */
  readonly replaced: () => readonly Replaced[];
}

/** Threads of servers and of the kernel: names that say nothing of who rents the machine. */
const knownThreads =
  /^(?:bio_(?:close_file|aof|aof_fsync|lazy_free)|io_thd_\d+|jemalloc_bg_thd|systemd(?:-[a-z]+)?|dockerd|containerd(?:-shim)?|runc|sshd|cron|rsyslogd|qemu-ga|prometheus|grafana|node|kthreadd|kworker\/[\w:+.-]+|ksoftirqd\/\d+|kswapd\d+|khugepaged|khungtaskd|kcompactd\d+|rcu_\w+|migration\/\d+|jbd2\/[\w!-]+-\d+|xfsaild\/[\w-]+|loop\d+|md\d+_\w+|kthrotld|kdevtmpfs|kauditd|writeback)$/;

function isKnown(process: string): boolean {
  return isRedisProcess(process) || knownThreads.test(process);
}

interface Pattern {
  readonly kind: string;
  readonly find: RegExp;
}

const v4 = String.raw`(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]*\d)`;
/** Three groups at least, so that 21:03:12 of a time is none; `::` makes one of fewer. */
const v6 = String.raw`(?<![\w:.])(?:(?:[\da-f]{1,4}:){7}[\da-f]{1,4}|(?=[\da-f:]*::)(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4})(?:%[\w.-]+)?(?![\w:])`;

const patterns: readonly Pattern[] = [
  { kind: 'host', find: /(?<=https?:\/\/)[^\s/:?#\]]+/gi },
  { kind: 'ip', find: new RegExp(v4, 'g') },
  { kind: 'ip', find: new RegExp(v6, 'gi') },
  { kind: 'container', find: /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/gi },
  { kind: 'container', find: /(?<![\w-])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12}(?![\w-])/g },
  // All of whose digits may be numerals, or letters: then only the word before it tells.
  { kind: 'container', find: /(?<=\bcontainers? )[0-9a-f]{12}(?![\w-])/g },
  { kind: 'user', find: /(?<=\/home\/)[^/\s]+/g },
  // Directories that are not where every system has them are names that somebody chose.
  {
    kind: 'dir',
    // What follows a `*` is the other half of a sed command.
    find: /(?<![\w.:/*-])\/(?!(?:var\/log|var\/lib\/docker|proc|sys|dev|home|run\/log|etc)\/)(?:[^\s/`]+\/)*[^\s/`]+(?=\/[^\s/`]+)/g,
  },
];

const quoted = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** The whole name, and the part before its first dot. */
function hostPattern(hosts: readonly string[]): Pattern[] {
  const names = hosts
    .flatMap((one) => [one, one.split('.', 1)[0] ?? ''])
    .filter((one) => one !== '');
  if (names.length === 0) return [];
  const any = [...new Set(names)].map(quoted).join('|');
  return [{ kind: 'host', find: new RegExp(String.raw`(?<![\w-])(?:${any})(?![\w-])`, 'gi') }];
}

/** `hosts`: other names that the machine goes by. */
export function redactor({ hostname }: Machine, hosts: readonly string[] = []): Redactor {
  const tags = new Map<string, Replaced>();
  const counts = new Map<string, number>();
  const all = [...hostPattern(hostname === undefined ? hosts : [hostname, ...hosts]), ...patterns];

  function tagOf(kind: string, original: string): string {
    // DNS knows no case; two processes may differ in nothing else.
    const key = `${kind} ${kind === 'proc' ? original : original.toLowerCase()}`;
    const known = tags.get(key);
    if (known !== undefined) return known.tag;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const tag = `${kind}-${count}`;
    tags.set(key, { tag, original });
    return tag;
  }

  function scrubbed(value: string): string {
    return all.reduce(
      (text, { kind, find }) => text.replaceAll(find, (original) => tagOf(kind, original)),
      value,
    );
  }

  function replace(value: string, kind: ValueKind): string {
    if (kind === 'fixed') return value;
    if (kind === 'host') return tagOf('host', value);
    if (kind === 'process') return isKnown(value) ? value : tagOf('proc', value);
    return scrubbed(value);
  }

  return {
    replace,
    replaced: () => [...tags.values()],
  };
}

/** For a copy that stays with the team. */
export const openly: Redactor = { replace: asItIs, replaced: () => [] };
