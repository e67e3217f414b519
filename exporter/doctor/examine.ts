/** All checks at once, each with an answer in time whatever stands still on this machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../measure/clock.ts';
import { messageOf } from '../measure/errors.ts';
import { containerMarks } from '../procfs/in-container.ts';
import { createPseudoFs, type PseudoFs } from '../procfs/reader.ts';
import { startProblem } from '../procfs/start-check.ts';
import type { RedisAddress } from '../redis/address.ts';
import { askAlertmanager } from './alertmanager.ts';
import { type Check, cannotSee, type Outcome, type Result } from './check.ts';
import { checks as allChecks } from './checks.ts';
import { readContainers } from './containers.ts';
import type { ExporterPlace, ReadText } from '../http/access/way-in.ts';
import { askExporter } from './exporter.ts';
import { type Disks, type Files, openDisks } from './files.ts';
import type { Machine } from './machine.ts';
import { askRedis } from './redis.ts';

export interface ExamineOptions {
  readonly clock: Clock;
  /** Where the disks of the machine are mounted: `/`, or `/host` in a container. */
  readonly root: string;
  readonly procfs: string;
  readonly sysfs: string;
  readonly kmsg: string;
  readonly redis: RedisAddress;
  readonly exporter: ExporterPlace;
  readonly alertmanager: URL | undefined;
  readonly checks?: readonly Check[];
  /** Told, at the end, which files hold a thread of this process. */
  readonly onStuck?: (paths: readonly string[]) => void;
}

/** Of all checks together. What has not answered by then cannot be seen. */
const deadlineSeconds = 1.9;
/** Before it: whether /proc and /sys answer, which are read synchronously then, and whose files these are. */
const pseudoSeconds = 0.8;

/** A source that is asked once, when somebody wants it, and whose failure is heard by who asked. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => (asked ??= ask());
}

/** In the place of files that would stop this process without a word. */
function unreadable(root: string, problem: string): PseudoFs {
  const refuse = () => {
    throw new Error(problem);
  };
  return {
    root,
    read: refuse,
    list: refuse,
    file: () => ({ read: refuse, close: () => undefined }),
  };
}

/** Of the file system the exporter's own settings speak of, which is ours. */
const ownText =
  (disks: Disks): ReadText =>
  async (path) => {
    const text = await disks.files('settings', '/').text(path);
    if (text === undefined) throw new Error('it is not there');
    return text;
  };

/** Docker and Podman give a container files of its own: what is missing among them is not missing on the machine. */
async function whoseFiles(disks: Disks): Promise<string | undefined> {
  for (const path of containerMarks) {
    // What stands still is told by the check that wants it.
    const facts = await disks
      .files('settings')
      .facts(path)
      .catch(() => undefined);
    if (facts === undefined) continue;
    return 'this is a container, with files of its own: mount those of the machine and name them by --root (docs/doctor.md)';
  }
  return undefined;
}

function unread(problem: string): Files {
  const refuse = async () => Promise.reject(new Error(problem));
  return { text: refuse, names: refuse, facts: refuse };
}

async function machineOf(options: ExamineOptions, disks: Disks): Promise<Machine> {
  const { clock, redis, exporter, alertmanager } = options;
  const [problem, foreign] = await Promise.all([
    startProblem(options, { seconds: pseudoSeconds }),
    Promise.race([whoseFiles(disks), sleep(pseudoSeconds * 1000, undefined, { ref: false })]),
  ]);
  const files: Machine['files'] = (lane, below) =>
    foreign === undefined || below !== undefined ? disks.files(lane, below) : unread(foreign);
  const open = (path: string) =>
    problem === undefined ? createPseudoFs(path) : unreadable(path, problem.text);
  const procfs = open(options.procfs);
  return {
    procfs,
    sysfs: open(options.sysfs),
    kmsg: options.kmsg,
    now: clock.wall(),
    files,
    redis: once(() => askRedis(redis, { procfs, clock })),
    exporter: once(() => askExporter(exporter, ownText(disks))),
    alertmanager: once(async () =>
      alertmanager === undefined ? undefined : askAlertmanager(alertmanager),
    ),
    containers: once(() => readContainers(files('containers'))),
  };
}

async function outcomeOf(check: Check, machine: Machine, late: Promise<Outcome>): Promise<Outcome> {
  const answered = async () => check.check(machine);
  try {
    return await Promise.race([answered(), late]);
  } catch (error) {
    return cannotSee(messageOf(error));
  }
}

/** Files and servers have a say in it. */
const longestReason = 1000;

function resultOf({ id, title, why, question }: Check, outcome: Outcome): Result {
  const { state, mend = [] } = outcome;
  const reason = outcome.reason.slice(0, longestReason);
  return { id, title, why, state, reason, question: question === true, mend };
}

/** What the checks say of this machine, in their order. */
export async function resultsOf(
  checks: readonly Check[],
  machine: Machine,
): Promise<readonly Result[]> {
  const abort = new AbortController();
  const late = sleep(deadlineSeconds * 1000, undefined, { signal: abort.signal }).then(() =>
    cannotSee(`no answer within ${deadlineSeconds} s`),
  );
  late.catch(() => undefined);
  const results = await Promise.all(
    checks.map(async (check) => resultOf(check, await outcomeOf(check, machine, late))),
  );
  abort.abort();
  return results;
}

/** Every check, in the order of what would have shortened a freeze most. Never rejects. */
export async function examine(options: ExamineOptions): Promise<readonly Result[]> {
  const { checks = allChecks, onStuck } = options;
  const disks = openDisks(options.root);
  const results = await resultsOf(checks, await machineOf(options, disks));
  onStuck?.(disks.stuck());
  return results;
}
