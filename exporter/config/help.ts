/** What `--help` says, from the table in settings.ts. */
import { wrap } from '../measure/wrap.ts';
import { type Setting, settings, type SettingsTable } from './settings.ts';

const wrapped = (text: string, indent: string) =>
  wrap(text, 92 - indent.length)
    .map((line) => indent + line)
    .join('\n');

function usageOf({ flag, placeholder, optional }: Setting<unknown>): string {
  if (placeholder === undefined) return `--${flag}`;
  return optional === true ? `--${flag}[=${placeholder}]` : `--${flag} ${placeholder}`;
}

/** A paragraph for each setting, as `--help` shows it. */
export function settingsHelp(table: SettingsTable): string[] {
  return Object.values(table).map((s) => {
    const fallback = s.fallback === '' ? '' : ` Default: ${s.fallback}.`;
    const files = s.secret === true ? ', each also with _FILE' : '';
    const variables =
      s.variables.length === 0 ? [] : [`      ${s.variables.join(', then ')}${files}`];
    return [`  ${usageOf(s)}`, ...variables, wrapped(s.help + fallback, '      ')].join('\n');
  });
}

export function helpText(collectors: readonly string[]): string {
  return [
    'stealwatch: tells within seconds when your host takes your CPU or pages out your memory.',
    '',
    'Usage: stealwatch [options]',
    '       stealwatch doctor | files | report | rescue | status [options]: once, and --help lists theirs.',
    '',
    'Every option has an environment variable, named below it; the option wins. What may hold a',
    'secret may stand in a file, whose name the variable with _FILE behind it gives:',
    'STEALWATCH_REDIS_URL_FILE=/run/secrets/redis-url.',
    '',
    ...settingsHelp(settings),
    '  --version\n      Print the version and end.',
    '  --help\n      Print this and end.',
    '',
    wrapped(`Collectors: ${collectors.join(' ')}.`, ''),
    '',
  ].join('\n');
}
