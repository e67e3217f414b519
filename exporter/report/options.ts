/** The command line of `stealwatch report`: one table, every problem named with what was expected. */
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseHttpUrl } from '../config/values.ts';
import { messageOf } from '../measure/errors.ts';
import type { GatherOptions } from './sources/index.ts';
import type { Redaction } from './documents/all.ts';

export interface ReportOptions extends GatherOptions {
  /** Where the documents go; undefined for a new directory named by the incident. */
  readonly out: string | undefined;
  readonly redaction: Redaction;
  readonly raw: boolean;
  readonly json: boolean;
  readonly force: boolean;
}

export type ReportCommand =
  | { readonly kind: 'run'; readonly options: ReportOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

interface Flag {
  readonly name: string;
  /** None for a switch. */
  readonly placeholder?: string;
  readonly help: string;
  /** Of one variable that may hold it instead: flags show in ps. */
  readonly variable?: string;
  /** May hold a password, so that no message repeats it. */
  readonly secret?: true;
}

const flags: readonly Flag[] = [
  {
    name: 'last-boot',
    help: 'Only the boot before the running one: what was there before the reset.',
  },
  {
    name: 'from',
    placeholder: 'TIME',
    help: 'Only what happened after it: 2026-10-14T21:00Z, or with another zone (+02:00), or "2026-10-14 21:00" in UTC.',
  },
  { name: 'to', placeholder: 'TIME', help: 'Only what happened before it.' },
  { name: 'incident', placeholder: 'ID', help: 'This one of several; a report names the others.' },
  { name: 'journal', placeholder: 'DIR', help: 'A directory of journal files, or one of them.' },
  {
    name: 'kern-log',
    placeholder: 'FILE',
    help: 'A kernel log as text: kern.log, messages, saved dmesg. May be repeated.',
  },
  {
    name: 'sysstat',
    placeholder: 'FILE',
    help: 'A file of sysstat, or what sadf -d made of one. May be repeated.',
  },
  {
    name: 'redis-log',
    placeholder: 'FILE',
    help: 'A log of Redis or Valkey, or of its container. May be repeated.',
  },
  {
    name: 'prometheus',
    placeholder: 'URL',
    variable: 'STEALWATCH_PROMETHEUS',
    secret: true,
    help: 'A Prometheus that watched this machine.',
  },
  { name: 'host', placeholder: 'NAME', help: 'Its value of the label host there.' },
  {
    name: 'evidence',
    placeholder: 'DIR|URL',
    secret: true,
    help: 'What a prober kept of it, or the /evidence of a running exporter. Default: that of this machine, where nothing of another one is named.',
  },
  {
    name: 'root',
    placeholder: 'DIR',
    help: 'Where the root of the machine is mounted, if not at /.',
  },
  { name: 'out', placeholder: 'DIR', help: 'Where to write. Default: ./stealwatch-report-ID.' },
  { name: 'force', help: 'Overwrite a report that is there.' },
  {
    name: 'redact',
    help: "Replace names and addresses in the team's copy as well; in the ticket they always are.",
  },
  { name: 'no-redact', help: 'Replace nothing, in the ticket neither.' },
  {
    name: 'raw',
    help: 'Also write facts.json, all that was read, for yourself: nothing in it is replaced.',
  },
  { name: 'json', help: 'Print report.json instead of a summary.' },
  { name: 'help', help: 'Print this and end.' },
];

export function helpText(): string {
  const lines = flags.flatMap(({ name, placeholder, help, variable }) => {
    const usage = placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`;
    const where = variable === undefined ? '' : ` Variable: ${variable}.`;
    return [`  ${usage}`, `      ${help}${where}`];
  });
  return [
    'stealwatch report: from what this machine kept to a ticket and a post-mortem draft.',
    '',
    'Usage: stealwatch report [options]',
    '',
    'With no option: the newest incident it can find, in every source it can find. Writes ticket.md',
    '(only if something beyond this machine was the cause), report.md and report.json.',
    '',
    ...lines,
    '',
    'Exit code: 0 written, 1 could not be written, 2 wrong use, 3 nothing found.',
    '',
  ].join('\n');
}

interface Given {
  readonly values: Map<string, readonly string[]>;
  readonly problems: string[];
}

/** What is typed may be a secret that lost its flag: shown only where it looks like a flag. */
function given(argv: readonly string[]): Given {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    allowNegative: false,
    options: Object.fromEntries(
      flags.map(({ name, placeholder }) => [
        name,
        { type: placeholder === undefined ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
  });
  const result: Given = { values: new Map(), problems: [] };
  for (const token of tokens) {
    if (token.kind === 'positional') {
      result.problems.push(
        'unexpected argument (not shown, it may hold a secret): every option begins with --',
      );
    }
    if (token.kind === 'option')
      take(token.name === 'h' ? 'help' : token.name, token.value, result);
  }
  return result;
}

function take(name: string, value: string | undefined, { values, problems }: Given): void {
  const flag = flags.find((one) => one.name === name);
  const shown = /^[a-z-]{1,40}$/i.test(name) ? `--${name}` : 'an option (not shown)';
  if (flag === undefined) problems.push(`${shown}: no such option; --help lists them`);
  else if (flag.placeholder === undefined && value !== undefined) {
    problems.push(`${shown}: expected no value`);
  } else if (flag.placeholder !== undefined && (value === undefined || value === '')) {
    problems.push(`${shown}: expected ${flag.placeholder} after it`);
  } else values.set(name, [...(values.get(name) ?? []), value ?? '']);
}

const timePattern =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?(Z|[+-]\d{2}:?\d{2})?$/i;

/** Seconds since 1970. A time without a zone is UTC, on every machine. */
export function parseTime(text: string): number {
  const [, day = '', clock = '00:00', zone = 'Z'] = timePattern.exec(text) ?? [];
  const seconds = Date.parse(`${day}T${clock}${zone.toUpperCase()}`) / 1000;
  // Date.parse takes the 30th of February for the 2nd of March.
  const real = new Date(`${day}T00:00:00Z`);
  if (!Number.isFinite(seconds) || real.toISOString().slice(0, 10) !== day) {
    throw new Error(
      'expected a time such as 2026-10-14T21:00Z, 2026-10-14T23:00+02:00 or "2026-10-14 21:00" (UTC)',
    );
  }
  return seconds;
}

function parseId(text: string): string {
  if (!/^\d{8}T\d{6}$/.test(text)) {
    throw new Error('expected the id of an incident as a report names it, such as 20261014T210331');
  }
  return text;
}

/** The URL may hold a password: no message repeats it. */
function parsePrometheus(text: string): string {
  const { href } = parseHttpUrl(text);
  return href;
}

const isUrl = (text: string) => /^[a-z][a-z+.-]*:\/\//i.test(text);

function parseEvidence(text: string): string {
  return isUrl(text) ? parseHttpUrl(text).href : text;
}

function parseRoot(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Error('expected a directory that is there');
  return path;
}

const safeToShow = /^[\w.:/+ -]{1,60}$/;

const asItIs = (text: string) => text;

const quoted = (word: string): string =>
  /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** A URL that needs a password is for the reader to type again. */
function shownUrl(url: string): string {
  const { username, password, search } = new URL(url);
  return username === '' && password === '' && search === '' ? url : 'URL';
}

const flagged = (flag: string, value: string | undefined): string[] =>
  value === undefined ? [] : [flag, value];

/** The command that asks the same sources for another incident. */
export function commandFor(options: ReportOptions, incident: string): string {
  const { root, rootNamed, journal, kernLog, sysstat, redisLog, prometheus, host } = options;
  const { evidence, redaction } = options;
  const words = [
    ...flagged('--root', rootNamed ? root : undefined),
    ...flagged('--journal', journal),
    ...kernLog.flatMap((file) => ['--kern-log', file]),
    ...sysstat.flatMap((file) => ['--sysstat', file]),
    ...redisLog.flatMap((file) => ['--redis-log', file]),
    ...flagged('--prometheus', prometheus === undefined ? undefined : shownUrl(prometheus)),
    ...flagged('--host', host),
    ...flagged(
      '--evidence',
      evidence !== undefined && isUrl(evidence) ? shownUrl(evidence) : evidence,
    ),
    ...(redaction === 'ticket' ? [] : [redaction === 'all' ? '--redact' : '--no-redact']),
  ];
  return ['stealwatch report', ...words.map(quoted), '--incident', incident].join(' ');
}

export function readOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ReportCommand {
  const { values, problems } = given(argv);
  if (values.has('help')) return { kind: 'help' };

  function one<T>(name: string, parse: (text: string) => T): T | undefined {
    const all = values.get(name) ?? [];
    const { variable = '', secret = false } = flags.find((flag) => flag.name === name) ?? {};
    const text = all.at(-1) ?? (env[variable] === '' ? undefined : env[variable]);
    if (all.length > 1) problems.push(`--${name}: expected once`);
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      const origin = all.length > 0 ? `--${name}` : variable;
      const got = secret || !safeToShow.test(text) ? '(not shown)' : JSON.stringify(text);
      problems.push(`${origin}: ${messageOf(error)}; got ${got}`);
      return undefined;
    }
  }
  const [from, to] = [one('from', parseTime), one('to', parseTime)];
  const incident = one('incident', parseId);
  const lastBoot = values.has('last-boot');
  if (from !== undefined && to !== undefined && from >= to) {
    problems.push('--from, --to: expected --from to be before --to');
  }
  if (
    [lastBoot, from !== undefined || to !== undefined, incident !== undefined].filter(Boolean)
      .length > 1
  ) {
    problems.push('--last-boot, --from/--to, --incident: expected one of the three');
  }
  if (values.has('redact') && values.has('no-redact')) {
    problems.push('--redact, --no-redact: expected one of the two');
  }
  const options: ReportOptions = {
    root: one('root', parseRoot) ?? '/',
    rootNamed: values.has('root'),
    lastBoot,
    from,
    to,
    incident,
    journal: one('journal', asItIs),
    kernLog: values.get('kern-log') ?? [],
    sysstat: values.get('sysstat') ?? [],
    redisLog: values.get('redis-log') ?? [],
    prometheus: one('prometheus', parsePrometheus),
    host: one('host', asItIs),
    evidence: one('evidence', parseEvidence),
    out: one('out', asItIs),
    redaction: values.has('no-redact') ? 'nothing' : values.has('redact') ? 'all' : 'ticket',
    raw: values.has('raw'),
    json: values.has('json'),
    force: values.has('force'),
  };
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'run', options };
}
