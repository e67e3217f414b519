/** From families to the bytes of an answer: rendered once, compressed once, for all who share them. */
import { promisify } from 'node:util';
import { gzip as gzipLater, gzipSync } from 'node:zlib';
import type { Family } from '../core/collector.ts';
import { type Answers, createLargeAnswers, isLarge, type LargeAnswer } from './large-answer.ts';
import { createPageRenderer, type Format } from './metrics.ts';
import { newestNext } from './newest-next.ts';
import { gzipPage, type Page } from '../core/prepared.ts';

export type Encoding = 'gzip' | 'identity';

const gzipOnThread = promisify<string, object, Buffer>(gzipLater);

/**
 * Most answers are about 6 kB compressed: one piece, and no second one to join it with. A window of
 * 8 kB and its tables are a quarter less work to set up than zlib's 32 kB, for 2 % more bytes.
 */
const gzipOptions = { level: 1, chunkSize: 8 * 1024, windowBits: 13, memLevel: 7 };
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

/** A small one is the same for all; of a large one each client reads its own way through it. */
type AnswerOf = () => Answer | Promise<Answer>;

async function zipped(page: Page, large: Answers): Promise<AnswerOf> {
  const body = await gzipped(page);
  return isLarge(body) ? large([body]) : () => ({ body });
}

/** Text as it is, its bytes once for all; what was prepared is inflated as it is read. */
function plain(page: Page, large: Answers): AnswerOf {
  const [text] = page;
  if (page.length === 1 && typeof text === 'string' && fitsScratch(text)) {
    return () => ({ body: text });
  }
  return large(page.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

export type Answer = LargeAnswer | { readonly body: string | Buffer };

export interface Wanted {
  readonly format: Format;
  readonly encoding: Encoding;
  /** Whose families these are. Answers are shared by those who ask for the same. */
  readonly source: string;
}

export interface Exposition {
  /** The answer for these families, or for newer ones of the same source. */
  answer(families: readonly Family[], wanted: Wanted): Promise<Answer>;
  /** Resolves when what is being rendered of this source is done; undefined when nothing is. */
  underWay(source: string): Promise<unknown> | undefined;
}

const formats = ['text', 'openmetrics'] as const;

/**
 * Scrapes share renderings: of each source and format one is under way and one waits, the newest,
 * whatever number of clients ask. `encrypted`: answers go through TLS.
 */
export function createExposition(encrypted: boolean): Exposition {
  const renderers = {
    text: createPageRenderer('text'),
    openmetrics: createPageRenderer('openmetrics'),
  };
  const large = createLargeAnswers(encrypted);
  const chainOf = (format: Format) => ({
    render: newestNext(renderers[format]),
    zip: newestNext<Page, AnswerOf>(async (page) => zipped(page, large)),
    open: newestNext<Page, AnswerOf>(async (page) => plain(page, large)),
  });
  const chains = new Map<string, ReturnType<typeof chainOf>>();

  function chain(source: string, format: Format): ReturnType<typeof chainOf> {
    const key = `${source} ${format}`;
    const known = chains.get(key) ?? chainOf(format);
    chains.set(key, known);
    return known;
  }

  return {
    async answer(families, { format, encoding, source }) {
      const { render, zip, open } = chain(source, format);
      const page = await render.ask(families);
      const answerOf = await (encoding === 'gzip' ? zip : open).ask(page);
      return answerOf();
    },
    underWay(source) {
      const renderings = formats
        .map((format) => chain(source, format).render.underWay())
        .filter((one) => one !== undefined);
      return renderings.length === 0 ? undefined : Promise.all(renderings);
    },
  };
}
