/**
 * The only reader of process.env and argv, by the table in settings.ts. Flags win over variables.
 * Everything is checked at start and every problem is listed at once; a value that holds a secret is
 * never repeated in a message.
 */
import { isUtf8 } from 'node:buffer';
import { parseArgs } from 'node:util';
import { commandNames } from '../core/command-names.ts';
import { readSmallFileSync, whyUnreadable } from '../core/read-file.ts';
import { trustProblems, unknownVariables } from './environment.ts';
import { helpText } from './help.ts';
import { type Named, namesOf } from './names.ts';
import { nearest } from './near.ts';
import { type Setting, settings, type SettingsTable, type ValuesOf } from './settings.ts';
import { redisProblems, withRedisSettings } from './redis.ts';
import { messageOf } from '../measure/errors.ts';

export type Config = ValuesOf<typeof settings> & {
  /** What its settings are called in a problem. */
  readonly named: Named<keyof typeof settings>;
};

export type Command =
  | { readonly kind: 'run'; readonly config: Config; readonly remarks: readonly string[] }
  | { readonly kind: 'print'; readonly text: string }
  | {
      readonly kind: 'invalid';
      readonly problems: readonly string[];
      /** Files alone are wrong, and may come right by themselves: a disk that is not mounted yet. */
      readonly mayPass: boolean;
    };

export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** The words `--without` may hold. */
  readonly collectors: readonly string[];
}

interface Given {
  readonly text: string;
  /** `--redis-url` or `STEALWATCH_REDIS_URL`: what to name when the text is wrong. */
  readonly origin: string;
}

interface Arguments {
  readonly flags: Map<string, Given>;
  readonly problems: string[];
  readonly wants: Set<'help' | 'version'>;
}

function readArguments(argv: readonly string[], table: SettingsTable): Arguments {
  const all: readonly Setting<unknown>[] = Object.values(table);
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    allowNegative: false,
    options: Object.fromEntries(
      all.map((s) => [s.flag, { type: takesNext(s) ? ('string' as const) : ('boolean' as const) }]),
    ),
  });
  const result: Arguments = { flags: new Map(), problems: [], wants: new Set() };
  for (const token of tokens) {
    if (token.kind === 'positional') {
      const before = argv[token.index - 1] ?? '';
      const flag = all.find((s) => s.optional === true && before === `--${s.flag}`);
      if (flag !== undefined) {
        result.problems.push(
          `--${flag.flag}: expected its value behind a =, --${flag.flag}=${flag.placeholder}`,
        );
        continue;
      }
      const place = token.index === 0 ? 'the first' : `number ${token.index + 1}`;
      result.problems.push(
        `unexpected argument, ${place} (not shown, it may hold a secret): every option begins with --${
          token.index === 0
            ? `, and of commands there are ${commandNames.slice(0, -1).join(', ')} and ${commandNames.at(-1)}`
            : ''
        }`,
      );
    }
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.name === 'h') result.wants.add('help');
    else if (token.name === 'version') result.wants.add('version');
    else addFlag(token.name, token.value, all, result);
  }
  return result;
}

/** Whether the argument after the flag is its value. */
function takesNext({ placeholder, optional }: Setting<unknown>): boolean {
  return placeholder !== undefined && optional !== true;
}

function addFlag(
  name: string,
  value: string | undefined,
  all: readonly Setting<unknown>[],
  { flags, problems }: Arguments,
): void {
  const origin = `--${name}`;
  const known = all.find((s) => s.flag === name);
  if (known === undefined) {
    const shown = /^[a-z-]{1,40}$/i.test(name) ? origin : 'an option (not shown)';
    const near = nearest(
      name,
      all.map((s) => s.flag),
    );
    const meant = near === undefined ? '--help lists them' : `is --${near} meant?`;
    problems.push(`${shown}: no such option; ${meant}`);
  } else if (!takesNext(known)) flags.set(name, { text: value ?? 'true', origin });
  else if (value === undefined) problems.push(`${origin}: expected ${known.placeholder} after it`);
  else {
    const before = known.list === undefined ? undefined : flags.get(name)?.text;
    flags.set(name, { text: before === undefined ? value : `${before}\n${value}`, origin });
  }
}

/** Variables set to nothing count as not set: compose files pass empty ones. */
function fromEnvironment(s: Setting<unknown>, env: Surroundings['env']): Given | undefined {
  for (const origin of s.variables) {
    const text = env[origin] ?? '';
    const file = s.secret === true ? (env[fileVariable(origin)] ?? '') : '';
    if (text !== '' && file !== '') {
      throw new Error(`${origin}, ${fileVariable(origin)}: expected one of the two`);
    }
    if (text !== '') return { text, origin };
    if (file !== '')
      return { text: secretIn(file, fileVariable(origin)), origin: fileVariable(origin) };
  }
  return undefined;
}

/** A secret may stand in a file: its variable with `_FILE` names it, as in many images. */
function fileVariable(variable: string): string {
  return `${variable}_FILE`;
}

