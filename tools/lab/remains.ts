/**
 * What is left of the VPS after a reset, as a machine would keep it: its kernel log, Redis's log and
 * sysstat's file, followed from outside as they grow, since its root is in memory; and what a prober
 * fetched of its evidence.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { EvidenceAnswer, EvidenceFile } from '../../exporter/evidence/format.ts';
import { createLineSplitter } from '../../exporter/report/sources/lines.ts';
import { headers } from './access.ts';
import { cropped, kernLogLine } from './kern-log.ts';
import type { Machine } from './machine.ts';
import type { Unpacked } from './packages.ts';
import type { Points } from './prometheus.ts';

/** Of sysstat in the VPS. */
export const sysstatSeconds = 5;
const evidenceMs = 10_000;

export interface Remains {
  /** Of the boot that runs now: the files are followed from their beginnings. */
  follow(): Promise<void>;
  /** Write it all down below this directory. HYP of sysstat, per second. */
  write(directory: string, unpacked: Unpacked): Points;
  close(): void;
}

/**
 * The emulated networks accept at once, whoever listens behind them, and then hang up: so it counts
 * as there when the first bytes have come.
 */
async function openStream(port: number, take: (chunk: Buffer) => void): Promise<Socket> {
  for (let attempt = 0; attempt < 30; attempt++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    const began = await new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true));
      socket.once('close', () => resolve(false));
      socket.on('data', take);
    });
    if (began) return socket;
    await sleep(1000);
  }
  throw new Error(`nothing came from port ${port}`);
}

/** Each incident as it was last told, as the prober keeps it. */
function pollEvidence(machine: Machine, kept: Map<string, EvidenceFile>): () => void {
  let asking = false;
  async function ask(): Promise<void> {
    if (asking) return;
    asking = true;
    const answer = await fetch(`http://127.0.0.1:${machine.ports.exporter}/evidence`, {
      headers,
      signal: AbortSignal.timeout(evidenceMs),
    }).catch(() => undefined);
    const text = answer?.ok === true ? await answer.text().catch(() => '') : '';
    if (text !== '') keep(JSON.parse(text) as EvidenceAnswer);
    asking = false;
  }
  function keep(answer: EvidenceAnswer): void {
    for (const incident of answer.incidents) {
      for (const former of incident.formerIds) kept.delete(former);
      const file = { ...answer, incidents: [incident], host: 'vps', fetched: Date.now() / 1000 };
      kept.set(incident.id, file);
    }
  }
  const timer = setInterval(() => void ask(), evidenceMs);
  return () => clearInterval(timer);
}

/** HYP as Debian's own `sadf` reads it. */
function hostPageIns(file: string, { libraries, root }: Unpacked): Points {
  const program = [join(libraries, 'ld-linux-x86-64.so.2'), '--library-path', libraries] as const;
  const text = execFileSync(
    program[0],
    [program[1], program[2], join(root, 'usr/bin/sadf'), '-d', '-U', file, '--', '-I', 'ALL'],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, env: { LC_ALL: 'C' } },
  );
  const rows = text.matchAll(/^[^;]*;\d+;(\d+);HYP;([\d.]+)/gm);
  return [...rows].map(([, at, perSecond]) => [Number(at), Number(perSecond)] as const);
}

function put(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

export function createRemains(machine: Machine): Remains {
  const kernLog: string[] = [];
  const redisLog: Buffer[] = [];
  const sysstat: Buffer[] = [];
  const evidence = new Map<string, EvidenceFile>();
  const sockets: Socket[] = [];
  const { ports, vps } = machine;
  let boots = 0;
  let stop: (() => void) | undefined;

  return {
    async follow() {
      const splitter = createLineSplitter((record) => {
        const line = kernLogLine(record, Date.now() / 1000);
        if (line !== undefined) kernLog.push(line);
      });
      sockets.push(
        await openStream(ports.kmsg, (chunk) => void splitter.push(chunk)),
        await openStream(ports.redisLog, (chunk) => redisLog.push(chunk)),
      );
      if (boots++ > 0) return;
      // As NTP does; the emulated clocks begin a second or so apart.
      await vps.run(`date -s @${Math.round(Date.now() / 1000)}`);
      vps.send(`sadc -S DISK,INT ${sysstatSeconds} /tmp/sysstat > /dev/null 2>&1 &`);
      sockets.push(await openStream(ports.sysstat, (chunk) => sysstat.push(chunk)));
      stop = pollEvidence(machine, evidence);
    },
    write(directory, unpacked) {
      rmSync(directory, { recursive: true, force: true });
      const logs = join(directory, 'var/log');
      put(
        join(logs, 'kern.log'),
        cropped(kernLog)
          .map((line) => `${line}\n`)
          .join(''),
      );
      put(join(logs, 'redis/redis-server.log'), Buffer.concat(redisLog));
      const plain = join(logs, 'sysstat/sa');
      put(plain, Buffer.concat(sysstat));
      const rates = hostPageIns(plain, unpacked);
      rmSync(plain);
      const day = new Date((rates[0]?.[0] ?? 0) * 1000).toISOString().slice(8, 10);
      put(join(logs, `sysstat/sa${day}.gz`), gzipSync(Buffer.concat(sysstat), { level: 9 }));
      for (const [id, file] of evidence) {
        put(join(directory, 'evidence/vps', `${id}.json`), `${JSON.stringify(file)}\n`);
      }
      return rates;
    },
    close() {
      stop?.();
      for (const socket of sockets) socket.destroy();
    },
  };
}
