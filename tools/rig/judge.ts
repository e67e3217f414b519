/**
 * Holds the exporter to its limits, whatever is done to it meanwhile.
 *
 * Patience is judged as on a quiet machine: by how much longer than its own work the exporter's
 * thread, and ours, took for want of a CPU, so that a busy machine does not turn a limit into a gamble.
 */
import { Agent, get } from 'node:http';
import { memoryOf } from './exporter-process.ts';
import { type Page, readPage } from './exposition.ts';
import { stopwatch } from './waited.ts';
import { messageOf } from '../../exporter/measure/errors.ts';

const limits = {
  livezSeconds: 0.6,
  scrapeSeconds: 2.6,
  residentBytes: 170e6,
} as const;

interface Answer {
  readonly status: number;
  readonly body: string;
  /** As on a quiet machine. */
  readonly seconds: number;
}

export interface Judge {
  /** A sentence for each limit that did not hold, with what was seen. At most `mostViolations`. */
  readonly violations: readonly string[];
  /** For people: the worst of what held. */
  summary(): string;
  /** Asks until then; resolves when the last answer is in. */
  stop(): Promise<void>;
}

/** One fault repeats at each scrape: the first few say all. */
const mostViolations = 20;
/** Past this a request is given up, and told. */
const patienceMs = 30_000;

/** `read` is given each page of /metrics that was answered, and says what else it objects to. */
export function startJudge(
  url: string,
  pid: number,
  read: (page: Page) => readonly string[] = () => [],
): Judge {
  const agent = new Agent({ keepAlive: true });
  const violations: string[] = [];
  const worst = { livez: 0, scrape: 0, resident: 0, scrapes: 0, bytes: 0 };
  const stopped = new AbortController();

  function violation(text: string): void {
    if (violations.length < mostViolations) violations.push(text);
  }

  function ask(path: string): Promise<Answer> {
    const watch = stopwatch([pid]);
    return new Promise((resolve, reject) => {
      const request = get(`${url}${path}`, { agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            seconds: watch.ms() / 1000 / watch.slowdown(),
          });
        });
      });
      request.setTimeout(patienceMs, () => request.destroy(new Error('no answer in 30 s')));
      request.on('error', reject);
    });
  }

  async function look(path: string, gapMs: number, judged: (answer: Answer) => void) {
    while (!stopped.signal.aborted) {
      try {
        judged(await ask(path));
      } catch (error) {
        violation(`${path}: ${messageOf(error)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, gapMs));
    }
  }

  const looks = [
    look('/livez', 100, ({ status, seconds }) => {
      worst.livez = Math.max(worst.livez, seconds);
      if (status !== 200) violation(`/livez: HTTP ${status}`);
      if (seconds > limits.livezSeconds) violation(`/livez took ${seconds.toFixed(2)} s`);
      // The kernel keeps the peak: what came and went between two looks is in it.
      const resident = memoryOf(pid, 'VmHWM');
      if (resident > limits.residentBytes && worst.resident <= limits.residentBytes) {
        violation(`resident ${(resident / 1e6).toFixed(0)} MB`);
      }
      worst.resident = resident;
    }),
    look('/metrics', 400, ({ status, seconds, body }) => {
      worst.scrape = Math.max(worst.scrape, seconds);
      worst.scrapes++;
      worst.bytes = Math.max(worst.bytes, body.length);
      if (status !== 200) violation(`/metrics: HTTP ${status}: ${body.slice(0, 100)}`);
      if (seconds > limits.scrapeSeconds) violation(`a scrape took ${seconds.toFixed(2)} s`);
      if (status !== 200) return;
      const page = readPage(body);
      for (const text of [...page.objections, ...read(page)]) violation(text);
    }),
    look('/status', 900, ({ status, body }) => {
      if (status !== 200 && status !== 503) violation(`/status: HTTP ${status}`);
      JSON.parse(body);
    }),
    look('/', 1500, ({ status, body }) => {
      if (status !== 200) violation(`/: HTTP ${status}`);
      const foreign = ['<script', '\u001b'].map((text) => body.indexOf(text)).find((at) => at >= 0);
      if (foreign !== undefined) {
        violation(
          `/: markup or control characters: ${JSON.stringify(body.slice(foreign - 60, foreign + 60))}`,
        );
      }
    }),
  ];

  return {
    violations,
    summary: () =>
      `${worst.scrapes} scrapes, worst ${worst.scrape.toFixed(2)} s and ${(worst.bytes / 1e3).toFixed(0)} kB; ` +
      `/livez worst ${worst.livez.toFixed(2)} s; resident at most ${(worst.resident / 1e6).toFixed(0)} MB`,
    async stop() {
      stopped.abort();
      await Promise.all(looks);
      agent.destroy();
    },
  };
}
