/**
 * The demo: work for a Redis, a page with a button that freezes it, and the messages that follow. The container shares the
 * PID namespace of the Redis container and its user, so a signal is all it takes: no Docker
 * socket. SIGSTOP is what a freeze looks like from outside, TCP accepts and nothing answers;
 * inside, a real one sleeps in D state and no signal ends it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Redis } from 'ioredis';
import { bodyOf, createInbox } from './inbox.ts';
import { startLoad } from './load.ts';

const port = Number(process.env['DEMO_PORT'] ?? 10191);
const host = process.env['REDIS_HOST'] ?? 'redis';
/** Where the others are open on the machine: `exporter=127.0.0.1:20190 grafana=13000`. */
const ports: Readonly<Record<string, string | undefined>> = Object.fromEntries(
  (process.env['PORTS'] ?? '').split(' ').map((entry) => entry.split(/=(?:.*:)?/)),
);
/** Nobody wants to find it frozen on Monday. */
const longestFreezeMs = 5 * 60_000;

function processesNamed(name: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name;
      } catch {
        return false; // gone meanwhile
      }
    })
    .map(Number);
}

const inbox = createInbox();
let frozenSince: number | undefined;
let thawing: NodeJS.Timeout | undefined;

function signal(name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of processesNamed('redis-server')) process.kill(pid, name);
}

function thaw(): void {
  clearTimeout(thawing);
  signal('SIGCONT');
  frozenSince = undefined;
}

function freeze(): void {
  signal('SIGSTOP');
  frozenSince ??= Date.now();
  clearTimeout(thawing);
  thawing = setTimeout(thaw, longestFreezeMs);
}

/** The others, as they are reached from where this page is: through an ssh -L of the same ports too. */
function linksFrom(request: IncomingMessage): (service: string) => string {
  const asked = URL.parse(`http://${request.headers.host ?? ''}`)?.hostname;
  return (service) => `http://${asked || 'localhost'}:${ports[service] ?? ''}`;
}

function page(at: (service: string) => string): string {
  const seconds = frozenSince === undefined ? 0 : Math.round((Date.now() - frozenSince) / 1000);
  const [state, action, label] =
    frozenSince === undefined
      ? ['Redis answers.', 'freeze', 'Freeze Redis']
      : [`Redis has been frozen for ${seconds} s.`, 'thaw', 'Let it go on'];
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>stealwatch demo</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="refresh" content="5">
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui;max-width:40rem;margin:2rem auto;padding:0 1rem}
button{font:inherit;padding:.5em 1em}article{border-left:4px solid #c4314b;padding:.1em 1em;margin:1em 0;background:#8882;overflow-wrap:anywhere}
article.over{border-color:#2e7d32}article h2{font-size:1em;margin:.5em 0 0}time{font-size:.8em;opacity:.7}</style>
<h1>${state}</h1>
<form method="post" action="/${action}"><button>${label}</button></form>
<p>Press it, and watch: within two seconds the <a href="${at('exporter')}/">exporter</a> says so, and its
<a href="${at('exporter')}/status">/status</a> turns 503; within ten,
<a href="${at('prometheus')}/alerts">RedisFrozen</a> fires and
<a href="${at('alertmanager')}">Alertmanager</a> has sent one message, which is below; the
<a href="${at('grafana')}/d/stealwatch-freeze">forensics dashboard</a> shows which lane turned red first.
It goes on by itself after five minutes.</p>
<h1>Your phone</h1>
<p>What Discord, Slack, Telegram or a mail would show, if one were set. Nothing leaves this machine.</p>
${inbox.html()}</html>`;
}

/** A page elsewhere must not be able to press the button: browsers send where a form comes from. */
function isOurs(request: IncomingMessage): boolean {
  const site = request.headers['sec-fetch-site'];
  return site === undefined || site === 'same-origin';
}

/** Alertmanager takes a message that got another answer for one that was not sent. */
async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const taken = body !== undefined && inbox.take(body);
  response.writeHead(taken ? 200 : 400, { connection: 'close' }).end(taken ? 'ok' : 'no message');
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'POST' && request.url === '/inbox' && isOurs(request)) {
    void receive(request, response);
    return;
  }
  const actions: Readonly<Record<string, () => void>> = { '/freeze': freeze, '/thaw': thaw };
  const action = actions[request.url ?? ''];
  if (request.method === 'POST' && action !== undefined && isOurs(request)) {
    action();
    response.writeHead(303, { location: '/' }).end();
  } else if (request.method === 'GET' && request.url === '/') {
    const type = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' };
    response.writeHead(200, type).end(page(linksFrom(request)));
  } else {
    response.writeHead(404).end();
  }
}

process.once('SIGTERM', () => {
  thaw();
  process.exit(0);
});

/** Connects again for ever, and asks again what had no answer. */
function connect(): Redis {
  const redis = new Redis({
    host,
    port: Number(process.env['REDIS_PORT'] ?? 6379),
    maxRetriesPerRequest: null,
    retryStrategy: () => 500,
  });
  redis.on('error', () => undefined);
  return redis;
}

startLoad(connect);
createServer(answer).listen(port);
