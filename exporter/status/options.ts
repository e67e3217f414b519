/** The options of `stealwatch status`: which exporter, and as whom. */
import { readSettings } from '../config/read.ts';
import { settings } from '../config/settings.ts';
import { parseHttpUrl, parseListen } from '../config/values.ts';
import type { Answered } from '../doctor/machine-command.ts';
import {
  commandHelp,
  exporterPlaceOf,
  exporterSettings,
  listenSettings,
} from '../doctor/shared-options.ts';
import type { ExporterPlace } from '../http/access/way-in.ts';
import { messageOf } from '../measure/errors.ts';

const table = { ...exporterSettings, ...listenSettings };

export interface AskCommand {
  readonly kind: 'ask';
  readonly place: ExporterPlace;
}

const usualPort = String(parseListen(settings.listen.fallback).port);

const helpText = commandHelp(
  [
    'stealwatch status: what the page at / of the exporter says, in a terminal.',
    '',
    'Usage: stealwatch status [URL] [options]',
    '',
    'URL is another exporter, http://HOST:10190, HOST:10190 or HOST. Ends within 6 s, or 11 where the disk stands still: with 0 when all is well,',
    '1 when something is worth knowing, 2 when something is bad or the exporter cannot be asked, 3 for',
    'wrong options. In colour on a terminal, unless NO_COLOR is set.',
  ],
  table,
);

/** `HOST`, `HOST:PORT`, with a path or without: of a name alone ours is the port that is meant. */
function urlOfPlace(text: string): URL {
  const url = URL.parse(`http://${text}`);
  if (url === null) {
    throw new Error(
      'expected HOST:PORT, [IPv6]:PORT, or a URL that starts with http:// or https://',
    );
  }
  if (!/:\d+(?:[/?#]|$)/.test(text)) url.port = usualPort;
  return url;
}

/** Everybody on this machine sees the arguments of a command. */
function urlOf(text: string): URL {
  // A number alone would be read as an IPv4 address, and somebody else be asked.
  if (/^:?\d+$/.test(text)) {
    throw new Error(`expected HOST:PORT, such as 127.0.0.1:${text.replace(':', '')}`);
  }
  const url = text.includes('://') ? parseHttpUrl(text) : urlOfPlace(text);
  if (url.username !== '' || url.password !== '') {
    throw new Error(
      'a password in an argument shows in ps: put the whole URL into STEALWATCH_EXPORTER_URL',
    );
  }
  return url;
}

export function readStatusOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): AskCommand | Answered {
  const [first = '-'] = argv;
  const given = first.startsWith('-') ? undefined : first;
  const { values, problems, wants, named } = readSettings(table, {
    argv: given === undefined ? argv : argv.slice(1),
    env,
  });
  if (wants.size > 0) return { kind: 'print', text: helpText };
  let url: URL | undefined;
  try {
    url = given === undefined ? values.exporter : urlOf(given);
  } catch (error) {
    problems.push(`URL: ${messageOf(error)}`);
  }
  if (problems.length > 0) return { kind: 'invalid', problems };
  return {
    kind: 'ask',
    place: exporterPlaceOf(values, named, url),
  };
}
