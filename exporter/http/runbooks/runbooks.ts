/**
 * The runbooks as they come with this exporter, so that they are there at 3 a.m. without the internet.
 * They are part of the bundle, zipped, and not files beside it: the disk may be what stands still.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Replaced when bundling: an object of name and text as JSON, zipped, in base64. */
declare const STEALWATCH_RUNBOOKS: string | undefined;

/** Markdown by name, without `.md`. */
export type Runbooks = ReadonlyMap<string, string>;

const extension = '.md';

/** From source: the documents themselves. */
export function runbooksIn(folder: string): Record<string, string> {
  const files = readdirSync(folder).filter((file) => file.endsWith(extension));
  return Object.fromEntries(
    files
      .sort()
      .map((file) => [file.slice(0, -extension.length), readFileSync(join(folder, file), 'utf8')]),
  );
}

function bundled(zipped: string): Record<string, string> {
  const text = gunzipSync(Buffer.from(zipped, 'base64')).toString('utf8');
  return JSON.parse(text) as Record<string, string>;
}

/** A millisecond each time, and nothing is kept: they are asked for once in an outage. */
export function readRunbooks(): Runbooks {
  const all =
    typeof STEALWATCH_RUNBOOKS === 'string'
      ? bundled(STEALWATCH_RUNBOOKS)
      : runbooksIn(join(import.meta.dirname, '../../../docs/runbooks'));
  return new Map(Object.entries(all));
}

/** What is written for whoever changes the document is not for who reads it. */
const comments = /<!--.*?-->\n*/gs;

/** The index by symptom; a list of names while there is none. */
const indexName = 'README';

export const namesOf = (all: Runbooks): string[] =>
  [...all.keys()].filter((name) => name !== indexName);

/** Markdown; undefined for a name that is none. The empty name is the index. */
export function runbookOf(all: Runbooks, name: string): string | undefined {
  const text = all.get(name === '' ? indexName : name);
  if (text !== undefined) return text.replaceAll(comments, '');
  if (name !== '') return undefined;
  return `# Runbooks\n\n${namesOf(all)
    .map((one) => `* [${one}](${one}${extension})`)
    .join('\n')}\n`;
}
