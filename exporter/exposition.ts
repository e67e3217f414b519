/** From families to the bytes of an answer: rendered once, compressed once, for all who share them. */
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip as gzipLater, gzipSync } from 'node:zlib';
import type { Family } from './collector.ts';
import { createPageRenderer, type Format } from './metrics.ts';
import { gzipPage, type Page, plainPage } from './prepared.ts';

export type Encoding = 'gzip' | 'identity';

const gzipOnThread = promisify<string, object, Buffer>(gzipLater);

/** Most answers are about 5 kB compressed: one piece, and no second one to join it with. */
const gzipOptions = { level: 1, chunkSize: 8 * 1024 };
/** Where a text is encoded, again and again: 25 kB a scrape that no garbage collector need find. */
const scratch = Buffer.allocUnsafeSlow(128 * 1024);

const fitsScratch = (text: string): boolean => text.length * 3 <= scratch.length;

export function gzip(text: string): Buffer {
  if (!fitsScratch(text)) return gzipSync(text, gzipOptions);
  return gzipSync(scratch.subarray(0, scratch.write(text)), gzipOptions);
}

/** A long text is compressed by a thread of the pool: the event loop has others to answer. */
async function gzipped(page: Page): Promise<Buffer> {
  const [text] = page;
  if (page.length !== 1 || typeof text !== 'string') return gzipPage(page);
  return fitsScratch(text) ? gzip(text) : gzipOnThread(text, gzipOptions);
}

/** Text as it is; what was prepared is inflated as fast as the client reads it. */
function plain(page: Page): string | Readable {
  const [text] = page;
  if (page.length === 1 && typeof text === 'string') return text;
  return Readable.from(plainPage(page), { objectMode: false });
}

interface Rendering {
  readonly page: Promise<Page>;
  gzipped?: Promise<Buffer>;
}

/** Scrapes that shared one result share its bytes as well: 50 at once cost one rendering. */
export function createExposition(): (
  families: readonly Family[],
  format: Format,
  encoding: Encoding,
) => Promise<string | Buffer | Readable> {
  const renderers = {
    text: createPageRenderer('text'),
    openmetrics: createPageRenderer('openmetrics'),
  };
  const shared = new WeakMap<readonly Family[], Map<Format, Rendering>>();
  return async (families, format, encoding) => {
    const known = shared.get(families) ?? new Map<Format, Rendering>();
    shared.set(families, known);
    const rendering = known.get(format) ?? { page: renderers[format](families) };
    known.set(format, rendering);
    if (encoding === 'identity') return plain(await rendering.page);
    rendering.gzipped ??= rendering.page.then(gzipped);
    return rendering.gzipped;
  };
}