/** Editors and `echo` end the last line, and files from Windows end each with a carriage return. */
function secretIn(path: string, origin: string): string {
  const shown = looksLikePath(path)
    ? JSON.stringify(path)
    : 'it (not shown, it may be the secret itself); expected the path of a file that holds it';
  let content: Buffer;
  try {
    content = readSmallFileSync(path);
  } catch (error) {
    throw passing(`${origin}: cannot read ${shown} (${whyUnreadable(error)})`, error);
  }
  if (!isUtf8(content)) throw new Error(`${origin}: expected UTF-8 in ${shown}`);
  const text = content
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
    .trim();
  if (text === '') throw passing(`${origin}: nothing is in ${shown}`);
  return text;
}

/** A problem that waiting may solve: a disk is mounted late, a file is being written. */
const passing = (message: string, cause?: unknown): Error =>
  Object.assign(new Error(message, { cause }), { passing: true });

const isPassing = (error: unknown): boolean => error instanceof Error && 'passing' in error;

/** A secret that was given where its path belongs is none of these, or the rarest. */
function looksLikePath(text: string): boolean {
  return /^(?:\.{0,2}\/)?[\w.-][\w./-]{0,200}$/.test(text) && text.includes('/');
}

/** What is wrong is often a neighbour's value, and what stands beside passwords may be one. */
function mayBeShown({ secret, besideSecrets }: Setting<unknown>, text: string): boolean {
  if (secret === true) return false;
  if (besideSecrets === true) return looksLikePath(text);
  return /^[\w.,:/[\] %+<>=-]{1,60}$/.test(text) && !text.includes('://');
}

function problemOf(s: Setting<unknown>, { text, origin }: Given, error: unknown): string {
  const shown = mayBeShown(s, text) ? JSON.stringify(text) : '(not shown, it may hold a secret)';
  return `${origin}: ${messageOf(error)}; got ${shown}`;
}

/** Whose evidence is to be kept must be said, and how to ask for it be clear. */
function evidenceProblems(config: Partial<Config>, named: Config['named']): string[] {
  const problems: string[] = [];
  const pairs = [
    ['evidenceDir', 'agents'],
    ['agentUser', 'agentPassword'],
  ] as const;
  for (const [a, b] of pairs) {
    // One that was given and refused is told already.
    const understood = a in config && b in config;
    if (understood && (config[a] === undefined) !== (config[b] === undefined)) {
      problems.push(`${named(a, b)}: expected both or neither`);
    }
  }
  if (config.agentToken !== undefined && config.agentUser !== undefined) {
    problems.push(`${named('agentToken', 'agentUser')}: expected one of the two`);
  }
  return problems;
}

export interface ReadSettings<T extends SettingsTable> {
  /** Whole where there are no problems. */
  readonly values: ValuesOf<T>;
  readonly problems: string[];
  /** How many of them may pass by themselves. */
  readonly passing: number;
  readonly wants: ReadonlySet<'help' | 'version'>;
  readonly named: Named<keyof T & string>;
}

/** Never throws for what a user typed: wrong input comes back as a list of problems. */
export function readSettings<T extends SettingsTable>(
  table: T,
  { argv, env }: Pick<Surroundings, 'argv' | 'env'>,
): ReadSettings<T> {
  const { flags, problems, wants } = readArguments(argv, table);
  const values: Record<string, unknown> = {};
  const origins = new Map<string, string>();
  let passing = 0;
  // A file that is wrong keeps nobody from reading the help.
  for (const [key, s] of wants.size > 0 ? [] : Object.entries<Setting<unknown>>(table)) {
    try {
      const given = flags.get(s.flag) ?? fromEnvironment(s, env);
      if (given !== undefined) origins.set(key, given.origin);
      values[key] = parsed(s, given ?? { text: s.fallback, origin: `--${s.flag}` });
    } catch (error) {
      problems.push(messageOf(error));
      if (isPassing(error)) passing += 1;
    }
  }
  // The table is what `ValuesOf` is derived from, so a filled record is one.
  const named = namesOf(table, origins);
  return { values: values as ValuesOf<T>, problems, passing, wants, named };
}

function parsed(s: Setting<unknown>, given: Given): unknown {
  try {
    return s.parse(given.text);
  } catch (error) {
    throw new Error(problemOf(s, given, error), { cause: error });
  }
}

export function readConfig({ argv, env, version, collectors }: Surroundings): Command {
  const { values, problems, passing, wants, named } = readSettings(settings, { argv, env });
  const config: Config = { ...values, named };
  if (wants.has('help')) return { kind: 'print', text: helpText(collectors) };
  if (wants.has('version')) return { kind: 'print', text: `stealwatch ${version}\n` };
  const unknown = unknownVariables(env, settings);
  problems.push(...unknown.problems, ...trustProblems(env));
  problems.push(...redisProblems(config, named), ...evidenceProblems(config, named));
  for (const name of config.without ?? []) {
    if (!collectors.includes(name)) {
      problems.push(
        `${named('without')}: no collector ${/^[a-z-]{1,40}$/i.test(name) ? JSON.stringify(name) : '(not shown)'}; there are ${collectors.join(' ')}`,
      );
    }
  }
  return problems.length > 0
    ? { kind: 'invalid', problems, mayPass: problems.length === passing }
    : { kind: 'run', config: withRedisSettings(config, named), remarks: unknown.remarks };
}
